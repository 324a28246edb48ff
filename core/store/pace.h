/*
 * pace.h: when the next of things that come regularly is to be expected; private to core/store.
 *
 * One that is late does not make the next one late; two in a row that are late move the schedule,
 * and the interval, which may have been measured wrong, by half of it.  One that is left out keeps
 * the interval, two in a row that are elsewhere set it.  Writer and reader of a run of times
 * compute the same.
 */
#ifndef STORE_PACE_H
#define STORE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
    int64_t time_ms; /* when the last came */
    int64_t due_ms;  /* when it was due */
    int64_t interval_ms;
    int8_t off;  /* the last was late (1) or early (-1) */
    bool jumped; /* by half an interval or more */
};

static inline void pace_start(struct pace *pace, int64_t time_ms)
{
    *pace = (struct pace){.time_ms = time_ms, .due_ms = time_ms};
}

/* All sums are of unsigned numbers: times may be any. */
static inline int64_t pace_next(const struct pace *pace)
{
    return (int64_t)((uint64_t)pace->due_ms + (uint64_t)pace->interval_ms);
}

static inline void pace_off(struct pace *pace, int64_t time_ms, int64_t off_ms)
{
    int64_t half_ms = pace->interval_ms / 2;
    int8_t off = off_ms < 0 ? -1 : 1;

    if (off_ms >= half_ms || off_ms <= -half_ms) {
        if (pace->jumped || pace->interval_ms == 0) {
            pace->interval_ms = (int64_t)((uint64_t)time_ms - (uint64_t)pace->time_ms);
        }
        pace->jumped = true;
        pace->off = 0;
        pace->due_ms = time_ms;
    } else if (pace->off == off) {
        pace->jumped = false;
        pace->off = 0;
        pace->due_ms = time_ms;
        pace->interval_ms = (int64_t)((uint64_t)pace->interval_ms + (uint64_t)(off_ms / 2));
    } else {
        pace->jumped = false;
        pace->off = off;
        pace->due_ms = pace_next(pace);
    }
    pace->time_ms = time_ms;
}

/* One came, so much after it was due. */
static inline void pace_step(struct pace *pace, int64_t off_ms)
{
    int64_t next_ms = pace_next(pace);

    if (off_ms != 0) {
        pace_off(pace, (int64_t)((uint64_t)next_ms + (uint64_t)off_ms), off_ms);
        return;
    }
    pace->time_ms = next_ms;
    pace->due_ms = next_ms;
    pace->off = 0;
    pace->jumped = false;
}

#endif
