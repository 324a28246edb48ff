/*
 * instance_worker.c: an instance's worker through its phases, each with its deadline; see
 * instance.h.
 *
 * Whatever goes wrong there ends the worker, by SIGKILL, and is seen when it is gone: so there is
 * one place where a death is counted.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "plugin/instance_private.h"

#define KEPT_BYTES LIMIT_FRAME_BYTES /* of a CALL, for the next one */

void instance_kill(struct instance *instance, const char *why)
{
    if (!instance->process.killed) {
        (void)snprintf(instance->fault, sizeof instance->fault, "%s", why);
        process_kill(&instance->process, instance->fault);
    }
    if (instance->phase != PHASE_KILLED) {
        instance->phase = PHASE_KILLED;
        instance_set_timer(instance, instance->times.kill_ms);
    }
}

/* ---- its start ---- */

static int send_load(struct instance *instance)
{
    struct buf buf;
    int r;

    buf_init(&buf, LIMIT_FRAME_BYTES);
    wire_put_str(&buf, instance->path);
    wire_put_u64(&buf, instance->memory_bytes);
    wire_put_u32(&buf, instance->descriptors);
    wire_put_u32(&buf, instance->cpu_percent);
    wire_put_u8(&buf, 0);
    wire_put_u8(&buf, instance->spawns);
    r = buf.failed ? -ENOMEM : process_send(&instance->process, FRAME_LOAD, 0, buf.data, buf.len);
    buf_finish(&buf);
    return r;
}

void instance_worker_begin(struct instance *instance)
{
    int r = process_start(&instance->process, instance->spawner, PROGRAM_WORKER);
    char text[128];

    instance->fault[0] = '\0';
    instance->overdue = false;
    instance->number = 0;
    instance->nahead = 0;
    frame_assembly_finish(&instance->assembly);
    frame_assembly_init(&instance->assembly, 0);
    if (r == 0) {
        instance->counters.starts++;
        instance->phase = PHASE_LOADING;
        instance_set_timer(instance, instance->times.load_ms);
        r = send_load(instance);
        if (r < 0) {
            instance_kill(instance, "could not be told what to load");
        }
        return;
    }
    (void)snprintf(text, sizeof text, "its worker could not be started: %s", log_errno(r));
    instance_failed(instance, text);
}

void instance_send_create(struct instance *instance)
{
    struct buf buf;
    int r;

    buf_init(&buf, LIMIT_SETTINGS_BYTES + LIMIT_FRAME_BYTES);
    wire_put_str(&buf, instance->component);
    wire_put_str(&buf, instance->name);
    wire_put_u64(&buf, (uint64_t)instance->timeout_ms);
    settings_encode(instance->settings, &buf);
    instance->phase = PHASE_CREATING; // create has the number 0, calls are counted from 1
    instance_set_timer(instance, instance->timeout_ms);
    r = buf.failed
            ? -EMSGSIZE
            : process_send(&instance->process, FRAME_CREATE, instance->number, buf.data, buf.len);
    if (buf.data) {
        explicit_bzero(buf.data, buf.len); // secrets
    }
    buf_finish(&buf);
    if (r < 0) {
        instance_kill(instance, "could not be given its settings");
    }
}

void instance_give_up(struct instance *instance, const char *why, bool at_once)
{
    (void)snprintf(instance->fault, sizeof instance->fault, "%s", why);
    instance->phase = PHASE_RETIRING;
    if (at_once) {
        process_kill(&instance->process, NULL);
        instance_set_timer(instance, instance->times.kill_ms);
    } else {
        (void)process_send(&instance->process, FRAME_STOP, 0, NULL, 0);
        instance_set_timer(instance, instance->times.stop_grace_ms);
    }
}

void instance_create_done(struct instance *instance, tmon_rc rc, const char *message)
{
    char text[INSTANCE_REASON_SIZE];

    instance_forget_call(instance);
    if (rc == TMON_OK) {
        instance_is_up(instance);
        return;
    }
    instance->counters.create_failures++;
    (void)snprintf(text, sizeof text, "create failed: %s",
                   *message ? message : "it gave no reason");
    /* destroy() is due after a create that failed, too; then a new worker takes its place. */
    instance_give_up(instance, text, false);
    instance_set_state(instance, INSTANCE_DEGRADED, text);
}

/* ---- calls ---- */

static int send_call(struct instance *instance, enum ability ability, uint32_t number,
                     const void *args, size_t len)
{
    struct buf *out = &instance->out;
    int r;

    buf_clear(out);
    wire_put_u32(out, ability);
    wire_put_str(out, "");
    wire_put_u64(out, (uint64_t)instance->timeout_ms);
    buf_append(out, args, len);
    if (out->failed) {
        return -ENOMEM;
    }
    r = process_send(&instance->process, FRAME_CALL, number, out->data, out->len);
    if (out->size > KEPT_BYTES) {
        buf_finish(out);
        buf_init(out, LIMIT_CALL_BYTES);
    }
    return r < 0 ? -EAGAIN : 0; // it is dying; its end will be told
}

int instance_worker_call(struct instance *instance, const void *args, size_t len)
{
    int r = send_call(instance, instance->ability, instance->number + 1, args, len);

    if (r == 0) {
        instance->number++;
        instance->phase = PHASE_CALLING;
        instance_set_timer(instance, instance->timeout_ms);
    }
    return r;
}

int instance_worker_call_ahead(struct instance *instance, enum ability ability, const void *args,
                               size_t len)
{
    int r = send_call(instance, ability, instance->number + 1 + instance->nahead, args, len);

    if (r == 0) {
        instance->ahead[instance->nahead++] = ability;
    }
    return r;
}

bool instance_next_ahead(struct instance *instance)
{
    enum ability ability = instance->ahead[0];

    if (instance->nahead == 0) {
        return false;
    }
    instance->nahead--;
    memmove(&instance->ahead[0], &instance->ahead[1], instance->nahead * sizeof instance->ahead[0]);
    instance->number++;
    instance_begin_call(instance, ability);
    return true;
}

static void call_is_overdue(struct instance *instance)
{
    char text[64];

    instance->overdue = true;
    instance->counters.timeouts++;
    instance_set_timer(instance, instance->times.grace_ms);
    (void)snprintf(text, sizeof text, "timed out after %g s",
                   (double)instance->timeout_ms / MS_PER_S);
    instance_report(instance, TMON_TIMEOUT, true, text, clock_mono_ns() - instance->started_ns, 0);
}

static void kill_overdue(struct instance *instance, const char *what)
{
    char text[128];

    (void)snprintf(text, sizeof text, "did not return from %s within %g s and was killed", what,
                   (double)(instance->timeout_ms + instance->times.grace_ms) / MS_PER_S);
    instance_kill(instance, text);
}

/* ---- its end ---- */

/* What a bad frame had set is not told either. */
static void call_is_lost(struct instance *instance)
{
    instance->died = true;
    instance->request = NULL;
    instance->request_len = 0;
    instance->retry_after_ms = -1;
}

/* The one that runs, and those behind it. */
static void lose_calls(struct instance *instance, const char *why)
{
    bool behind = false;

    do {
        call_is_lost(instance);
        instance->untried = behind;
        behind = true;
        instance_report(instance, TMON_RETRY, false, why, clock_mono_ns() - instance->started_ns,
                        0);
        instance_forget_call(instance);
    } while (instance_next_ahead(instance));
}

/* SIGKILL was sent and did not help: it waits in the kernel.  Nothing more can be done. */
static void is_stuck(struct instance *instance)
{
    char text[INSTANCE_REASON_SIZE];

    if (instance->stopping) {
        instance_is_stopped(instance);
        return;
    }
    (void)snprintf(
        text, sizeof text,
        "its worker %.300s, but is stuck in the kernel (process %d); a disk or a network "
        "file system that hangs does this",
        *instance->fault ? instance->fault : "was killed", (int)instance->process.pid);
    lose_calls(instance, text);
    instance_set_state(instance, INSTANCE_STUCK, text);
}

void instance_worker_time(struct instance *instance)
{
    char text[64];

    switch (instance->phase) {
    case PHASE_LOADING:
        (void)snprintf(text, sizeof text, "did not load within %g s and was killed",
                       (double)instance->times.load_ms / MS_PER_S);
        instance_kill(instance, text);
        break;
    case PHASE_CREATING:
        if (instance->overdue) {
            kill_overdue(instance, "create");
            break;
        }
        instance->overdue = true;
        instance_set_timer(instance, instance->times.grace_ms);
        (void)snprintf(text, sizeof text, "create did not return within %g s",
                       (double)instance->timeout_ms / MS_PER_S);
        instance_set_state(instance, INSTANCE_DEGRADED, text);
        break;
    case PHASE_CALLING:
        if (instance->overdue) {
            kill_overdue(instance, manifest_ability_name(instance->ability));
        } else {
            call_is_overdue(instance);
        }
        break;
    case PHASE_RETIRING:
    case PHASE_STOPPING:
    case PHASE_KILLED:
        if (instance->process.killed) {
            is_stuck(instance);
            break;
        }
        process_kill(&instance->process, NULL);
        instance_set_timer(instance, instance->times.kill_ms);
        break;
    case PHASE_OFF:
    case PHASE_PAUSE:
    case PHASE_IDLE:
        break;
    }
}

void instance_worker_stop(struct instance *instance, bool stuck)
{
    instance_forget_call(instance);
    if (!process_running(&instance->process) || stuck) {
        instance->phase = PHASE_OFF;
        instance_set_timer(instance, 0);
        return;
    }
    switch (instance->phase) {
    case PHASE_LOADING:
        instance_kill(instance, "");
        break;
    case PHASE_KILLED:
        instance_set_timer(instance, instance->times.kill_ms);
        break;
    default:
        if (instance->phase != PHASE_RETIRING) {
            (void)process_send(&instance->process, FRAME_STOP, 0, NULL, 0);
        }
        instance->phase = PHASE_STOPPING;
        instance_set_timer(instance, instance->times.stop_grace_ms);
        break;
    }
}

static void on_gone(void *owner, const struct process_end *end)
{
    struct instance *instance = owner;
    enum phase phase = instance->phase;
    char how[INSTANCE_REASON_SIZE], text[INSTANCE_REASON_SIZE + 16];

    loop_timer_stop(instance->loop, &instance->timer);
    if (instance->stopping) {
        instance_is_stopped(instance);
        return;
    }
    process_end_text(end, how, sizeof how);
    (void)snprintf(text, sizeof text, "its worker %s", how);
    /* Before hooks are called: they see an instance that cannot be called. */
    instance->phase = PHASE_OFF;
    instance->layers = 0;
    if (phase == PHASE_RETIRING) {
        (void)snprintf(text, sizeof text, "%s", instance->fault);
        instance_failed(instance, text);
        return;
    }
    lose_calls(instance, text);
    if (end->error != 0) {
        instance_failed(instance, text);
    } else {
        instance_died(instance, text);
    }
}

const struct process_hooks instance_process_hooks = {.frame = instance_frame, .gone = on_gone};
