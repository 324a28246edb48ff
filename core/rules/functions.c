/*
 * functions.c: see functions.h.
 */
#include "rules/functions.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/eval.h"
#include "rules/numeric.h"
#include "rules/range.h"

#define S EXPR_SCALAR
#define V EXPR_VECTOR
#define M EXPR_MATRIX
#define T EXPR_STRING

#define RANGE(name, fn)                                                                            \
    {                                                                                              \
        name, V, 1, 1, {M}, .range = (fn)                                                          \
    }
#define MAP(name, fn)                                                                              \
    {                                                                                              \
        name, V, 1, 1, {V}, .map = (fn)                                                            \
    }
#define DATE(name, fn)                                                                             \
    {                                                                                              \
        name, V, 0, 1, {V}, .date = (fn)                                                           \
    }

/* Sorted by name. */
static const struct function functions[] = {
    MAP("abs", fabs),
    {"absent", V, 1, 1, {V}, .call = call_absent},
    {"absent_over_time", V, 1, 1, {M}, .range = range_present},
    RANGE("avg_over_time", range_avg),
    MAP("ceil", ceil),
    RANGE("changes", range_changes),
    {"clamp", V, 3, 3, {V, S, S}, .call = call_clamp},
    {"clamp_max", V, 2, 2, {V, S}, .call = call_clamp_max},
    {"clamp_min", V, 2, 2, {V, S}, .call = call_clamp_min},
    RANGE("count_over_time", range_count),
    DATE("day_of_month", date_day_of_month),
    DATE("day_of_week", date_day_of_week),
    DATE("days_in_month", date_days_in_month),
    RANGE("delta", range_delta),
    RANGE("deriv", range_deriv),
    MAP("exp", numeric_exp),
    MAP("floor", floor),
    {"histogram_quantile", V, 2, 2, {S, V}, .call = call_histogram_quantile},
    DATE("hour", date_hour),
    RANGE("idelta", range_idelta),
    RANGE("increase", range_increase),
    RANGE("irate", range_irate),
    {"label_join", V, 3, 0, {V, T, T, T}, .call = call_label_join},
    {"label_replace", V, 5, 5, {V, T, T, T, T}, .call = call_label_replace},
    RANGE("last_over_time", range_last),
    MAP("ln", numeric_log),
    MAP("log10", numeric_log10),
    MAP("log2", numeric_log2),
    RANGE("max_over_time", range_max),
    RANGE("min_over_time", range_min),
    DATE("minute", date_minute),
    DATE("month", date_month),
    {"predict_linear", V, 2, 2, {M, S}, .range = range_predict_linear},
    RANGE("present_over_time", range_present),
    {"quantile_over_time", V, 2, 2, {S, M}, .range = range_quantile},
    RANGE("rate", range_rate),
    RANGE("resets", range_resets),
    {"round", V, 1, 2, {V, S}, .call = call_round},
    {"scalar", S, 1, 1, {V}, .call = call_scalar},
    MAP("sgn", numeric_sign),
    {"sort", V, 1, 1, {V}, .call = call_sort},
    {"sort_desc", V, 1, 1, {V}, .call = call_sort_desc},
    MAP("sqrt", sqrt),
    RANGE("stddev_over_time", range_stddev),
    RANGE("stdvar_over_time", range_stdvar),
    RANGE("sum_over_time", range_sum),
    {"time", S, 0, 0, {0}, .call = call_time},
    {"timestamp", V, 1, 1, {V}, .call = call_timestamp},
    {"vector", V, 1, 1, {S}, .call = call_vector},
    DATE("year", date_year),
};

struct key {
    const char *name;
    size_t len;
};

static int compare(const void *key, const void *item)
{
    const struct key *wanted = key;
    const char *name = *(const char *const *)item; /* the first member of a function, too */
    int r = strncmp(wanted->name, name, wanted->len);

    return r != 0 ? r : name[wanted->len] ? -1 : 0;
}

const struct function *function_find(const char *name, size_t len)
{
    struct key key = {name, len};

    return bsearch(&key, functions, sizeof functions / sizeof functions[0], sizeof functions[0],
                   compare);
}

const char *function_suggestion(const char *name, size_t len, char space[static SUGGESTION_SIZE])
{
    static const char *const aggregations[] = {"sum",   "min",    "max",      "avg",  "count",
                                               "group", "stddev", "quantile", "topk", "bottomk"};
    const char *names[sizeof functions / sizeof functions[0] +
                      sizeof aggregations / sizeof aggregations[0]];
    char word[64];
    size_t n = 0;

    (void)snprintf(word, sizeof word, "%.*s", (int)(len < sizeof word ? len : sizeof word - 1),
                   name);
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        names[n++] = functions[i].name;
    }
    for (size_t i = 0; i < sizeof aggregations / sizeof aggregations[0]; i++) {
        names[n++] = aggregations[i];
    }
    return suggest_ending(word, names, n, space);
}

bool function_is_elsewhere(const char *name, size_t len)
{
    static const char *const names[] = {
        "acos",
        "acosh",
        "asin",
        "asinh",
        "atan",
        "atanh",
        "cos",
        "cosh",
        "day_of_year",
        "deg",
        "double_exponential_smoothing",
        "histogram_avg",
        "histogram_count",
        "histogram_fraction",
        "histogram_stddev",
        "histogram_stdvar",
        "histogram_sum",
        "holt_winters",
        "info",
        "limit_ratio",
        "limitk",
        "mad_over_time",
        "pi",
        "rad",
        "sin",
        "sinh",
        "sort_by_label",
        "sort_by_label_desc",
        "tan",
        "tanh",
    };
    struct key key = {name, len};

    return bsearch(&key, names, sizeof names / sizeof names[0], sizeof names[0], compare) != NULL;
}
