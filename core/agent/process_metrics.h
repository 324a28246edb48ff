/*
 * process_metrics.h: what the agent says of its own process: memory, CPU, descriptors, uptime,
 * build.
 *
 * The names are those that every Prometheus client uses.  Values are read when somebody scrapes,
 * not before.
 */
#ifndef AGENT_PROCESS_METRICS_H
#define AGENT_PROCESS_METRICS_H

#include <stdint.h>

#include "store/store.h"

struct process_metrics {
    struct store_refresh refresh;
    int64_t started_ns; /* monotonic */
    /* /proc/self/statm, /proc/self/fd and /proc/self/task, kept open since finding them costs more
     * than reading them; -1: none. */
    int statm, descriptors, tasks;
    struct store_metric *uptime;
    struct store_metric *resident, *virtual_size, *cpu, *open_fds, *max_fds, *threads, *start_time,
        *build, *log_lost;
};

/* A metric that cannot be had is left out. */
void process_metrics_init(struct process_metrics *metrics, struct store *store, int64_t started_ns);
/* Takes one that was never begun. */
void process_metrics_finish(struct process_metrics *metrics, struct store *store);

#endif
