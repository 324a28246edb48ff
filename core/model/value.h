/*
 * value.h: how an operator writes a single value, and what it means.
 *
 * Used for what stands in the YAML, for the defaults that a manifest declares (which are written
 * the same way) and for parameters on the command line.  Any thread.
 */
#ifndef MODEL_VALUE_H
#define MODEL_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "plugin_api.h"

struct value {
    int64_t num; /* INT, DURATION (ms), BYTES, BOOL */
    double real; /* FLOAT */
};

/* What there is to say about a value's form; both manifest_option and tmon_option give one. */
struct value_rule {
    tmon_type type;
    double min, max;     /* both 0: any */
    const char *choices; /* CHOICE: "left|right" */
};

/*
 * Reads `text` as a value of a type other than MAP and GROUPS; of a LIST it is one item.  STRING,
 * CHOICE, URL and LIST leave *ret_value zero.  On failure returns -EINVAL and writes a predicate
 * for the operator into ret_why that never repeats the text: "must be a duration such as 500ms,
 * 30s, 5m, 2h or 1d", "must be at most 100".
 */
int value_parse(const struct value_rule *rule, const char *text, struct value *ret_value,
                char *ret_why, size_t size);

/* The items of a LIST's default, "a, b": the n-th as an owned string; NULL when there are fewer. */
char *value_list_item(const char *text, size_t n);

#endif
