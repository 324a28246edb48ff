/*
 * delivery.c: see delivery.h.  Attempts come in from another thread as a list and one post; sinks
 * hand them to workers that are idle, answers that wait to be judged before what waits to be sent,
 * since with each of them somebody's attempt ends.
 *
 * There are no timers: workers and the broker keep deadlines of their own.
 */
#include "outbox/delivery.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "outbox/delivery_private.h"

#define STUCK_NS (60 * NS_PER_S) /* beyond its time, for deaths of workers and the like */

static void take_incoming(void *arg);

void queue_push(struct queue *queue, struct flight *flight)
{
    flight->behind = NULL;
    *queue->end = flight;
    queue->end = &flight->behind;
}

struct flight *queue_pop(struct queue *queue)
{
    struct flight *flight = queue->first;

    if (flight) {
        queue->first = flight->behind;
        if (!queue->first) {
            queue->end = &queue->first;
        }
    }
    return flight;
}

/* ---- workers ---- */

struct pooled *delivery_callable(struct delivery_sink *sink)
{
    struct pooled *best = NULL;

    for (size_t i = 0; i < sink->nworkers; i++) {
        struct pooled *pooled = &sink->workers[i];

        if (instance_callable(pooled->instance) && (!best || pooled->ncalls < best->ncalls)) {
            best = pooled;
        }
    }
    return best;
}

/* Whether one will be idle soon: it is in a call, or made for the first time. */
static bool worth_waiting(const struct delivery_sink *sink)
{
    for (size_t i = 0; i < sink->nworkers; i++) {
        const struct instance *instance = sink->workers[i].instance;

        if (instance_busy(instance) || instance_state(instance) == INSTANCE_STARTING) {
            return true;
        }
    }
    return false;
}

static void give_back_queued(struct delivery_sink *sink, const char *why)
{
    struct flight *flight;

    while ((flight = queue_pop(&sink->to_call))) {
        flight_end(flight, OUTBOX_UNREADY, why);
    }
}

static void give_up_waiting(struct delivery_sink *sink)
{
    const char *why = sink->nworkers > 0 ? instance_reason(sink->workers[0].instance) : "";
    char text[256];
    struct flight *flight;

    (void)snprintf(text, sizeof text, "its plugin is not ready%s%s", *why ? ": " : "", why);
    give_back_queued(sink, text);
    while ((flight = queue_pop(&sink->to_judge))) {
        flight_unjudged(flight, text);
    }
}

static void on_drained(struct loop_timer *timer, int64_t now_ns)
{
    struct delivery_sink *sink = timer->owner;
    void (*drained)(void *) = sink->drained;
    void *owner = sink->drained_owner;

    delivery_drop(sink);
    drained(owner);
}

static void look_if_drained(struct delivery_sink *sink)
{
    if (sink->drained && sink->nflights == 0 && !heap_has(&sink->drained_timer.node)) {
        (void)loop_timer_set(sink->delivery->loop, &sink->drained_timer,
                             loop_now(sink->delivery->loop));
    }
}

void delivery_look(struct delivery_sink *sink)
{
    bool called = false;

    while (sink->to_judge.first || sink->to_call.first) {
        struct pooled *worker = delivery_callable(sink);
        struct flight *flight;

        if (!worker) {
            break;
        }
        flight = queue_pop(sink->to_judge.first ? &sink->to_judge : &sink->to_call);
        flight_call(flight, worker);
        called = true;
    }
    if ((sink->to_judge.first || sink->to_call.first) && !worth_waiting(sink)) {
        give_up_waiting(sink);
    }
    if (called && sink->delivery->local) {
        local_flush(sink->delivery->local); // in case it runs on the component thread
    }
    look_if_drained(sink);
}

void delivery_done(struct delivery_sink *sink, const struct instance *worker,
                   const struct instance_result *result)
{
    for (size_t i = 0; i < sink->nworkers; i++) {
        struct pooled *pooled = &sink->workers[i];

        if (pooled->instance == worker && pooled->ncalls > 0) {
            struct flight *flight = queue_pop(&pooled->calls);

            pooled->ncalls--;
            flight_called(flight, pooled, result);
            break;
        }
    }
    delivery_look(sink);
}

/* ---- attempts ---- */

static void tell_unready(struct delivery *delivery, const struct outbox_attempt *attempt,
                         const char *why,
                         void (*done)(void *owner, const struct outbox_outcome *outcome),
                         void *owner)
{
    struct outbox_outcome outcome = {
        .id = attempt->id, .result = OUTBOX_UNREADY, .retry_after_ms = -1};

    memcpy(outcome.sink, attempt->sink, sizeof outcome.sink);
    (void)snprintf(outcome.reason, sizeof outcome.reason, "%s", why);
    if (done) {
        done(owner, &outcome);
    } else {
        delivery->hooks.outcome(delivery->hooks.owner, &outcome, NULL);
    }
}

static void take(struct delivery *delivery, struct outbox_attempt *attempt,
                 void (*done)(void *owner, const struct outbox_outcome *outcome), void *owner)
{
    struct delivery_sink *sink = map_get(&delivery->by_name, attempt->sink, strlen(attempt->sink));
    const char *why = delivery->hold ? "the agent stops" : "there is no such sink";
    struct flight *flight = NULL;

    if (sink && !delivery->hold) {
        flight = malloc(sizeof *flight);
        why = "no memory is left";
    }
    if (!flight) {
        tell_unready(delivery, attempt, why, done, owner);
        free(attempt);
        return;
    }
    *flight = (struct flight){
        .next = sink->flights,
        .sink = sink,
        .attempt = attempt,
        .done = done,
        .owner = owner,
        .stage = STAGE_QUEUED,
        .started_ns = clock_mono_ns(),
        .retry_after_ms = -1,
    };
    buf_init(&flight->answer, LIMIT_CALL_BYTES);
    if (sink->flights) {
        sink->flights->previous = flight;
    }
    sink->flights = flight;
    sink->nflights++;
    queue_push(&sink->to_call, flight);
    delivery_look(sink);
}

void delivery_try(struct delivery *delivery, struct outbox_attempt *attempt,
                  void (*done)(void *owner, const struct outbox_outcome *outcome), void *owner)
{
    take(delivery, attempt, done, owner);
}

static void take_incoming(void *arg)
{
    struct delivery *delivery = arg;
    struct outbox_attempt *attempt;

    (void)pthread_mutex_lock(&delivery->lock);
    attempt = delivery->incoming;
    delivery->incoming = NULL;
    delivery->incoming_end = &delivery->incoming;
    delivery->posted = false;
    (void)pthread_mutex_unlock(&delivery->lock);
    while (attempt) {
        struct outbox_attempt *next = attempt->next;

        attempt->next = NULL;
        take(delivery, attempt, NULL, NULL);
        attempt = next;
    }
}

void delivery_put(struct delivery *delivery, struct outbox_attempt *attempt)
{
    bool post;

    attempt->next = NULL;
    (void)pthread_mutex_lock(&delivery->lock);
    *delivery->incoming_end = attempt;
    delivery->incoming_end = &attempt->next;
    post = !delivery->posted;
    delivery->posted = true;
    (void)pthread_mutex_unlock(&delivery->lock);
    if (post && loop_post(delivery->loop, take_incoming, delivery) < 0) {
        (void)pthread_mutex_lock(&delivery->lock);
        delivery->posted = false; // the next one tries again
        (void)pthread_mutex_unlock(&delivery->lock);
    }
}

void delivery_hold(struct delivery *delivery)
{
    delivery->hold = true;
    for (struct delivery_sink *sink = delivery->sinks; sink; sink = sink->next) {
        give_back_queued(sink, "the agent stops");
        look_if_drained(sink);
    }
}

/* ---- sinks ---- */

int delivery_add(struct delivery *delivery, const struct delivery_options *options,
                 struct delivery_sink **ret_sink)
{
    size_t size = strlen(options->name);
    struct delivery_sink *sink;
    int r;

    if (map_get(&delivery->by_name, options->name, size)) {
        return -EEXIST;
    }
    sink = calloc(1, sizeof *sink + options->nworkers * sizeof sink->workers[0]);
    if (!sink) {
        return -ENOMEM;
    }
    sink->delivery = delivery;
    sink->name = strdup(options->name);
    sink->abilities = options->abilities;
    sink->yes_is_yes = options->yes_is_yes;
    sink->settings = options->settings;
    sink->timeout_ms = options->timeout_ms;
    sink->owner = options->owner;
    sink->to_call.end = &sink->to_call.first;
    sink->to_judge.end = &sink->to_judge.first;
    sink->nworkers = options->nworkers;
    for (size_t i = 0; i < options->nworkers; i++) {
        sink->workers[i].instance = options->workers[i];
        sink->workers[i].calls.end = &sink->workers[i].calls.first;
    }
    loop_timer_init(&sink->drained_timer, on_drained, sink);
    r = sink->name ? map_put(&delivery->by_name, sink->name, size, sink) : -ENOMEM;
    if (r < 0) {
        free(sink->name);
        free(sink);
        return r;
    }
    sink->next = delivery->sinks;
    if (sink->next) {
        sink->next->previous = sink;
    }
    delivery->sinks = sink;
    *ret_sink = sink;
    return 0;
}

void delivery_drain(struct delivery_sink *sink, void (*drained)(void *owner), void *owner)
{
    (void)map_remove(&sink->delivery->by_name, sink->name, strlen(sink->name));
    sink->drained = drained;
    sink->drained_owner = owner;
    give_back_queued(sink, "its settings have changed");
    look_if_drained(sink);
}

void delivery_drop(struct delivery_sink *sink)
{
    struct delivery *delivery;

    if (!sink) {
        return;
    }
    delivery = sink->delivery;
    loop_timer_stop(delivery->loop, &sink->drained_timer);
    if (!sink->drained) {
        (void)map_remove(&delivery->by_name, sink->name, strlen(sink->name));
    }
    while (sink->flights) {
        flight_forget(sink->flights);
    }
    if (sink->previous) {
        sink->previous->next = sink->next;
    } else {
        delivery->sinks = sink->next;
    }
    if (sink->next) {
        sink->next->previous = sink->previous;
    }
    free(sink->name);
    free(sink);
}

bool delivery_is_idle(const struct delivery *delivery)
{
    for (const struct delivery_sink *sink = delivery->sinks; sink; sink = sink->next) {
        if (sink->nflights > 0) {
            return false;
        }
    }
    return true;
}

bool delivery_is_stuck(const struct delivery *delivery, int64_t now_ns)
{
    for (const struct delivery_sink *sink = delivery->sinks; sink; sink = sink->next) {
        /* Those of a sink that blocks wait for each other. */
        int64_t most_ns = (sink->timeout_ms * (int64_t)(sink->nflights + 1)) * NS_PER_MS + STUCK_NS;

        for (const struct flight *flight = sink->flights; flight; flight = flight->next) {
            if (now_ns - flight->started_ns > most_ns) {
                return true;
            }
        }
    }
    return false;
}

size_t delivery_under_way(const struct delivery_sink *sink)
{
    return sink->nflights;
}

/* ---- the whole ---- */

int delivery_create(struct loop *loop, struct local *local, const struct broker *broker,
                    const struct delivery_hooks *hooks, struct delivery **ret_delivery)
{
    struct delivery *delivery = calloc(1, sizeof *delivery);

    if (!delivery) {
        return -ENOMEM;
    }
    delivery->loop = loop;
    delivery->local = local;
    delivery->broker = broker;
    delivery->hooks = *hooks;
    map_init(&delivery->by_name);
    compose_init(&delivery->compose);
    buf_init(&delivery->request, LIMIT_HTTP_REQUEST_BYTES + sizeof(uint64_t));
    (void)pthread_mutex_init(&delivery->lock, NULL);
    delivery->incoming_end = &delivery->incoming;
    *ret_delivery = delivery;
    return 0;
}

void delivery_destroy(struct delivery *delivery)
{
    if (!delivery) {
        return;
    }
    while (delivery->sinks) {
        delivery_drop(delivery->sinks);
    }
    while (delivery->incoming) {
        struct outbox_attempt *attempt = delivery->incoming;

        delivery->incoming = attempt->next;
        free(attempt);
    }
    map_finish(&delivery->by_name);
    compose_finish(&delivery->compose);
    buf_finish(&delivery->request);
    (void)pthread_mutex_destroy(&delivery->lock);
    free(delivery->external_url);
    free(delivery);
}

int delivery_set_external_url(struct delivery *delivery, const char *url)
{
    char *copy = url ? strdup(url) : NULL;

    if (url && !copy) {
        return -ENOMEM;
    }
    free(delivery->external_url);
    delivery->external_url = copy;
    return 0;
}

void delivery_set_ack_key(struct delivery *delivery, const struct ack_key *key)
{
    delivery->compose.ack_key = *key;
}
