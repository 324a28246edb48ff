/*
 * ask.c: questions that only the agent's loop can answer.
 *
 * The connection is suspended and the question posted; the reply comes over a list under a lock,
 * named by its ticket, so that a reply for a client that has left meanwhile finds nobody instead of
 * a dangling pointer.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "http/server.h"

struct reply {
    struct reply *next;
    uint64_t ticket;
    unsigned status;
    json_t *document;
};

static struct client *find(struct http *http, uint64_t ticket)
{
    struct client *client = http->clients.lists[CLIENT_ASKING].first;

    while (client && client->ticket != ticket) {
        client = client->next;
    }
    return client;
}

/* Answered or given up: libmicrohttpd calls the handler again, and ask_agent() finds the answer. */
static void resume(struct client *client, unsigned status, json_t *document)
{
    client->answer_status = status;
    client->answer = document;
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
        struct client *client = find(http, reply->ticket);

        if (client) {
            resume(client, reply->status, reply->document);
        } else {
            json_decref(reply->document);
        }
        free(reply);
        reply = next;
    }
}

void http_answer(struct http *http, uint64_t ticket, unsigned status, json_t *document)
{
    struct reply *reply = malloc(sizeof *reply);

    if (!reply) {
        json_decref(document);
        return; /* the deadline will answer */
    }
    *reply = (struct reply){.ticket = ticket, .status = status, .document = document};
    (void)pthread_mutex_lock(&http->lock);
    reply->next = http->replies;
    http->replies = reply;
    (void)pthread_mutex_unlock(&http->lock);
    (void)loop_post(http->loop, take_replies, http);
}

void ask_finish(struct http *http)
{
    while (http->replies) {
        struct reply *reply = http->replies;

        http->replies = reply->next;
        json_decref(reply->document);
        free(reply);
    }
}

void ask_expire(struct client *client)
{
    json_t *document = json_pack("{s:s, s:s}", "error", "the agent did not answer in time", "hint",
                                 "see its log; it may still do what was asked");

    resume(client, MHD_HTTP_SERVICE_UNAVAILABLE, document);
}

int ask_agent(struct request *request, enum http_question question)
{
    struct http *http = request->http;
    struct client *client = request->client;
    json_t *document;
    int r;

    if (client->answer_status) {
        document = client->answer ? client->answer : json_object();
        client->answer = NULL;
        return answer_json(request, client->answer_status, document);
    }
    if (http->clients.lists[CLIENT_ASKING].count >= LIMIT_SERVER_ASKS) {
        return answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
                            "too many questions wait for the agent", "try again later");
    }
    client->ticket = ++http->last_ticket;
    /* Suspended first: the reply may be there before ask() has returned. */
    MHD_suspend_connection(request->connection);
    clients_enter(client, CLIENT_ASKING);
    r = http->hooks.ask ? http->hooks.ask(http->hooks.agent, question, client->ticket) : -ENOSYS;
    if (r < 0) {
        resume(client, MHD_HTTP_SERVICE_UNAVAILABLE,
               json_pack("{s:s}", "error", "the agent cannot be asked now"));
    }
    return 0;
}
