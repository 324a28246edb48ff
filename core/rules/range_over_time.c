/*
 * range_over_time.c: see range.h; the functions named ..._over_time.
 */
#include <math.h>

#include "rules/eval.h"
#include "rules/numeric.h"
#include "rules/range.h"

/* A mean that is infinite stays so, where the formula would make it NaN. */
bool range_avg(const struct window *window, double *ret_value)
{
    struct kahan mean = {0};

    for (size_t i = 0; i < window->n; i++) {
        double value = window->samples[i].value, n = (double)(i + 1);

        if (isinf(mean.sum) && (isinf(value) ? (mean.sum > 0) == (value > 0) : !isnan(value))) {
            continue;
        }
        kahan_add(&mean, value / n - mean.sum / n);
    }
    *ret_value = isinf(mean.sum) ? mean.sum : mean.sum + mean.error;
    return true;
}

bool range_sum(const struct window *window, double *ret_value)
{
    struct kahan sum = {0};

    for (size_t i = 0; i < window->n; i++) {
        kahan_add(&sum, window->samples[i].value);
    }
    *ret_value = isinf(sum.sum) ? sum.sum : sum.sum + sum.error;
    return true;
}

bool range_count(const struct window *window, double *ret_value)
{
    *ret_value = (double)window->n;
    return true;
}

bool range_last(const struct window *window, double *ret_value)
{
    *ret_value = window->samples[window->n - 1].value;
    return true;
}

bool range_max(const struct window *window, double *ret_value)
{
    double max = window->samples[0].value;

    for (size_t i = 1; i < window->n; i++) {
        if (window->samples[i].value > max || isnan(max)) {
            max = window->samples[i].value;
        }
    }
    *ret_value = max;
    return true;
}

bool range_min(const struct window *window, double *ret_value)
{
    double min = window->samples[0].value;

    for (size_t i = 1; i < window->n; i++) {
        if (window->samples[i].value < min || isnan(min)) {
            min = window->samples[i].value;
        }
    }
    *ret_value = min;
    return true;
}

bool range_present(const struct window *window, double *ret_value)
{
    *ret_value = 1;
    return true;
}

bool range_quantile(const struct window *window, double *ret_value)
{
    for (size_t i = 0; i < window->n; i++) {
        window->room[i] = (struct order_key){.value = window->samples[i].value};
    }
    *ret_value = eval_quantile(window->param, window->room, window->n, window->room + window->n);
    return true;
}

bool range_stdvar(const struct window *window, double *ret_value)
{
    struct kahan mean = {0}, squares = {0};

    for (size_t i = 0; i < window->n; i++) {
        double value = window->samples[i].value;
        double delta = value - (mean.sum + mean.error);

        kahan_add(&mean, delta / (double)(i + 1));
        kahan_add(&squares, delta * (value - (mean.sum + mean.error)));
    }
    *ret_value = (squares.sum + squares.error) / (double)window->n;
    return true;
}

bool range_stddev(const struct window *window, double *ret_value)
{
    bool there = range_stdvar(window, ret_value);

    *ret_value = sqrt(*ret_value);
    return there;
}
