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
    map_init(&faults->disabled);
}

static void forget(struct map *map)
{
    struct fault *fault;
    size_t pos = 0;

    while ((fault = map_next(map, &pos))) {
        free(fault);
    }
    map_finish(map);
    map_init(map);
}

void sink_faults_finish(struct sink_faults *faults)
{
    forget(&faults->by_name);
    forget(&faults->disabled);
    (void)pthread_mutex_destroy(&faults->lock);
}

static bool add(struct map *map, const char *name, const char *why)
{
    struct fault *fault = calloc(1, sizeof *fault);

    if (!fault) {
        return false;
    }
    utf8_copy(fault->name, sizeof fault->name, name);
    utf8_copy(fault->why, sizeof fault->why, why);
    if (map_put(map, fault->name, strlen(fault->name), fault) < 0) {
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
        changed = add(&faults->by_name, name, why);
    }
    (void)pthread_mutex_unlock(&faults->lock);
    if (changed && faults->changed) {
        faults->changed(faults->owner);
    }
}

void sink_faults_disabled(struct sink_faults *faults, const char *const *names,
                          const char *const *whys, size_t n)
{
    (void)pthread_mutex_lock(&faults->lock);
    forget(&faults->disabled);
    for (size_t i = 0; i < n; i++) {
        (void)add(&faults->disabled, names[i], whys[i]);
    }
    (void)pthread_mutex_unlock(&faults->lock);
}

bool sink_is_disabled(struct sink_faults *faults, const char *name,
                      char ret_why[static SINK_FAULT_SIZE])
{
    const struct fault *fault;

    (void)pthread_mutex_lock(&faults->lock);
    fault = map_get(&faults->disabled, name, strlen(name));
    utf8_copy(ret_why, SINK_FAULT_SIZE, fault ? fault->why : "");
    (void)pthread_mutex_unlock(&faults->lock);
    return fault != NULL;
}

void sink_faults_visit_disabled(struct sink_faults *faults,
                                void (*fn)(void *arg, const char *name, const char *why), void *arg)
{
    const struct fault *fault;
    size_t pos = 0;

    (void)pthread_mutex_lock(&faults->lock);
    while ((fault = map_next(&faults->disabled, &pos))) {
        fn(arg, fault->name, fault->why);
    }
    (void)pthread_mutex_unlock(&faults->lock);
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
