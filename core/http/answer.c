/*
 * answer.c: how every answer is made and sent, so that none goes without its headers or uncounted.
 * Server's thread.
 *
 * An answer that libmicrohttpd makes by itself (400 for what is no HTTP, 414 and 431 for what does
 * not fit its buffer) passes by here; it carries a fixed text only.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "http/server.h"

static const char policy[] =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
static const char policy_of_forms[] =
    "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

static const struct fixed_header {
    const char *name;
    const char *value;
} headers[] = {
    {"Cache-Control", "no-store"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
};

static const char content_type_json[] = "application/json; charset=utf-8";

static void add_headers(struct MHD_Response *response, bool tls, const char *security)
{
    (void)MHD_add_response_header(response, "Content-Security-Policy", security);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        (void)MHD_add_response_header(response, headers[i].name, headers[i].value);
    }
    if (tls) {
        (void)MHD_add_response_header(response, "Strict-Transport-Security", "max-age=31536000");
    }
}

void answer_headers(struct MHD_Response *response, bool tls)
{
    add_headers(response, tls, policy);
}

int answer_queue(struct request *request, unsigned status, struct MHD_Response *response)
{
    counters_answer(request->http->counters, request->route, status);
    clients_enter(request->client, CLIENT_ANSWERING);
    return MHD_queue_response(request->connection, status, response) == MHD_YES ? 0 : -EIO;
}

int answer_send(struct request *request, unsigned status, struct MHD_Response *response)
{
    int r;

    if (!response) {
        return -ENOMEM;
    }
    if (request_is_v2(request)) {
        (void)MHD_add_response_header(response, "Vary", "Origin");
        if (status != MHD_HTTP_FORBIDDEN && request_header(request, MHD_HTTP_HEADER_ORIGIN)) {
            (void)MHD_add_response_header(response, "Access-Control-Allow-Origin", "*");
        }
    }
    answer_headers(response, request->client->gate->tls);
    r = answer_queue(request, status, response);
    MHD_destroy_response(response);
    return r;
}

struct MHD_Response *answer_json_response(const json_t *document)
{
    char *text = document ? json_dumps(document, JSON_INDENT(1) | JSON_REAL_PRECISION(15)) : NULL;
    struct MHD_Response *response;

    if (!text) {
        return NULL;
    }
    response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(text);
        return NULL;
    }
    (void)MHD_add_response_header(response, "Content-Type", content_type_json);
    return response;
}

static void add_retry_after(struct MHD_Response *response, unsigned seconds)
{
    char text[16];

    if (seconds > 0) {
        (void)snprintf(text, sizeof text, "%u", seconds);
        (void)MHD_add_response_header(response, "Retry-After", text);
    }
}

int answer_json(struct request *request, unsigned status, json_t *document)
{
    struct MHD_Response *response = answer_json_response(document);

    json_decref(document);
    return answer_send(request, status, response);
}

int answer_text(struct request *request, unsigned status, char *text, size_t len,
                unsigned retry_after)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);

    if (!response) {
        free(text);
        return -ENOMEM;
    }
    if (len > 0) {
        (void)MHD_add_response_header(response, "Content-Type", content_type_json);
    }
    add_retry_after(response, retry_after);
    return answer_send(request, status, response);
}

int answer_page(struct request *request, unsigned status, char *text, size_t len)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
    int r;

    if (!response) {
        free(text);
        return -ENOMEM;
    }
    (void)MHD_add_response_header(response, "Content-Type", "text/html; charset=utf-8");
    add_headers(response, request->client->gate->tls, policy_of_forms);
    r = answer_queue(request, status, response);
    MHD_destroy_response(response);
    return r;
}

int answer_error(struct request *request, unsigned status, const char *error, const char *hint)
{
    return answer_later(request, status, error, hint, 0);
}

int answer_bad_body(struct request *request, const char *error, const char *field, size_t line,
                    size_t column, const char *hint)
{
    struct buf buf;
    size_t len;
    char *text;

    buf_init(&buf, 4096);
    buf_putc(&buf, '{');
    json_text_put_string(&buf, "error", error);
    if (*field) {
        json_text_put_string(&buf, "field", field);
    }
    if (line > 0) {
        json_text_put_int(&buf, "line", (int64_t)line);
        json_text_put_int(&buf, "column", (int64_t)column);
    }
    json_text_put_string(&buf, "hint", hint);
    buf_puts(&buf, "}\n");
    len = buf.len;
    text = buf_take(&buf);
    return text ? answer_text(request, MHD_HTTP_BAD_REQUEST, text, len, 0) : -ENOMEM;
}

static struct MHD_Response *error_response(const char *error, const char *hint)
{
    json_t *document = json_pack("{s:s, s:s*}", "error", error, "hint", hint);
    struct MHD_Response *response = answer_json_response(document);

    json_decref(document);
    return response;
}

int answer_later(struct request *request, unsigned status, const char *error, const char *hint,
                 unsigned seconds)
{
    struct MHD_Response *response = request_is_v2(request)
                                        ? v2_refusal(request, status, error, hint)
                                        : error_response(error, hint);
    char allow[ROUTE_ALLOW_SIZE];

    if (response && status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        (void)MHD_add_response_header(response, "Allow", route_allow(request->route, allow));
    }
    if (response) {
        add_retry_after(response, seconds);
    }
    if (response && status == MHD_HTTP_UNAUTHORIZED) {
        (void)MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    }
    return answer_send(request, status, response);
}

int answer_constant(struct request *request, const char *type, const char *text)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        text ? strlen(text) : 0, (void *)(uintptr_t)(text ? text : ""), MHD_RESPMEM_PERSISTENT);
    char allow[ROUTE_ALLOW_SIZE];

    if (response && type) {
        (void)MHD_add_response_header(response, "Content-Type", type);
    }
    if (response && request->method == METHOD_OPTIONS) {
        (void)MHD_add_response_header(response, "Allow", route_allow(request->route, allow));
    }
    return answer_send(request, text ? MHD_HTTP_OK : MHD_HTTP_NO_CONTENT, response);
}
