/*
 * engine_batch.c: from the alerts of a group to what the desk is told, and back.
 *
 * Level-triggered: each alert remembers what the desk has, durably; a batch holds what differs.  An
 * alert that is under way is left alone until it is back, whatever becomes of its rule meanwhile.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "model/labels.h"
#include "rules/engine_private.h"

#define TEXTS_MS 60000 /* between two words about an alert whose texts alone changed */
/* Between two notes of how far a timer is, which is what a crash costs it: a twentieth of it. */
#define TIMERS_PARTS 20
#define TIMERS_LEAST_MS 1000
#define TIMERS_MOST_MS 30000
#define BODY_BYTES (1u << 20)

/* ---- making one ---- */

/* Whether another rule's alert with the same labels fires: then it is not over. */
static bool fires_elsewhere(const struct rules_engine *engine, const struct active *active)
{
    const char *name = labels_get(active->labels, active->nlabels, "alertname");

    for (size_t g = 0; engine->set && g < engine->set->ngroups; g++) {
        for (size_t i = 0; i < engine->set->groups[g].n; i++) {
            const struct rule *rule = &engine->set->groups[g].rules[i];
            const struct active *other;

            if (rule->recording || rule == active->rule || strcmp(rule->name, name) != 0) {
                continue;
            }
            other = map_get(&rule->active, active->key, strlen(active->key));
            if (other && other->state == ACTIVE_FIRING) {
                return true;
            }
        }
    }
    return false;
}

static bool timer_runs(const struct active *active)
{
    return active->state == ACTIVE_PENDING ||
           (active->state == ACTIVE_FIRING && active->keep_since_ms >= 0);
}

static bool wants_word(const struct active *active, int64_t timer_ms)
{
    bool firing = active->state == ACTIVE_FIRING;

    if (firing != active->told_firing) {
        return !(firing && active->refused);
    }
    return firing && !active->refused && active_texts(active) != active->told_texts &&
           timer_ms - active->told_ms >= TEXTS_MS;
}

static int64_t note_ms(const struct active *active)
{
    int64_t whole = !active->rule                     ? 0
                    : active->state == ACTIVE_PENDING ? active->rule->for_ms
                                                      : active->rule->keep_firing_ms;
    int64_t part = whole / TIMERS_PARTS;

    return part < TIMERS_LEAST_MS ? TIMERS_LEAST_MS : part > TIMERS_MOST_MS ? TIMERS_MOST_MS : part;
}

static bool wants_row(const struct active *active, int64_t timer_ms, bool all)
{
    if (active->state != active->saved) {
        return true;
    }
    if (active->state == ACTIVE_OVER || active->resumed) { /* it stands as it was read */
        return false;
    }
    return active->saved_keeping != (active->keep_since_ms >= 0) ||
           (timer_runs(active) && (all || timer_ms - active->saved_ms >= note_ms(active)));
}

static void change_finish(struct rules_change *change)
{
    free(change->labels);
    free(change->annotations);
    buf_finish(&change->body);
}

static int make_change(const struct rules_engine *engine, struct active *active, int64_t timer_ms,
                       bool say, struct rules_change *change)
{
    bool row = wants_row(active, timer_ms, true);
    bool firing = active->state == ACTIVE_FIRING;

    *change = (struct rules_change){.active = active,
                                    .say = say && (firing || !fires_elsewhere(engine, active)),
                                    .firing = firing,
                                    .starts_ms = active->fired_real_ms,
                                    .texts = active_texts(active),
                                    .keep_row = !row,
                                    .row = active->row,
                                    .state = active->state,
                                    .keeping = active->keep_since_ms >= 0};
    buf_init(&change->body, BODY_BYTES);
    if (labels_copy(active->labels, active->nlabels, &change->labels) < 0 ||
        labels_copy(active->annotations, active->nannotations, &change->annotations) < 0) {
        change_finish(change);
        return -ENOMEM;
    }
    change->nlabels = active->nlabels;
    change->nannotations = active->nannotations;
    if (row && active->state != ACTIVE_OVER && active->rule) {
        /* As of its last evaluation: what came after was not seen. */
        rules_row_encode(active, active->rule->group->key, active->rule->key,
                         active->rule->timer_ms, firing, &change->body);
        if (change->body.failed) {
            change_finish(change);
            return -ENOMEM;
        }
    }
    return 0;
}

static int add(struct rules_batch *batch, const struct rules_engine *engine, struct active *active,
               bool all)
{
    bool say = wants_word(active, batch->timer_ms);
    struct rules_change *changes;
    int r;

    if (active->in_flight || (!say && !wants_row(active, batch->timer_ms, all))) {
        return 0;
    }
    if ((batch->n & (batch->n - 1)) == 0) {
        changes = realloc(batch->changes, (batch->n ? batch->n * 2 : 1) * sizeof *changes);
        if (!changes) {
            return -ENOMEM;
        }
        batch->changes = changes;
    }
    r = make_change(engine, active, batch->timer_ms, say, &batch->changes[batch->n]);
    if (r == 0) {
        batch->n++;
    }
    return r;
}

/* ---- who is over, and known to be ---- */

static bool is_done(const struct active *active)
{
    return active->state == ACTIVE_OVER && !active->told_firing && !active->in_flight &&
           active->saved == ACTIVE_OVER;
}

static void sweep_rule(struct rule *rule)
{
    struct active *active, **over;
    size_t n = 0;

    if (rule->active.used == 0) {
        return;
    }
    over = calloc(rule->active.used, sizeof(*over));
    for (size_t pos = 0; over && (active = map_next(&rule->active, &pos));) {
        if (is_done(active)) {
            over[n++] = active;
        }
    }
    for (size_t i = 0; i < n; i++) {
        (void)map_remove(&rule->active, over[i]->key, strlen(over[i]->key));
        active_destroy(over[i]);
    }
    free(over);
}

static void sweep_leaving(struct rules_engine *engine)
{
    for (struct active **at = &engine->leaving; *at;) {
        struct active *active = *at;

        if (is_done(active)) {
            *at = active->next;
            active_destroy(active);
        } else {
            at = &active->next;
        }
    }
}

/* ---- to the desk ---- */

static void batch_destroy(struct rules_batch *batch)
{
    for (size_t i = 0; i < batch->n; i++) {
        change_finish(&batch->changes[i]);
    }
    free(batch->changes);
    free(batch);
}

static void set_in_flight(struct rules_batch *batch, bool in_flight)
{
    for (size_t i = 0; i < batch->n; i++) {
        batch->changes[i].active->in_flight = in_flight;
    }
    if (batch->group) {
        batch->group->in_flight = in_flight;
    } else {
        batch->engine->leaving_in_flight = in_flight;
    }
}

void engine_submit(struct rules_engine *engine, struct engine_group *group, int64_t timer_ms,
                   bool all)
{
    struct rules_batch *batch;
    struct active *active;
    int r = 0;

    if (group ? group->in_flight : engine->leaving_in_flight) {
        return; /* what differs still differs when it is back */
    }
    batch = calloc(1, sizeof *batch);
    if (!batch) {
        return;
    }
    *batch = (struct rules_batch){.engine = engine, .group = group, .timer_ms = timer_ms};
    for (size_t i = 0; group && i < group->group->n && r == 0; i++) {
        struct rule *rule = &group->group->rules[i];

        sweep_rule(rule);
        for (size_t pos = 0; r == 0 && (active = map_next(&rule->active, &pos));) {
            if (active->row == 0) {
                active->row = rules_row_id(group->group->key, rule->key, active->key);
            }
            r = add(batch, engine, active, all);
        }
    }
    for (active = group ? NULL : engine->leaving; active && r == 0; active = active->next) {
        r = add(batch, engine, active, all);
    }
    if (r < 0 || batch->n == 0) {
        batch_destroy(batch);
        return;
    }
    set_in_flight(batch, true);
    batch->next = engine->batches;
    engine->batches = batch;
    r = engine->options.hooks.submit(engine->options.hooks.owner, batch);
    if (r < 0) {
        set_in_flight(batch, false);
        engine->batches = batch->next;
        batch_destroy(batch);
    }
}

/* ---- and back ---- */

static void take_back(const struct rules_change *change, int64_t timer_ms)
{
    struct active *active = change->active;

    if (change->refused) {
        if (!active->refused) {
            log_warning(
                "an alert of a rule is not taken; look at its labels",
                LOG_S("alertname", labels_get(active->labels, active->nlabels, "alertname")));
        }
        active->refused = true;
    } else if (change->say || !change->firing) {
        active->told_firing = change->firing;
        active->told_texts = change->texts;
        active->told_ms = timer_ms;
    }
    if (!change->keep_row) {
        active->saved = change->state;
        active->saved_keeping = change->keeping;
        active->saved_ms = timer_ms;
    }
}

static void on_done(void *arg)
{
    struct rules_batch *batch = arg;
    struct rules_engine *engine = batch->engine;

    for (struct rules_batch **at = &engine->batches; *at; at = &(*at)->next) {
        if (*at == batch) {
            *at = batch->next;
            break;
        }
    }
    set_in_flight(batch, false);
    for (size_t i = 0; i < batch->n && batch->result >= 0; i++) {
        take_back(&batch->changes[i], batch->timer_ms);
    }
    batch_destroy(batch);
    sweep_leaving(engine);
    if (engine->leaving && engine->running) {
        (void)loop_timer_set(engine->loop, &engine->leaving_timer, clock_mono_ns() + NS_PER_S);
    }
}

void rules_batch_done(struct rules_batch *batch, int result)
{
    batch->result = result;
    while (loop_post(batch->engine->loop, on_done, batch) == -ENOBUFS) {
        (void)sched_yield(); /* the rules' thread is there and takes what waits */
    }
}

/* ---- rows from before, rules that go ---- */

/* An alert without a row goes to the first rule of its name. */
static bool is_of(const struct rules_row *row, const struct rule *rule)
{
    if (*row->group) {
        return strcmp(row->group, rule->group->key) == 0 && strcmp(row->rule, rule->key) == 0;
    }
    return !rule->recording &&
           strcmp(labels_get(row->labels, row->nlabels, "alertname"), rule->name) == 0;
}

void engine_take_rows(struct rules_engine *engine, struct rule *rule)
{
    for (struct rules_row **at = &engine->rows; *at;) {
        struct rules_row *row = *at;
        struct active *active = NULL;

        if (!is_of(row, rule)) {
            at = &row->next;
            continue;
        }
        if (active_create(rule, row->labels, row->nlabels, &active) == 0) {
            (void)active_annotate(active, row->annotations, row->nannotations);
            active->state = row->state;
            active->no_data = row->no_data;
            active->value = row->value;
            active->resumed = true;
            active->elapsed_ms = row->elapsed_ms;
            active->keep_elapsed_ms = row->keep_elapsed_ms;
            active->since_real_ms = row->since_real_ms;
            active->fired_real_ms = row->fired_real_ms;
            active->told_firing = row->told_firing;
            active->told_texts = active_texts(active);
            active->row = row->id;
            active->saved = row->id ? row->state : ACTIVE_OVER;
            active->saved_keeping = row->keep_elapsed_ms >= 0;
        }
        *at = row->next;
        rules_row_free(row);
    }
}

static void leave(struct rules_engine *engine, struct active *active)
{
    active->state = ACTIVE_OVER;
    active->keep_since_ms = -1;
    active->rule = NULL;
    active->next = engine->leaving;
    engine->leaving = active;
}

void engine_leave(struct rules_engine *engine, struct rule *rule)
{
    struct active *active;

    for (size_t pos = 0; (active = map_next(&rule->active, &pos));) {
        leave(engine, active);
    }
    map_finish(&rule->active);
    map_init(&rule->active);
}

void engine_leave_rows(struct rules_engine *engine)
{
    while (engine->rows) {
        struct rules_row *row = engine->rows;
        struct active *active = calloc(1, sizeof *active);
        struct buf key;

        engine->rows = row->next;
        buf_init(&key, SIZE_MAX / 2);
        active_key(row->labels, row->nlabels, &key);
        if (active) {
            active->key = buf_take(&key);
            active->labels = row->labels;
            active->nlabels = row->nlabels;
            row->labels = NULL;
            active->told_firing = row->told_firing;
            active->row = row->id;
            active->saved = row->id ? row->state : ACTIVE_OVER;
            leave(engine, active);
        }
        buf_finish(&key);
        rules_row_free(row);
    }
}
