/*
 * silences.c: /api/v1/silences: made, changed, listed, ended.  Server's thread; the state's thread
 * answers.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "http/query.h"
#include "http/server.h"
#include "http/silence_in.h"

#define HINT "see docs/http-api.md for what a silence may hold"

static int put_silence(struct request *request)
{
    const struct buf *body = &request->client->body.bytes;
    struct http_question question = {.what = HTTP_SILENCE_PUT};
    struct silence_in_error error;
    int r = silence_in_parse(buf_str(body), body->len, clock_real_ms(), &question.silence, &error);

    body_finish(request->client);
    return r == -EINVAL
               ? answer_bad_body(request, error.text, error.field, error.line, error.column, HINT)
           : r < 0 ? r
                   : ask_agent(request, &question);
}

/* `state`, into question.id: of enum silence_state; -1: any but expired, -2: any. */
static int take(void *arg, const char *name, const char *value, char *ret_why, size_t size)
{
    static const char *const states[] = {"pending", "active", "expired", "all", NULL};
    static const char *const known[] = {"state", NULL};
    struct http_question *question = arg;
    int state, r;

    if (strcmp(name, "state") != 0) {
        return query_unknown(name, known, ret_why, size);
    }
    r = query_choice(name, value, states, &state, ret_why, size);
    if (r == 0) {
        question->id = state == 3 ? -2 : state;
    }
    return r;
}

int silences_handle(struct request *request)
{
    struct http_question question = {.what = HTTP_SILENCES_LIST, .id = -1};
    char why[QUERY_WHY_SIZE] = "";
    int r;

    if (request->method == METHOD_POST) {
        return put_silence(request);
    }
    r = query_read(request, take, &question, why, sizeof why);
    return r == -EINVAL ? answer_error(request, MHD_HTTP_BAD_REQUEST, why, NULL)
           : r < 0      ? r
                        : ask_agent(request, &question);
}

int silence_handle(struct request *request)
{
    struct http_question question = {.what = request->method == METHOD_DELETE ? HTTP_SILENCE_EXPIRE
                                                                              : HTTP_SILENCE_SHOW};

    (void)snprintf(question.name, sizeof question.name, "%s", request->client->parameter);
    return ask_agent(request, &question);
}
