/*
 * try.c: see try.h.
 *
 * The store is read as a scrape reads it, line by line: that is slower than it could be, and it is
 * what whoever asks can compare with.
 */
#include "rules/try.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "model/labels.h"
#include "rules/unit_test_private.h"
#include "store/exposition.h"

#define TEXT_BYTES (256u << 20)

struct trying {
    struct rules_engine *engine;
    struct expr *expr;
    struct memory memory;              /* what the store holds now */
    struct history_selector **handles; /* one a selector */
    struct memory found;
    size_t selector; /* that is being read */
    size_t without;  /* 1 + the first that wants a past which nobody keeps; 0: none */
};

/* ---- what the store holds ---- */

/* One line of the exposition, in place: name{label="value",...} value.  The labels' escapes are
 * those that notation_metric() knows. */
static int take_line(struct memory *memory, char *line, int64_t now_ms)
{
    char *space = strrchr(line, ' ');
    struct tmon_pair *labels = NULL;
    size_t n = 0;
    char why[128];
    int r;

    if (line[0] == '#' || !space) {
        return 0;
    }
    *space = '\0';
    r = notation_metric(line, &labels, &n, why, sizeof why);
    if (r == 0) {
        r = memory_append(memory, labels, n, now_ms, strtod(space + 1, NULL));
    }
    free(labels);
    return r == -ENOMEM ? r : 0;
}

static int read_store(struct trying *trying, struct store *store, int64_t now_ms)
{
    struct exposition *exposition = NULL;
    char *block = malloc(EXPOSITION_BLOCK), *line, *save = NULL;
    struct buf text;
    ssize_t n = 0;
    int r = block ? exposition_create(store, EXPOSITION_TEXT, false, clock_mono_ns() / NS_PER_MS,
                                      &exposition)
                  : -ENOMEM;

    buf_init(&text, TEXT_BYTES);
    while (r == 0 && (n = exposition_read(exposition, block, EXPOSITION_BLOCK)) > 0) {
        buf_append(&text, block, (size_t)n);
    }
    r = r == 0 && (n < 0 || text.failed) ? -ENOMEM : r;
    for (line = text.data ? strtok_r(text.data, "\n", &save) : NULL; line && r == 0;
         line = strtok_r(NULL, "\n", &save)) {
        r = take_line(&trying->memory, line, now_ms);
    }
    exposition_destroy(exposition);
    buf_finish(&text);
    free(block);
    return r;
}

struct said {
    struct trying *trying;
    const struct rule *rule;
};

static int on_said(void *arg, const struct tmon_pair *labels, size_t n, double value)
{
    struct said *said = arg;

    return memory_append(&said->trying->memory, labels, n, said->rule->evaluated_ms, value);
}

/* What a rule said when it was evaluated last: what it recorded, or its alerts as ALERTS. */
static int read_rule(struct said *said)
{
    const struct rule *rule = said->rule;
    const struct rule_emitted *emitted;
    const struct active *active;
    int r = 0;

    for (size_t pos = 0; rule->recording && r == 0 && (emitted = map_next(&rule->emitted, &pos));) {
        r = on_said(said, emitted->labels, emitted->nlabels, emitted->value);
    }
    for (size_t pos = 0; r == 0 && (active = map_next(&rule->active, &pos));) {
        r = active->state == ACTIVE_OVER ? 0 : rule_own_samples(rule, active, on_said, said);
    }
    return r;
}

static int read_rules(struct trying *trying)
{
    const struct rules_set *set = rules_engine_rules(trying->engine);
    int r = 0;

    for (size_t g = 0; set && g < set->ngroups; g++) {
        for (size_t i = 0; r == 0 && i < set->groups[g].n; i++) {
            struct said said = {trying, &set->groups[g].rules[i]};

            r = said.rule->error ? 0 : read_rule(&said);
        }
    }
    return r;
}

/* ---- reading ---- */

/* What the history has is taken aside first: the other series are those that it has not. */
static int on_history(void *arg, const struct history_series *series)
{
    struct trying *trying = arg;

    if (series->cut) {
        return -EOVERFLOW;
    }
    for (size_t i = 0; i < series->n; i++) {
        int r = memory_append(&trying->found, series->labels, series->nlabels,
                              series->samples[i].time_ms, series->samples[i].value);

        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static int on_now(void *arg, const struct expr_series *series)
{
    struct trying *trying = arg;
    struct buf key;
    bool known;

    buf_init(&key, SIZE_MAX / 2);
    active_key(series->labels, series->nlabels, &key);
    known = map_get(&trying->found.series, buf_str(&key), key.len) != NULL;
    buf_finish(&key);
    return known ? 0
                 : memory_append(&trying->found, series->labels, series->nlabels,
                                 series->samples[0].time_ms, series->samples[0].value);
}

static int on_past(void *arg, const struct expr_series *series)
{
    struct trying *trying = arg;

    (void)series;
    trying->without = trying->without > 0 ? trying->without : trying->selector + 1;
    return 0;
}

static int read_both(void *owner, size_t i, int64_t from_ms, int64_t to_ms,
                     int (*fn)(void *arg, const struct expr_series *series), void *arg)
{
    struct trying *trying = owner;
    const struct expr_selector *selector = expr_selector(trying->expr, i);
    int r;

    memory_finish(&trying->found);
    memory_init(&trying->found);
    trying->selector = i;
    r = history_read(rules_engine_history(trying->engine), trying->handles[i], from_ms, to_ms,
                     on_history, trying);
    if (r == 0 && trying->found.series.used == 0 &&
        (selector->range_ms > 0 || selector->offset_ms > 0)) {
        r = memory_read(&trying->memory, selector, 0, INT64_MAX, on_past, trying);
    }
    if (r == 0) {
        r = memory_read(&trying->memory, selector, from_ms, to_ms, on_now, trying);
    }
    return r < 0 ? r : memory_read(&trying->found, selector, from_ms, to_ms, fn, arg);
}

static void tell_without(const struct expr_selector *selector, char *ret_why, size_t size)
{
    struct buf text;

    buf_init(&text, 4096);
    matchers_show(selector->matchers, selector->nmatchers, &text);
    (void)snprintf(ret_why, size,
                   "there is no past of %.600s to look at: none is kept of what no rule looks back "
                   "at; a range over it holds the value of now, and an offset nothing",
                   buf_str(&text));
    buf_finish(&text);
}

int rules_try(struct rules_engine *engine, const char *text, int64_t now_ms,
              struct expr_result *ret_result, char *ret_why, size_t size)
{
    struct trying trying = {.engine = engine};
    const struct expr_input input = {.owner = &trying, .read = read_both};
    struct history *history = rules_engine_history(engine);
    size_t n = 0;
    int r = expr_parse(text, &trying.expr, ret_why, size);

    memory_init(&trying.memory);
    memory_init(&trying.found);
    if (r == 0) {
        n = expr_selectors(trying.expr);
        trying.handles = calloc(n + 1, sizeof(*trying.handles));
        r = trying.handles ? 0 : -ENOMEM;
    }
    for (size_t i = 0; i < n && r == 0; i++) {
        const struct expr_selector *selector = expr_selector(trying.expr, i);

        r = history_select(history, selector->matchers, selector->nmatchers, 1000,
                           &trying.handles[i]);
    }
    if (r == 0 && n > 0) {
        r = read_store(&trying, rules_engine_store(engine), now_ms);
        r = r == 0 ? read_rules(&trying) : r;
    }
    if (r == 0) {
        *ret_why = '\0';
        r = expr_eval(trying.expr, &input, now_ms, ret_result, ret_why, size);
    }
    if (r == 0 && trying.without > 0) {
        tell_without(expr_selector(trying.expr, trying.without - 1), ret_why, size);
    }
    if (r == -EOVERFLOW) {
        (void)snprintf(ret_why, size, "the range is longer than the history that is kept");
    }
    for (size_t i = 0; trying.handles && i < n; i++) {
        history_unselect(history, trying.handles[i]);
    }
    free(trying.handles);
    memory_finish(&trying.memory);
    memory_finish(&trying.found);
    expr_destroy(trying.expr);
    return r;
}
