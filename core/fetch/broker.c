/*
 * broker.c: requests under way, their deadlines, and the life of the fetch worker.
 *
 * Runs on the agent's main thread.  A request has a slot; its ticket is the slot's number and a
 * generation, so that an answer that comes too late meets nobody.  Answers are always given from
 * the loop, never from within submit(): the asker knows its ticket before it hears of it.
 */
#include "fetch/broker.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "fetch/flight.h"
#include "plugin/process.h"

#define GRACE_NS (2 * NS_PER_S)   /* fetch keeps deadlines itself; this is for a fetch that hangs */
#define SILENCE_NS (2 * NS_PER_S) /* after a cancel, twice: then it hangs, and is killed */
#define PAUSE_FIRST_NS NS_PER_S
#define PAUSE_MAX_NS (60 * NS_PER_S)

struct flight {
    struct fetch_broker *broker;
    bool used;
    bool sent;       /* fetch has it; else `why` waits to be told */
    uint32_t ticket; /* also its call number */
    void (*answer)(void *asker, uint32_t ticket, const void *response, size_t len);
    void *asker;
    struct loop_timer timer; /* of the deadline, or due at once when it is not sent */
    tmon_rc rc;
    int32_t phase;
    char why[512];
};

/* Counted by the main thread, read by the one that scrapes. */
struct counts {
    atomic_uint_fast64_t requests, refused, failed, starts, deaths, missed;
    atomic_size_t in_flight;
};

struct fetch_broker {
    struct broker table;
    struct loop *loop;
    struct spawner *spawner;
    struct process process;
    struct frame_assembly assembly;
    struct buf order; /* kept between requests */
    char **refused;   /* owned, as are the texts */
    size_t nrefused;
    int64_t not_before_ns, pause_ns; /* of the next start */
    struct loop_timer silence;       /* runs from a missed deadline to the next frame */
    bool suspected;                  /* it has fired once */
    uint32_t generation;
    struct counts counts;
    struct flight flights[LIMIT_HTTP_FLIGHTS];
};

static void forget(struct flight *flight)
{
    loop_timer_stop(flight->broker->loop, &flight->timer);
    flight->used = false;
    flight->broker->counts.in_flight--;
}

static void tell(struct flight *flight, const void *response, size_t len)
{
    void (*answer)(void *, uint32_t, const void *, size_t) = flight->answer;
    void *asker = flight->asker;
    uint32_t ticket = flight->ticket;

    forget(flight); // first: the asker may hand in its next request at once
    answer(asker, ticket, response, len);
}

/* Answers that there is no answer. */
static void fail(struct flight *flight, tmon_rc rc, int32_t phase, const char *why)
{
    struct fetch_broker *broker = flight->broker;
    struct buf reply;

    if (rc == TMON_REJECTED) {
        broker->counts.refused++;
    } else {
        broker->counts.failed++;
    }
    buf_init(&reply, FETCH_RESPONSE_BYTES(0));
    flight_answer(&reply, rc, phase, why);
    tell(flight, reply.data, reply.len);
    buf_finish(&reply);
}

static struct flight *find(struct fetch_broker *broker, uint32_t ticket)
{
    struct flight *flight = &broker->flights[ticket % LIMIT_HTTP_FLIGHTS];

    return flight->used && flight->ticket == ticket ? flight : NULL;
}

/* Fetch answers every cancel, so it is heard of soon, or it hangs. */
static void send_cancel(struct fetch_broker *broker, uint32_t ticket)
{
    process_send(&broker->process, FRAME_HTTP_CANCEL, ticket, NULL, 0);
    if (!heap_has(&broker->silence.node)) {
        broker->suspected = false;
        (void)loop_timer_set(broker->loop, &broker->silence, loop_now(broker->loop) + SILENCE_NS);
    }
}

/* Two turns of it, so that a stall of the agent itself (a suspended machine) is not held against
 * fetch. */
static void on_silence(struct loop_timer *timer, int64_t now_ns)
{
    struct fetch_broker *broker = timer->owner;

    if (!broker->suspected) {
        broker->suspected = true;
        (void)loop_timer_set(broker->loop, timer, now_ns + SILENCE_NS);
    } else {
        process_kill(&broker->process, "did not answer any more");
    }
}

static void on_time(struct loop_timer *timer, int64_t now_ns)
{
    struct flight *flight = timer->owner;
    struct fetch_broker *broker = flight->broker;

    if (!flight->sent) {
        fail(flight, flight->rc, flight->phase, flight->why);
        return;
    }
    broker->counts.missed++;
    send_cancel(broker, flight->ticket);
    fail(flight, TMON_AMBIGUOUS, TMON_PHASE_ANSWER,
         "the agent's HTTP worker did not answer before the deadline");
}

static void on_frame(void *owner, const struct frame *frame)
{
    struct fetch_broker *broker = owner;
    const void *data;
    size_t len;
    tmon_rc rc;
    int32_t phase;
    int r = frame->type == FRAME_HTTP_RESPONSE
                ? frame_assembly_add(&broker->assembly, frame, &data, &len)
                : -EPROTO;

    loop_timer_stop(broker->loop, &broker->silence);
    if (r == 0) {
        return;
    }
    if (r < 0 || flight_read(data, len, &rc, &phase) < 0) {
        process_kill(&broker->process, "sent a malformed frame");
        return;
    }
    broker->pause_ns = PAUSE_FIRST_NS;
    struct flight *flight = find(broker, frame->call);
    if (!flight || !flight->sent) {
        return; // cancelled meanwhile
    }
    if (rc == TMON_REJECTED) {
        broker->counts.refused++;
    } else if (rc != TMON_OK) {
        broker->counts.failed++;
    }
    tell(flight, data, len);
}

static void on_gone(void *owner, const struct process_end *end)
{
    struct fetch_broker *broker = owner;
    char text[256];

    broker->counts.deaths++;
    loop_timer_stop(broker->loop, &broker->silence);
    process_end_text(end, text, sizeof text);
    log_error("the HTTP worker ended", LOG_S("reason", text),
              LOG_I("in_flight", broker->counts.in_flight),
              LOG_I("pause_ms", broker->pause_ns / NS_PER_MS));
    broker->not_before_ns = loop_now(broker->loop) + broker->pause_ns;
    broker->pause_ns = broker->pause_ns * 2 < PAUSE_MAX_NS ? broker->pause_ns * 2 : PAUSE_MAX_NS;
    frame_assembly_finish(&broker->assembly);
    frame_assembly_init(&broker->assembly, FETCH_RESPONSE_BYTES(LIMIT_HTTP_BODY_BYTES));
    for (size_t i = 0; i < LIMIT_HTTP_FLIGHTS; i++) {
        struct flight *flight = &broker->flights[i];

        if (flight->used && flight->sent) {
            fail(flight, TMON_AMBIGUOUS, TMON_PHASE_ANSWER,
                 "the agent's HTTP worker ended before it answered");
        }
    }
}

/* Makes sure that there is a process to send to.  -EAGAIN within the pause after a death, -errno.
 */
static int wake(struct fetch_broker *broker)
{
    int r;

    if (process_running(&broker->process)) {
        return broker->process.killed ? -EAGAIN : 0;
    }
    if (loop_now(broker->loop) < broker->not_before_ns) {
        return -EAGAIN;
    }
    r = process_start(&broker->process, broker->spawner, PROGRAM_FETCH);
    if (r == 0) {
        broker->counts.starts++;
    }
    return r;
}

static struct flight *take_slot(struct fetch_broker *broker)
{
    for (uint32_t i = 0; i < LIMIT_HTTP_FLIGHTS; i++) {
        struct flight *flight = &broker->flights[i];

        if (!flight->used) {
            // Generations are counted per broker, so a ticket comes back after 33 million requests
            // only; never 0.
            broker->generation = broker->generation % (UINT32_MAX / LIMIT_HTTP_FLIGHTS - 1) + 1;
            flight->ticket = broker->generation * LIMIT_HTTP_FLIGHTS + i;
            flight->used = true;
            flight->sent = false;
            broker->counts.in_flight++;
            return flight;
        }
    }
    return NULL;
}

/* To be told by the timer, at once. */
static void set_failure(struct flight *flight, tmon_rc rc, int32_t phase, const char *why)
{
    flight->rc = rc;
    flight->phase = phase;
    if (why != flight->why) {
        snprintf(flight->why, sizeof flight->why, "%s", why);
    }
}

static int submit(void *owner, const void *request, size_t len, const struct settings *settings,
                  void (*answer)(void *asker, uint32_t ticket, const void *response, size_t len),
                  void *asker, uint32_t *ret_ticket)
{
    struct fetch_broker *broker = owner;
    struct flight *flight = take_slot(broker);
    int64_t due_ns = loop_now(broker->loop), remaining_ms = 0;
    int r;

    if (!flight) {
        return -ENOBUFS;
    }
    flight->answer = answer;
    flight->asker = asker;
    buf_clear(&broker->order);
    r = flight_order(request, len, settings, (const char *const *)broker->refused, broker->nrefused,
                     &broker->order, &remaining_ms, flight->why, sizeof flight->why);
    if (r == -EACCES) {
        set_failure(flight, TMON_REJECTED, TMON_PHASE_REFUSED, flight->why);
    } else if (r < 0) {
        goto out;
    } else {
        r = wake(broker);
        if (r == 0) {
            r = process_send(&broker->process, FRAME_HTTP_REQUEST, flight->ticket,
                             broker->order.data, broker->order.len);
        }
        flight->sent = r == 0;
        if (r == 0) {
            due_ns += remaining_ms * NS_PER_MS + GRACE_NS;
        } else {
            set_failure(flight, TMON_RETRY, TMON_PHASE_CONNECT,
                        r == -EAGAIN
                            ? "the agent's HTTP worker ended a moment ago and is not back yet"
                            : "the agent's HTTP worker could not be started");
        }
    }
    r = loop_timer_set(broker->loop, &flight->timer, due_ns);
out:
    if (broker->order.size > LIMIT_FRAME_BYTES) {
        buf_finish(&broker->order); // a large body is rare: do not keep room for it
    }
    if (r < 0) {
        forget(flight);
        return r;
    }
    broker->counts.requests++;
    *ret_ticket = flight->ticket;
    return 0;
}

static void cancel(void *owner, uint32_t ticket)
{
    struct fetch_broker *broker = owner;
    struct flight *flight = find(broker, ticket);

    if (flight) {
        if (flight->sent) {
            send_cancel(broker, ticket);
        }
        forget(flight);
    }
}

static const struct process_hooks hooks = {.frame = on_frame, .gone = on_gone};

int fetch_broker_create(struct loop *loop, struct spawner *spawner,
                        struct fetch_broker **ret_broker)
{
    struct fetch_broker *broker = calloc(1, sizeof *broker);

    if (!broker) {
        return -ENOMEM;
    }
    broker->table = (struct broker){.owner = broker, .submit = submit, .cancel = cancel};
    broker->loop = loop;
    broker->spawner = spawner;
    broker->pause_ns = PAUSE_FIRST_NS;
    loop_timer_init(&broker->silence, on_silence, broker);
    process_init(&broker->process, loop, &hooks, broker);
    frame_assembly_init(&broker->assembly, FETCH_RESPONSE_BYTES(LIMIT_HTTP_BODY_BYTES));
    buf_init(&broker->order, FETCH_ORDER_BYTES);
    for (size_t i = 0; i < LIMIT_HTTP_FLIGHTS; i++) {
        broker->flights[i].broker = broker;
        loop_timer_init(&broker->flights[i].timer, on_time, &broker->flights[i]);
    }
    *ret_broker = broker;
    return 0;
}

static void drop_listeners(char **listeners, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(listeners[i]);
    }
    free(listeners);
}

void fetch_broker_destroy(struct fetch_broker *broker)
{
    if (!broker) {
        return;
    }
    process_finish(&broker->process);
    loop_timer_stop(broker->loop, &broker->silence);
    for (size_t i = 0; i < LIMIT_HTTP_FLIGHTS; i++) {
        if (broker->flights[i].used) {
            forget(&broker->flights[i]);
        }
    }
    frame_assembly_finish(&broker->assembly);
    buf_finish(&broker->order);
    drop_listeners(broker->refused, broker->nrefused);
    free(broker);
}

int fetch_broker_refuse(struct fetch_broker *broker, const char *const *listeners, size_t n)
{
    char **copy = calloc(n ? n : 1, sizeof *copy);

    if (!copy) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        copy[i] = strdup(listeners[i]);
        if (!copy[i]) {
            drop_listeners(copy, i);
            return -ENOMEM;
        }
    }
    drop_listeners(broker->refused, broker->nrefused);
    broker->refused = copy;
    broker->nrefused = n;
    return 0;
}

const struct broker *fetch_broker_table(const struct fetch_broker *broker)
{
    return &broker->table;
}

struct fetch_broker_counters fetch_broker_counters(const struct fetch_broker *broker)
{
    const struct counts *counts = &broker->counts;

    return (struct fetch_broker_counters){
        .requests = atomic_load(&counts->requests),
        .refused = atomic_load(&counts->refused),
        .failed = atomic_load(&counts->failed),
        .starts = atomic_load(&counts->starts),
        .deaths = atomic_load(&counts->deaths),
        .missed = atomic_load(&counts->missed),
        .in_flight = atomic_load(&counts->in_flight),
    };
}

int fetch_broker_pid(const struct fetch_broker *broker)
{
    return (int)broker->process.pid;
}
