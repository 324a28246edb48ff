/*
 * unit_sink.c: a unit that delivers: see unit.h.
 *
 * A sink's first instance is the unit's own, unless that is called at intervals too: then the pool
 * has instances of its own, so that no check waits for a delivery.
 */
#include <stdio.h>

#include "agent/unit_metrics.h"
#include "agent/unit_private.h"
#include "base/clock.h"

size_t unit_sink_workers(const struct plan_instance *from, size_t *ret_first)
{
    const struct manifest_component *component = from->component;
    uint32_t workers = from->config->workers > 0 ? from->config->workers : 1;

    *ret_first = manifest_is_scheduled(component) ? 1 : 0;
    return manifest_is_sink(component) ? *ret_first + workers : 1;
}

void unit_sink_open(struct unit *unit)
{
    struct instance *workers[64]; // the most that `workers:` may say
    struct delivery_options options = {
        .name = unit->name,
        .abilities = unit->abilities,
        .yes_is_yes = unit->flags & TMON_2XX_IS_YES,
        .timeout_ms = unit->config->timeout_ms,
        .workers = workers,
        .owner = unit,
    };
    int r;

    if (!(unit->abilities & (ABILITY_FORMAT | ABILITY_DELIVER))) {
        return;
    }
    for (size_t i = unit->pool_first;
         i < unit->nworkers && options.nworkers < sizeof workers / sizeof workers[0]; i++) {
        workers[options.nworkers++] = unit->workers[i].instance;
    }
    options.settings = instance_settings(workers[0]);
    r = delivery_add(unit->world->delivery, &options, &unit->sink);
    if (r < 0) {
        log_error("a sink takes no notifications", LOG_S("name", unit->name), LOG_E(r));
    }
}

static void on_drained(void *owner)
{
    struct unit *unit = owner;

    unit->sink = NULL;
    unit_stop_workers(unit);
}

void unit_sink_drain(struct unit *unit)
{
    delivery_drain(unit->sink, on_drained, unit);
}

void unit_sink_done(struct unit_worker *worker, const struct instance_result *result)
{
    if (worker->unit->sink) {
        delivery_done(worker->unit->sink, worker->instance, result);
    }
}

void unit_sink_look(struct unit *unit)
{
    if (unit->sink) {
        delivery_look(unit->sink);
    }
}

void unit_sink_state(struct unit_worker *worker, enum instance_state to, const char *reason)
{
    struct unit *unit = worker->unit;

    if (to == INSTANCE_READY) {
        log_debug("a worker of a sink is ready", LOG_S("name", unit->name),
                  LOG_I("worker", worker->number));
    } else if (to != INSTANCE_STARTING && to != INSTANCE_STOPPED) {
        log_warning("a worker of a sink is not ready", LOG_S("name", unit->name),
                    LOG_I("worker", worker->number), LOG_S("state", instance_state_name(to)),
                    LOG_S("reason", reason));
        unit_remember_error(unit, reason);
    }
    unit_sink_look(unit);
    unit_sink_health(unit);
}

/* Why none of the pool runs; NULL: one does, or is being made for the first time. */
static const char *fault_of(const struct unit *unit)
{
    for (size_t i = unit->pool_first; i < unit->nworkers; i++) {
        enum instance_state state = instance_state(unit->workers[i].instance);

        if (state == INSTANCE_READY || state == INSTANCE_STARTING || state == INSTANCE_STOPPED) {
            return NULL;
        }
    }
    return instance_reason(unit->workers[unit->pool_first].instance);
}

void unit_sink_health(struct unit *unit)
{
    const char *why = unit->sink && !unit->leaving ? fault_of(unit) : NULL;
    struct verdict *verdict;

    if (!unit->sink) {
        return;
    }
    sink_faults_set(unit->world->sink_faults, unit->name, why);
    if (unit->abilities & ABILITY_CHECK) {
        return; /* that fails, too */
    }
    if (!why) {
        verdicts_remove(unit->world->verdicts, unit->verdict);
        unit->verdict = NULL;
        return;
    }
    if (!unit->verdict) {
        unit_add_verdict(unit);
    }
    verdict = unit->verdict ? verdict_create(TMON_FAIL, why) : NULL;
    if (verdict) {
        verdicts_put(unit->world->verdicts, unit->verdict, verdict, clock_mono_ns(),
                     clock_real_ms(), NULL);
    }
}

void unit_attempt(struct unit *unit, const struct outbox_outcome *outcome)
{
    unit_metrics_attempt(unit, outcome);
    if (outcome->result == OUTBOX_UNREADY) {
        unit_sink_health(unit); /* it may have been tried again, and failed for another reason */
        return;
    }
    unit->runs++;
    if (outcome->result != OUTBOX_DELIVERED) {
        unit->failures++;
        unit_remember_error(unit, outcome->reason);
    }
    if (log_enabled(LOG_LEVEL_DEBUG)) {
        log_debug("an attempt has ended", LOG_S("sink", unit->name),
                  LOG_S("outcome", unit_outcome_name(outcome->result)),
                  LOG_I("notification", outcome->id), LOG_I("status", outcome->status),
                  LOG_S("reason", outcome->reason));
    }
}

const char *unit_outcome_name(enum outbox_result result)
{
    static const char *const names[] = {"delivered", "retry",  "ambiguous",
                                        "rejected",  "paused", "unready"};

    return names[result];
}
