/*
 * request.c: from libmicrohttpd's handler to ours: is the request one that we answer at all, and
 * who does.
 *
 * libmicrohttpd calls with the headers, with pieces of the body, when it is complete, and again
 * when a suspended connection goes on.  All is judged with the headers, so that nothing is kept of
 * a body whose sender may not send it; but an answer given then ends the connection, so that is
 * done only for a body too long to be waited for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

bool request_is_v2(const struct request *request)
{
    static const char prefix[] = "/api/v2/";

    return strncmp(request->path, prefix, sizeof prefix - 1) == 0;
}

static bool names_allow(const struct request *request, const char *host)
{
    const struct http_config *config = &request->http->config;
    const char *own = request->client->gate->host;

    return host_allowed(host, (const char *const *)config->hosts, config->nhosts) ||
           host_allowed(host, &own, own != NULL);
}

static struct refusal refuse(unsigned status, const char *error, const char *hint)
{
    return (struct refusal){status, error, hint};
}

static const struct refusal welcome;

/* Whoever has the path may use it, and from where he came does not matter; a form whose page sends
 * no referrer has the origin "null". */
static bool is_open(const struct request *request)
{
    return request->route && request->route->open;
}

static struct refusal check_names(const struct request *request)
{
    const struct http_config *config = &request->http->config;
    const char *host;
    const char *origin;

    if (request->client->gate->unix_socket) {
        return welcome; /* browsers do not get here */
    }
    host = request_header(request, MHD_HTTP_HEADER_HOST);
    if (request->client->loopback && host && !names_allow(request, host)) {
        return refuse(MHD_HTTP_MISDIRECTED_REQUEST, "the header Host names somebody else",
                      "on loopback use localhost or 127.0.0.1, or add the name to agent.hosts");
    }
    origin = request_header(request, MHD_HTTP_HEADER_ORIGIN);
    if (origin && !is_open(request) &&
        !origin_allowed(origin, host, (const char *const *)config->hosts, config->nhosts)) {
        return refuse(MHD_HTTP_FORBIDDEN, "pages of that origin may not ask here",
                      "add its host to agent.hosts if they should");
    }
    return welcome;
}

/* Whoever writes is on this machine, or shows the token.  A request that a proxy passed on is not
 * from here. */
static struct refusal check_writer(const struct request *request)
{
    const char *token = request->http->config.write_token;
    bool forwarded =
        request_header(request, "Forwarded") || request_header(request, "X-Forwarded-For");

    if (request->client->gate->unix_socket || (request->client->loopback && !forwarded)) {
        return welcome;
    }
    if (!token || !token[0]) {
        return refuse(MHD_HTTP_FORBIDDEN, "nobody can write here from another machine",
                      "set agent.tokens.write, or write from the machine itself");
    }
    if (!bearer_matches(request_header(request, MHD_HTTP_HEADER_AUTHORIZATION), token)) {
        return refuse(MHD_HTTP_UNAUTHORIZED, "this needs the write token",
                      "send Authorization: Bearer TOKEN, the token of agent.tokens.write");
    }
    return welcome;
}

static bool is_json(const char *type)
{
    static const char json[] = "application/json";
    size_t len = sizeof json - 1;

    return strncasecmp(type, json, len) == 0 && strchr("; \t", type[len]);
}

/* What a form of a page can send without asking us first is none of these. */
static struct refusal check_type(const struct request *request)
{
    const char *type = request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE);
    const char *encoding = request_header(request, MHD_HTTP_HEADER_CONTENT_ENCODING);

    if (type ? !is_json(type) : request_is_v2(request)) {
        return refuse(MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "the body must be JSON",
                      "send Content-Type: application/json (curl has --json)");
    }
    if (encoding && strcasecmp(encoding, "identity") != 0) {
        return refuse(MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "the body must not be compressed",
                      "send it without Content-Encoding");
    }
    return welcome;
}

/* Who may ask what: finds the route.  `status` 0: its handler answers. */
static struct refusal judge(struct request *request)
{
    struct refusal refusal;

    if (request->client->stranger) {
        return refuse(MHD_HTTP_FORBIDDEN, "this socket is for the user that the agent runs as",
                      NULL);
    }
    request->route =
        route_find(http_routes, http_nroutes, request->path, request->client->parameter);
    refusal = check_names(request);
    if (refusal.status) {
        request->route = NULL;
        return refusal;
    }
    if (!request->route) {
        return refuse(MHD_HTTP_NOT_FOUND, "there is nothing here", "see / for what there is");
    }
    if (request->method == METHOD_OPTIONS) {
        return welcome;
    }
    if (!(route_methods(request->route) & (unsigned)request->method)) {
        return refuse(MHD_HTTP_METHOD_NOT_ALLOWED, "not with this method",
                      "the header Allow names those that there are");
    }
    if ((request->method == METHOD_POST || request->method == METHOD_DELETE) &&
        !request->route->open) {
        refusal = check_writer(request);
        if (!refusal.status && request->route->body) {
            refusal = check_type(request);
        }
    }
    return refusal;
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
    if (length && strtoull(length, NULL, 10) > request->client->body.limit) {
        return MHD_HTTP_CONTENT_TOO_LARGE;
    }
    return 0;
}

static int begin(struct request *request)
{
    struct client *client = request->client;
    bool wanted;
    unsigned status;

    request->method = method_parse(request->method_name);
    client->refusal = judge(request);
    client->method = request->method;
    client->route = request->route;
    wanted = !client->refusal.status && request->method == METHOD_POST && request->route->body;
    body_begin(client, wanted ? request->route->body : LIMIT_SERVER_BODY_BYTES, wanted);
    status = check_sizes(request);
    if (status) {
        return answer_error(request, status,
                            status == MHD_HTTP_CONTENT_TOO_LARGE ? "the body is too long"
                                                                 : "the headers are too long",
                            NULL);
    }
    return 0;
}

static int answer(struct request *request)
{
    struct client *client = request->client;

    if (client->asked) {
        return ask_answer(request);
    }
    if (client->body.refusal == MHD_HTTP_CONTENT_TOO_LARGE) {
        return answer_error(request, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too long", NULL);
    }
    if (client->refusal.status) {
        return answer_error(request, client->refusal.status, client->refusal.error,
                            client->refusal.hint);
    }
    if (client->body.refusal) {
        return answer_later(request, client->body.refusal, "too many large bodies are on their way",
                            "try again later", 1);
    }
    if (request->method == METHOD_OPTIONS) {
        return answer_constant(request, NULL, NULL);
    }
    return request->route->handle(request);
}

enum MHD_Result request_serve(void *cls, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request_cls)
{
    struct gate *gate = cls;
    struct request request = {.http = gate->http,
                              .connection = connection,
                              .client = *request_cls,
                              .path = path,
                              .method_name = method};
    int r = 0;

    if (!request.client) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

        *request_cls = request.client = info->socket_context;
        if (!request.client) {
            return MHD_NO; /* there was no memory for it */
        }
        return begin(&request) < 0 ? MHD_NO : MHD_YES;
    }
    request.route = request.client->route;
    request.method = request.client->method;
    if (*upload_size > 0) {
        r = body_take(request.client, upload, *upload_size);
        *upload_size = 0;
        if (r < 0) {
            counters_cut(gate->http->counters, CUT_BODY);
        }
    } else {
        r = answer(&request);
    }
    return r < 0 ? MHD_NO : MHD_YES;
}
