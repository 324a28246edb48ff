/*
 * host_stream.c: the body, the result and the progress of an action.  See host.h.
 *
 * The result leaves in frames of 64 KiB, each for one credit of the agent's, however small the
 * pieces are that the plugin writes; so a slow reader holds back the action and costs nobody
 * memory.
 */
#include "worker/host.h"

#include <string.h>

#include "base/clock.h"
#include "model/manifest.h"
#include "worker/channel.h"

#define BYTES_OVERHEAD 5              /* of wire_put_bytes() */
#define PROGRESS_NS (100 * NS_PER_MS) /* people do not read faster */

static bool in_action(struct call *call)
{
    if (call->ability != ABILITY_ACTIONS) {
        host_misuse(call, "the plugin reads or writes a stream outside of an action");
    }
    return call->ability == ABILITY_ACTIONS;
}

int64_t host_read(struct tmon_call *api, void *buffer, size_t size)
{
    struct call *call = host_call(api);
    struct worker *worker = call->worker;
    struct wire_reader reader;
    const void *answer, *data;
    size_t answer_len, len;

    if (!in_action(call) || call->body == 2 || !host_may_ask(call)) {
        return -1;
    }
    if (call->body == 1 || size == 0) {
        return 0;
    }
    if (size > FRAME_PAYLOAD_BYTES - BYTES_OVERHEAD - 1) {
        size = FRAME_PAYLOAD_BYTES - BYTES_OVERHEAD - 1;
    }
    wire_put_u32(&worker->out, (uint32_t)size);
    channel_send_out(worker, FRAME_READ, call->id);
    if (!channel_answer(call, FRAME_BODY, &answer, &answer_len)) {
        return -1;
    }
    wire_reader_init(&reader, answer, answer_len);
    call->body = wire_get_u8(&reader);
    data = wire_get_bytes(&reader, size, &len);
    if (!wire_done(&reader) || call->body > 2 || (call->body == 0 && len == 0)) {
        channel_broken();
    }
    memcpy(buffer, data, len);
    return call->body == 2 ? -1 : (int64_t)len;
}

/* One frame of the result.  False when the call was cancelled. */
static bool flush_result(struct call *call)
{
    struct worker *worker = call->worker;

    if (worker->result.len == 0) {
        return true;
    }
    if (!channel_wait_credit(call)) {
        return false;
    }
    call->credit--;
    wire_put_bytes(&worker->out, worker->result.data, worker->result.len);
    channel_send_out(worker, FRAME_RESULT, call->id);
    buf_clear(&worker->result);
    return true;
}

tmon_rc host_write(struct tmon_call *api, struct tmon_bytes bytes)
{
    struct call *call = host_call(api);
    struct buf *result = &call->worker->result;
    const char *data = bytes.data;

    if (!in_action(call)) {
        return TMON_UNSUPPORTED;
    }
    while (bytes.len > 0) {
        size_t room = result->cap - result->len;
        size_t n = bytes.len < room ? bytes.len : room;

        if (n == 0) {
            if (!flush_result(call)) {
                return TMON_TIMEOUT;
            }
            continue;
        }
        buf_append(result, data, n);
        if (result->failed) {
            return TMON_REJECTED; // no memory
        }
        data += n;
        bytes.len -= n;
    }
    return TMON_OK;
}

static void send_progress(struct call *call, int64_t now_ns)
{
    struct worker *worker = call->worker;

    wire_put_u64(&worker->out, call->progress_done);
    wire_put_u64(&worker->out, call->progress_total);
    channel_send_out(worker, FRAME_PROGRESS, call->id);
    call->progress_ns = now_ns;
    call->progress_waits = false;
}

void host_progress(struct tmon_call *api, uint64_t done, uint64_t total)
{
    struct call *call = host_call(api);
    int64_t now_ns = clock_mono_ns();

    if (!in_action(call)) {
        return;
    }
    call->progress_done = done;
    call->progress_total = total;
    call->progress_waits = true;
    if (now_ns - call->progress_ns >= PROGRESS_NS) {
        send_progress(call, now_ns);
    }
}

void host_flush_stream(struct call *call)
{
    if (call->ability != ABILITY_ACTIONS) {
        return;
    }
    if (call->progress_waits) {
        send_progress(call, clock_mono_ns());
    }
    (void)flush_result(call);
    buf_clear(&call->worker->result);
}
