/*
 * outbox_metrics.h: what waits for each sink, and how the sinks are.
 */
#ifndef AGENT_OUTBOX_METRICS_H
#define AGENT_OUTBOX_METRICS_H

#include <pthread.h>
#include <stdatomic.h>

#include "agent/api.h"
#include "store/store.h"

struct sink_metrics;

struct outbox_metrics {
    struct desk_call call;
    struct store *store;
    struct api *api;
    struct store_refresh refresh;
    atomic_bool asked; /* the call is on the desk */
    pthread_mutex_t lock;
    struct sink_metrics *sinks; /* under the lock; a list */
};

void outbox_metrics_init(struct outbox_metrics *metrics, struct store *store, struct api *api);
/* Nobody scrapes any more, and the desk is closed.  Takes zeroed memory. */
void outbox_metrics_finish(struct outbox_metrics *metrics);

#endif
