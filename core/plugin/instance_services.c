/*
 * instance_services.c: what a worker asks the agent for in the middle of a call.  HTTP goes to the
 * broker, one request at a time; the services of later parts are answered with TMON_UNSUPPORTED,
 * since a worker waits for an answer.
 */
#include <errno.h>

#include "model/exchange.h"
#include "plugin/instance_private.h"

#define RESPONSE_BYTES 4096 /* of one without a body */

static void answered(void *asker, uint32_t ticket, const void *response, size_t len)
{
    struct instance *instance = asker;

    instance->asking = false;
    (void)process_send(&instance->process, FRAME_HTTP_RESPONSE, instance->number, response, len);
}

static void refuse_http(struct instance *instance, tmon_rc rc, const char *why)
{
    const struct tmon_response response = {.size = sizeof response,
                                           .retry_after_ms = -1,
                                           .error = why,
                                           .error_phase = TMON_PHASE_REFUSED};
    struct buf buf;

    buf_init(&buf, RESPONSE_BYTES);
    wire_put_u32(&buf, (uint32_t)rc);
    (void)exchange_encode_response(&buf, &response);
    answered(instance, 0, buf.data, buf.len);
    buf_finish(&buf);
}

static void ask_http(struct instance *instance, const void *data, size_t len)
{
    int r;

    if (instance->asking) {
        instance_kill(instance, "sent a second HTTP request before the answer to the first and "
                                "was killed");
        return;
    }
    if (!instance->broker) {
        refuse_http(instance, TMON_UNSUPPORTED, "this agent offers no HTTP");
        return;
    }
    instance->asking = true; // before, because the answer may come at once
    r = instance->broker->submit(instance->broker->owner, data, len, instance->settings, answered,
                                 instance, &instance->ticket);
    if (r == -EPROTO) {
        instance->asking = false;
        instance_kill(instance, "sent a malformed HTTP request and was killed");
    } else if (r < 0) {
        refuse_http(instance, TMON_RETRY, "too many HTTP requests are under way");
    }
}

static void reply_unsupported(struct instance *instance)
{
    struct buf buf;

    buf_init(&buf, 64);
    wire_put_u32(&buf, TMON_UNSUPPORTED);
    wire_put_bytes(&buf, NULL, 0);
    (void)process_send(&instance->process, FRAME_REPLY, instance->number, buf.data, buf.len);
    buf_finish(&buf);
}

static void no_body(struct instance *instance)
{
    struct buf buf;

    buf_init(&buf, 64);
    wire_put_u8(&buf, 2);
    wire_put_bytes(&buf, NULL, 0);
    (void)process_send(&instance->process, FRAME_BODY, instance->number, buf.data, buf.len);
    buf_finish(&buf);
}

bool instance_ask(struct instance *instance, enum frame_type type, const void *data, size_t len)
{
    switch (type) {
    case FRAME_HTTP_REQUEST:
        ask_http(instance, data, len);
        return true;
    case FRAME_READ:
        no_body(instance);
        return true;
    case FRAME_EVENT:
    case FRAME_MESSAGE:
    case FRAME_CACHE_GET:
    case FRAME_CACHE_PUT:
        reply_unsupported(instance);
        return true;
    default:
        return false;
    }
}

void instance_cancel_asks(struct instance *instance)
{
    if (instance->asking) {
        instance->asking = false;
        instance->broker->cancel(instance->broker->owner, instance->ticket);
    }
}
