/*
 * request.c: from libmicrohttpd's handler to ours: is the request one that we answer at all, and
 * who does.
 *
 * libmicrohttpd calls three times over: with the headers, with pieces of the body, and when it is
 * complete.  An answer given at the headers ends the connection, so that is done only for a body
 * too long to be waited for. The rest is decided when the request is complete.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "http/hosts.h"
#include "http/server.h"

const char *request_header(const struct request *request, const char *name)
{
    const char *value = NULL;
    size_t len = 0;

    if (MHD_lookup_connection_value_n(request->connection, MHD_HEADER_KIND, name, strlen(name),
                                      &value, &len) != MHD_YES ||
        !value || strlen(value) != len) {
        return NULL;
    }
    return value;
}

static bool names_allow(const struct request *request, const char *host)
{
    const struct http_config *config = &request->http->config;
    const char *own = request->client->gate->host;

    return host_allowed(host, (const char *const *)config->hosts, config->nhosts) ||
           host_allowed(host, &own, own != NULL);
}

/* 0, or the status of the refusal, whose words are in *ret_error and *ret_hint. */
static unsigned check_names(const struct request *request, const char **ret_error,
                            const char **ret_hint)
{
    const struct http_config *config = &request->http->config;
    const char *host;
    const char *origin;

    if (request->client->gate->unix_socket) {
        return 0; /* browsers do not get here */
    }
    host = request_header(request, MHD_HTTP_HEADER_HOST);
    if (request->client->loopback && host && !names_allow(request, host)) {
        *ret_error = "the header Host names somebody else";
        *ret_hint = "on loopback use localhost or 127.0.0.1, or add the name to agent.hosts";
        return MHD_HTTP_MISDIRECTED_REQUEST;
    }
    origin = request_header(request, MHD_HTTP_HEADER_ORIGIN);
    if (origin &&
        !origin_allowed(origin, host, (const char *const *)config->hosts, config->nhosts)) {
        *ret_error = "pages of that origin may not ask here";
        *ret_hint = "add its host to agent.hosts if they should";
        return MHD_HTTP_FORBIDDEN;
    }
    return 0;
}

/* Whoever writes is on this machine, or shows the token.  A request that a proxy passed on is not
 * from here. */
static unsigned check_writer(const struct request *request, const char **ret_error,
                             const char **ret_hint)
{
    const char *token = request->http->config.write_token;
    bool forwarded =
        request_header(request, "Forwarded") || request_header(request, "X-Forwarded-For");

    if (request->client->gate->unix_socket || (request->client->loopback && !forwarded)) {
        return 0;
    }
    if (!token || !token[0]) {
        *ret_error = "nobody can write here from another machine";
        *ret_hint = "set agent.tokens.write, or write from the machine itself";
        return MHD_HTTP_FORBIDDEN;
    }
    if (!bearer_matches(request_header(request, MHD_HTTP_HEADER_AUTHORIZATION), token)) {
        *ret_error = "this needs the write token";
        *ret_hint = "send Authorization: Bearer TOKEN, the token of agent.tokens.write";
        return MHD_HTTP_UNAUTHORIZED;
    }
    return 0;
}

static int answer(struct request *request, const char *path, const char *method)
{
    const char *error = NULL;
    const char *hint = NULL;
    unsigned status = 0;

    request->method = method_parse(method);
    if (request->client->body > LIMIT_SERVER_BODY_BYTES) {
        return answer_error(request, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too long", NULL);
    }
    if (request->client->stranger) {
        return answer_error(request, MHD_HTTP_FORBIDDEN,
                            "this socket is for the user that the agent runs as", NULL);
    }
    status = check_names(request, &error, &hint);
    if (status) {
        return answer_error(request, status, error, hint);
    }
    request->route = route_find(http_routes, http_nroutes, path);
    if (!request->route) {
        return answer_error(request, MHD_HTTP_NOT_FOUND, "there is nothing here",
                            "see / for what there is");
    }
    if (request->method == METHOD_OPTIONS) {
        return answer_constant(request, NULL, NULL);
    }
    if (!(route_methods(request->route) & (unsigned)request->method)) {
        return answer_error(request, MHD_HTTP_METHOD_NOT_ALLOWED, "not with this method",
                            "the header Allow names those that there are");
    }
    if (request->method == METHOD_POST) {
        status = check_writer(request, &error, &hint);
        if (status) {
            return answer_error(request, status, error, hint);
        }
    }
    return request->route->handle(request);
}

/* With the headers: 0 to go on, or the status of an answer that must not wait for the body. */
static unsigned check_sizes(const struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    const char *length;

    if (info && info->header_size > LIMIT_SERVER_HEADER_BYTES) {
        return MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
    }
    length = request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (length && strtoull(length, NULL, 10) > LIMIT_SERVER_BODY_BYTES) {
        return MHD_HTTP_CONTENT_TOO_LARGE;
    }
    return 0;
}

enum MHD_Result request_serve(void *cls, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request_cls)
{
    struct gate *gate = cls;
    struct request request = {.http = gate->http, .connection = connection, .client = *request_cls};
    int r = 0;

    if (!request.client) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        unsigned status;

        *request_cls = request.client = info->socket_context;
        if (!request.client) {
            return MHD_NO; /* there was no memory for it */
        }
        status = check_sizes(&request);
        if (status == MHD_HTTP_CONTENT_TOO_LARGE) {
            r = answer_error(&request, status, "the body is too long", NULL);
        } else if (status) {
            r = answer_error(&request, status, "the headers are too long", NULL);
        }
    } else if (*upload_size > 0) {
        request.client->body += *upload_size;
        *upload_size = 0;
        if (request.client->body > LIMIT_SERVER_DISCARD_BYTES) {
            counters_cut(gate->http->counters, CUT_BODY);
            return MHD_NO;
        }
    } else {
        r = answer(&request, path, method);
    }
    return r < 0 ? MHD_NO : MHD_YES;
}
