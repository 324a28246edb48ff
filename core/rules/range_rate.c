/*
 * range_rate.c: see range.h; how counters and gauges change.
 */
#include <math.h>

#include "rules/numeric.h"
#include "rules/range.h"

/* As Go's Duration.Seconds(). */
static double seconds(int64_t ms)
{
    return (double)(ms / 1000) + (double)(ms % 1000 * 1000000) / 1e9;
}

/* What a counter rose by, with what it had before each reset. */
static double rise(const struct window *window, bool counter)
{
    const struct expr_sample *samples = window->samples;
    double sum = samples[window->n - 1].value - samples[0].value;

    for (size_t i = 1; counter && i < window->n; i++) {
        if (samples[i].value < samples[i - 1].value) {
            sum += samples[i - 1].value;
        }
    }
    return sum;
}

/* The rise, extrapolated to the ends of the range where samples come near enough to them: the
 * series is thought to begin or end half an interval beyond its samples otherwise, and a counter
 * not before it was 0. */
static bool extrapolated(const struct window *window, bool counter, bool per_second,
                         double *ret_value)
{
    const struct expr_sample *first = &window->samples[0];
    const struct expr_sample *last = &window->samples[window->n - 1];
    double value, to_start, to_end, sampled, average, threshold, interval, factor;

    if (window->n < 2) {
        return false;
    }
    value = rise(window, counter);
    to_start = (double)(first->time_ms - window->start_ms) / 1000;
    to_end = (double)(window->end_ms - last->time_ms) / 1000;
    sampled = (double)(last->time_ms - first->time_ms) / 1000;
    average = sampled / (double)(window->n - 1);
    if (counter && value > 0 && first->value >= 0) {
        double to_zero = sampled * (first->value / value);

        to_start = to_zero < to_start ? to_zero : to_start;
    }
    threshold = average * 1.1;
    interval = sampled;
    interval += to_start < threshold ? to_start : average / 2;
    interval += to_end < threshold ? to_end : average / 2;
    factor = interval / sampled;
    if (per_second) {
        factor /= seconds(window->range_ms);
    }
    *ret_value = value * factor;
    return true;
}

bool range_rate(const struct window *window, double *ret_value)
{
    return extrapolated(window, true, true, ret_value);
}

bool range_increase(const struct window *window, double *ret_value)
{
    return extrapolated(window, true, false, ret_value);
}

bool range_delta(const struct window *window, double *ret_value)
{
    return extrapolated(window, false, false, ret_value);
}

/* Of the last two samples alone. */
static bool instant(const struct window *window, bool counter, double *ret_value)
{
    const struct expr_sample *last = &window->samples[window->n - 1];
    double value;

    if (window->n < 2 || last[0].time_ms == last[-1].time_ms) {
        return false;
    }
    value =
        counter && last[0].value < last[-1].value ? last[0].value : last[0].value - last[-1].value;
    if (counter) {
        value /= (double)(last[0].time_ms - last[-1].time_ms) / 1000;
    }
    *ret_value = value;
    return true;
}

bool range_irate(const struct window *window, double *ret_value)
{
    return instant(window, true, ret_value);
}

bool range_idelta(const struct window *window, double *ret_value)
{
    return instant(window, false, ret_value);
}

/* The straight line of the least squares; its height at `at_ms`. */
static void regression(const struct window *window, int64_t at_ms, double *ret_slope,
                       double *ret_height)
{
    struct kahan xs = {0}, ys = {0}, products = {0}, squares = {0};
    double first = window->samples[0].value, n = (double)window->n;
    double sum_x, sum_y, covariance, variance;
    bool constant = true;

    for (size_t i = 0; i < window->n; i++) {
        double x = (double)(window->samples[i].time_ms - at_ms) / 1e3;
        double y = window->samples[i].value;

        constant = constant && (i == 0 || y == first);
        kahan_add(&xs, x);
        kahan_add(&ys, y);
        kahan_add(&products, x * y);
        kahan_add(&squares, x * x);
    }
    if (constant) {
        *ret_slope = isinf(first) ? (double)NAN : 0;
        *ret_height = isinf(first) ? (double)NAN : first;
        return;
    }
    sum_x = xs.sum + xs.error;
    sum_y = ys.sum + ys.error;
    covariance = products.sum + products.error - sum_x * sum_y / n;
    variance = squares.sum + squares.error - sum_x * sum_x / n;
    *ret_slope = covariance / variance;
    *ret_height = sum_y / n - *ret_slope * sum_x / n;
}

bool range_deriv(const struct window *window, double *ret_value)
{
    double height;

    if (window->n < 2) {
        return false;
    }
    regression(window, window->samples[0].time_ms, ret_value, &height);
    return true;
}

bool range_predict_linear(const struct window *window, double *ret_value)
{
    double slope, height;

    if (window->n < 2) {
        return false;
    }
    regression(window, window->now_ms, &slope, &height);
    *ret_value = slope * window->param + height;
    return true;
}

bool range_changes(const struct window *window, double *ret_value)
{
    size_t n = 0;

    for (size_t i = 1; i < window->n; i++) {
        double a = window->samples[i - 1].value, b = window->samples[i].value;

        n += a != b && !(isnan(a) && isnan(b));
    }
    *ret_value = (double)n;
    return true;
}

bool range_resets(const struct window *window, double *ret_value)
{
    size_t n = 0;

    for (size_t i = 1; i < window->n; i++) {
        n += window->samples[i].value < window->samples[i - 1].value;
    }
    *ret_value = (double)n;
    return true;
}
