/*
 * desk.h: the state's thread as the rest of the agent sees it: the file, the alerts and the outbox
 * behind one door.
 *
 * Everything that concerns them is a call that is put on the desk from any thread, runs on the
 * state's thread in a transaction with whatever else waits, and is answered when that is durable.
 */
#ifndef AGENT_DESK_H
#define AGENT_DESK_H

#include "alert/alerts.h"
#include "base/loop.h"
#include "outbox/outbox.h"
#include "state/state.h"

struct desk {
    struct state *state;
    struct alerts *alerts;
    struct outbox *outbox;
    struct loop_timer timer; /* on the state's loop: when alerts or outbox want to run */
    struct state_job tick;
    bool ticking;
    int64_t armed_ms;
    struct desk_outcome *unrecorded, **unrecorded_end; /* outcomes whose commit failed */
    struct desk_hooks {
        void *owner;
        /* On the state's thread, after a commit: takes the attempt. */
        void (*attempt)(void *owner, struct outbox_attempt *attempt);
        /* On the state's thread. */
        void (*condition)(void *owner, enum state_condition condition, const char *text);
        /* On the state's thread, after a commit: how many alerts there are now. */
        void (*counts)(void *owner, const struct alerts_counts *counts);
        struct outbox_times times; /* tests shorten these */
    } hooks;
};

/* Opens the file in the directory, loads, starts the thread.  `desk` is the caller's memory. -errno
 * with a sentence appended to `why`. */
int desk_open(struct desk *desk, const char *directory, const struct desk_hooks *hooks,
              struct buf *why);
/* No further attempts are started.  Any thread. */
void desk_hold(struct desk *desk);
void desk_close(struct desk *desk);

/* A call; the first member of its owner's struct, who leaves it alone from submit to done. */
struct desk_call {
    struct state_job job;
    struct desk *desk;
    /* As in struct state_job; `desk->alerts` and `desk->outbox` may be used. */
    int (*run)(struct desk_call *call, struct state_tx *tx, struct alerts_time now);
    void (*done)(struct desk_call *call, int result);
};
/* Any thread.  `grows` as in struct state_job.  0: done will be called, on the state's thread;
 * -ENOBUFS, -ESHUTDOWN. */
int desk_submit(struct desk *desk, struct desk_call *call, bool grows);
/* Attempts have ended.  Any thread; copies; kept until it is durable. */
void desk_outcomes(struct desk *desk, const struct outbox_outcome *outcomes, size_t n);

#endif
