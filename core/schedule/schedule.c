/*
 * schedule.c: see schedule.h.  One heap and one timer of the loop for all entries.  An entry's next
 * run is its due time plus whole intervals, never "now plus an interval", so that lateness does not
 * add up.
 */
#include "schedule/schedule.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define SPREAD_FIRST_NS (5 * NS_PER_S) /* the first round of spread entries is over by then */
#define CLOCK_STEP_NS NS_PER_S         /* smaller ones are the daily work of NTP */

struct schedule {
    struct loop *loop;
    struct schedule_hooks hooks;
    struct heap heap;
    struct loop_timer timer;
    int64_t real_offset_ns; /* wall clock less monotonic */
    int64_t boot_offset_ns; /* boot clock less monotonic: the time spent suspended */
    bool running;           /* entries are being run: the timer is set once, at the end */
};

static int64_t real_offset(void)
{
    return clock_real_ns() - clock_mono_ns();
}

static int64_t boot_offset(void)
{
    return clock_boot_ns() - clock_mono_ns();
}

static void arm(struct schedule *schedule)
{
    const struct heap_node *top = heap_top(&schedule->heap);

    if (schedule->running) {
        return;
    }
    if (!top) {
        loop_timer_stop(schedule->loop, &schedule->timer);
    } else if (!heap_has(&schedule->timer.node) || schedule->timer.node.at != top->at) {
        (void)loop_timer_set(schedule->loop, &schedule->timer, top->at);
    }
}

static void look_at_clocks(struct schedule *schedule)
{
    int64_t real = real_offset();
    int64_t boot = boot_offset();
    int64_t suspended = boot - schedule->boot_offset_ns;
    /* In suspend the wall clock goes on while the monotonic one stands still: that is no step. */
    int64_t step = real - schedule->real_offset_ns - suspended;

    if (suspended < CLOCK_STEP_NS) {
        suspended = 0;
    }
    if (step < CLOCK_STEP_NS && step > -CLOCK_STEP_NS) {
        step = 0;
    }
    if (suspended == 0 && step == 0) {
        return;
    }
    schedule->real_offset_ns = real;
    schedule->boot_offset_ns = boot;
    if (schedule->hooks.clock) {
        schedule->hooks.clock(schedule->hooks.owner, step, suspended);
    }
}

/* Moves the entry to its next run, over those whose time has passed. */
static int64_t advance(struct schedule_entry *entry, int64_t now_ns)
{
    int64_t late = now_ns - entry->due_ns;
    int64_t skipped = late / entry->interval_ns;

    entry->missed += (uint64_t)skipped;
    entry->due_ns += (skipped + 1) * entry->interval_ns;
    return late;
}

static void fire(struct loop_timer *timer, int64_t now_ns)
{
    struct schedule *schedule = timer->owner;
    size_t most = schedule->heap.len; /* whatever entries do to each other, this ends */

    look_at_clocks(schedule);
    schedule->running = true;
    for (; most > 0; most--) {
        struct heap_node *top = heap_top(&schedule->heap);
        struct schedule_entry *entry;
        int64_t late;

        if (!top || top->at > now_ns) {
            break;
        }
        entry =
            (struct schedule_entry *)(void *)((char *)top - offsetof(struct schedule_entry, node));
        if (top->at < entry->due_ns) {
            /* schedule_soon(): a run out of turn. */
            late = 0;
        } else {
            late = advance(entry, now_ns);
        }
        (void)heap_set(&schedule->heap, &entry->node, entry->due_ns);
        entry->run(entry, late);
    }
    schedule->running = false;
    if (schedule->hooks.flush) {
        schedule->hooks.flush(schedule->hooks.owner);
    }
    arm(schedule);
}

int schedule_create(struct loop *loop, const struct schedule_hooks *hooks,
                    struct schedule **ret_schedule)
{
    struct schedule *schedule = calloc(1, sizeof *schedule);

    if (!schedule) {
        return -ENOMEM;
    }
    schedule->loop = loop;
    schedule->hooks = *hooks;
    schedule->real_offset_ns = real_offset();
    schedule->boot_offset_ns = boot_offset();
    heap_init(&schedule->heap);
    loop_timer_init(&schedule->timer, fire, schedule);
    *ret_schedule = schedule;
    return 0;
}

void schedule_destroy(struct schedule *schedule)
{
    if (!schedule) {
        return;
    }
    loop_timer_stop(schedule->loop, &schedule->timer);
    while (heap_top(&schedule->heap)) {
        heap_remove(&schedule->heap, heap_top(&schedule->heap));
    }
    heap_finish(&schedule->heap);
    free(schedule);
}

void schedule_entry_init(struct schedule_entry *entry,
                         void (*run)(struct schedule_entry *, int64_t), void *owner)
{
    *entry = (struct schedule_entry){.run = run, .owner = owner};
}

/* The same on every start, unlike the seeded hash of base/map.h: a restart does not move the load.
 */
static uint64_t name_hash(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
        hash = (hash ^ *p) * UINT64_C(1099511628211);
    }
    return hash ^ hash >> 29;
}

int schedule_add(struct schedule *schedule, struct schedule_entry *entry, const char *name,
                 int64_t interval_ms, bool spread)
{
    int64_t now = clock_mono_ns();
    int r;

    entry->interval_ns = interval_ms * NS_PER_MS;
    if (spread) {
        int64_t window =
            entry->interval_ns < SPREAD_FIRST_NS ? entry->interval_ns : SPREAD_FIRST_NS;

        entry->due_ns = now + (int64_t)(name_hash(name) % (uint64_t)window);
    } else {
        /* The first run is at once, out of turn; from the second on it joins the others. */
        entry->due_ns = now - now % entry->interval_ns + entry->interval_ns;
    }
    r = heap_set(&schedule->heap, &entry->node, spread ? entry->due_ns : now);
    if (r == 0) {
        arm(schedule);
    }
    return r;
}

int schedule_soon(struct schedule *schedule, struct schedule_entry *entry)
{
    int r;

    if (!heap_has(&entry->node)) {
        return -ENOENT;
    }
    r = heap_set(&schedule->heap, &entry->node, loop_now(schedule->loop));
    if (r == 0) {
        arm(schedule);
    }
    return r;
}

void schedule_remove(struct schedule *schedule, struct schedule_entry *entry)
{
    heap_remove(&schedule->heap, &entry->node);
    arm(schedule);
}
