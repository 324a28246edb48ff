/*
 * eval_select.c: see eval.h; selectors, and the functions over ranges.
 *
 * A range never becomes a value: each series' samples are made one number while they are lent.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "rules/eval.h"
#include "rules/functions.h"
#include "rules/range.h"
#include "store/history.h"

struct reading {
    struct eval *eval;
    struct vector *vector;
    int64_t from_ms, to_ms; /* both ends belong to it */
    bool timestamps;
    range_fn *fn; /* of a range */
    bool keep_name;
    struct window window;
};

static int count(struct eval *eval, size_t n)
{
    eval->nsamples += n;
    if (eval->nsamples > LIMIT_EXPR_SAMPLES) {
        return eval_fail(eval, -E2BIG, "the evaluation reads more than %d samples",
                         LIMIT_EXPR_SAMPLES);
    }
    return eval_check(eval, n);
}

static int add(struct reading *reading, const struct expr_series *series, bool keep_name,
               double value)
{
    struct eval *eval = reading->eval;
    struct set set;

    if (!set_make(&eval->pool, series->labels, series->hashes, series->nlabels,
                  !eval->input->labels_stay, &set) ||
        (!keep_name && !set_drop_name(&eval->pool, &set, &set))) {
        return -ENOMEM;
    }
    return vector_add(eval, reading->vector, &set, value);
}

/* The newest sample that is not after the time, if it is none that ends the series. */
static int read_instant(void *arg, const struct expr_series *series)
{
    struct reading *reading = arg;
    size_t n = series->n;
    int r = count(reading->eval, 1);

    if (r < 0) {
        return r;
    }
    while (n > 0 && series->samples[n - 1].time_ms > reading->to_ms) {
        n--;
    }
    if (n == 0 || series->samples[n - 1].time_ms < reading->from_ms ||
        history_is_stale(series->samples[n - 1].value)) {
        return 0;
    }
    return add(reading, series, true,
               reading->timestamps ? (double)series->samples[n - 1].time_ms / 1000
                                   : series->samples[n - 1].value);
}

/* A selector that names its metric yields no two series that differ in the name alone. */
static bool names_metric(const struct expr_selector *selector)
{
    for (size_t i = 0; i < selector->nmatchers; i++) {
        if (selector->matchers[i].op == MATCHER_EQUAL &&
            strcmp(selector->matchers[i].name, SET_NAME) == 0) {
            return true;
        }
    }
    return false;
}

static int read_all(struct reading *reading, const struct node *node,
                    int (*fn)(void *arg, const struct expr_series *series))
{
    struct eval *eval = reading->eval;
    const struct expr_selector *selector = &eval->expr->selectors[node->selector.index];
    int64_t range_ms = selector->range_ms ? selector->range_ms : EXPR_LOOKBACK_MS;
    int r;

    reading->to_ms = eval->time_ms - selector->offset_ms;
    reading->from_ms = reading->to_ms - range_ms;
    r = eval->input->read(eval->input->owner, node->selector.index, reading->from_ms - 1,
                          reading->to_ms, fn, reading);
    reading->vector->distinct_unnamed = names_metric(selector);
    reading->vector->distinct = true;
    return r;
}

int eval_selector(struct eval *eval, const struct node *node, bool timestamps,
                  struct vector *ret_vector)
{
    struct reading reading = {.eval = eval, .vector = ret_vector, .timestamps = timestamps};

    return read_all(&reading, node, read_instant);
}

/* Without the marks of staleness; *ret_n 0: nothing is left. */
static int pick(struct reading *reading, const struct expr_series *series,
                const struct expr_sample **ret_samples, size_t *ret_n)
{
    const struct expr_sample *samples = series->samples;
    struct expr_sample *own;
    size_t n = series->n, stale = 0, kept = 0;

    while (n > 0 && samples[n - 1].time_ms > reading->to_ms) {
        n--;
    }
    while (n > 0 && samples[0].time_ms < reading->from_ms) {
        samples++;
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        stale += history_is_stale(samples[i].value);
    }
    *ret_samples = samples;
    *ret_n = n - stale;
    if (stale == 0 || stale == n) {
        return 0;
    }
    own = eval_room(&reading->eval->samples_room, (n - stale) * sizeof *own);
    if (!own) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        if (!history_is_stale(samples[i].value)) {
            own[kept++] = samples[i];
        }
    }
    *ret_samples = own;
    return 0;
}

static int read_range(void *arg, const struct expr_series *series)
{
    struct reading *reading = arg;
    struct window *window = &reading->window;
    double value;
    int r = count(reading->eval, series->n);

    if (r == 0) {
        r = pick(reading, series, &window->samples, &window->n);
    }
    if (r < 0 || window->n == 0) {
        return r;
    }
    if (reading->fn == range_quantile) {
        window->room = eval_room(&reading->eval->keys_room, 2 * window->n * sizeof *window->room);
        if (!window->room) {
            return -ENOMEM;
        }
    }
    return reading->fn(window, &value) ? add(reading, series, reading->keep_name, value) : 0;
}

int eval_range(struct eval *eval, const struct node *node, struct value *ret_value)
{
    const struct function *function = node->call.function;
    struct reading reading = {.eval = eval,
                              .vector = &ret_value->vector,
                              .fn = function->range,
                              .keep_name = function->range == range_last};
    const struct node *selector = node_bare(node->call.args[0]);
    int r = 0;

    for (size_t i = 0; r == 0 && i < node->call.nargs; i++) {
        const struct node *arg = node_bare(node->call.args[i]);

        if (arg->type == EXPR_MATRIX) {
            selector = arg;
        } else {
            struct value param;

            r = eval_node(eval, arg, &param);
            reading.window.param = r == 0 ? param.scalar : 0;
        }
    }
    if (r < 0) {
        return r;
    }
    reading.window.range_ms = eval->expr->selectors[selector->selector.index].range_ms;
    reading.window.end_ms =
        eval->time_ms - eval->expr->selectors[selector->selector.index].offset_ms;
    reading.window.start_ms = reading.window.end_ms - reading.window.range_ms;
    reading.window.now_ms = eval->time_ms;
    r = read_all(&reading, selector, read_range);
    if (r < 0) {
        return r;
    }
    if (strcmp(function->name, "absent_over_time") == 0) {
        return eval_absent(eval, selector, &ret_value->vector);
    }
    if (!reading.keep_name) {
        ret_value->vector.distinct = ret_value->vector.distinct_unnamed;
        ret_value->vector.distinct_unnamed = true;
    }
    return vector_check(eval, &ret_value->vector);
}
