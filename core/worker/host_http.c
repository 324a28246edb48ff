/*
 * host_http.c: HTTP through the agent, and the JSON that goes into it.  See host.h.
 */
#include "worker/host.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/exchange.h"
#include "model/manifest.h"
#include "model/pairs.h"
#include "worker/channel.h"

/* An answer of our own, for what never came to the agent. */
static const struct tmon_response *no_answer(struct call *call, const char *why, int32_t phase)
{
    static const struct tmon_response out_of_memory = {
        .size = sizeof out_of_memory,
        .retry_after_ms = -1,
        .body = {"", 0},
        .error = "out of memory",
    };
    struct kept *kept = host_keep(call, why, strlen(why));

    if (!kept) {
        return &out_of_memory;
    }
    kept->response = out_of_memory;
    kept->response.error = kept->data;
    kept->response.error_phase = phase;
    return &kept->response;
}

static bool send_request(struct call *call, const struct tmon_request *request,
                         const char **ret_why)
{
    struct buf frame;
    int64_t left_ns = call->deadline_ns - clock_mono_ns();
    int r;

    buf_init(&frame, LIMIT_HTTP_REQUEST_BYTES);
    wire_put_u64(&frame, left_ns > 0 ? (uint64_t)(left_ns / NS_PER_MS) : 0);
    *ret_why = "the request is too large";
    r = exchange_encode_request(&frame, request, ret_why);
    if (r == 0) {
        channel_send(FRAME_HTTP_REQUEST, call->id, frame.data, frame.len);
    }
    buf_finish(&frame);
    return r == 0;
}

tmon_rc host_http(struct tmon_call *api, const struct tmon_request *request,
                  const struct tmon_response **ret_response)
{
    struct call *call = host_call(api);
    struct wire_reader reader;
    struct kept *kept;
    const void *data;
    const char *why;
    size_t len;
    tmon_rc rc;

    if (!host_may_ask(call)) {
        *ret_response = no_answer(call,
                                  call->ability & (ABILITY_FORMAT | ABILITY_JUDGE)
                                      ? "format() and judge() may send nothing themselves"
                                      : "the worker is ending",
                                  TMON_PHASE_REFUSED);
        return TMON_REJECTED;
    }
    if (!send_request(call, request, &why)) {
        *ret_response = no_answer(call, why, TMON_PHASE_REFUSED);
        return TMON_REJECTED;
    }
    if (!channel_answer(call, FRAME_HTTP_RESPONSE, &data, &len)) {
        *ret_response = no_answer(call, "the worker is ending", TMON_PHASE_ANSWER);
        return TMON_AMBIGUOUS;
    }
    kept = host_keep(call, data, len);
    if (!kept) {
        *ret_response = no_answer(call, "out of memory", TMON_PHASE_ANSWER);
        return TMON_AMBIGUOUS;
    }
    wire_reader_init(&reader, kept->data, len);
    rc = (tmon_rc)wire_get_u32(&reader);
    if (exchange_decode_response(&reader, &kept->response) < 0 || !wire_done(&reader)) {
        channel_broken();
    }
    *ret_response = &kept->response;
    return rc;
}

const char *host_json(struct tmon_call *api, const struct tmon_pair *pairs, size_t npairs)
{
    struct call *call = host_call(api);
    struct kept *kept = NULL;
    struct buf text;

    buf_init(&text, LIMIT_RENDERED_BYTES);
    pairs_to_json(pairs, npairs, &text);
    if (!text.failed) {
        kept = host_keep(call, text.data, text.len);
    } else {
        host_misuse(call, "tmon_json() was asked for more than 1 MiB: it gives {}");
    }
    buf_finish(&text);
    return kept ? kept->data : "{}";
}
