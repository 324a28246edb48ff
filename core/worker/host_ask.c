/*
 * host_ask.c: services that the agent answers with a REPLY: events, messages, the agent's cache;
 * and the answers of a cache component.  See host.h.
 */
#include "worker/host.h"

#include <string.h>

#include "model/manifest.h"
#include "model/pairs.h"
#include "worker/channel.h"

/* What an agent that knows no REPLY frame's rc would make of it is for the plugin to see. */
static tmon_rc ask(struct call *call, enum frame_type type, struct buf *frame,
                   struct tmon_bytes *ret_answer)
{
    struct wire_reader reader;
    struct kept *kept;
    const void *data, *answer;
    size_t data_len, answer_len;
    tmon_rc rc;

    if (frame->failed) {
        return TMON_REJECTED; // larger than any limit
    }
    if (!host_may_ask(call)) {
        return TMON_RETRY;
    }
    channel_send(type, call->id, frame->data, frame->len);
    if (!channel_answer(call, FRAME_REPLY, &data, &data_len)) {
        return TMON_AMBIGUOUS;
    }
    wire_reader_init(&reader, data, data_len);
    rc = (tmon_rc)wire_get_u32(&reader);
    answer = wire_get_bytes(&reader, LIMIT_CACHE_VALUE_BYTES, &answer_len);
    if (!wire_done(&reader)) {
        channel_broken();
    }
    if (ret_answer && rc == TMON_OK) {
        kept = host_keep(call, answer, answer_len);
        if (!kept) {
            return TMON_RETRY;
        }
        *ret_answer = (struct tmon_bytes){kept->data, answer_len};
    }
    return rc;
}

tmon_rc host_event(struct tmon_call *api, const char *id, struct tmon_bytes payload,
                   const char *cursor)
{
    struct call *call = host_call(api);
    struct buf frame;
    tmon_rc rc;

    if (call->ability != ABILITY_WATCH) {
        host_misuse(call, "the plugin reports events outside of watch(): that is refused");
        return TMON_UNSUPPORTED;
    }
    buf_init(&frame, LIMIT_CALL_BYTES);
    wire_put_str(&frame, id);
    wire_put_bytes(&frame, payload.data, payload.len);
    wire_put_str(&frame, cursor);
    rc = ask(call, FRAME_EVENT, &frame, NULL);
    buf_finish(&frame);
    return rc;
}

tmon_rc host_message(struct tmon_call *api, const char *mail_template, const char *key,
                     const struct tmon_pair *values, size_t nvalues)
{
    struct buf frame;
    tmon_rc rc;

    buf_init(&frame, LIMIT_CALL_BYTES);
    wire_put_str(&frame, mail_template);
    wire_put_str(&frame, key);
    pairs_encode(&frame, values, nvalues);
    rc = ask(host_call(api), FRAME_MESSAGE, &frame, NULL);
    buf_finish(&frame);
    return rc;
}

tmon_rc host_cache_get(struct tmon_call *api, const char *key, struct tmon_bytes *ret_value)
{
    struct buf frame;
    tmon_rc rc;

    buf_init(&frame, LIMIT_CALL_BYTES);
    wire_put_str(&frame, key);
    rc = ask(host_call(api), FRAME_CACHE_GET, &frame, ret_value);
    buf_finish(&frame);
    return rc;
}

tmon_rc host_cache_put(struct tmon_call *api, const char *key, struct tmon_bytes value,
                       int64_t ttl_ms)
{
    struct buf frame;
    tmon_rc rc;

    if (value.len > LIMIT_CACHE_VALUE_BYTES) {
        return TMON_REJECTED;
    }
    buf_init(&frame, LIMIT_CALL_BYTES);
    wire_put_str(&frame, key);
    wire_put_bytes(&frame, value.data, value.len);
    wire_put_i64(&frame, ttl_ms);
    rc = ask(host_call(api), FRAME_CACHE_PUT, &frame, NULL);
    buf_finish(&frame);
    return rc;
}

void host_value(struct tmon_call *api, bool found, struct tmon_bytes value)
{
    struct call *call = host_call(api);
    struct buf frame;

    if (call->ability != ABILITY_CACHE || call->values == 0) {
        host_misuse(call, "the plugin gives more values than it was asked for: they are ignored");
        return;
    }
    call->values--;
    buf_init(&frame, LIMIT_CALL_BYTES);
    found = found && value.len <= LIMIT_CACHE_VALUE_BYTES;
    wire_put_u8(&frame, found);
    wire_put_bytes(&frame, value.data, found ? value.len : 0);
    if (!frame.failed) {
        channel_send(FRAME_VALUE, call->id, frame.data, frame.len);
    }
    buf_finish(&frame);
}
