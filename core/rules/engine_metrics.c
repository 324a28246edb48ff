/*
 * engine_metrics.c: toiletmon_rules_*.
 */
#include "rules/engine_private.h"

static struct store_metric *add(struct rules_engine *engine, tmon_metric_kind kind,
                                const char *name, const char *help, const char *state)
{
    static const double bounds[] = {0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5};
    const struct tmon_pair label = {"state", state};
    const struct store_metric_spec spec = {
        .kind = kind,
        .name = name,
        .help = help,
        .labels = &label,
        .nlabels = state ? 1 : 0,
        .bounds = kind == TMON_HISTOGRAM ? bounds : NULL,
        .nbounds = kind == TMON_HISTOGRAM ? sizeof bounds / sizeof bounds[0] : 0};
    struct store_metric *metric = NULL;

    (void)store_metric_add(engine->options.store, &spec, &metric);
    return metric;
}

void engine_metrics_init(struct rules_engine *engine)
{
    struct engine_metrics *metrics = &engine->metrics;

    metrics->evaluations = add(engine, TMON_COUNTER, "toiletmon_rules_evaluations_total",
                               "Evaluations of groups of rules.", NULL);
    metrics->failures = add(engine, TMON_COUNTER, "toiletmon_rules_evaluation_failures_total",
                            "Evaluations of rules that failed.", NULL);
    metrics->missed = add(engine, TMON_COUNTER, "toiletmon_rules_missed_evaluations_total",
                          "Evaluations of groups left out because the one before came late.", NULL);
    metrics->duration = add(engine, TMON_HISTOGRAM, "toiletmon_rules_evaluation_duration_seconds",
                            "How long evaluations of groups took.", NULL);
    metrics->groups =
        add(engine, TMON_GAUGE, "toiletmon_rules_groups", "Groups of rules in force.", NULL);
    metrics->rules = add(engine, TMON_GAUGE, "toiletmon_rules_rules", "Rules in force.", NULL);
    metrics->pending = add(engine, TMON_GAUGE, "toiletmon_rules_alerts",
                           "Alerts of rules by their state.", "pending");
    metrics->firing = add(engine, TMON_GAUGE, "toiletmon_rules_alerts",
                          "Alerts of rules by their state.", "firing");
    metrics->series = add(engine, TMON_GAUGE, "toiletmon_rules_history_series",
                          "Series whose history rules need.", NULL);
    metrics->samples = add(engine, TMON_GAUGE, "toiletmon_rules_history_samples",
                           "Samples that are kept for rules.", NULL);
    metrics->bytes = add(engine, TMON_GAUGE, "toiletmon_rules_history_bytes",
                         "Memory that the history of rules takes.", NULL);
}

void engine_metrics_finish(struct rules_engine *engine)
{
    struct engine_metrics *metrics = &engine->metrics;
    struct store_metric *const all[] = {metrics->evaluations, metrics->failures, metrics->missed,
                                        metrics->duration,    metrics->groups,   metrics->rules,
                                        metrics->pending,     metrics->firing,   metrics->series,
                                        metrics->samples,     metrics->bytes};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        store_metric_remove(engine->options.store, all[i]);
    }
}

void engine_metrics_update(struct rules_engine *engine)
{
    size_t counts[3] = {0};
    struct history_stats stats = {0};
    const struct active *active;

    for (size_t g = 0; engine->set && g < engine->set->ngroups; g++) {
        for (size_t i = 0; i < engine->set->groups[g].n; i++) {
            const struct rule *rule = &engine->set->groups[g].rules[i];

            for (size_t pos = 0; (active = map_next(&rule->active, &pos));) {
                counts[active->state]++;
            }
        }
    }
    history_stats(engine->options.history, NULL, &stats);
    store_metric_set(engine->metrics.groups, (double)(engine->set ? engine->set->ngroups : 0));
    store_metric_set(engine->metrics.rules, (double)(engine->set ? engine->set->nrules : 0));
    store_metric_set(engine->metrics.pending, (double)counts[ACTIVE_PENDING]);
    store_metric_set(engine->metrics.firing, (double)counts[ACTIVE_FIRING]);
    store_metric_set(engine->metrics.series, (double)stats.series);
    store_metric_set(engine->metrics.samples, (double)stats.samples);
    store_metric_set(engine->metrics.bytes, (double)stats.bytes);
}
