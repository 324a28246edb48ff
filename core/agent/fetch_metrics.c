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

void fetch_metrics_init(struct fetch_metrics *metrics, struct store *store,
                        const struct fetch_broker *broker)
{
    *metrics = (struct fetch_metrics){.broker = broker};
    metrics->requests = store_metric_new(store, TMON_COUNTER, "toiletmon_fetch_requests_total",
                                         "HTTP requests of plugins that were taken up.", NULL, 0);
    metrics->refused = store_metric_new(
        store, TMON_COUNTER, "toiletmon_fetch_refused_total",
        "HTTP requests of plugins that were refused: host, redirect, listener.", NULL, 0);
    metrics->failures =
        store_metric_new(store, TMON_COUNTER, "toiletmon_fetch_failures_total",
                         "HTTP requests of plugins to which there was no answer.", NULL, 0);
    metrics->restarts = store_metric_new(store, TMON_COUNTER, "toiletmon_fetch_restarts_total",
                                         "Fetch workers started after the first.", NULL, 0);
    metrics->in_flight = store_metric_new(store, TMON_GAUGE, "toiletmon_fetch_in_flight",
                                          "HTTP requests of plugins under way.", NULL, 0);
    metrics->refresh = (struct store_refresh){.fn = refresh, .arg = metrics};
    store_refresh_add(store, &metrics->refresh);
}

void fetch_metrics_finish(struct fetch_metrics *metrics, struct store *store)
{
    if (metrics->broker) {
        store_refresh_remove(store, &metrics->refresh);
    }
}
