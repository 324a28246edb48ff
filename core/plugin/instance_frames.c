/*
 * instance_frames.c: what an instance's worker says; see frame.h for the frames.
 *
 * None of it is trusted: what does not decode, is too large, or comes when it may not, ends the
 * worker.  Samples and a verdict are only kept here until DONE says that the call went well.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "plugin/instance_private.h"

#define WHY_MALFORMED "sent a malformed frame and was killed"
#define WHY_UNEXPECTED "sent a frame that may not come now and was killed"
#define WHY_TOO_LARGE "sent a message beyond its limit and was killed"

static bool in_call(const struct instance *instance)
{
    return instance->phase == PHASE_CALLING || instance->phase == PHASE_CREATING;
}

/* ---- while it loads ---- */

static const struct manifest_component *check_manifest(const struct instance *instance,
                                                       const struct manifest *manifest)
{
    const struct manifest_component *component = manifest_find(manifest, instance->component);

    return component && component->abilities == instance->abilities ? component : NULL;
}

static void on_manifest(struct instance *instance, const struct frame *frame)
{
    struct manifest *manifest = NULL;
    char why[INSTANCE_REASON_SIZE];

    if (manifest_decode(frame->payload, frame->len, &manifest, why, sizeof why) < 0) {
        instance_give_up(instance, why, true);
        return;
    }
    if (check_manifest(instance, manifest)) {
        instance_send_create(instance);
    } else {
        instance_give_up(instance, "its plugin's file has changed: toiletmon reload", true);
    }
    manifest_destroy(manifest);
}

static void on_load_frame(struct instance *instance, const struct frame *frame)
{
    struct wire_reader reader;

    wire_reader_init(&reader, frame->payload, frame->len);
    if (frame->flags & FRAME_MORE) {
        instance_kill(instance, WHY_TOO_LARGE);
    } else if (frame->type == FRAME_SANDBOX) {
        instance->layers = wire_get_u32(&reader);
    } else if (frame->type == FRAME_MANIFEST) {
        on_manifest(instance, frame);
    } else if (frame->type == FRAME_FAILED) {
        char text[INSTANCE_REASON_SIZE];

        (void)snprintf(text, sizeof text, "its plugin could not be loaded: %s",
                       wire_get_str(&reader, LIMIT_TEXT_BYTES));
        instance_give_up(instance, text, true);
    } else {
        instance_kill(instance, WHY_UNEXPECTED);
    }
}

/* ---- in a call ---- */

static void on_samples(struct instance *instance, const struct frame *frame)
{
    if (instance->ability != ABILITY_COLLECT || instance->phase != PHASE_CALLING) {
        instance_kill(instance, WHY_UNEXPECTED);
        return;
    }
    if (instance->too_many || instance->overdue) {
        return; // nobody wants them any more
    }
    buf_append(&instance->samples, frame->payload, frame->len);
    if (instance->samples.failed) {
        instance->too_many = true;
        buf_finish(&instance->samples);
        buf_init(&instance->samples, instance->samples_bytes);
    }
}

static void end_call(struct instance *instance, tmon_rc rc, const char *message, uint64_t cpu_us)
{
    int64_t duration = clock_mono_ns() - instance->started_ns;
    bool late = instance->overdue, ahead = instance->nahead > 0;
    char text[128];

    if (instance->nahead == 0) {
        loop_timer_stop(instance->loop, &instance->timer);
        instance->phase = PHASE_IDLE;
    }
    if (instance->too_many) {
        instance->counters.samples_too_many++;
        rc = TMON_REJECTED;
        (void)snprintf(text, sizeof text,
                       "it emitted more than %zu KiB of samples; all of them were thrown away",
                       instance->samples_bytes / 1024);
        message = text;
    }
    if (late) {
        instance->counters.slow++;
    }
    instance_cancel_asks(instance);
    instance_is_proven(instance);
    instance_report(instance, rc, false, message, duration, cpu_us);
    /* The hook may have begun the next call; of that there is nothing yet to forget. */
    instance_forget_call(instance);
    if (ahead && instance->phase == PHASE_CALLING && instance_next_ahead(instance)) {
        instance_set_timer(instance, instance->timeout_ms);
    }
    if (late && instance->hooks->idle && !instance->stopping) {
        instance->hooks->idle(instance->owner);
    }
}

static void on_done(struct instance *instance, const void *data, size_t len)
{
    struct wire_reader reader;
    tmon_rc rc;
    const char *message;
    uint64_t cpu_us;

    instance->process.enough = instance->nahead == 0;
    wire_reader_init(&reader, data, len);
    rc = (tmon_rc)wire_get_u32(&reader);
    instance->retry_after_ms = wire_get_i64(&reader);
    message = wire_get_str(&reader, LIMIT_TEXT_BYTES);
    cpu_us = wire_get_u64(&reader);
    (void)wire_get_u64(&reader);
    instance->counters.samples_refused += wire_get_u32(&reader);
    if (instance->phase == PHASE_CALLING && instance->ability == ABILITY_CHECK &&
        verdict_decode(&reader, &instance->verdict) < 0) {
        instance->verdict = NULL;
        reader.bad = true;
    }
    if (instance->phase == PHASE_CALLING && instance->ability == ABILITY_FORMAT && rc == TMON_OK) {
        instance->request = reader.data + reader.pos;
        instance->request_len = reader.len - reader.pos;
        reader.pos = reader.len;
    }
    if (!wire_done(&reader) || rc < TMON_OK || rc > TMON_UNSUPPORTED ||
        instance->retry_after_ms < -1) {
        instance_kill(instance, WHY_MALFORMED);
    } else if (instance->phase == PHASE_CREATING) {
        instance_create_done(instance, rc, message);
    } else {
        end_call(instance, rc, message, cpu_us);
    }
}

/* Lines may come at any time. */
static void on_log(struct instance *instance, const void *data, size_t len)
{
    struct wire_reader reader;
    uint8_t level;
    const char *text;
    uint64_t held_back;

    wire_reader_init(&reader, data, len);
    level = wire_get_u8(&reader);
    text = wire_get_str(&reader, LIMIT_TEXT_BYTES);
    held_back = wire_get_u32(&reader);
    if (!wire_done(&reader) || level > TMON_ERROR) {
        instance_kill(instance, WHY_MALFORMED);
        return;
    }
    instance->counters.log_held_back += held_back;
    instance->log_limit.suppressed += held_back;
    if (!*text) {
        return; // told with the next line
    }
    if (!log_limit_allow(&instance->log_limit, clock_mono_ns())) {
        instance->counters.log_held_back++;
        return;
    }
    instance->counters.log_lines++;
    held_back = log_limit_take_suppressed(&instance->log_limit);
    if (instance->hooks->log && !instance->stopping) {
        instance->hooks->log(instance->owner, level, text, held_back);
    }
}

static void on_message(struct instance *instance, enum frame_type type, const void *data,
                       size_t len)
{
    if (type == FRAME_LOG) {
        on_log(instance, data, len);
    } else if (type == FRAME_DONE) {
        on_done(instance, data, len);
    } else if (!instance_ask(instance, type, data, len)) {
        instance_kill(instance, WHY_UNEXPECTED);
    }
}

/* The most that a message of several frames may have. */
static size_t cap_of(const struct instance *instance, uint8_t type)
{
    switch (type) {
    case FRAME_DONE:
        return (instance->ability == ABILITY_FORMAT ? LIMIT_HTTP_REQUEST_BYTES
                                                    : LIMIT_VERDICT_BYTES) +
               FRAME_PAYLOAD_BYTES;
    case FRAME_HTTP_REQUEST:
        return LIMIT_HTTP_REQUEST_BYTES;
    case FRAME_EVENT:
    case FRAME_MESSAGE:
    case FRAME_CACHE_PUT:
        return LIMIT_CALL_BYTES;
    default:
        return FRAME_PAYLOAD_BYTES;
    }
}

static void on_call_frame(struct instance *instance, const struct frame *frame)
{
    const void *data;
    size_t len;
    int r;

    if (frame->type != FRAME_LOG && (!in_call(instance) || frame->call != instance->number)) {
        instance_kill(instance, WHY_UNEXPECTED);
        return;
    }
    if (frame->type == FRAME_SAMPLES && !instance->assembly.open) {
        on_samples(instance, frame); // kept as they come, not put together first
        return;
    }
    if (!instance->assembly.open) {
        instance->assembly.buf.cap = cap_of(instance, frame->type);
    }
    r = frame_assembly_add(&instance->assembly, frame, &data, &len);
    if (r < 0) {
        instance_kill(instance, WHY_TOO_LARGE);
    } else if (r == 1) {
        bool large = data != frame->payload;

        on_message(instance, frame->type, data, len);
        if (large) {
            frame_assembly_finish(&instance->assembly);
            frame_assembly_init(&instance->assembly, 0);
        }
    }
}

void instance_frame(void *owner, const struct frame *frame)
{
    struct instance *instance = owner;

    switch (instance->phase) {
    case PHASE_LOADING:
        on_load_frame(instance, frame);
        break;
    case PHASE_CREATING:
    case PHASE_IDLE:
    case PHASE_CALLING:
        on_call_frame(instance, frame);
        break;
    case PHASE_OFF:
    case PHASE_PAUSE:
    case PHASE_RETIRING:
    case PHASE_STOPPING:
    case PHASE_KILLED:
        break; // it is on its way out; whoever waits for an answer there is told by STOP
    }
}
