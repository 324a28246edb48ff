/*
 * local.h: the component thread: runs the calls of components of ours that never block.
 *
 * The main thread hands over calls with local_submit() and wakes the thread once with
 * local_flush(), so that all that are due together cost one wake-up; the results come back with one
 * post to the loop.  A call cannot be cut short: local_hanging_ns() tells how long the one that
 * runs has been running, for /api/health/live.
 */
#ifndef PLUGIN_LOCAL_H
#define PLUGIN_LOCAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/loop.h"
#include "model/manifest.h"
#include "model/settings.h"
#include "model/verdict.h"

struct local;

enum local_operation { LOCAL_CREATE, LOCAL_CHECK, LOCAL_COLLECT, LOCAL_DELIVER, LOCAL_DESTROY };

/* One call; a member of its owner, who leaves it alone from submit to done. */
struct local_call {
    enum local_operation operation;
    const struct tmon_component *component;
    const char *instance;
    void *self; /* component->state_size zeroed bytes; the owner's */
    const struct settings *settings;
    const struct tmon_notification *notification; /* LOCAL_DELIVER */
    int64_t timeout_ms;
    void (*done)(struct local_call *call); /* on the loop's thread */
    void *owner;

    /* Filled in by the thread. */
    tmon_rc rc;
    struct verdict *verdict; /* of a check; the owner takes it */
    struct buf
        samples; /* of a collection; the owner keeps it from call to call, made with buf_init() */
    uint32_t refused;       /* samples that were no good */
    int64_t retry_after_ms; /* of a delivery; -1: not said */
    char message[256];      /* why it failed: its last error logged, or the first bad sample */
    int64_t duration_ns;
    uint64_t cpu_us;
    struct local_call *next;
};

int local_create(struct loop *loop, struct local **ret_local);
/* Runs what was submitted to its end, without `done`, and ends the thread.  One that hangs is left
 * behind after a second, with all that it has. */
void local_destroy(struct local *local);
void local_submit(struct local *local, struct local_call *call);
void local_flush(struct local *local);
/* How long the call that is running has been; 0: none is.  Any thread. */
int64_t local_hanging_ns(const struct local *local, int64_t now_ns);

#endif
