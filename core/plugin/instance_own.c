/*
 * instance_own.c: an instance on the component thread; see local.h.
 *
 * The same phases as with a worker, but nothing can be cut short: a deadline here would change
 * nothing, so there is none.  That the thread hangs is seen by local_hanging_ns().
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/notification.h"
#include "plugin/instance_private.h"

static void done(struct local_call *call);

static void forget_notification(struct instance *instance)
{
    notification_destroy(instance->notification);
    instance->notification = NULL;
}

static void submit(struct instance *instance, enum local_operation operation)
{
    struct buf samples = instance->call.samples;

    instance->call = (struct local_call){
        .operation = operation,
        .component = instance->own,
        .instance = instance->name,
        .self = instance->self,
        .settings = instance->settings,
        .notification = instance->notification,
        .timeout_ms = instance->timeout_ms,
        .done = done,
        .owner = instance,
        .samples = samples,
    };
    instance->submitted = true;
    local_submit(instance->local, &instance->call);
}

void instance_own_begin(struct instance *instance)
{
    if (instance->self) {
        memset(instance->self, 0, instance->own->state_size);
    }
    instance->phase = PHASE_CREATING;
    submit(instance, LOCAL_CREATE);
    local_flush(instance->local);
}

/* The strings stay in a copy of ours: a thread that hangs keeps what it holds. */
static int decode(struct instance *instance, const void *args, size_t len)
{
    struct wire_reader reader;
    int r;

    buf_clear(&instance->out);
    buf_append(&instance->out, args, len);
    if (instance->out.failed) {
        return -ENOMEM;
    }
    wire_reader_init(&reader, buf_str(&instance->out), instance->out.len);
    r = notification_decode(&reader, &instance->notification);
    if (r == 0 && !wire_done(&reader)) {
        forget_notification(instance);
        r = -EPROTO;
    }
    return r;
}

/* Wakes nobody: the round of the schedule does that once, for all. */
int instance_own_call(struct instance *instance, const void *args, size_t len)
{
    int r = 0;

    switch (instance->ability) {
    case ABILITY_CHECK:
        submit(instance, LOCAL_CHECK);
        break;
    case ABILITY_COLLECT:
        submit(instance, LOCAL_COLLECT);
        break;
    case ABILITY_DELIVER:
        r = decode(instance, args, len);
        if (r == 0) {
            submit(instance, LOCAL_DELIVER);
        }
        break;
    default:
        return -EAGAIN; // none of ours formats here
    }
    if (r == 0) {
        instance->phase = PHASE_CALLING;
    }
    return r;
}

static void destroy(struct instance *instance)
{
    submit(instance, LOCAL_DESTROY);
    local_flush(instance->local);
}

static void create_done(struct instance *instance)
{
    char text[INSTANCE_REASON_SIZE];

    if (instance->call.rc == TMON_OK) {
        instance_is_up(instance);
        return;
    }
    instance->counters.create_failures++;
    (void)snprintf(text, sizeof text, "create failed: %s",
                   *instance->call.message ? instance->call.message : "it gave no reason");
    instance->phase = PHASE_RETIRING;
    destroy(instance);
    instance_set_state(instance, INSTANCE_DEGRADED, text);
}

static void call_done(struct instance *instance)
{
    struct local_call *call = &instance->call;
    struct buf samples = instance->samples;
    char message[sizeof call->message];

    (void)snprintf(message, sizeof message, "%s", call->message);
    instance->phase = PHASE_IDLE;
    instance->verdict = call->verdict;
    call->verdict = NULL;
    instance->samples = call->samples;
    call->samples = samples;
    instance->counters.samples_refused += call->refused;
    instance->retry_after_ms = call->retry_after_ms;
    forget_notification(instance);
    instance_is_proven(instance);
    /* The hook may begin the next call, which takes `call`. */
    instance_report(instance, call->rc, false, message, call->duration_ns, call->cpu_us);
    instance_forget_call(instance);
}

static void done(struct local_call *call)
{
    struct instance *instance = call->owner;
    enum phase phase = instance->phase;

    instance->submitted = false;
    if (instance->stopping) {
        verdict_destroy(call->verdict);
        call->verdict = NULL;
        if (phase == PHASE_STOPPING) {
            instance_is_stopped(instance);
        } else {
            instance_own_stop(instance);
        }
    } else if (phase == PHASE_CREATING) {
        create_done(instance);
    } else if (phase == PHASE_RETIRING) {
        char text[INSTANCE_REASON_SIZE];

        (void)snprintf(text, sizeof text, "%s", instance->reason);
        instance_failed(instance, text);
    } else {
        call_done(instance);
    }
}

void instance_own_stop(struct instance *instance)
{
    if (instance->submitted) {
        local_flush(instance->local);
        return; // again when that is done
    }
    if (instance->phase == PHASE_PAUSE || instance->phase == PHASE_OFF ||
        instance->phase == PHASE_RETIRING) {
        instance->phase = PHASE_OFF;
        instance_set_timer(instance, 0);
        return;
    }
    instance->phase = PHASE_STOPPING;
    destroy(instance);
}
