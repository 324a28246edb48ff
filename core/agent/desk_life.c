/*
 * desk_life.c: connects the desk (the state's thread), delivery, and what watches over both.
 *
 * The desk is opened by the builder's thread before the first plan is put in force, since a disk
 * may take its time and probes are answered meanwhile.  It ends after the instances and the server:
 * what they have said by then is stored.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/state.h"
#include "base/clock.h"

#define AGAIN_NS NS_PER_S
#define GATHER_NS (2 * NS_PER_MS) /* outcomes that come within it are written together */

/* ---- from the desk ---- */

static void on_touch(void *arg)
{
    struct agent *agent = arg;

    atomic_store(&agent->touched, false);
    sink_watch_touch(&agent->sink_watch);
}

static void on_attempt(void *owner, struct outbox_attempt *attempt)
{
    struct agent *agent = owner;

    delivery_put(agent->delivery, attempt);
    /* What is handed out was queued just now: somebody wants to see it in the metrics. */
    if (!atomic_exchange(&agent->touched, true) && loop_post(agent->loop, on_touch, agent) < 0) {
        atomic_store(&agent->touched, false);
    }
}

static void on_condition(void *owner, enum state_condition condition, const char *text)
{
    struct agent *agent = owner;

    state_watch_condition(&agent->state_watch, condition, text);
}

static void on_counts(void *owner, const struct alerts_counts *counts)
{
    struct agent *agent = owner;

    desk_metrics_update(&agent->desk_metrics, counts);
}

static void on_fault(void *owner)
{
    struct agent *agent = owner;

    sink_watch_touch(&agent->sink_watch);
}

/* ---- to the desk ---- */

static void tell_outcomes(struct agent *agent)
{
    loop_timer_stop(agent->loop, &agent->outcomes_timer);
    if (agent->noutcomes > 0) {
        desk_outcomes(&agent->desk, agent->outcomes, agent->noutcomes);
        agent->noutcomes = 0;
        sink_watch_touch(&agent->sink_watch);
    }
}

static void on_gathered(struct loop_timer *timer, int64_t now_ns)
{
    tell_outcomes(timer->owner);
}

/* Nobody waits for an outcome but the next attempt: while more are under way it waits a moment for
 * others, since each commit costs a sync. */
static void on_outcome(void *owner, const struct outbox_outcome *outcome, void *sink_owner)
{
    struct agent *agent = owner;

    if (sink_owner) {
        unit_attempt(sink_owner, outcome);
    }
    agent->outcomes[agent->noutcomes++] = *outcome;
    if (agent->noutcomes == AGENT_OUTCOMES || delivery_is_idle(agent->delivery)) {
        tell_outcomes(agent);
    } else if (!heap_has(&agent->outcomes_timer.node)) {
        (void)loop_timer_set(agent->loop, &agent->outcomes_timer,
                             loop_now(agent->loop) + GATHER_NS);
    }
}

static void on_own_failed(void *owner, enum own_kind kind, int error)
{
    struct agent *agent = owner;

    if (kind == OWN_STATE_FAILING) {
        state_watch_undurable(&agent->state_watch);
    }
}

static void try_sink(void *owner, struct outbox_attempt *attempt,
                     void (*done)(void *arg, const struct outbox_outcome *outcome), void *arg)
{
    delivery_try(owner, attempt, done, arg);
}

/* ---- plans ---- */

static void on_told(void *owner, struct desk_plan *plan, int result)
{
    struct agent *agent = owner;

    if (result >= 0) {
        atomic_store(&agent->ready, true);
    } else if (!agent->untold && !atomic_load(&agent->stopping)) {
        agent->untold = plan; // unless there is a newer one by now
        (void)loop_timer_set(agent->loop, &agent->tell_again, clock_mono_ns() + AGAIN_NS);
        return;
    }
    desk_plan_destroy(plan);
    sink_watch_touch(&agent->sink_watch);
}

static void tell(struct agent *agent, struct desk_plan *plan)
{
    int r = desk_plan_submit(plan, &agent->desk, agent->loop, on_told, agent);

    if (r < 0) {
        agent->untold = plan;
        (void)loop_timer_set(agent->loop, &agent->tell_again, clock_mono_ns() + AGAIN_NS);
    }
}

static void on_tell_again(struct loop_timer *timer, int64_t now_ns)
{
    struct agent *agent = timer->owner;
    struct desk_plan *plan = agent->untold;

    agent->untold = NULL;
    if (plan) {
        tell(agent, plan);
    }
}

static void set_routes_check(struct agent *agent)
{
    const struct verdicts_spec spec = {.name = CONFIG_CHECK_ROUTES, .affects = AFFECTS_DEGRADE};
    const char *key = agent->plan->without_sink;
    char text[1024];
    struct verdict *verdict;

    if (!key) {
        verdicts_remove(agent->verdicts, agent->routes_check);
        agent->routes_check = NULL;
        return;
    }
    (void)snprintf(text, sizeof text,
                   "no sink of the route %.800s is live; its alerts go to '%s' instead", key,
                   CONFIG_LOG_INSTANCE);
    verdict = verdict_create(TMON_WARN, text);
    if (!agent->routes_check && verdicts_add(agent->verdicts, &spec, &agent->routes_check) < 0) {
        agent->routes_check = NULL;
    }
    if (verdict && agent->routes_check) {
        verdicts_put(agent->verdicts, agent->routes_check, verdict, clock_mono_ns(),
                     clock_real_ms(), NULL);
    } else {
        verdict_destroy(verdict);
    }
}

static bool has_instance(void *arg, const char *name)
{
    const struct agent *agent = arg;
    const struct unit *unit = unit_find(agent->units, name);

    return unit && !unit->disabled;
}

/* Whoever looks for a sink that the file has finds out why it is silent. */
static void note_disabled(struct agent *agent)
{
    const char *names[LIMIT_OUTBOX_SINKS], *whys[LIMIT_OUTBOX_SINKS];
    size_t n = 0;

    for (const struct unit *unit = agent->units; unit && n < LIMIT_OUTBOX_SINKS;
         unit = unit->next) {
        if (unit->is_sink && unit->disabled) {
            names[n] = unit->name;
            whys[n++] = unit->disabled;
        }
    }
    sink_faults_disabled(&agent->sink_faults, names, whys, n);
}

void desk_life_plan(struct agent *agent)
{
    struct plan *plan = agent->plan;
    struct desk_plan *told = NULL;
    int r;

    set_routes_check(agent);
    note_disabled(agent);
    if (delivery_set_external_url(agent->delivery, plan->config->agent.external_url) < 0) {
        log_warning("external_url stays as it was: out of memory");
    }
    state_watch_targets(&agent->state_watch, plan->state_sinks, plan->nstate_sinks);
    plan->state_sinks = NULL;
    plan->nstate_sinks = 0;
    own_alerts_prune(&agent->own_alerts, has_instance, agent);
    desk_plan_destroy(agent->untold);
    agent->untold = NULL;
    r = desk_plan_create(plan, agent->units, &told);
    if (r < 0) {
        log_error("routes and sinks could not be put in force", LOG_E(r));
        return;
    }
    tell(agent, told);
}

/* ---- life ---- */

int desk_life_init(struct agent *agent)
{
    const struct delivery_hooks hooks = {agent, on_outcome};
    int r = delivery_create(agent->loop, agent->local, fetch_broker_table(agent->fetch), &hooks,
                            &agent->delivery);

    if (r < 0) {
        return r;
    }
    sink_faults_init(&agent->sink_faults);
    agent->sink_faults.changed = on_fault;
    agent->sink_faults.owner = agent;
    own_alerts_init(&agent->own_alerts, agent->loop);
    agent->own_alerts.failed = on_own_failed;
    agent->own_alerts.owner = agent;
    sink_watch_init(&agent->sink_watch, agent->loop, agent->store, &agent->own_alerts,
                    &agent->sink_faults);
    state_watch_init(&agent->state_watch, agent->loop, agent->verdicts, &agent->own_alerts,
                     agent->delivery);
    loop_timer_init(&agent->tell_again, on_tell_again, agent);
    loop_timer_init(&agent->outcomes_timer, on_gathered, agent);
    agent->api.sink_faults = &agent->sink_faults;
    agent->api.try_sink = try_sink;
    agent->api.try_owner = agent->delivery;
    return 0;
}

int desk_life_open(struct agent *agent, struct buf *why)
{
    const struct desk_hooks hooks = {
        .owner = agent, .attempt = on_attempt, .condition = on_condition, .counts = on_counts};

    struct buf no_key;
    int r = desk_open(&agent->desk, agent->state_dir, &hooks, why);

    buf_init(&no_key, 1024);
    if (r == 0 && ack_key_load(agent->state_dir, &agent->ack_key, &no_key) < 0) {
        log_warning("alerts get no links to acknowledge them", LOG_S("reason", buf_str(&no_key)));
    }
    buf_finish(&no_key);
    return r;
}

void desk_life_begin(struct agent *agent)
{
    agent->begun = true;
    desk_metrics_watch(&agent->desk_metrics, agent->desk.state);
    own_alerts_open(&agent->own_alerts, &agent->desk);
    sink_watch_open(&agent->sink_watch, &agent->desk);
    delivery_set_ack_key(agent->delivery, &agent->ack_key);
    api_ack_key(&agent->api, &agent->ack_key);
    api_open(&agent->api, agent->http, &agent->desk);
}

void desk_life_hold(struct agent *agent)
{
    if (agent->begun) {
        desk_hold(&agent->desk);
    }
    if (agent->delivery) {
        delivery_hold(agent->delivery);
    }
}

void desk_life_finish(struct agent *agent)
{
    if (!agent->loop) {
        return;
    }
    api_close(&agent->api);
    own_alerts_close(&agent->own_alerts);
    sink_watch_close(&agent->sink_watch);
    loop_timer_stop(agent->loop, &agent->tell_again);
    if (agent->desk.state) {
        tell_outcomes(agent);
        desk_metrics_watch(&agent->desk_metrics, NULL);
        desk_close(&agent->desk);
    }
    loop_run_posts(agent->loop); // the last answers of the desk
    desk_plan_destroy(agent->untold);
    agent->untold = NULL;
    state_watch_finish(&agent->state_watch);
    sink_watch_finish(&agent->sink_watch);
    sink_faults_finish(&agent->sink_faults);
    own_alerts_finish(&agent->own_alerts);
    delivery_destroy(agent->delivery);
    agent->delivery = NULL;
}
