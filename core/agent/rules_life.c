/*
 * rules_life.c: see rules_life.h.
 *
 * A batch of the rules' thread is one call on the desk: what the alerts are told and the rows that
 * remember it become durable together, or not at all.
 */
#include "agent/rules_life.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/state.h"
#include "base/clock.h"
#include "rules/engine.h"

#define LOOK_NS (200 * NS_PER_MS)
#define AGAIN_NS NS_PER_S

/* ---- batches ---- */

struct batch_call {
    struct desk_call call;
    struct rules_batch *batch;
};

static struct alerts_input input_of(const struct rules_change *change)
{
    return (struct alerts_input){.labels = change->labels,
                                 .nlabels = change->nlabels,
                                 .annotations = change->annotations,
                                 .nannotations = change->nannotations,
                                 .source = ALERTS_RULE,
                                 .resolved = !change->firing,
                                 .starts_ms = change->firing ? change->starts_ms : 0};
}

static int run_batch(struct desk_call *call, struct state_tx *tx, struct alerts_time now)
{
    const struct batch_call *batch_call = (const struct batch_call *)(const void *)call;

    for (size_t i = 0; i < batch_call->batch->n; i++) {
        struct rules_change *change = &batch_call->batch->changes[i];

        if (change->say) {
            const struct alerts_input input = input_of(change);
            enum alerts_verdict verdict;
            int r = alerts_put(call->desk->alerts, tx, &input, now, &verdict);

            if (r == -EDQUOT) {
                change->say = false; /* there is no room: it is said again */
            } else if (r < 0 && tx->error == 0) {
                tx->error = r; /* others may have changed already: all of it is undone */
            }
        }
        if (!change->keep_row) {
            rules_row_write(tx, change->row, change->body.data, change->body.len);
        }
    }
    return 0;
}

static void batch_done(struct desk_call *call, int result)
{
    struct batch_call *batch_call = (struct batch_call *)(void *)call;

    rules_batch_done(batch_call->batch, result);
    free(batch_call);
}

static int on_submit(void *owner, struct rules_batch *batch)
{
    struct agent *agent = owner;
    struct batch_call *call = calloc(1, sizeof *call);
    char why[256];
    int r;

    if (!call) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < batch->n; i++) {
        const struct alerts_input input = input_of(&batch->changes[i]);

        if (batch->changes[i].say && alerts_input_check(&input, why, sizeof why) < 0) {
            log_warning("an alert of a rule cannot be told", LOG_S("reason", why));
            batch->changes[i].refused = true;
            batch->changes[i].say = false;
        }
    }
    call->batch = batch;
    call->call.run = run_batch;
    call->call.done = batch_done;
    r = desk_submit(&agent->desk, &call->call, false);
    if (r < 0) {
        free(call);
    }
    return r;
}

/* ---- what the engine asks and says ---- */

static bool on_sources_ran(void *owner)
{
    struct agent *agent = owner;

    return atomic_load(&agent->rules.sources_ran);
}

struct failing {
    struct agent *agent;
    bool failing;
    char group[LIMIT_NAME_BYTES + 1];
    char text[OWN_SUMMARY_SIZE];
};

static void tell_failing(void *arg)
{
    struct failing *failing = arg;

    own_alerts_set(&failing->agent->own_alerts, OWN_RULES_FAILING, failing->group, failing->failing,
                   TMON_WARNING, failing->text);
    free(failing);
}

static void on_failing(void *owner, const char *group, bool is_failing, const char *text)
{
    struct agent *agent = owner;
    struct failing *failing = calloc(1, sizeof *failing);

    if (!failing) {
        return;
    }
    failing->agent = agent;
    failing->failing = is_failing;
    (void)snprintf(failing->group, sizeof failing->group, "%s", group);
    (void)snprintf(failing->text, sizeof failing->text, "%s",
                   is_failing ? text : "all rules of the group can be evaluated");
    if (loop_post(agent->loop, tell_failing, failing) < 0) {
        free(failing);
    }
}

/* ---- sources ---- */

static bool has_run(const struct unit *unit)
{
    uint64_t wanted =
        ((unit->abilities & ABILITY_CHECK) != 0) + ((unit->abilities & ABILITY_COLLECT) != 0);

    return !unit->instance || !(unit->abilities & ABILITY_COLLECT) || unit->runs >= wanted ||
           unit->failures > 0 || unit->last_error_ms > 0;
}

static bool has_group(void *arg, const char *key)
{
    const struct config_rules *rules = arg;

    for (size_t i = 0; i < rules->ngroups; i++) {
        if (strncmp(rules->groups[i].key, key, LIMIT_NAME_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

static bool all_have_run(const struct agent *agent)
{
    for (const struct unit *unit = agent->units; unit; unit = unit->next) {
        if (!has_run(unit)) {
            return false;
        }
    }
    return true;
}

static void on_look(struct loop_timer *timer, int64_t now_ns)
{
    struct agent *agent = timer->owner;

    if (!agent->rules.swept && agent->own_alerts.known) {
        agent->rules.swept = true;
        own_alerts_end(&agent->own_alerts, OWN_RULES_FAILING, has_group,
                       &agent->plan->config->rules);
    }
    if (all_have_run(agent)) {
        atomic_store(&agent->rules.sources_ran, true);
    }
    if (!agent->rules.swept || !atomic_load(&agent->rules.sources_ran)) {
        (void)loop_timer_set(agent->loop, timer, now_ns + LOOK_NS);
    }
}

/* ---- rows from before ---- */

struct reading {
    struct desk_call call;
    struct agent *agent;
    struct rules_row *rows;
    int result;
};

static void submit_reading(struct agent *agent);

struct orphans {
    struct rules_row **rows;
    int error;
};

static bool has_row(const struct rules_row *row, const struct alerts_view *view)
{
    for (; row; row = row->next) {
        size_t i = 0;

        while (row->nlabels == view->nlabels && i < view->nlabels &&
               strcmp(row->labels[i].key, view->labels[i].key) == 0 &&
               strcmp(row->labels[i].value, view->labels[i].value) == 0) {
            i++;
        }
        if (i == view->nlabels && row->nlabels == i) {
            return true;
        }
    }
    return false;
}

/* An alert of a rule whose row was lost: somebody has to end it one day. */
static bool note_orphan(void *arg, const struct alerts_view *view)
{
    struct orphans *orphans = arg;

    if (view->source == ALERTS_RULE && view->firing && !has_row(*orphans->rows, view)) {
        orphans->error =
            rules_row_orphan(view->labels, view->nlabels, view->starts_ms, orphans->rows);
    }
    return orphans->error == 0;
}

static int run_reading(struct desk_call *call, struct state_tx *tx, struct alerts_time now)
{
    struct reading *reading = (struct reading *)(void *)call;

    struct orphans orphans = {.rows = &reading->rows};
    int r = rules_rows_read(tx, &reading->rows);

    if (r == 0) {
        alerts_visit(call->desk->alerts, note_orphan, &orphans, now);
    }
    return r < 0 ? r : orphans.error;
}

static void come_back(void *arg)
{
    struct reading *reading = arg;
    struct agent *agent = reading->agent;

    if (!agent->rules.engine) {
        free(reading);
        return;
    }
    if (reading->result < 0 && !atomic_load(&agent->stopping)) {
        log_warning("timers of rules could not be read; trying again", LOG_E(reading->result));
        free(reading);
        submit_reading(agent);
        return;
    }
    (void)rules_engine_restore(agent->rules.engine, reading->rows);
    free(reading);
}

static void reading_done(struct desk_call *call, int result)
{
    struct reading *reading = (struct reading *)(void *)call;

    reading->result = result;
    if (loop_post(reading->agent->loop, come_back, reading) < 0) {
        free(reading);
    }
}

static void submit_reading(struct agent *agent)
{
    struct reading *reading = calloc(1, sizeof *reading);
    int r = -ENOMEM;

    if (reading) {
        reading->agent = agent;
        reading->call.run = run_reading;
        reading->call.done = reading_done;
        r = desk_submit(&agent->desk, &reading->call, false);
    }
    if (r < 0) {
        log_error("timers of rules cannot be read", LOG_E(r));
        free(reading);
    }
}

/* ---- life ---- */

int rules_life_init(struct agent *agent)
{
    loop_timer_init(&agent->rules.look, on_look, agent);
    return history_create(agent->store, NULL, &agent->rules.history);
}

void rules_life_begin(struct agent *agent)
{
    struct rules_options options = {.store = agent->store,
                                    .history = agent->rules.history,
                                    .hooks = {.owner = agent,
                                              .submit = on_submit,
                                              .sources_ran = on_sources_ran,
                                              .failing = on_failing}};
    char *snapshot = NULL;
    int r = -ENOMEM;

    if (asprintf(&snapshot, "%s/history", agent->state_dir) >= 0) {
        options.snapshot = snapshot;
        r = rules_engine_create(&options, &agent->rules.engine);
        free(snapshot);
    }
    if (r < 0) {
        log_error("rules cannot be evaluated", LOG_E(r));
        return;
    }
    api_rules(&agent->api, agent->rules.engine);
    submit_reading(agent);
    (void)loop_timer_set(agent->loop, &agent->rules.look, clock_mono_ns());
}

void rules_life_plan(struct agent *agent)
{
    struct rules_set *set = agent->plan->rules;
    int r;

    agent->plan->rules = NULL;
    if (!agent->rules.engine) {
        rules_set_destroy(set);
        return;
    }
    r = rules_engine_set(agent->rules.engine, set, agent->plan->config->agent.external_url);
    if (r < 0) {
        log_error("rules could not be put in force", LOG_E(r));
    }
}

void rules_life_stop(struct agent *agent)
{
    api_rules(&agent->api, NULL);
    rules_engine_stop(agent->rules.engine);
}

void rules_life_finish(struct agent *agent)
{
    rules_engine_destroy(agent->rules.engine);
    agent->rules.engine = NULL;
    history_destroy(agent->rules.history);
    agent->rules.history = NULL;
}
