/*
 * fetch_metrics.c: see fetch_metrics.h.  Runs on the thread that scrapes.
 */
#include "agent/fetch_metrics.h"

static void refresh(void *arg, int64_t now_ms)
{
    const struct fetch_metrics *metrics = arg;
    const struct fetch_broker_counters counters = fetch_broker_counters(metrics->broker);

    store_metric_set(metrics->requests, (double)counters.requests);
    store_metric_set(metrics->refused, (double)counters.refused);
    store_metric_set(metrics->failures, (double)counters.failed);
    store_metric_set(metrics->restarts, counters.starts ? (double)counters.starts - 1 : 0);
    store_metric_set(metrics->in_flight, (double)counters.in_flight);
}

static struct store_metric *add(struct store *store, tmon_metric_kind kind, const char *name,
                                const char *help)
{
    const struct store_metric_spec spec = {.kind = kind, .name = name, .help = help};
    struct store_metric *metric = NULL;

    (void)store_metric_add(store, &spec, &metric);
    return metric;
}

void fetch_metrics_init(struct fetch_metrics *metrics, struct store *store,
                        const struct fetch_broker *broker)
{
    *metrics = (struct fetch_metrics){.broker = broker};
    metrics->requests = add(store, TMON_COUNTER, "toiletmon_fetch_requests_total",
                            "HTTP requests of plugins that were taken up.");
    metrics->refused = add(store, TMON_COUNTER, "toiletmon_fetch_refused_total",
                           "HTTP requests of plugins that were refused: host, redirect, listener.");
    metrics->failures = add(store, TMON_COUNTER, "toiletmon_fetch_failures_total",
                            "HTTP requests of plugins to which there was no answer.");
    metrics->restarts = add(store, TMON_COUNTER, "toiletmon_fetch_restarts_total",
                            "Fetch workers started after the first.");
    metrics->in_flight =
        add(store, TMON_GAUGE, "toiletmon_fetch_in_flight", "HTTP requests of plugins under way.");
    metrics->refresh = (struct store_refresh){.fn = refresh, .arg = metrics};
    store_refresh_add(store, &metrics->refresh);
}

void fetch_metrics_finish(struct fetch_metrics *metrics, struct store *store)
{
    if (metrics->broker) {
        store_refresh_remove(store, &metrics->refresh);
    }
}
