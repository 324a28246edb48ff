/*
 * schedule.h: who runs when.
 *
 * Each entry has an interval and a phase: aligned ones run at multiples of their interval, so that
 * those of one interval are due together; spread ones have a phase from a hash of their name, so
 * that a hundred databases are not asked at once.  An entry is due in one place of one heap;
 * entries that wait cost nothing.  Runs that were missed (the machine slept, the agent hung) are
 * counted and not made up for.  The loop's thread.
 */
#ifndef SCHEDULE_SCHEDULE_H
#define SCHEDULE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"
#include "base/loop.h"

struct schedule;

/* A member of its owner. */
struct schedule_entry {
    struct heap_node node;
    int64_t interval_ns;
    int64_t due_ns; /* when it should run next */
    /* Runs it; `late_ns` after it was due.  Must not block.  May change and remove any entry. */
    void (*run)(struct schedule_entry *entry, int64_t late_ns);
    void *owner;
    uint64_t missed; /* runs skipped because their time had passed altogether */
};

/* A jump of the wall clock against the monotonic one, or time spent suspended; both in ns, not both
 * 0. */
struct schedule_hooks {
    /* After all entries of one moment were run: hand over what was gathered. */
    void (*flush)(void *owner);
    void (*clock)(void *owner, int64_t step_ns, int64_t suspended_ns);
    void *owner;
};

int schedule_create(struct loop *loop, const struct schedule_hooks *hooks,
                    struct schedule **ret_schedule);
void schedule_destroy(struct schedule *schedule);

void schedule_entry_init(struct schedule_entry *entry,
                         void (*run)(struct schedule_entry *, int64_t), void *owner);
/* Puts it in; the first run is at once for aligned ones, and within min(interval, 5 s) for spread
 * ones.  -ENOMEM. */
int schedule_add(struct schedule *schedule, struct schedule_entry *entry, const char *name,
                 int64_t interval_ms, bool spread);
/* Its next run is due now; the rhythm stays. */
int schedule_soon(struct schedule *schedule, struct schedule_entry *entry);
void schedule_remove(struct schedule *schedule, struct schedule_entry *entry);

#endif
