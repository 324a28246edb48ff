/*
 * notation.h: how unit tests of rules write series: up{job="a"} and 0 1+2x5 _ stale.
 */
#ifndef RULES_NOTATION_H
#define RULES_NOTATION_H

#include <stdbool.h>
#include <stddef.h>

#include "plugin_api.h"

struct notation_value {
    bool omitted;
    double value;
};

/* Reads name{label="value", ...}, each part of which may be missing.  0 with one owned block,
 * sorted and with __name__; -EINVAL with a sentence; -ENOMEM. */
int notation_metric(const char *text, struct tmon_pair **ret_labels, size_t *ret_n, char *ret_why,
                    size_t size);
/* Reads values, as promtool does.  0 with an owned array; -EINVAL with a sentence; -ENOMEM. */
int notation_values(const char *text, struct notation_value **ret_values, size_t *ret_n,
                    char *ret_why, size_t size);
#endif
