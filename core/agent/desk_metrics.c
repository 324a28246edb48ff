/*
 * desk_metrics.c: see desk_metrics.h.
 *
 * Alerts are counted by the state's thread, which writes the numbers into the store after each
 * commit, so that a scrape never asks it for anything.  The state's own numbers may be read by any
 * thread, and are when somebody scrapes.
 */
#include "agent/desk_metrics.h"

#include "base/clock.h"

static void add_alerts(struct desk_metrics *metrics, struct store *store)
{
    static const char name[] = "toiletmon_alerts";
    static const char help[] = "Alerts that fire, and those that have resolved while a sink is "
                               "still to be told.";
    static const char received[] = "toiletmon_alerts_received_total";
    static const char received_help[] = "Reports of alerts, over the API and of the agent's own "
                                        "checks, by what came of them.";
    static const char *const severities[] = {"info", "warning", "critical"};
    const struct tmon_pair resolved = {"state", "resolved"}, refused = {"verdict", "refused"};

    for (size_t i = 0; i < 3; i++) {
        const struct tmon_pair labels[] = {{"severity", severities[i]}, {"state", "firing"}};

        metrics->firing[i] = store_metric_new(store, TMON_GAUGE, name, help, labels, 2);
    }
    metrics->resolved = store_metric_new(store, TMON_GAUGE, name, help, &resolved, 1);
    metrics->groups = store_metric_new(store, TMON_GAUGE, "toiletmon_alert_groups",
                                       "Groups of alerts that notifications are made of.", NULL, 0);
    for (size_t i = HOLD_NONE + 1; i < HOLDS; i++) {
        const struct tmon_pair reason = {"reason", hold_name((enum hold)i)};

        metrics->held[i] = store_metric_new(
            store, TMON_GAUGE, "toiletmon_alerts_suppressed",
            "Alerts that fire and that nobody is told of, by the reason.", &reason, 1);
    }
    for (size_t i = 0; i < SILENCE_STATES; i++) {
        const struct tmon_pair state = {"state", silence_state_name((enum silence_state)i)};

        metrics->silences[i] =
            store_metric_new(store, TMON_GAUGE, "toiletmon_silences",
                             "Silences that are kept, by their state.", &state, 1);
    }
    metrics->acked = store_metric_new(store, TMON_GAUGE, "toiletmon_alerts_acknowledged",
                                      "Alerts that fire and that somebody sees to.", NULL, 0);
    for (size_t i = 0; i < ALERTS_VERDICTS; i++) {
        const struct tmon_pair verdict = {"verdict", alerts_verdict_name((enum alerts_verdict)i)};

        metrics->put[i] =
            store_metric_new(store, TMON_COUNTER, received, received_help, &verdict, 1);
    }
    metrics->refused = store_metric_new(store, TMON_COUNTER, received, received_help, &refused, 1);
}

static void add_state(struct desk_metrics *metrics, struct store *store)
{
    static const char *const conditions[] = {"well", "full", "failing"};

    metrics->jobs = store_metric_new(store, TMON_COUNTER, "toiletmon_state_jobs_total",
                                     "Changes of the durable state that were asked for.", NULL, 0);
    metrics->batches = store_metric_new(store, TMON_COUNTER, "toiletmon_state_batches_total",
                                        "Commits of the durable state.", NULL, 0);
    metrics->failed_batches =
        store_metric_new(store, TMON_COUNTER, "toiletmon_state_failed_batches_total",
                         "Commits of the durable state that failed.", NULL, 0);
    metrics->lost_rows =
        store_metric_new(store, TMON_COUNTER, "toiletmon_state_lost_rows_total",
                         "Rows that could not be read or did not verify.", NULL, 0);
    metrics->salvages = store_metric_new(store, TMON_COUNTER, "toiletmon_state_salvages_total",
                                         "Damaged files that were copied into new ones.", NULL, 0);
    metrics->waiting = store_metric_new(store, TMON_GAUGE, "toiletmon_state_waiting_jobs",
                                        "Changes that wait for their commit.", NULL, 0);
    metrics->file_bytes = store_metric_new(store, TMON_GAUGE, "toiletmon_state_file_bytes",
                                           "The state's database and write-ahead log.", NULL, 0);
    metrics->commit_seconds =
        store_metric_new(store, TMON_COUNTER, "toiletmon_state_commit_seconds_total",
                         "Time spent in commits.", NULL, 0);
    metrics->batch_age = store_metric_new(
        store, TMON_GAUGE, "toiletmon_state_batch_age_seconds",
        "For how long the commit under way has been so: a disk that hangs.", NULL, 0);
    for (size_t i = 0; i <= STATE_FAILING; i++) {
        const struct tmon_pair label = {"condition", conditions[i]};

        metrics->conditions[i] =
            store_metric_new(store, TMON_GAUGE, "toiletmon_state_condition",
                             "1 for the condition that the durable state is in.", &label, 1);
    }
}

static void refresh(void *arg, int64_t now_ms)
{
    struct desk_metrics *metrics = arg;
    struct state_stats stats;
    bool is_open;

    (void)pthread_mutex_lock(&metrics->lock);
    is_open = metrics->state != NULL;
    if (is_open) {
        state_stats(metrics->state, &stats);
    }
    (void)pthread_mutex_unlock(&metrics->lock);
    if (!is_open) {
        return;
    }
    store_metric_set(metrics->jobs, (double)stats.jobs);
    store_metric_set(metrics->batches, (double)stats.batches);
    store_metric_set(metrics->failed_batches, (double)stats.failed_batches);
    store_metric_set(metrics->lost_rows, (double)stats.lost_rows);
    store_metric_set(metrics->salvages, (double)stats.salvages);
    store_metric_set(metrics->waiting, (double)stats.waiting);
    store_metric_set(metrics->file_bytes, (double)stats.file_bytes);
    store_metric_set(metrics->commit_seconds, stats.commit_seconds);
    store_metric_set(
        metrics->batch_age,
        stats.oldest_ns > 0 ? (double)(clock_mono_ns() - stats.oldest_ns) / (double)NS_PER_S : 0);
    for (size_t i = 0; i <= STATE_FAILING; i++) {
        store_metric_set(metrics->conditions[i], stats.condition == i);
    }
}

void desk_metrics_init(struct desk_metrics *metrics, struct store *store)
{
    *metrics = (struct desk_metrics){.store = store};
    (void)pthread_mutex_init(&metrics->lock, NULL);
    add_alerts(metrics, store);
    add_state(metrics, store);
    metrics->refresh = (struct store_refresh){.fn = refresh, .arg = metrics};
    store_refresh_add(store, &metrics->refresh);
}

void desk_metrics_finish(struct desk_metrics *metrics)
{
    if (metrics->store) {
        store_refresh_remove(metrics->store, &metrics->refresh);
        (void)pthread_mutex_destroy(&metrics->lock);
        metrics->store = NULL;
    }
}

void desk_metrics_watch(struct desk_metrics *metrics, const struct state *state)
{
    (void)pthread_mutex_lock(&metrics->lock);
    metrics->state = state;
    (void)pthread_mutex_unlock(&metrics->lock);
}

void desk_metrics_update(struct desk_metrics *metrics, const struct alerts_counts *counts)
{
    for (size_t i = 0; i < 3; i++) {
        store_metric_set(metrics->firing[i], (double)counts->firing[i]);
    }
    store_metric_set(metrics->resolved, (double)counts->resolved);
    store_metric_set(metrics->groups, (double)counts->groups);
    for (size_t i = HOLD_NONE + 1; i < HOLDS; i++) {
        store_metric_set(metrics->held[i], (double)counts->held[i]);
    }
    for (size_t i = 0; i < SILENCE_STATES; i++) {
        store_metric_set(metrics->silences[i], (double)counts->silences[i]);
    }
    store_metric_set(metrics->acked, (double)counts->acked);
    for (size_t i = 0; i < ALERTS_VERDICTS; i++) {
        store_metric_set(metrics->put[i], (double)counts->put[i]);
    }
    store_metric_set(metrics->refused, (double)counts->refused);
}
