/*
 * sink_watch.h: how the queue of each sink is: metrics, and the alert `sink paused`.
 *
 * The desk is asked when something has happened, and every few seconds while something is pending
 * or a sink is paused; an agent with nothing to deliver asks nobody.  Main thread.
 */
#ifndef AGENT_SINK_WATCH_H
#define AGENT_SINK_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/desk.h"
#include "agent/own_alerts.h"
#include "agent/sink_faults.h"
#include "store/store.h"

struct sink_watch {
    struct loop *loop;
    struct store *store;
    struct own_alerts *own_alerts;
    struct sink_faults *faults;
    struct desk *desk; /* NULL: not open */
    struct loop_timer timer;
    bool asking;  /* the desk has a call of ours */
    bool touched; /* something has happened since */
    int64_t asked_ns;
    size_t n;
    struct watched_sink *sinks; /* owned */
};

void sink_watch_init(struct sink_watch *watch, struct loop *loop, struct store *store,
                     struct own_alerts *own_alerts, struct sink_faults *faults);
void sink_watch_open(struct sink_watch *watch, struct desk *desk);
/* Before the desk closes. */
void sink_watch_close(struct sink_watch *watch);
void sink_watch_finish(struct sink_watch *watch);
/* Something was handed out, or has ended, or the configuration has changed. */
void sink_watch_touch(struct sink_watch *watch);

#endif
