/*
 * delivery_private.h: what the files of delivery share.
 *
 *   delivery.c         attempts come in; sinks, their workers and queues, their end
 *   delivery_flight.c  one attempt through its stages to its outcome
 */
#ifndef OUTBOX_DELIVERY_PRIVATE_H
#define OUTBOX_DELIVERY_PRIVATE_H

#include <pthread.h>

#include "base/map.h"
#include "model/manifest.h"
#include "outbox/compose.h"
#include "outbox/delivery.h"

enum stage {
    STAGE_QUEUED,   /* waits for a worker to format or deliver */
    STAGE_CALLED,   /* a worker does */
    STAGE_SENT,     /* the broker has the request */
    STAGE_ANSWERED, /* waits for a worker to judge */
    STAGE_JUDGED,   /* a worker does */
};

/* One attempt. */
struct flight {
    struct flight *previous, *next; /* in sink->flights */
    struct flight *behind;          /* in the queue */
    struct delivery_sink *sink;
    struct outbox_attempt *attempt;                                  /* owned */
    void (*done)(void *owner, const struct outbox_outcome *outcome); /* of delivery_try() */
    void *owner;
    enum stage stage;
    bool submitting; /* inside broker->submit(): an answer that comes now waits */
    uint32_t ticket;
    int64_t started_ns;
    int32_t status; /* of HTTP */
    int64_t retry_after_ms;
    struct buf answer; /* kept for a judge that is not free, or while submitting */
    char line[128];    /* what the far end said in words, where it did not take it */
};

struct queue {
    struct flight *first, **end;
};

struct pooled {
    struct instance *instance;
    struct queue calls; /* flights that it is called for, in order */
    size_t ncalls;
};

struct delivery_sink {
    struct delivery *delivery;
    struct delivery_sink *previous, *next; /* in delivery->sinks */
    char *name;
    uint32_t abilities;
    bool yes_is_yes;
    const struct settings *settings;
    int64_t timeout_ms;
    void *owner;
    struct flight *flights; /* all */
    size_t nflights;
    struct queue to_call, to_judge;
    void (*drained)(void *owner); /* set: it takes no more */
    void *drained_owner;
    struct loop_timer drained_timer; /* calls it, from the loop and not from a worker's hook */
    size_t nworkers;
    struct pooled workers[];
};

struct delivery {
    struct loop *loop;
    struct local *local;
    const struct broker *broker;
    struct delivery_hooks hooks;
    char *external_url;
    bool hold;
    struct map by_name;          /* of the sinks that take attempts */
    struct delivery_sink *sinks; /* those that are drained too */
    struct compose compose;
    struct buf request; /* on its way to the broker */

    pthread_mutex_t lock;
    struct outbox_attempt *incoming, **incoming_end; /* under the lock */
    bool posted;                                     /* under the lock */
};

/* delivery.c */
void queue_push(struct queue *queue, struct flight *flight);
struct flight *queue_pop(struct queue *queue);
/* A worker that can be called now; NULL. */
struct pooled *delivery_callable(struct delivery_sink *sink);

/* delivery_flight.c */
/* Its next call, on a worker that is idle.  Ends it where that cannot be. */
void flight_call(struct flight *flight, struct pooled *worker);
void flight_called(struct flight *flight, struct pooled *worker,
                   const struct instance_result *result);
/* No worker will judge it. */
void flight_unjudged(struct flight *flight, const char *why);
/* Ends it: unlinked, freed, and its outcome told. */
void flight_end(struct flight *flight, enum outbox_result result, const char *reason);
/* Ends it without an outcome. */
void flight_forget(struct flight *flight);

#endif
