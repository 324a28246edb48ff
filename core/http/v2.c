/*
 * v2.c: /api/v2, Alertmanager's API: alerts, groups, silences, receivers, status.  Server's thread;
 * the state's thread answers.
 *
 * Mistakes are told in Alertmanager's words and shape, so that its tools show them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "http/query.h"
#include "http/server.h"
#include "http/v2_alerts_in.h"
#include "http/v2_error.h"
#include "http/v2_filter.h"
#include "http/v2_read.h"
#include "http/v2_silence_in.h"

/* ---- answers ---- */

/* Takes it. */
static int answer_buf(struct request *request, unsigned status, struct buf *buf)
{
    size_t len = buf->len;
    char *text = buf_take(buf);

    return text ? answer_text(request, status, text, len, 0) : -ENOMEM;
}

static int answer_mistake(struct request *request, const struct v2_error *error)
{
    struct buf buf;

    buf_init(&buf, SIZE_MAX / 2);
    v2_error_put(&buf, error->code, error->text);
    return answer_buf(request, error->status, &buf);
}

/* "GET,POST", as far as Alertmanager has them. */
static const char *methods_of(const struct request *request, char space[static ROUTE_ALLOW_SIZE])
{
    unsigned methods = request->route ? request->route->methods : 0;

    (void)snprintf(space, ROUTE_ALLOW_SIZE, "%s%s%s", methods & METHOD_GET ? "GET" : "",
                   methods & METHOD_DELETE ? ",DELETE" : "", methods & METHOD_POST ? ",POST" : "");
    return space;
}

struct MHD_Response *v2_refusal(const struct request *request, unsigned status, const char *error,
                                const char *hint)
{
    const char *type = request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE);
    char allow[ROUTE_ALLOW_SIZE], space[V2_QUOTED_SIZE], text[512];
    struct MHD_Response *response;
    struct buf buf;
    size_t len;
    char *body;

    if (status == MHD_HTTP_NOT_FOUND) {
        (void)snprintf(text, sizeof text, "path %.256s was not found", request->path);
    } else if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        (void)snprintf(text, sizeof text, "method %.32s is not allowed, but [%s] are",
                       request->method_name, methods_of(request, allow));
    } else if (status == MHD_HTTP_UNSUPPORTED_MEDIA_TYPE &&
               !request_header(request, MHD_HTTP_HEADER_CONTENT_ENCODING)) {
        (void)snprintf(text, sizeof text,
                       "unsupported media type %s, only [application/json] are allowed",
                       v2_quoted(type ? type : "application/octet-stream", space));
    } else {
        (void)snprintf(text, sizeof text, "%s%s%s", error, hint ? ": " : "", hint ? hint : "");
    }
    buf_init(&buf, SIZE_MAX / 2);
    v2_error_put(&buf, (int)status, text);
    len = buf.len;
    body = buf_take(&buf);
    response = body ? MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE) : NULL;
    if (!response) {
        free(body);
        return NULL;
    }
    (void)MHD_add_response_header(response, "Content-Type", "application/json");
    return response;
}

/* ---- filters ---- */

struct taking {
    struct v2_filter *filter;
    struct v2_error error;
};

static int take(void *arg, const char *name, const char *value, char *ret_why, size_t size)
{
    struct taking *taking = arg;

    return v2_filter_take(taking->filter, name, value, &taking->error);
}

static int ask_filtered(struct request *request, enum http_what what)
{
    struct taking taking = {.filter = v2_filter_create()};
    struct http_question question = {.what = what, .v2_filter = taking.filter};
    char why[QUERY_WHY_SIZE] = "";
    int r = taking.filter ? query_read(request, take, &taking, why, sizeof why) : -ENOMEM;

    if (r < 0) {
        v2_filter_destroy(taking.filter);
        if (r == -EINVAL && taking.error.status == 0) {
            (void)v2_invalid(&taking.error, "%s", why);
        }
        return r == -EINVAL ? answer_mistake(request, &taking.error) : r;
    }
    return ask_agent(request, &question);
}

/* ---- alerts ---- */

static int put_alerts(struct request *request)
{
    const struct buf *body = &request->client->body.bytes;
    struct http_question question = {.what = HTTP_ALERTS_PUT};
    struct v2_error error;
    int r = v2_alerts_parse(buf_str(body), body->len, clock_real_ms(), &question.alerts, &error);

    body_finish(request->client);
    if (r < 0) {
        return r == -EINVAL ? answer_mistake(request, &error) : r;
    }
    counters_rejected(request->http->counters, question.alerts->n - question.alerts->good);
    if (question.alerts->good == 0) {
        unsigned status = v2_alerts_status(question.alerts);
        struct buf buf;

        buf_init(&buf, SIZE_MAX / 2);
        v2_alerts_answer(question.alerts, &buf);
        alerts_in_destroy(question.alerts);
        return answer_buf(request, status, &buf);
    }
    return ask_agent(request, &question);
}

int v2_alerts_handle(struct request *request)
{
    return request->method == METHOD_POST ? put_alerts(request)
                                          : ask_filtered(request, HTTP_V2_ALERTS);
}

int v2_groups_handle(struct request *request)
{
    return ask_filtered(request, HTTP_V2_GROUPS);
}

/* ---- silences ---- */

int v2_silences_handle(struct request *request)
{
    const struct buf *body = &request->client->body.bytes;
    struct http_question question = {.what = HTTP_V2_SILENCE_PUT};
    struct v2_error error;
    int r;

    if (request->method != METHOD_POST) {
        return ask_filtered(request, HTTP_V2_SILENCES);
    }
    r = v2_silence_parse(buf_str(body), body->len, clock_real_ms(), &question.silence, &error);
    body_finish(request->client);
    if (r < 0) {
        return r == -EINVAL ? answer_mistake(request, &error) : r;
    }
    return ask_agent(request, &question);
}

int v2_silence_handle(struct request *request)
{
    const char *id = request->client->parameter;
    struct http_question question = {
        .what = request->method == METHOD_DELETE ? HTTP_V2_SILENCE_EXPIRE : HTTP_V2_SILENCE_SHOW};
    char space[V2_QUOTED_SIZE];
    struct v2_error error;

    if (!v2_uuid_ok(id)) {
        (void)v2_against_schema(&error, V2_CODE_TYPE, "silenceID in path must be of type uuid: %s",
                                v2_quoted(id, space));
        return answer_mistake(request, &error);
    }
    (void)snprintf(question.name, sizeof question.name, "%s", id);
    return ask_agent(request, &question);
}

/* ---- the rest ---- */

int v2_receivers_handle(struct request *request)
{
    return ask_agent(request, &(struct http_question){.what = HTTP_V2_RECEIVERS});
}

int v2_status_handle(struct request *request)
{
    return ask_agent(request, &(struct http_question){.what = HTTP_V2_STATUS});
}

static int answer_ok(struct request *request, bool (*ask)(void *agent, struct buf *reason))
{
    struct buf reason;
    bool ok;
    int r;

    buf_init(&reason, LIMIT_TEXT_BYTES);
    ok = !ask || ask(request->http->hooks.agent, &reason);
    r = ok ? answer_constant(request, "text/plain; charset=utf-8", "OK")
           : answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, buf_str(&reason), NULL);
    buf_finish(&reason);
    return r;
}

int v2_healthy_handle(struct request *request)
{
    return answer_ok(request, request->http->hooks.alive);
}

int v2_ready_handle(struct request *request)
{
    return answer_ok(request, request->http->hooks.ready);
}
