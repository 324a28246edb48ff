/*
 * literal.h: private to rules/: numbers, durations and strings as Go and Prometheus write them.
 */
#ifndef RULES_LITERAL_H
#define RULES_LITERAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* A floating point number as Go's ParseFloat takes it, all of the text.  False: it is none, or too
 * large. */
bool literal_float(const char *text, size_t len, double *ret_value);
/* A number of an expression: hexadecimal and octal whole numbers too. */
bool literal_number(const char *text, size_t len, double *ret_value);
/* 1h30m, units descending, above 0, up to 292 years.  False: it is none; ret_why says it. */
bool literal_duration(const char *text, size_t len, int64_t *ret_ms, char *ret_why, size_t size);
/* The meaning of a string with its quotes.  False: an escape is wrong; ret_at is the byte.  Valid
 * UTF-8 without NUL afterwards. */
bool literal_string(const char *text, size_t len, struct buf *buf, size_t *ret_at, char *ret_why,
                    size_t size);

/* Appends as Prometheus prints: 1h30m, 1e+06, "quoted". */
void literal_put_duration(int64_t ms, struct buf *buf);
void literal_put_number(double value, struct buf *buf);
void literal_put_string(const char *text, struct buf *buf);

#endif
