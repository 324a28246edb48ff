/*
 * go_format.h: values as Go's package fmt prints them, which templates of rules show.
 */
#ifndef RULES_GO_FORMAT_H
#define RULES_GO_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum go_kind { GO_STRING, GO_FLOAT, GO_INT, GO_BOOL };

struct go_value {
    enum go_kind kind;
    const char *text; /* borrowed */
    double number;
    int64_t whole; /* GO_INT, GO_BOOL */
};

/* As %v: 1.5e+06, +Inf, text as it is. */
void go_print(const struct go_value *value, struct buf *out);
/* As strconv.FormatFloat(number, verb, -1, 64): 'e', 'E', 'f' or 'g'. */
void go_float(double number, char verb, struct buf *out);
/* As %.4g */
void go_float_4g(double number, struct buf *out);
/* In quotes, as strconv.Quote. */
void go_quote(const char *text, struct buf *out);
/* fmt.Sprintf(format, values...), with Go's remarks where a verb does not fit its value. */
void go_printf(const char *format, const struct go_value *values, size_t n, struct buf *out);

#endif
