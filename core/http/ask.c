/*
 * ask.c: questions that another thread of the agent answers: its loop, or the one that owns the
 * durable state.
 *
 * The connection is suspended while the question waits.  Replies come over a list under a lock; the
 * first one in it wakes the server's thread, so that what is committed together is answered with
 * one wake-up.  A ticket names a slot and a number that does not come again, so that a reply for a
 * client that has gone meanwhile finds nobody instead of a dangling pointer.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "http/alerts_filter.h"
#include "http/alerts_in.h"
#include "http/server.h"
#include "http/v2_filter.h"
#include "http/v2_silence_in.h"

struct reply {
    struct reply *next;
    uint64_t ticket;
    unsigned status;
    unsigned retry_after; /* seconds; 0: not said */
    json_t *document;     /* owned; or */
    char *text;           /* owned */
    size_t len;
    bool page; /* the text is HTML */
};

static void reply_free(struct reply *reply)
{
    if (reply) {
        json_decref(reply->document);
        free(reply->text);
        free(reply);
    }
}

static void question_finish(struct http_question *question)
{
    alerts_in_destroy(question->alerts);
    alerts_filter_destroy(question->filter);
    v2_filter_destroy(question->v2_filter);
    v2_silence_destroy(question->silence);
    free(question->text);
    free(question->ack);
    question->text = NULL;
    question->ack = NULL;
    question->alerts = NULL;
    question->filter = NULL;
    question->v2_filter = NULL;
    question->silence = NULL;
}

void ask_init(struct http *http, unsigned connections)
{
    struct asks *asks = &http->asks;
    unsigned writes = connections - connections / 4;

    asks->max[ASK_MAIN] = LIMIT_SERVER_ASKS;
    asks->max[ASK_WRITE] = writes < LIMIT_SERVER_WRITES ? writes : LIMIT_SERVER_WRITES;
    asks->max[ASK_TEST] = LIMIT_SERVER_TESTS;
    for (unsigned i = 0; i < ASK_SLOTS; i++) {
        asks->free[asks->nfree++] = (uint16_t)(ASK_SLOTS - 1 - i);
    }
}

/* -- replies -- */

/* The client of a ticket, who then waits no longer; NULL: he has gone. */
static struct client *take_client(struct http *http, uint64_t ticket)
{
    struct asks *asks = &http->asks;
    unsigned slot = (unsigned)(ticket % ASK_SLOTS);
    struct client *client = asks->waiting[slot];

    if (!client || client->ticket != ticket) {
        return NULL;
    }
    asks->waiting[slot] = NULL;
    asks->free[asks->nfree++] = (uint16_t)slot;
    asks->count[client->kind]--;
    return client;
}

/* libmicrohttpd calls the handler again, and ask_answer() finds the reply. */
static void resume(struct client *client, struct reply *reply)
{
    client->reply = reply;
    clients_enter(client, CLIENT_ANSWERING);
    MHD_resume_connection(client->connection);
    gate_poke(client->gate);
}

static void take_replies(void *arg)
{
    struct http *http = arg;
    struct reply *reply;

    (void)pthread_mutex_lock(&http->lock);
    reply = http->replies;
    http->replies = NULL;
    (void)pthread_mutex_unlock(&http->lock);
    while (reply) {
        struct reply *next = reply->next;
        struct client *client = take_client(http, reply->ticket);

        if (client) {
            resume(client, reply);
        } else {
            reply_free(reply);
        }
        reply = next;
    }
}

/* Takes what the reply owns.  Without memory the deadline will answer. */
static void post(struct http *http, const struct reply *made)
{
    struct reply *reply = malloc(sizeof *reply);
    bool first;

    if (!reply) {
        json_decref(made->document);
        free(made->text);
        return;
    }
    *reply = *made;
    (void)pthread_mutex_lock(&http->lock);
    first = !http->replies;
    *(first ? &http->replies : http->replies_end) = reply;
    http->replies_end = &reply->next;
    (void)pthread_mutex_unlock(&http->lock);
    if (first) {
        (void)loop_post(http->loop, take_replies, http);
    }
}

void http_answer(struct http *http, uint64_t ticket, unsigned status, json_t *document)
{
    post(http, &(struct reply){.ticket = ticket, .status = status, .document = document});
}

void http_answer_text(struct http *http, uint64_t ticket, unsigned status, char *text, size_t len,
                      unsigned retry_after)
{
    post(http, &(struct reply){.ticket = ticket,
                               .status = status,
                               .retry_after = retry_after,
                               .text = text,
                               .len = len});
}

void http_answer_page(struct http *http, uint64_t ticket, unsigned status, char *text, size_t len)
{
    post(http, &(struct reply){
                   .ticket = ticket, .status = status, .text = text, .len = len, .page = true});
}

void ask_finish(struct http *http)
{
    while (http->replies) {
        struct reply *reply = http->replies;

        http->replies = reply->next;
        reply_free(reply);
    }
}

void ask_expire(struct client *client)
{
    (void)take_client(client->gate->http, client->ticket);
    resume(client, NULL);
}

void ask_forget(struct client *client)
{
    if (client->phase == CLIENT_ASKING || client->phase == CLIENT_TESTING) {
        (void)take_client(client->gate->http, client->ticket);
    }
    reply_free(client->reply);
    client->reply = NULL;
    client->asked = false;
}

/* -- questions -- */

static int answer_expired(struct request *request)
{
    if (request->client->kind == ASK_WRITE) {
        return answer_later(request, MHD_HTTP_SERVICE_UNAVAILABLE,
                            "the alerts were not on the disk in time; they may still be taken",
                            "post them again: what was taken already is then unchanged", 5);
    }
    return answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "the agent did not answer in time",
                        "see its log; it may still do what was asked");
}

int ask_answer(struct request *request)
{
    struct reply *reply = request->client->reply;
    int r;

    request->client->reply = NULL;
    if (!reply) {
        return answer_expired(request);
    }
    if (reply->text && reply->page) {
        r = answer_page(request, reply->status, reply->text, reply->len);
        reply->text = NULL;
    } else if (reply->text) {
        r = answer_text(request, reply->status, reply->text, reply->len, reply->retry_after);
        reply->text = NULL;
    } else {
        r = answer_json(request, reply->status, reply->document ? reply->document : json_object());
        reply->document = NULL;
    }
    reply_free(reply);
    return r;
}

static enum ask_kind kind_of(enum http_what what)
{
    return what == HTTP_ALERTS_PUT ? ASK_WRITE : what == HTTP_SINK_TEST ? ASK_TEST : ASK_MAIN;
}

int ask_agent(struct request *request, struct http_question *question)
{
    struct http *http = request->http;
    struct asks *asks = &http->asks;
    struct client *client = request->client;
    enum ask_kind kind = kind_of(question->what);
    unsigned slot;
    int r;

    if (asks->count[kind] >= asks->max[kind]) {
        question_finish(question);
        return answer_later(request, MHD_HTTP_SERVICE_UNAVAILABLE,
                            "too many requests wait for the agent", "try again later", 1);
    }
    slot = asks->free[asks->nfree - 1];
    question->ticket = ++asks->serial << ASK_SLOT_BITS | slot;
    client->ticket = question->ticket;
    client->kind = kind;
    r = http->hooks.ask ? http->hooks.ask(http->hooks.agent, question) : -ENOSYS;
    if (r < 0) {
        question_finish(question);
        return r == -ENOSYS ? answer_error(request, MHD_HTTP_NOT_IMPLEMENTED,
                                           "this agent cannot do that", NULL)
                            : answer_later(request, MHD_HTTP_SERVICE_UNAVAILABLE,
                                           "the agent cannot be asked now", "try again later", 1);
    }
    /* Replies are taken by this thread: none can have been taken yet. */
    asks->nfree--;
    asks->waiting[slot] = client;
    asks->count[kind]++;
    client->asked = true;
    MHD_suspend_connection(request->connection);
    clients_enter(client, kind == ASK_TEST ? CLIENT_TESTING : CLIENT_ASKING);
    return 0;
}
