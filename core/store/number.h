/*
 * number.h: numbers as text, for the exposition: the shortest decimal that reads back as the same
 * double.
 *
 * All functions write at most NUMBER_MAX bytes into `out`, which must have room for as many even
 * where the text is shorter, and return its end; no NUL is added.  Any thread.
 */
#ifndef STORE_NUMBER_H
#define STORE_NUMBER_H

#include <stdint.h>

#define NUMBER_MAX 40

/* 17, 0.25, 1e-07, NaN, +Inf, -Inf; plain digits for whole numbers up to 21 of them. */
char *number_put(char *out, double value);
char *number_put_u64(char *out, uint64_t value);
char *number_put_i64(char *out, int64_t value);
/* As the labels le and quantile want it, which are compared as text: 0.5, 1e+06 from a million on;
 * with `canonical` (OpenMetrics) whole numbers end in ".0". */
char *number_put_bound(char *out, double value, int canonical);

#endif
