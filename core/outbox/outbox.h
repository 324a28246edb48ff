/*
 * outbox.h: the durable queue of notifications: nothing leaves except through it.
 *
 * Lives on the state's thread, except where it says otherwise.  A notification is a row until long
 * after it was delivered.  Of a sink's notifications with the same ordering one at a time is under
 * way, the oldest first; of different orderings as many as `concurrency` says.  An attempt is
 * counted in the file before it is handed out, so that after a crash it is known that the far end
 * may have acted.
 *
 * Memory holds a window of what is due next, never the backlog.
 */
#ifndef OUTBOX_OUTBOX_H
#define OUTBOX_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alert/alerts.h"
#include "outbox/attempt.h"
#include "state/state.h"

struct outbox;

/* A sink as the configuration has it.  Borrowed. */
struct outbox_sink {
    const char *name;
    bool one_alert;
    bool wants_acks;      /* it is told that somebody sees to what it was told of */
    uint32_t concurrency; /* at least 1 */
    const char *failover; /* another sink; NULL: none */
    uint32_t budget;      /* notifications in a window; 0: no limit */
    int64_t budget_ms;    /* the window */
    int64_t give_up_ms;   /* how long it is tried; then it is a dead letter */
    bool changed;         /* its settings are other ones than before: a pause ends */
};

struct outbox_hooks {
    void *owner;
    /* After the commit: takes the attempt; exactly one outcome must follow. */
    void (*attempt)(void *owner, struct outbox_attempt *attempt);
};

struct outbox_times {         /* tests shorten these; 0: the default */
    int64_t backoff_first_ms; /* 1 s, doubling */
    int64_t backoff_most_ms;  /* 5 min */
    int64_t breaker_first_ms; /* 15 s: a sink that failed LIMIT_BREAKER times in a row rests */
    int64_t breaker_most_ms;  /* 5 min */
    int64_t pause_ms;         /* 5 min: then one notification is tried */
    int64_t failover_ms;      /* 1 min: a sink that is down for so long is failed over */
    int64_t keep_ms;          /* 7 days: delivered and dead ones are kept so long */
    size_t window;            /* LIMIT_OUTBOX_WINDOW */
};

int outbox_create(const struct outbox_hooks *hooks, const struct outbox_times *times,
                  struct outbox **ret_outbox);
void outbox_destroy(struct outbox *outbox);
/* The two know each other: notices come from the alerts, fates of notifications go back. */
void outbox_join(struct outbox *outbox, struct alerts *alerts);
/* For alerts_create(). */
struct alerts_hooks outbox_alerts_hooks(struct outbox *outbox);

/* Forgets the window and reads it anew; attempts that are under way stay so. */
int outbox_load(struct outbox *outbox, struct state_tx *tx, bool writable, struct alerts_time now);
/* The sinks that there are now.  What waits for others is parked: shown, kept, adopted when the
 * name returns. */
int outbox_configure(struct outbox *outbox, struct state_tx *tx, const struct outbox_sink *sinks,
                     size_t n, struct alerts_time now);
/* Does what is due and starts attempts; at the end of each batch. */
void outbox_run(struct outbox *outbox, struct state_tx *tx, struct alerts_time now);
/* When outbox_run() is wanted next (monotonic ms); INT64_MAX: never. */
int64_t outbox_next(const struct outbox *outbox);
/* The batch is durable: hands out the attempts that it started. */
void outbox_committed(struct outbox *outbox);
/* No further attempts are started (the agent stops). */
void outbox_hold(struct outbox *outbox);

/* An attempt's outcome.  In a job. */
int outbox_outcome(struct outbox *outbox, struct state_tx *tx, const struct outbox_outcome *outcome,
                   struct alerts_time now);

/* ---- reading and mending, in a job ---- */

enum outbox_state {
    OUTBOX_PENDING = 0,
    OUTBOX_SENT = 1,      /* delivered */
    OUTBOX_DEAD = 2,      /* dead letter */
    OUTBOX_CANCELLED = 3, /* nobody needs it any more: resolved before it was attempted */
    OUTBOX_DROPPED = 4,   /* by an operator */
    OUTBOX_STATES
};
const char *outbox_state_name(enum outbox_state state);

struct outbox_row {
    int64_t id;
    const char *uid; /* the notification's id for the far end */
    const char *sink;
    enum outbox_state state;
    bool parked; /* pending, and its sink is not configured */
    bool digest;
    bool under_way;
    uint32_t attempts;
    int64_t next_ms; /* Unix time of the next attempt; 0: at once, or none */
    int64_t created_ms, ended_ms;
    const char *reason; /* what the far end said last */
    const char *title;
    const void *body; /* NULL in lists */
    size_t len;
};

struct outbox_filter {
    const char *sink; /* NULL: all */
    int state;        /* of enum outbox_state; -1: all */
    int64_t before;   /* numbers below this; 0: from the newest */
    size_t limit;     /* at most LIMIT_OUTBOX_LIST */
};
/* The newest first. */
int outbox_list(struct outbox *outbox, struct state_tx *tx, const struct outbox_filter *filter,
                bool (*fn)(void *arg, const struct outbox_row *row), void *arg);
/* -ENOENT. */
int outbox_show(struct outbox *outbox, struct state_tx *tx, int64_t id,
                void (*fn)(void *arg, const struct outbox_row *row), void *arg);
/* How the notification of that number fares, which was made for that sink. */
enum outbox_fate {
    OUTBOX_FATE_QUEUED,    /* it waits, or its first attempt is under way */
    OUTBOX_FATE_FAILING,   /* it was tried in vain, and will be again */
    OUTBOX_FATE_DELIVERED, /* also where that is too long ago to be known */
    OUTBOX_FATE_FAILED,    /* a dead letter, or dropped */
};
/* -errno.  Cheap where the sink has neither dead letters nor anything pending. */
int outbox_fate(struct outbox *outbox, struct state_tx *tx, const char *sink, int64_t id);
/* A dead letter is queued again; one that waits is tried at once.  -ENOENT, -EINVAL (it is
 * neither). */
int outbox_retry(struct outbox *outbox, struct state_tx *tx, int64_t id, struct alerts_time now);
/* -ENOENT, -EBUSY (it is under way), -EINVAL (it is delivered). */
int outbox_drop(struct outbox *outbox, struct state_tx *tx, int64_t id, struct alerts_time now);
/* The operator says that the sink is well: ends pause and rest.  -ENOENT. */
int outbox_resume(struct outbox *outbox, const char *sink, struct alerts_time now);

struct outbox_sink_view {
    const char *name;
    bool configured;
    bool paused;        /* 401, 403, 404 */
    bool resting;       /* the breaker is open */
    const char *reason; /* why; "" */
    uint64_t pending, under_way, dead;
    int64_t oldest_ms;     /* Unix time of the oldest pending one; 0: none */
    int64_t delivered_ms;  /* of the last delivery; 0: none since the start */
    int64_t not_before_ms; /* Unix time: what it asked for, or the end of its rest; 0: none */
    uint64_t outcomes[OUTBOX_UNREADY + 1];
};
void outbox_sinks(struct outbox *outbox, struct state_tx *tx,
                  bool (*fn)(void *arg, const struct outbox_sink_view *view), void *arg,
                  struct alerts_time now);
/* Whether outbox_sinks() tells of a sink of that name. */
bool outbox_has_sink(const struct outbox *outbox, const char *name);
/* LIMIT_OUTBOX_PENDING wait: nothing new should be taken. */
bool outbox_full(const struct outbox *outbox);

#endif
