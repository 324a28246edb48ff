/*
 * delivery.h: attempts on their way out: from the queue to a sink's worker, to the far end, and
 * back as an outcome.
 *
 * A sink has a pool of workers.  An HTTP sink's format() makes a request, which goes to the broker,
 * and judge(), where there is one, says what the answer means; so many requests are in flight while
 * the worker is busy for microseconds each.  Any other sink delivers in a blocking call, as many at
 * a time as it has workers.
 *
 * All on the main thread, except delivery_put().
 */
#ifndef OUTBOX_DELIVERY_H
#define OUTBOX_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alert/ack_link.h"
#include "base/loop.h"
#include "outbox/attempt.h"
#include "plugin/broker.h"
#include "plugin/instance.h"
#include "plugin/local.h"

struct delivery;
struct delivery_sink;

struct delivery_hooks {
    void *owner;
    /* Once for each attempt that was put, as it ended.  `sink_owner` NULL: no sink has that name.
     */
    void (*outcome)(void *owner, const struct outbox_outcome *outcome, void *sink_owner);
};

/* Borrows all; `local` and `broker` may be NULL.  -ENOMEM. */
int delivery_create(struct loop *loop, struct local *local, const struct broker *broker,
                    const struct delivery_hooks *hooks, struct delivery **ret_delivery);
/* What is under way has no outcome; sinks are dropped.  Takes NULL. */
void delivery_destroy(struct delivery *delivery);
/* Where people reach the agent; copied; NULL: unknown.  -ENOMEM (the old one holds). */
int delivery_set_external_url(struct delivery *delivery, const char *url);

/* What links to acknowledge alerts are made with; copied. */
void delivery_set_ack_key(struct delivery *delivery, const struct ack_key *key);

/* ---- attempts ---- */

/* Takes the attempt; its outcome follows.  Any thread. */
void delivery_put(struct delivery *delivery, struct outbox_attempt *attempt);
/* One that stands in no queue: its outcome goes to `done` alone.  Takes the attempt.  Main thread;
 * `done` may be called at once. */
void delivery_try(struct delivery *delivery, struct outbox_attempt *attempt,
                  void (*done)(void *owner, const struct outbox_outcome *outcome), void *owner);
/* From now on attempts end as OUTBOX_UNREADY before they begin (the agent stops). */
void delivery_hold(struct delivery *delivery);

/* ---- sinks ---- */

struct delivery_options {
    const char *name;
    uint32_t abilities;
    bool yes_is_yes;                 /* TMON_2XX_IS_YES */
    const struct settings *settings; /* borrowed: which hosts it may reach */
    int64_t timeout_ms;              /* of a request */
    size_t nworkers;
    struct instance *const *workers; /* copied; borrowed until the sink is drained or dropped */
    void *owner;
};
/* -EEXIST, -ENOMEM. */
int delivery_add(struct delivery *delivery, const struct delivery_options *options,
                 struct delivery_sink **ret_sink);
/* Takes no more attempts (its name is free at once), lets end what is under way, then calls
 * `drained`, maybe at once: the sink is gone, its workers are nobody's any more. */
void delivery_drain(struct delivery_sink *sink, void (*drained)(void *owner), void *owner);
/* At once: what is under way has no outcome.  Takes NULL. */
void delivery_drop(struct delivery_sink *sink);

/* What the hooks of its workers are to pass on. */
void delivery_done(struct delivery_sink *sink, const struct instance *worker,
                   const struct instance_result *result);
/* A worker has changed its state, or is free again. */
void delivery_look(struct delivery_sink *sink);

/* Whether no attempt is under way or waits, of any sink. */
bool delivery_is_idle(const struct delivery *delivery);
/* Whether one has been under way for so long that nobody can be seeing to its deadline any more. */
bool delivery_is_stuck(const struct delivery *delivery, int64_t now_ns);
/* How many attempts are under way or wait for a worker. */
size_t delivery_under_way(const struct delivery_sink *sink);

#endif
