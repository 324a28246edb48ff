/*
 * delivery_flight.c: an attempt through its stages, each of which ends it or leads to the next.
 *
 * What is said of an end: nothing left us (RETRY), it may have (AMBIGUOUS), or what the far end
 * answered.  Of what was delivered nothing more is said, since that is the common case: the body of
 * an answer is looked at only where it was no success.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "model/exchange.h"
#include "outbox/delivery_private.h"
#include "outbox/reason.h"
#include "outbox/usual.h"

#define KEPT_BYTES LIMIT_FRAME_BYTES /* of a request, for the next one */

/* ---- the end ---- */

static void unlink_flight(struct flight *flight)
{
    struct delivery_sink *sink = flight->sink;

    if (flight->previous) {
        flight->previous->next = flight->next;
    } else {
        sink->flights = flight->next;
    }
    if (flight->next) {
        flight->next->previous = flight->previous;
    }
    sink->nflights--;
}

static void free_flight(struct flight *flight)
{
    buf_finish(&flight->answer);
    free(flight->attempt);
    free(flight);
}

void flight_end(struct flight *flight, enum outbox_result result, const char *reason)
{
    struct delivery_sink *sink = flight->sink;
    struct delivery *delivery = sink->delivery;
    struct outbox_outcome outcome;

    outcome.id = flight->attempt->id;
    outcome.result = result;
    outcome.status = flight->status;
    outcome.retry_after_ms = flight->retry_after_ms < LIMIT_HTTP_RETRY_AFTER_MS
                                 ? flight->retry_after_ms
                                 : LIMIT_HTTP_RETRY_AFTER_MS;
    outcome.duration_ms = (clock_mono_ns() - flight->started_ns) / NS_PER_MS;
    memcpy(outcome.sink, flight->attempt->sink, sizeof outcome.sink);
    outcome.reason[0] = '\0';
    if (result != OUTBOX_DELIVERED) {
        reason_put(outcome.reason, sizeof outcome.reason, sink->settings, reason);
    }
    unlink_flight(flight);
    if (flight->done) {
        flight->done(flight->owner, &outcome);
    } else {
        delivery->hooks.outcome(delivery->hooks.owner, &outcome, sink->owner);
    }
    free_flight(flight);
}

void flight_forget(struct flight *flight)
{
    struct delivery *delivery = flight->sink->delivery;

    if (flight->stage == STAGE_SENT && !flight->submitting) {
        delivery->broker->cancel(delivery->broker->owner, flight->ticket);
    }
    unlink_flight(flight);
    free_flight(flight);
}

/* By what HTTP said, with what the plugin or the far end said in words. */
static void end_by_status(struct flight *flight, enum outbox_result result, const char *said)
{
    char text[256];

    if (result == OUTBOX_DELIVERED) {
        flight_end(flight, result, "");
        return;
    }
    reason_http(text, sizeof text, flight->sink->settings, flight->status,
                *said ? said : flight->line);
    flight_end(flight, result, text);
}

void flight_unjudged(struct flight *flight, const char *why)
{
    enum outbox_result result = usual_verdict(flight->status);

    /* A sink that judges has its reasons: nobody knows whether this 2xx was a yes. */
    end_by_status(flight, result == OUTBOX_DELIVERED ? OUTBOX_AMBIGUOUS : result, why);
}

/* ---- format or deliver ---- */

static void start_call(struct flight *flight, struct pooled *worker)
{
    struct delivery *delivery = flight->sink->delivery;
    enum ability ability =
        flight->sink->abilities & ABILITY_FORMAT ? ABILITY_FORMAT : ABILITY_DELIVER;
    int r = compose_notification(&delivery->compose, flight->attempt,
                                 delivery->external_url ? delivery->external_url : "");

    if (r == 0) {
        r = instance_call_sink(worker->instance, ability, delivery->compose.out.data,
                               delivery->compose.out.len);
    }
    if (r == 0) {
        flight->stage = STAGE_CALLED;
        queue_push(&worker->calls, flight);
        worker->ncalls++;
    } else if (r == -ENOBUFS) {
        flight_end(flight, OUTBOX_REJECTED, "the notification is too large for a call");
    } else if (r == -EPROTO) {
        flight_end(flight, OUTBOX_REJECTED, "the notification cannot be read");
    } else {
        flight_end(flight, OUTBOX_UNREADY,
                   r == -ENOMEM ? "no memory is left" : "its plugin is not ready");
    }
}

static void on_answer(void *asker, uint32_t ticket, const void *response, size_t len);

static void send_request(struct flight *flight, struct pooled *worker, const void *request,
                         size_t len)
{
    struct delivery_sink *sink = flight->sink;
    struct delivery *delivery = sink->delivery;
    struct buf *buf = &delivery->request;
    int r = -EOPNOTSUPP;

    buf_clear(buf);
    wire_put_u64(buf, (uint64_t)sink->timeout_ms);
    buf_append(buf, request, len);
    if (buf->failed) {
        r = -ENOMEM;
    } else if (delivery->broker) {
        flight->stage = STAGE_SENT;
        flight->submitting = true;
        r = delivery->broker->submit(delivery->broker->owner, buf->data, buf->len, sink->settings,
                                     on_answer, flight, &flight->ticket);
        flight->submitting = false;
    }
    if (buf->size > KEPT_BYTES) {
        buf_finish(buf);
        buf_init(buf, LIMIT_HTTP_REQUEST_BYTES + sizeof(uint64_t));
    }
    if (r == 0) {
        if (flight->answer.len > 0) { // it came at once
            struct buf answer = flight->answer;

            buf_init(&flight->answer, LIMIT_CALL_BYTES);
            on_answer(flight, flight->ticket, answer.data, answer.len);
            buf_finish(&answer);
        }
        return;
    }
    flight->stage = STAGE_CALLED;
    if (r == -EPROTO) {
        instance_fault(worker->instance, "made a malformed request");
        flight_end(flight, OUTBOX_RETRY, "its plugin made a malformed request");
    } else if (r == -EOPNOTSUPP) {
        flight_end(flight, OUTBOX_REJECTED, "this agent offers no HTTP");
    } else {
        flight_end(flight, OUTBOX_UNREADY, "too many HTTP requests are under way");
    }
}

static void formatted(struct flight *flight, struct pooled *worker,
                      const struct instance_result *result)
{
    const char *said = *result->message ? result->message : "format() failed without saying why";

    if (result->rc == TMON_OK) {
        send_request(flight, worker, result->request, result->request_len);
        return;
    }
    if (result->untried) {
        flight_end(flight, OUTBOX_UNREADY, "its plugin is not ready: its worker died");
        return;
    }
    /* Whatever it was, nothing has left us. */
    flight_end(flight,
               result->died || result->timeout || result->rc == TMON_RETRY ||
                       result->rc == TMON_AMBIGUOUS || result->rc == TMON_TIMEOUT
                   ? OUTBOX_RETRY
                   : OUTBOX_REJECTED,
               said);
}

static void delivered(struct flight *flight, const struct instance_result *result)
{
    enum outbox_result outcome =
        result->died ? OUTBOX_AMBIGUOUS : usual_of_rc(result->rc, flight->status);

    flight->retry_after_ms = result->retry_after_ms;
    flight_end(flight, outcome,
               *result->message ? result->message : "deliver() failed without saying why");
}

/* ---- the answer ---- */

static void note_words(struct flight *flight, const void *response, size_t len)
{
    struct tmon_response decoded;
    struct wire_reader reader;

    wire_reader_init(&reader, response, len);
    if (exchange_decode_response(&reader, &decoded) == 0) {
        reason_body(flight->line, sizeof flight->line, flight->sink->settings, &decoded.body);
        exchange_finish_response(&decoded);
    }
}

static void no_answer(struct flight *flight, tmon_rc rc, const char *error)
{
    flight_end(flight,
               rc == TMON_REJECTED    ? OUTBOX_PAUSE // not allowed: its settings are wrong
               : rc == TMON_AMBIGUOUS ? OUTBOX_AMBIGUOUS
                                      : OUTBOX_RETRY,
               *error ? error : "there was no answer");
}

static void start_judge(struct flight *flight, struct pooled *worker, const void *response,
                        size_t len)
{
    if (instance_call_sink(worker->instance, ABILITY_JUDGE, response, len) < 0) {
        flight_unjudged(flight, "its plugin is not ready");
        return;
    }
    flight->stage = STAGE_JUDGED;
    queue_push(&worker->calls, flight);
    worker->ncalls++;
}

/* Judges at once where a worker is idle; else the answer is kept until one is. */
static void judge(struct flight *flight, const void *response, size_t len)
{
    struct delivery_sink *sink = flight->sink;
    struct pooled *worker = sink->to_judge.first ? NULL : delivery_callable(sink);

    flight->stage = STAGE_ANSWERED;
    if (worker) {
        start_judge(flight, worker, response, len);
        return;
    }
    buf_append(&flight->answer, response, len);
    if (flight->answer.failed) {
        flight_unjudged(flight, "no memory is left");
    } else {
        queue_push(&sink->to_judge, flight);
    }
}

static void on_answer(void *asker, uint32_t ticket, const void *response, size_t len)
{
    struct flight *flight = asker;
    struct delivery_sink *sink = flight->sink;
    const uint8_t *payload = (const uint8_t *)response + sizeof(uint32_t);
    struct wire_reader reader;
    const char *error;
    tmon_rc rc;

    if (flight->submitting) {
        buf_append(&flight->answer, response, len);
        return;
    }
    flight->stage = STAGE_ANSWERED;
    wire_reader_init(&reader, response, len);
    rc = (tmon_rc)wire_get_u32(&reader);
    flight->status = (int32_t)wire_get_u32(&reader);
    flight->retry_after_ms = wire_get_i64(&reader);
    (void)wire_get_u8(&reader);
    error = wire_get_str(&reader, LIMIT_TEXT_BYTES);
    if (reader.bad || rc != TMON_OK || flight->status == 0) {
        flight->status = 0;
        no_answer(flight, rc == TMON_OK ? TMON_AMBIGUOUS : rc, error);
    } else {
        bool taken = flight->status >= 200 && flight->status < 300;

        if (taken) {
            flight->retry_after_ms = -1;
        } else {
            note_words(flight, payload, len - sizeof(uint32_t));
        }
        if (sink->abilities & ABILITY_JUDGE && !(taken && sink->yes_is_yes)) {
            judge(flight, payload, len - sizeof(uint32_t));
        } else {
            end_by_status(flight, usual_verdict(flight->status), "");
        }
    }
    delivery_look(sink);
}

static void judged(struct flight *flight, const struct instance_result *result)
{
    if (result->died || result->timeout) {
        flight_unjudged(flight, result->message);
        return;
    }
    if (result->retry_after_ms >= 0) {
        flight->retry_after_ms = result->retry_after_ms;
    }
    end_by_status(flight, usual_of_rc(result->rc, flight->status), result->message);
}

/* ---- workers ---- */

void flight_call(struct flight *flight, struct pooled *worker)
{
    if (flight->stage == STAGE_QUEUED) {
        start_call(flight, worker);
    } else {
        struct buf answer = flight->answer;

        buf_init(&flight->answer, LIMIT_CALL_BYTES);
        start_judge(flight, worker, answer.data, answer.len);
        buf_finish(&answer);
    }
}

void flight_called(struct flight *flight, struct pooled *worker,
                   const struct instance_result *result)
{
    switch (result->ability) {
    case ABILITY_FORMAT:
        formatted(flight, worker, result);
        break;
    case ABILITY_JUDGE:
        judged(flight, result);
        break;
    default:
        delivered(flight, result);
        break;
    }
}
