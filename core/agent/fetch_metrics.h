/*
 * fetch_metrics.h: what the agent says of HTTP on behalf of plugins.  Read when somebody scrapes.
 */
#ifndef AGENT_FETCH_METRICS_H
#define AGENT_FETCH_METRICS_H

#include "fetch/broker.h"
#include "store/store.h"

struct fetch_metrics {
    struct store_refresh refresh;
    const struct fetch_broker *broker; /* borrowed */
    struct store_metric *requests, *refused, *failures, *restarts, *in_flight;
};

/* A metric that cannot be had is left out. */
void fetch_metrics_init(struct fetch_metrics *metrics, struct store *store,
                        const struct fetch_broker *broker);
/* Before the broker ends.  Takes one that was never begun. */
void fetch_metrics_finish(struct fetch_metrics *metrics, struct store *store);

#endif
