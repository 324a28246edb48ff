/*
 * desk_metrics.h: the metrics of alerts and of the durable state.
 */
#ifndef AGENT_DESK_METRICS_H
#define AGENT_DESK_METRICS_H

#include <pthread.h>

#include "alert/alerts.h"
#include "alert/silences.h"
#include "state/state.h"
#include "store/store.h"

struct desk_metrics {
    struct store *store;
    struct store_metric *firing[3], *resolved, *groups, *acked, *held[HOLDS],
        *silences[SILENCE_STATES];
    struct store_metric *put[ALERTS_VERDICTS], *refused;

    struct store_metric *jobs, *batches, *failed_batches, *lost_rows, *salvages, *waiting,
        *file_bytes, *commit_seconds, *batch_age, *conditions[STATE_FAILING + 1];
    struct store_refresh refresh;
    pthread_mutex_t lock;
    const struct state *state; /* under the lock; NULL: it is not open */
};

void desk_metrics_init(struct desk_metrics *metrics, struct store *store);
/* Nobody scrapes any more.  Takes zeroed memory. */
void desk_metrics_finish(struct desk_metrics *metrics);
/* After state_open(), and with NULL before state_close(). */
void desk_metrics_watch(struct desk_metrics *metrics, const struct state *state);
/* What is committed now; cheap enough for each commit.  Any thread, one at a time. */
void desk_metrics_update(struct desk_metrics *metrics, const struct alerts_counts *counts);

#endif
