/*
 * range.h: private to rules/: functions over the samples of one series, as Prometheus 2.42 computes
 * them.
 */
#ifndef RULES_RANGE_H
#define RULES_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/expr.h"
#include "rules/order.h"

struct window {
    const struct expr_sample *samples; /* one at least, no stale markers */
    size_t n;
    int64_t start_ms, end_ms; /* of the range, its offset considered */
    int64_t range_ms;
    int64_t now_ms;         /* of the evaluation */
    double param;           /* of functions that have one */
    struct order_key *room; /* for 2n keys */
};

bool range_rate(const struct window *window, double *ret_value);
bool range_increase(const struct window *window, double *ret_value);
bool range_delta(const struct window *window, double *ret_value);
bool range_irate(const struct window *window, double *ret_value);
bool range_idelta(const struct window *window, double *ret_value);
bool range_deriv(const struct window *window, double *ret_value);
bool range_predict_linear(const struct window *window, double *ret_value);
bool range_changes(const struct window *window, double *ret_value);
bool range_resets(const struct window *window, double *ret_value);

bool range_avg(const struct window *window, double *ret_value);
bool range_count(const struct window *window, double *ret_value);
bool range_last(const struct window *window, double *ret_value);
bool range_max(const struct window *window, double *ret_value);
bool range_min(const struct window *window, double *ret_value);
bool range_present(const struct window *window, double *ret_value);
bool range_quantile(const struct window *window, double *ret_value);
bool range_stddev(const struct window *window, double *ret_value);
bool range_stdvar(const struct window *window, double *ret_value);
bool range_sum(const struct window *window, double *ret_value);

#endif
