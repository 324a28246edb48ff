/*
 * probe.c: see probe.h.  A loop of its own on the calling thread, a few workers at once.  A worker
 * that has said what it has to say is killed: nothing was created in it, and its destructors are
 * nobody's business.
 */
#include "plugin/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "model/settings.h"
#include "plugin/file_check.h"
#include "plugin/process.h"

#define PROBES_AT_ONCE 4
#define PROBE_MEMORY (UINT64_C(512) << 20) /* what constructors and libraries may take */
#define PROBE_DESCRIPTORS 64
#define TRIAL_CALL 1
#define KILLED_NS NS_PER_S /* then it is stuck in the kernel and left alone */

#define FAULT_UNEXPECTED "sent a frame that may not come while it is loaded"
#define FAULT_TIMEOUT "timeout"

struct probing;

struct slot {
    struct probing *all;
    struct probe *probe; /* NULL: free */
    struct process process;
    struct loop_timer timer;
    bool tried; /* create() has answered */
};

struct probing {
    struct loop *loop;
    struct spawner *spawner;
    struct probe *probes;
    size_t n;
    size_t next;
    size_t running;
    int64_t timeout_ms;
    struct loop_fd cancel;
    bool cancelled;
    struct slot slots[PROBES_AT_ONCE];
};

static void begin(struct slot *slot);

static void set_why(struct probe *probe, const char *text)
{
    (void)snprintf(probe->why, sizeof probe->why, "%s", text);
}

/* The slot's process is gone or given up: on to the next file. */
static void end(struct slot *slot)
{
    struct probing *all = slot->all;

    loop_timer_stop(all->loop, &slot->timer);
    slot->probe = NULL;
    all->running--;
    begin(slot);
    if (all->running == 0) {
        loop_stop(all->loop);
    }
}

static int try_settings(struct slot *slot)
{
    const struct probe *probe = slot->probe;
    struct buf buf;
    int r;

    buf_init(&buf, LIMIT_SETTINGS_BYTES + LIMIT_FRAME_BYTES);
    wire_put_str(&buf, probe->component);
    wire_put_str(&buf, probe->instance);
    wire_put_u64(&buf, (uint64_t)slot->all->timeout_ms);
    settings_encode(probe->settings, &buf);
    r = buf.failed ? -ENOMEM
                   : process_send(&slot->process, FRAME_CREATE, TRIAL_CALL, buf.data, buf.len);
    if (buf.data) {
        explicit_bzero(buf.data, buf.len); // secrets
    }
    buf_finish(&buf);
    return r;
}

static void on_manifest(struct slot *slot, const struct frame *frame)
{
    struct probe *probe = slot->probe;

    if (probe->manifest || *probe->why) {
        return; // it has answered before
    }
    if (manifest_decode(frame->payload, frame->len, &probe->manifest, probe->why,
                        sizeof probe->why) < 0 ||
        !probe->component) {
        process_kill(&slot->process, NULL);
    } else if (try_settings(slot) < 0) {
        set_why(probe, "there was not enough memory to try its settings");
        process_kill(&slot->process, NULL);
    }
}

/* What create() said; its worker is killed, since there is nothing to keep. */
static void on_done(struct slot *slot, struct wire_reader *reader)
{
    struct probe *probe = slot->probe;
    const char *why;

    probe->rc = (tmon_rc)wire_get_u32(reader);
    (void)wire_get_i64(reader);
    why = wire_get_str(reader, LIMIT_TEXT_BYTES);
    if (reader->bad) {
        process_kill(&slot->process, FAULT_UNEXPECTED);
        return;
    }
    if (probe->rc != TMON_OK) {
        set_why(probe, *why ? why : "its create() failed without saying why");
    }
    slot->tried = true;
    process_kill(&slot->process, NULL);
}

static void on_frame(void *owner, const struct frame *frame)
{
    struct slot *slot = owner;
    struct wire_reader reader;

    wire_reader_init(&reader, frame->payload, frame->len);
    if (frame->type == FRAME_SANDBOX && !(frame->flags & FRAME_MORE)) {
        slot->probe->layers = wire_get_u32(&reader);
    } else if (frame->type == FRAME_MANIFEST && !(frame->flags & FRAME_MORE)) {
        on_manifest(slot, frame);
    } else if (frame->type == FRAME_FAILED && !(frame->flags & FRAME_MORE)) {
        const char *why = wire_get_str(&reader, LIMIT_TEXT_BYTES);

        set_why(slot->probe, *why ? why : "it could not be loaded");
        process_kill(&slot->process, NULL);
    } else if (frame->type == FRAME_DONE && slot->probe->component && slot->probe->manifest &&
               !(frame->flags & FRAME_MORE)) {
        on_done(slot, &reader);
    } else if (frame->type != FRAME_LOG) {
        process_kill(&slot->process, FAULT_UNEXPECTED);
    }
}

/* Whether it has not said what it was asked. */
static bool lacks(const struct slot *slot)
{
    const struct probe *probe = slot->probe;

    return !*probe->why && (probe->component ? !slot->tried : !probe->manifest);
}

static void on_gone(void *owner, const struct process_end *how)
{
    struct slot *slot = owner;
    struct probe *probe = slot->probe;
    char text[PROBE_WHY_SIZE - 128];

    if (lacks(slot) && !slot->all->cancelled) {
        if (how->fault && strcmp(how->fault, FAULT_TIMEOUT) == 0) {
            (void)snprintf(probe->why, sizeof probe->why, "it did not answer within %g s while %s",
                           (double)slot->all->timeout_ms / MS_PER_S,
                           probe->manifest ? "its settings were tried"
                                           : "it was loaded; is there a constructor that waits?");
        } else {
            process_end_text(how, text, sizeof text);
            (void)snprintf(probe->why, sizeof probe->why, "its worker %s while %s", text,
                           probe->manifest ? "its settings were tried" : "it was loaded");
        }
    }
    process_finish(&slot->process);
    end(slot);
}

static const struct process_hooks hooks = {.frame = on_frame, .gone = on_gone};

static void on_time(struct loop_timer *timer, int64_t now_ns)
{
    struct slot *slot = timer->owner;

    if (!slot->process.killed) {
        process_kill(&slot->process, FAULT_TIMEOUT);
        (void)loop_timer_set(slot->all->loop, timer, now_ns + KILLED_NS);
        return;
    }
    if (lacks(slot)) {
        set_why(slot->probe,
                "its worker is stuck in the kernel; is the file on a disk that hangs?");
    }
    process_finish(&slot->process);
    end(slot);
}

static int load(struct slot *slot)
{
    struct buf buf;
    int r;

    buf_init(&buf, FRAME_PAYLOAD_BYTES);
    wire_put_str(&buf, slot->probe->path);
    wire_put_u64(&buf, PROBE_MEMORY);
    wire_put_u32(&buf, PROBE_DESCRIPTORS);
    wire_put_u32(&buf, 0);
    wire_put_u8(&buf, 1);
    wire_put_u8(&buf, 0);
    process_init(&slot->process, slot->all->loop, &hooks, slot);
    loop_timer_init(&slot->timer, on_time, slot);
    r = buf.failed ? -ENAMETOOLONG : 0;
    if (r == 0) {
        r = process_start(&slot->process, slot->all->spawner, PROGRAM_WORKER);
    }
    if (r == 0) {
        r = process_send(&slot->process, FRAME_LOAD, 0, buf.data, buf.len);
    }
    if (r == 0) {
        r = loop_timer_set(slot->all->loop, &slot->timer,
                           clock_mono_ns() + slot->all->timeout_ms * NS_PER_MS);
    }
    if (r < 0) {
        process_finish(&slot->process);
    }
    buf_finish(&buf);
    return r;
}

/* Takes up the next file that may be loaded at all. */
static void begin(struct slot *slot)
{
    struct probing *all = slot->all;

    while (all->next < all->n && !all->cancelled) {
        struct probe *probe = &all->probes[all->next++];
        struct file_identity identity;
        int r;

        if (file_check(probe->path, &identity, probe->why, sizeof probe->why) < 0) {
            continue;
        }
        slot->probe = probe;
        slot->tried = false;
        r = load(slot);
        if (r == 0) {
            all->running++;
            return;
        }
        slot->probe = NULL;
        (void)snprintf(probe->why, sizeof probe->why, "its worker could not be started: %s",
                       log_errno(r));
    }
}

/* The workers that run are killed, and nothing is begun any more. */
static void on_cancel(struct loop_fd *watch, uint32_t events)
{
    struct probing *all = watch->owner;

    all->cancelled = true;
    loop_fd_remove(all->loop, watch);
    for (size_t i = 0; i < PROBES_AT_ONCE; i++) {
        struct slot *slot = &all->slots[i];

        if (slot->probe) {
            process_kill(&slot->process, NULL);
            (void)loop_timer_set(all->loop, &slot->timer, clock_mono_ns() + KILLED_NS);
        }
    }
}

/* The loop, which looks at `cancel_fd` too. */
static int prepare(struct probing *all, int cancel_fd)
{
    int r = loop_create(&all->loop);

    all->cancel.fd = -1;
    if (r == 0 && cancel_fd >= 0) {
        r = loop_fd_add(all->loop, &all->cancel, cancel_fd, EPOLLIN, on_cancel, all);
    }
    return r;
}

int probe_files(struct spawner *spawner, struct probe *probes, size_t n, int64_t timeout_ms,
                int cancel_fd)
{
    struct probing all = {.spawner = spawner, .probes = probes, .n = n, .timeout_ms = timeout_ms};
    int r = prepare(&all, cancel_fd);

    for (size_t i = 0; i < n; i++) {
        probes[i].manifest = NULL;
        probes[i].layers = 0;
        probes[i].why[0] = '\0';
        probes[i].rc = TMON_OK;
        if (r < 0) {
            (void)snprintf(probes[i].why, sizeof probes[i].why, "it could not be probed: %s",
                           log_errno(r));
        }
    }
    if (r < 0) {
        loop_destroy(all.loop);
        return 0;
    }
    for (size_t i = 0; i < PROBES_AT_ONCE; i++) {
        all.slots[i].all = &all;
        begin(&all.slots[i]);
    }
    if (all.running > 0) {
        (void)loop_run(all.loop);
    }
    if (all.cancel.fd >= 0) {
        loop_fd_remove(all.loop, &all.cancel);
    }
    loop_destroy(all.loop);
    return all.cancelled ? -ECANCELED : 0;
}
