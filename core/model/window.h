/*
 * window.h: a time that comes again each week: from 22:00 to 06:00, Monday to Friday, in Tokyo.
 *
 * A window begins on the days that it names and may last over midnight.  Its times are those that
 * clocks on the wall show there: where the clocks jump over its begin it begins with the jump, and
 * where they show a time twice it begins with the first and ends with the last.
 */
#ifndef MODEL_WINDOW_H
#define MODEL_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/zone.h"

#define WINDOW_DAYS_ALL 0x7f

struct window {
    uint8_t days;      /* bit 0: begins on Sundays */
    int begin, end;    /* minutes of the day; an end that is not after the begin is on the next */
    struct zone *zone; /* owned */
};

void window_finish(struct window *window);
/* "mon", "Monday", "fri-mon": more bits of days.  -EINVAL. */
int window_days(const char *text, uint8_t *days);
/* "06:30", up to 24:00.  -EINVAL. */
int window_minutes(const char *text, int *ret_minutes);

/* Whether one of the n windows holds at that Unix time.  ret_until: when to ask again, at most a
 * week and some days later. */
bool windows_hold(const struct window *windows, size_t n, int64_t unix_s, int64_t *ret_until);

#endif
