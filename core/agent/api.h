/*
 * api.h: the part of the HTTP API that the desk answers: alerts, notifications, sinks.
 *
 * A question comes on the server's thread, becomes a call on the desk, and is answered on the
 * state's thread when that is durable; the agent's loop has no part in it, but for the test of a
 * sink, which goes out through delivery.
 */
#ifndef AGENT_API_H
#define AGENT_API_H

#include <pthread.h>
#include <stdatomic.h>

#include "agent/desk.h"
#include "alert/ack_link.h"
#include "http/http.h"

struct sink_faults;
struct sink_test;
struct rules_engine;

struct api {
    struct loop *loop; /* the agent's */
    /* Read by those who ask and answer, written when it is opened and closed. */
    pthread_rwlock_t lock;
    struct http *http; /* under the lock; both NULL: it is not open */
    struct desk *desk;
    struct rules_engine *rules; /* under the lock; NULL: there is none */
    struct ack_key ack_key;     /* under the lock */
    atomic_size_t bytes; /* of alerts on the desk, those that nobody waits for any more included */
    int64_t started_ms;  /* Unix time, for the status of /api/v2 */
    struct sink_faults *sink_faults; /* set before it is opened */
    struct sink_test *tests;         /* under way; the agent's thread */
    /* Delivers an attempt (takes it) outside of the queue and calls `done` once, maybe at once; as
     * delivery_try().  The agent's thread.  NULL: it cannot be done. */
    void (*try_sink)(void *owner, struct outbox_attempt *attempt,
                     void (*done)(void *arg, const struct outbox_outcome *outcome), void *arg);
    void *try_owner;
};

/* The agent's thread.  Nothing is asked before api_open(); after api_close() nothing is asked or
 * answered, so it comes before http_destroy() and desk_close(), in whatever order these do. */
void api_init(struct api *api, struct loop *loop);
void api_open(struct api *api, struct http *http, struct desk *desk);
void api_close(struct api *api);
/* Whom rules are asked of; NULL: nobody (any more). */
void api_rules(struct api *api, struct rules_engine *rules);
void api_finish(struct api *api);
/* What links to acknowledge alerts are read with; copied. */
void api_ack_key(struct api *api, const struct ack_key *key);

/* As struct http_hooks wants it, for all questions from HTTP_ALERTS_PUT on. */
int api_ask(struct api *api, struct http_question *question);

/* ---- for the files of the API ---- */

/* Any thread. */
bool api_is_open(struct api *api);
/* Any thread.  0: done will be called. */
int api_submit(struct api *api, struct desk_call *call, bool grows);
/* Answers with what was written, which it takes; with 503 where the buf has failed.  retry_after 0:
 * without it. */
void api_answer(struct api *api, uint64_t ticket, unsigned status, struct buf *text,
                unsigned retry_after);
/* The same with a page; in place of one that could not be made the deadline answers. */
void api_answer_page(struct api *api, uint64_t ticket, unsigned status, struct buf *text);
/* {"error": ..., "hint": ...}; hint may be NULL. */
void api_answer_error(struct api *api, uint64_t ticket, unsigned status, const char *error,
                      const char *hint, unsigned retry_after);
/* What failed a batch. */
void api_answer_failure(struct api *api, uint64_t ticket, int r);

/* alerts_api.c */
int alerts_api_put(struct api *api, struct http_question *question);
int alerts_api_list(struct api *api, struct http_question *question);
/* silences_api.c */
int silences_api_ask(struct api *api, struct http_question *question);
/* ack_api.c */
int ack_api_ask(struct api *api, struct http_question *question);
/* v2_api.c */
int v2_api_ask(struct api *api, struct http_question *question);
/* outbox_api.c */
int outbox_api_ask(struct api *api, const struct http_question *question);
/* rules_api.c */
int rules_api_ask(struct api *api, struct http_question *question);
/* sinks_api.c */
int sinks_api_ask(struct api *api, const struct http_question *question);
int sink_test_ask(struct api *api, const struct http_question *question);
void sink_tests_finish(struct api *api);

#endif
