/*
 * host_metrics.c: samples, batched into frames.  See host.h.
 *
 * A sample is checked and encoded at once into a buffer of one frame; a full buffer leaves as one
 * frame. So a collection of any size costs the worker 64 KiB, and a flood meets the cap here first.
 */
#include "worker/host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/manifest.h"
#include "model/sample.h"
#include "worker/channel.h"

void host_flush_samples(struct call *call)
{
    struct buf *samples = &call->worker->samples;

    if (samples->len > 0) {
        channel_send(FRAME_SAMPLES, call->id, samples->data, samples->len);
        call->sample_bytes += samples->len;
        buf_clear(samples);
    }
}

static void refuse(struct call *call, const char *name, const char *why)
{
    char line[512];

    call->refused++;
    if (call->worker->said_refused) {
        return;
    }
    call->worker->said_refused = true;
    (void)snprintf(line, sizeof line, "a sample of \"%.128s\" is refused: %s", name ? name : "",
                   why);
    host_say(call, TMON_WARNING, line);
}

void host_emit(struct tmon_call *api, const struct tmon_metric *given)
{
    const size_t least = offsetof(struct tmon_metric, time_ms) + sizeof given->time_ms;
    struct call *call = host_call(api);
    struct worker *worker = call->worker;
    struct tmon_metric metric = {0};
    const char *why = "it does not fit into a frame";
    int r;

    if (call->ability != ABILITY_COLLECT) {
        host_misuse(call, "the plugin emits samples outside of collect(): that is ignored");
        return;
    }
    if (given->size < least) {
        refuse(call, NULL, "set its `size` to sizeof(struct tmon_metric)");
        return;
    }
    memcpy(&metric, given, given->size < sizeof metric ? given->size : sizeof metric);
    if (call->sample_bytes + worker->samples.len > LIMIT_CALL_RESULT_BYTES - LIMIT_FRAME_BYTES) {
        refuse(call, metric.name, "the collection is larger than 16 MiB");
        return;
    }
    r = sample_encode(&worker->samples, &metric, &why);
    if (r == -ENOBUFS && worker->samples.len > 0) {
        host_flush_samples(call);
        r = sample_encode(&worker->samples, &metric, &why);
    }
    if (r < 0) {
        refuse(call, metric.name, why);
    }
}
