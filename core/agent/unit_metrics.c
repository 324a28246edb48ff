/*
 * unit_metrics.c: see unit_metrics.h.
 */
#include "agent/unit_metrics.h"

#include <string.h>

#include "base/clock.h"

static const double duration_bounds[] = {0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10};

static struct store_metric *add(struct unit *unit, tmon_metric_kind kind, const char *name,
                                const char *help, const char *key, const char *value)
{
    const struct tmon_pair labels[] = {{"name", unit->name}, {key, value}};
    const struct store_metric_spec spec = {
        .kind = kind,
        .name = name,
        .help = help,
        .labels = labels,
        .nlabels = key ? 2 : 1,
        .bounds = kind == TMON_HISTOGRAM ? duration_bounds : NULL,
        .nbounds = kind == TMON_HISTOGRAM ? sizeof duration_bounds / sizeof duration_bounds[0] : 0,
    };
    struct store_metric *metric = NULL;

    (void)store_metric_add(unit->world->store, &spec, &metric);
    return metric;
}

/* Of what is called at intervals. */
static void add_rounds(struct unit *unit)
{
    struct unit_metrics *metrics = &unit->metrics;

    metrics->duration = add(unit, TMON_HISTOGRAM, "toiletmon_instance_duration_seconds",
                            "How long calls took.", NULL, NULL);
    metrics->lateness = add(unit, TMON_GAUGE, "toiletmon_instance_lateness_seconds",
                            "How long after it was due the last round began.", NULL, NULL);
    metrics->missed =
        add(unit, TMON_COUNTER, "toiletmon_instance_missed_total",
            "Rounds left out because the one before was not over, or the agent was held up.", NULL,
            NULL);
}

static void add_attempts(struct unit *unit)
{
    struct unit_metrics *metrics = &unit->metrics;

    for (int i = 0; i <= OUTBOX_UNREADY; i++) {
        metrics->attempts[i] = add(unit, TMON_COUNTER, "toiletmon_sink_attempts_total",
                                   "Attempts to deliver a notification, by how they ended.",
                                   "outcome", unit_outcome_name((enum outbox_result)i));
    }
    metrics->attempt_duration =
        add(unit, TMON_HISTOGRAM, "toiletmon_sink_duration_seconds",
            "How long attempts took, from the queue's hand to the far end's word.", NULL, NULL);
}

void unit_metrics_init(struct unit *unit)
{
    static const char *const calls[] = {"check", "collect"};
    static const uint32_t abilities[] = {ABILITY_CHECK, ABILITY_COLLECT};
    struct unit_metrics *metrics = &unit->metrics;

    metrics->up = add(unit, TMON_GAUGE, "toiletmon_instance_up",
                      "Whether the instance is ready (1 yes, 0 no).", NULL, NULL);
    if (unit->refused) {
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        if (!(unit->abilities & abilities[i])) {
            continue;
        }
        metrics->runs[i] = add(unit, TMON_COUNTER, "toiletmon_instance_runs_total",
                               "Calls that ended or overstayed.", "call", calls[i]);
        metrics->failures[i] =
            add(unit, TMON_COUNTER, "toiletmon_instance_failures_total",
                "Calls that failed; a check that says fail has not.", "call", calls[i]);
    }
    if (unit->abilities & (ABILITY_FORMAT | ABILITY_DELIVER)) {
        add_attempts(unit);
    }
    if (unit->abilities & (ABILITY_CHECK | ABILITY_COLLECT)) {
        add_rounds(unit);
    }
    metrics->timeouts = add(unit, TMON_COUNTER, "toiletmon_instance_timeouts_total",
                            "Calls that passed their deadline.", NULL, NULL);
    if (!unit->own_thread) {
        metrics->restarts = add(unit, TMON_COUNTER, "toiletmon_instance_restarts_total",
                                "Workers started after the first.", NULL, NULL);
        metrics->held_back = add(unit, TMON_COUNTER, "toiletmon_instance_log_lines_held_back_total",
                                 "Lines of the plugin's log beyond its rate.", NULL, NULL);
    }
    if (unit->abilities & ABILITY_COLLECT) {
        metrics->refused_samples =
            add(unit, TMON_COUNTER, "toiletmon_instance_collections_too_large_total",
                "Collections thrown away because they were too large.", NULL, NULL);
    }
}

void unit_metrics_finish(struct unit *unit)
{
    struct store_metric **all = (struct store_metric **)(void *)&unit->metrics;

    for (size_t i = 0; i < sizeof unit->metrics / sizeof(struct store_metric *); i++) {
        store_metric_remove(unit->world->store, all[i]);
    }
    memset(&unit->metrics, 0, sizeof unit->metrics);
}

static void copy_counters(const struct unit *unit)
{
    const struct instance_counters *counters = instance_counters(unit->instance);
    double restarts = 0;

    for (size_t i = 0; i < unit->nworkers; i++) {
        uint64_t starts = instance_counters(unit->workers[i].instance)->starts;

        restarts += starts > 0 ? (double)(starts - 1) : 0;
    }
    store_metric_set(unit->metrics.restarts, restarts);
    store_metric_set(unit->metrics.timeouts, (double)counters->timeouts);
    store_metric_set(unit->metrics.held_back, (double)counters->log_held_back);
    store_metric_set(unit->metrics.refused_samples, (double)counters->samples_too_many);
}

void unit_metrics_count(struct unit *unit, const struct instance_result *result, bool failed)
{
    size_t i = result->ability == ABILITY_CHECK ? 0 : 1;

    store_metric_inc(unit->metrics.runs[i]);
    if (failed) {
        store_metric_inc(unit->metrics.failures[i]);
    }
    store_metric_observe(unit->metrics.duration, (double)result->duration_ns / (double)NS_PER_S);
    copy_counters(unit);
}

void unit_metrics_attempt(struct unit *unit, const struct outbox_outcome *outcome)
{
    store_metric_inc(unit->metrics.attempts[outcome->result]);
    if (outcome->result != OUTBOX_UNREADY) {
        store_metric_observe(unit->metrics.attempt_duration, (double)outcome->duration_ms / 1e3);
    }
}

void unit_metrics_late(struct unit *unit, int64_t late_ns)
{
    double seconds = (double)late_ns / (double)NS_PER_S;

    store_metric_set(unit->metrics.lateness, seconds);
    store_metric_observe(unit->world->lateness, seconds);
}

void unit_metrics_state(struct unit *unit, enum instance_state from, enum instance_state to)
{
    struct store_metric **states = unit->metrics.states;

    if (!states[to]) {
        states[to] = add(unit, TMON_GAUGE, "toiletmon_instance_state",
                         "The state of the instance: 1 for the one it is in.", "state",
                         instance_state_name(to));
    }
    if (from != to) {
        store_metric_set(states[from], 0);
    }
    store_metric_set(states[to], 1);
    store_metric_set(unit->metrics.up, to == INSTANCE_READY);
    copy_counters(unit);
}
