/*
 * sink_faults.c: see sink_faults.h.
 */
#include "agent/sink_faults.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"

struct fault {
    char name[LIMIT_NAME_BYTES + 1];
    char why[SINK_FAULT_SIZE];
};

void sink_faults_init(struct sink_faults *faults)
{
    *faults = (struct sink_faults){0};
    (void)pthread_mutex_init(&faults->lock, NULL);
    map_init(&faults->by_name);
}

void sink_faults_finish(struct sink_faults *faults)
{
    struct fault *fault;
    size_t pos = 0;

    while ((fault = map_next(&faults->by_name, &pos))) {
        free(fault);
    }
    map_finish(&faults->by_name);
    (void)pthread_mutex_destroy(&faults->lock);
}

static bool add(struct sink_faults *faults, const char *name, const char *why)
{
    struct fault *fault = calloc(1, sizeof *fault);

    if (!fault) {
        return false;
    }
    utf8_copy(fault->name, sizeof fault->name, name);
    utf8_copy(fault->why, sizeof fault->why, why);
    if (map_put(&faults->by_name, fault->name, strlen(fault->name), fault) < 0) {
        free(fault);
        return false;
    }
    return true;
}

void sink_faults_set(struct sink_faults *faults, const char *name, const char *why)
{
    struct fault *fault;
    bool changed = false;

    (void)pthread_mutex_lock(&faults->lock);
    fault = map_get(&faults->by_name, name, strlen(name));
    if (fault && why) {
        utf8_copy(fault->why, sizeof fault->why, why);
    } else if (fault) {
        free(map_remove(&faults->by_name, name, strlen(name)));
        changed = true;
    } else if (why) {
        changed = add(faults, name, why);
    }
    (void)pthread_mutex_unlock(&faults->lock);
    if (changed && faults->changed) {
        faults->changed(faults->owner);
    }
}

const char *sink_state_name(enum sink_state state)
{
    static const char *const names[SINK_STATES] = {"well", "resting", "paused", "broken", "parked"};

    return names[state];
}

enum sink_state sink_state(struct sink_faults *faults, const struct outbox_sink_view *view,
                           char ret_reason[static SINK_FAULT_SIZE])
{
    const struct fault *fault;
    bool broken;

    utf8_copy(ret_reason, SINK_FAULT_SIZE, view->reason);
    (void)pthread_mutex_lock(&faults->lock);
    fault = map_get(&faults->by_name, view->name, strlen(view->name));
    broken = fault && view->configured;
    if (broken) {
        utf8_copy(ret_reason, SINK_FAULT_SIZE, fault->why);
    }
    (void)pthread_mutex_unlock(&faults->lock);
    return !view->configured ? SINK_PARKED
           : broken          ? SINK_BROKEN
           : view->paused    ? SINK_PAUSED
           : view->resting   ? SINK_RESTING
                             : SINK_WELL;
}
