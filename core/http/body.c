/*
 * body.c: the bodies of requests: so much of one, so much of all together, for nobody who may not
 * write.  Server's thread.
 *
 * A body that is too long is read on for a while and thrown away, so that the answer arrives: a
 * client that still sends does not listen.
 */
#include <errno.h>

#include "base/limits.h"
#include "http/server.h"

void body_begin(struct client *client, size_t limit, bool wanted)
{
    struct body *body = &client->body;

    *body = (struct body){.limit = limit, .wanted = wanted};
    buf_init(&body->bytes, limit);
}

void body_drop(struct client *client)
{
    struct body *body = &client->body;

    client->gate->http->body_bytes -= body->charged;
    body->charged = 0;
    buf_finish(&body->bytes);
    body->wanted = false;
}

static void keep(struct client *client, const char *data, size_t len)
{
    struct http *http = client->gate->http;
    struct body *body = &client->body;
    bool grows = body->bytes.len + len >= body->bytes.size;

    if (grows && http->body_bytes + len > LIMIT_SERVER_BODIES_BYTES) {
        clients_drop_hung_up(http, client);
    }
    if (grows && http->body_bytes + len > LIMIT_SERVER_BODIES_BYTES) {
        body->refusal = MHD_HTTP_SERVICE_UNAVAILABLE;
        body_drop(client);
        return;
    }
    buf_append(&body->bytes, data, len);
    if (body->bytes.failed) {
        body->refusal = MHD_HTTP_SERVICE_UNAVAILABLE;
        body_drop(client);
        return;
    }
    http->body_bytes += body->bytes.size - body->charged;
    body->charged = body->bytes.size;
}

int body_take(struct client *client, const char *data, size_t len)
{
    struct body *body = &client->body;

    body->seen += len;
    if (body->seen > body->limit + LIMIT_SERVER_DISCARD_BYTES) {
        return -EMSGSIZE;
    }
    if (body->seen > body->limit) {
        body->refusal = MHD_HTTP_CONTENT_TOO_LARGE;
        body_drop(client);
    } else if (body->wanted) {
        keep(client, data, len);
    }
    return 0;
}

void body_finish(struct client *client)
{
    body_drop(client);
    client->body = (struct body){0};
}
