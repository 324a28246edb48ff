/*
 * engine.c: see engine.h.  The rules' thread, but for what says otherwise.
 *
 * An evaluation belongs to a moment of the group's grid, not to when its timer came to fire: `for`
 * is then a whole number of intervals, as in Prometheus, and a millisecond of lateness does not
 * make an alert an interval later.
 */
#include "rules/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "rules/engine_private.h"

#define SAVE_NS (300 * NS_PER_S)
#define MEASURE_NS NS_PER_S
#define TIDY_NS (60 * NS_PER_S)

int64_t rules_engine_timer_ms(void)
{
    return clock_mono_ns() / NS_PER_MS;
}

/* ---- one evaluation ---- */

/* Whether the series of this name are recorded by a group that was not looked at yet. */
static bool waits_for_record(const struct rules_engine *engine, const struct rule *rule)
{
    for (size_t s = 0; s < expr_selectors(rule->expr); s++) {
        const struct expr_selector *selector = expr_selector(rule->expr, s);
        const char *name = NULL;

        for (size_t m = 0; m < selector->nmatchers; m++) {
            if (strcmp(selector->matchers[m].name, "__name__") == 0 &&
                selector->matchers[m].op == MATCHER_EQUAL) {
                name = selector->matchers[m].value;
            }
        }
        for (size_t g = 0; name && g < engine->set->ngroups; g++) {
            const struct rules_group *group = &engine->set->groups[g];

            if (engine->groups[g].attempted || group == rule->group) {
                continue;
            }
            for (size_t i = 0; i < group->n; i++) {
                if (group->rules[i].recording && strcmp(group->rules[i].name, name) == 0) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* Timers from before the start go on where they were. */
static void resume(struct rule *rule, int64_t timer_ms)
{
    struct active *active;

    for (size_t pos = 0; (active = map_next(&rule->active, &pos));) {
        if (active->resumed) {
            active->resumed = false;
            active->since_ms = timer_ms - active->elapsed_ms;
            active->keep_since_ms =
                active->keep_elapsed_ms < 0 ? -1 : timer_ms - active->keep_elapsed_ms;
        }
    }
}

static int evaluate_rule(struct rules_engine *engine, struct rule *rule, struct rules_time now)
{
    const struct rules_world world = {.external_url = engine->external_url,
                                      .no_data = CONFIG_NO_DATA_KEEP};
    int64_t start_ns = clock_mono_ns();
    int r;

    rule->waiting = waits_for_record(engine, rule);
    if (rule->waiting) {
        return 0;
    }
    resume(rule, now.timer_ms);
    if (rule->range_ms > 0 && (rule->warming || rule->evaluated_ms == 0)) {
        rule->warming = !engine_covered(engine, rule, now.real_ms);
    }
    r = rule_evaluate(rule, &engine->storage, &world, now);
    rule->took_ns = clock_mono_ns() - start_ns;
    return r;
}

/* Tells the owner when it changes, and once in any case: he may know it from before the start. */
static void tell_failing(struct rules_engine *engine, struct engine_group *group)
{
    const struct rules_hooks *hooks = &engine->options.hooks;
    const struct rule *bad = NULL;
    char text[640] = "";

    for (size_t i = 0; i < group->group->n && !bad; i++) {
        bad = group->group->rules[i].error ? &group->group->rules[i] : NULL;
    }
    if (group->told && group->failing == (bad != NULL)) {
        return;
    }
    if (bad) {
        (void)snprintf(text, sizeof text, "the rule %s cannot be evaluated: %s", bad->name,
                       bad->error);
    }
    group->told = true;
    group->failing = bad != NULL;
    if (bad) {
        log_warning("a rule cannot be evaluated", LOG_S("group", group->group->name),
                    LOG_S("rule", bad->name), LOG_S("reason", bad->error));
    }
    hooks->failing(hooks->owner, group->group->key, bad != NULL, text);
}

static void evaluate_group(struct rules_engine *engine, struct engine_group *group,
                           struct rules_time now)
{
    int64_t start_ns = clock_mono_ns();

    history_sample_own(engine->options.history, now.real_ms);
    for (size_t i = 0; i < group->group->n && !atomic_load(&engine->ending); i++) {
        if (evaluate_rule(engine, &group->group->rules[i], now) < 0) {
            group->failures++;
            store_metric_inc(engine->metrics.failures);
        }
    }
    group->took_ns = clock_mono_ns() - start_ns;
    group->evaluations++;
    store_metric_inc(engine->metrics.evaluations);
    store_metric_observe(engine->metrics.duration, (double)group->took_ns / (double)NS_PER_S);
    tell_failing(engine, group);
    engine_submit(engine, group, now.timer_ms, false);
}

static int64_t interval_ns(const struct engine_group *group)
{
    return group->group->interval_ms * NS_PER_MS;
}

static void on_group(struct loop_timer *timer, int64_t now_ns)
{
    struct engine_group *group = timer->owner;
    struct rules_engine *engine = group->engine;
    int64_t due_ns = group->due_ns, mono_ns = clock_mono_ns();
    const struct rules_hooks *hooks = &engine->options.hooks;

    group->waiting = !hooks->sources_ran(hooks->owner);
    if (!group->waiting) {
        const struct rules_time now = {.real_ms = clock_real_ms() - (mono_ns - due_ns) / NS_PER_MS,
                                       .timer_ms = due_ns / NS_PER_MS};

        group->attempted = true;
        evaluate_group(engine, group, now);
        mono_ns = clock_mono_ns();
    }
    group->due_ns += interval_ns(group);
    if (group->due_ns <= mono_ns) {
        int64_t late = (mono_ns - group->due_ns) / interval_ns(group) + 1;

        group->missed += (uint64_t)late;
        store_metric_add_value(engine->metrics.missed, (double)late);
        group->due_ns += late * interval_ns(group);
    }
    (void)loop_timer_set(engine->loop, &group->timer, group->due_ns);
    if (mono_ns - engine->measured_ns >= MEASURE_NS) {
        engine->measured_ns = mono_ns;
        engine_metrics_update(engine);
    }
}

/* ---- a set is put in force ---- */

static uint64_t hash_key(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (; *text; text++) {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    }
    return hash ^ hash >> 32;
}

static void start_group(struct rules_engine *engine, struct engine_group *group)
{
    int64_t interval = interval_ns(group), now = clock_mono_ns();
    int64_t phase = (int64_t)(hash_key(group->group->key) % (uint64_t)interval);

    group->due_ns = now - (now - phase) % interval;
    while (group->due_ns <= now) {
        group->due_ns += interval;
    }
    (void)loop_timer_set(engine->loop, &group->timer, group->due_ns);
}

static struct rule *find_rule(struct rules_group *group, const char *key)
{
    for (size_t i = 0; i < group->n; i++) {
        if (strcmp(group->rules[i].key, key) == 0) {
            return &group->rules[i];
        }
    }
    return NULL;
}

/* What stays of a group of the same key. */
static void take_group(struct rules_engine *engine, struct engine_group *to,
                       struct engine_group *from)
{
    for (size_t i = 0; i < to->group->n; i++) {
        struct rule *rule = &to->group->rules[i];
        struct rule *before = find_rule(from->group, rule->key);

        if (!before) {
            continue;
        }
        rule_take_state(rule, before);
        if (strcmp(rule->text, before->text) == 0) {
            rule->covered_ms = before->covered_ms;
            rule->warming = before->warming;
        } else {
            rule->evaluated_ms = 0; /* its range is new: it warms up */
        }
    }
    to->evaluations = from->evaluations;
    to->failures = from->failures;
    to->missed = from->missed;
    to->attempted = from->attempted;
    to->told = from->told;
    to->failing = from->failing;
    to->in_flight = from->in_flight;
    for (struct rules_batch *batch = engine->batches; batch; batch = batch->next) {
        if (batch->group == from) {
            batch->group = to;
        }
    }
}

static void drop_set(struct rules_engine *engine, struct rules_set *set,
                     struct engine_group *groups)
{
    const struct rules_hooks *hooks = &engine->options.hooks;

    for (size_t g = 0; set && g < set->ngroups; g++) {
        loop_timer_stop(engine->loop, &groups[g].timer);
        for (size_t i = 0; i < set->groups[g].n; i++) {
            engine_leave(engine, &set->groups[g].rules[i]);
            engine_unselect(engine, &set->groups[g].rules[i]);
        }
        for (struct rules_batch *batch = engine->batches; batch; batch = batch->next) {
            if (batch->group ==
                &groups[g]) { /* it is gone: the batch counts as of those who left */
                batch->group = NULL;
                engine->leaving_in_flight = true;
            }
        }
        if (groups[g].failing) {
            hooks->failing(hooks->owner, set->groups[g].key, false, "");
        }
    }
    free(groups);
    rules_set_destroy(set);
}

static void put_in_force(struct rules_engine *engine, struct rules_set *set,
                         struct engine_group *groups)
{
    struct rules_set *old = engine->set;
    struct engine_group *old_groups = engine->groups;
    int64_t now_ms = clock_real_ms();

    for (size_t g = 0; g < set->ngroups; g++) {
        groups[g].engine = engine;
        groups[g].group = &set->groups[g];
        loop_timer_init(&groups[g].timer, on_group, &groups[g]);
        for (size_t i = 0; i < set->groups[g].n; i++) {
            int r = engine_select(engine, &set->groups[g].rules[i], now_ms);

            if (r < 0) {
                log_error("history for a rule could not be had",
                          LOG_S("rule", set->groups[g].rules[i].name), LOG_E(r));
            }
        }
        for (size_t o = 0; old && o < old->ngroups; o++) {
            if (strcmp(old->groups[o].key, set->groups[g].key) == 0) {
                /* before any alert leaves: the old group's failing goes along */
                take_group(engine, &groups[g], &old_groups[o]);
                old_groups[o].failing = false;
            }
        }
    }
    engine->set = set;
    engine->groups = groups;
    drop_set(engine, old, old_groups);
    for (size_t g = 0; g < set->ngroups; g++) {
        start_group(engine, &groups[g]);
    }
    (void)loop_timer_set(engine->loop, &engine->leaving_timer, clock_mono_ns());
    engine_metrics_update(engine);
}

/* Rows and rules are both there. */
static void begin(struct rules_engine *engine)
{
    if (engine->begun || !engine->restored || !engine->set) {
        return;
    }
    engine->begun = true;
    for (size_t g = 0; g < engine->set->ngroups; g++) {
        for (size_t i = 0; i < engine->set->groups[g].n; i++) {
            engine_take_rows(engine, &engine->set->groups[g].rules[i]);
        }
    }
    engine_leave_rows(engine);
    engine_load_snapshot(engine);
    for (size_t g = 0; g < engine->set->ngroups; g++) {
        start_group(engine, &engine->groups[g]);
    }
    (void)loop_timer_set(engine->loop, &engine->leaving_timer, clock_mono_ns());
    (void)loop_timer_set(engine->loop, &engine->save_timer, clock_mono_ns() + SAVE_NS);
}

struct new_set {
    struct rules_engine *engine;
    struct rules_set *set;
    struct engine_group *groups;
    char *external_url;
};

static void on_set(void *arg)
{
    struct new_set *message = arg;
    struct rules_engine *engine = message->engine;

    free(engine->external_url);
    engine->external_url = message->external_url;
    put_in_force(engine, message->set, message->groups);
    free(message);
    if (!engine->begun) {
        for (size_t g = 0; g < engine->set->ngroups; g++) {
            loop_timer_stop(engine->loop, &engine->groups[g].timer);
        }
        loop_timer_stop(engine->loop, &engine->leaving_timer);
        begin(engine);
    }
}

int rules_engine_set(struct rules_engine *engine, struct rules_set *set, const char *external_url)
{
    struct new_set *message = calloc(1, sizeof *message);
    int r = -ENOMEM;

    if (message) {
        *message = (struct new_set){.engine = engine,
                                    .set = set,
                                    .groups = calloc(set->ngroups + 1, sizeof *message->groups),
                                    .external_url = external_url ? strdup(external_url) : NULL};
        if (message->groups && (!external_url || message->external_url)) {
            r = loop_post(engine->loop, on_set, message);
        }
    }
    if (r < 0) {
        rules_set_destroy(set);
        if (message) {
            free(message->groups);
            free(message->external_url);
        }
        free(message);
    }
    return r;
}

struct new_rows {
    struct rules_engine *engine;
    struct rules_row *rows;
};

static void on_rows(void *arg)
{
    struct new_rows *message = arg;
    struct rules_engine *engine = message->engine;

    engine->rows = message->rows;
    engine->restored = true;
    free(message);
    begin(engine);
}

int rules_engine_restore(struct rules_engine *engine, struct rules_row *rows)
{
    struct new_rows *message = calloc(1, sizeof *message);
    int r = message ? 0 : -ENOMEM;

    if (message) {
        *message = (struct new_rows){engine, rows};
        r = loop_post(engine->loop, on_rows, message);
    }
    if (r < 0) {
        free(message);
        while (rows) {
            struct rules_row *next = rows->next;

            rules_row_free(rows);
            rows = next;
        }
    }
    return r;
}

/* ---- calls ---- */

struct call {
    struct rules_engine *engine;
    void (*fn)(void *arg, struct rules_engine *engine);
    void *arg;
};

static void on_call(void *arg)
{
    struct call *call = arg;

    call->fn(call->arg, call->engine);
    free(call);
}

int rules_engine_call(struct rules_engine *engine,
                      void (*fn)(void *arg, struct rules_engine *engine), void *arg)
{
    struct call *call = malloc(sizeof *call);
    int r;

    if (!call) {
        return -ENOMEM;
    }
    *call = (struct call){engine, fn, arg};
    r = loop_post(engine->loop, on_call, call);
    if (r < 0) {
        free(call);
    }
    return r;
}

const struct rules_set *rules_engine_rules(const struct rules_engine *engine)
{
    return engine->set;
}

struct store *rules_engine_store(const struct rules_engine *engine)
{
    return engine->options.store;
}

struct history *rules_engine_history(const struct rules_engine *engine)
{
    return engine->options.history;
}

void rules_engine_group_info(const struct rules_engine *engine, size_t i,
                             struct engine_group_info *ret_info)
{
    const struct engine_group *group = &engine->groups[i];

    *ret_info = (struct engine_group_info){.group = group->group,
                                           .evaluations = group->evaluations,
                                           .failures = group->failures,
                                           .missed = group->missed,
                                           .next_ms = (group->due_ns - clock_mono_ns()) / NS_PER_MS,
                                           .took_ns = group->took_ns,
                                           .waiting = group->waiting || !group->attempted};
}

void rules_engine_rule_stats(const struct rules_engine *engine, const struct rule *rule,
                             struct history_stats *ret_stats)
{
    *ret_stats = (struct history_stats){0};
    for (size_t i = 0; rule->handles && i < expr_selectors(rule->expr); i++) {
        struct history_stats stats = {0};

        if (rule->handles[i]) {
            history_stats(engine->options.history, rule->handles[i], &stats);
        }
        ret_stats->series += stats.series;
        ret_stats->samples += stats.samples;
        ret_stats->bytes += stats.bytes;
        ret_stats->cut += stats.cut;
        ret_stats->missing += stats.missing;
    }
}

/* ---- life ---- */

static void on_leaving(struct loop_timer *timer, int64_t now_ns)
{
    struct rules_engine *engine = timer->owner;

    if (engine->leaving) {
        engine_submit(engine, NULL, rules_engine_timer_ms(), false);
        (void)loop_timer_set(engine->loop, timer, clock_mono_ns() + NS_PER_S);
    }
}

static void on_save(struct loop_timer *timer, int64_t now_ns)
{
    struct rules_engine *engine = timer->owner;

    engine_save_snapshot(engine);
    (void)loop_timer_set(engine->loop, timer, clock_mono_ns() + SAVE_NS);
}

static void *run(void *arg)
{
    struct rules_engine *engine = arg;
    int r = loop_run(engine->loop);

    if (r < 0) {
        log_error("the thread of rules has ended", LOG_E(r));
    }
    return NULL;
}

int rules_engine_create(const struct rules_options *options, struct rules_engine **ret_engine)
{
    struct rules_engine *engine = calloc(1, sizeof *engine);
    int r;

    if (!engine) {
        return -ENOMEM;
    }
    engine->options = *options;
    engine->storage = (struct rules_storage){
        .owner = engine, .why = engine->why, .read = engine_read, .append = engine_append};
    loop_timer_init(&engine->leaving_timer, on_leaving, engine);
    loop_timer_init(&engine->save_timer, on_save, engine);
    engine_metrics_init(engine);
    engine->snapshot = options->snapshot ? strdup(options->snapshot) : NULL;
    r = options->snapshot && !engine->snapshot ? -ENOMEM : loop_create(&engine->loop);
    if (r == 0) {
        r = -pthread_create(&engine->thread, NULL, run, engine);
        engine->running = r == 0;
    }
    if (r < 0) {
        rules_engine_destroy(engine);
        return r;
    }
    (void)pthread_setname_np(engine->thread, "rules");
    *ret_engine = engine;
    return 0;
}

void rules_engine_stop(struct rules_engine *engine)
{
    if (!engine || !engine->running) {
        return;
    }
    atomic_store(&engine->ending, true);
    loop_stop(engine->loop);
    (void)pthread_join(engine->thread, NULL);
    engine->running = false;
    for (size_t g = 0; engine->begun && g < engine->set->ngroups; g++) {
        if (engine->groups[g].attempted) {
            engine_submit(engine, &engine->groups[g], rules_engine_timer_ms(), true);
        }
    }
    engine_save_snapshot(engine);
}

void rules_engine_destroy(struct rules_engine *engine)
{
    if (!engine) {
        return;
    }
    rules_engine_stop(engine);
    engine_finish_saving(engine);
    if (engine->loop) {
        loop_run_posts(engine->loop); /* batches that came back since */
    }
    if (engine->set) {
        engine->options.hooks.failing = NULL;
        for (size_t g = 0; g < engine->set->ngroups; g++) {
            engine->groups[g].failing = false;
        }
        drop_set(engine, engine->set, engine->groups);
    }
    while (engine->rows) {
        struct rules_row *next = engine->rows->next;

        rules_row_free(engine->rows);
        engine->rows = next;
    }
    while (engine->leaving) {
        struct active *next = engine->leaving->next;

        active_destroy(engine->leaving);
        engine->leaving = next;
    }
    engine_metrics_finish(engine);
    loop_destroy(engine->loop);
    free(engine->external_url);
    free(engine->snapshot);
    free(engine);
}
