/*
 * window.c: see window.h.
 */
#include "model/window.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#define DAY_S 86400

void window_finish(struct window *window)
{
    zone_destroy(window->zone);
    window->zone = NULL;
}

/* ---- as they are written ---- */

/* 0 is Sunday; -1. */
static int read_day(const char *text, size_t len)
{
    static const char *const names[] = {"sunday",   "monday", "tuesday", "wednesday",
                                        "thursday", "friday", "saturday"};

    for (int i = 0; i < 7; i++) {
        if ((len == 3 || len == strlen(names[i])) && strncasecmp(names[i], text, len) == 0) {
            return i;
        }
    }
    return -1;
}

int window_days(const char *text, uint8_t *days)
{
    const char *dash = strchr(text, '-');
    int first = read_day(text, dash ? (size_t)(dash - text) : strlen(text));
    int last = dash ? read_day(dash + 1, strlen(dash + 1)) : first;

    if (first < 0 || last < 0) {
        return -EINVAL;
    }
    for (int day = first;; day = (day + 1) % 7) {
        *days |= (uint8_t)(1u << day);
        if (day == last) {
            return 0;
        }
    }
}

int window_minutes(const char *text, int *ret_minutes)
{
    size_t hours = strspn(text, "0123456789");
    int minutes;

    if (hours < 1 || hours > 2 || text[hours] != ':' || !isdigit((unsigned char)text[hours + 1]) ||
        !isdigit((unsigned char)text[hours + 2]) || text[hours + 3] != '\0' ||
        text[hours + 1] > '5') {
        return -EINVAL;
    }
    minutes = text[0] - '0';
    minutes = hours == 2 ? minutes * 10 + (text[1] - '0') : minutes;
    minutes = minutes * 60 + (text[hours + 1] - '0') * 10 + (text[hours + 2] - '0');
    if (minutes > 24 * 60) {
        return -EINVAL;
    }
    *ret_minutes = minutes;
    return 0;
}

/* ---- what time it is ---- */

static int64_t day_of(int64_t wall_s)
{
    return wall_s / DAY_S - (wall_s % DAY_S < 0);
}

static bool begins_on(const struct window *window, int64_t day)
{
    return window->days >> (((day + 4) % 7 + 7) % 7) & 1; /* the epoch was a Thursday */
}

static bool holds(const struct window *window, int64_t unix_s, int64_t *until)
{
    int64_t today = day_of(unix_s + zone_offset(window->zone, unix_s));
    bool is_on = false;

    /* Two days ago: clocks may jump a whole day (Samoa, 2011).  Eight days from now, each day of
     * the week has come. */
    for (int64_t day = today - 2; day <= today + 8; day++) {
        int64_t from, to;

        if (!begins_on(window, day)) {
            continue;
        }
        from = zone_when(window->zone, day * DAY_S + window->begin * 60, false);
        to = zone_when(window->zone,
                       (day + (window->end <= window->begin)) * DAY_S + window->end * 60, true);
        if (from <= unix_s && unix_s < to) {
            is_on = true;
            *until = to < *until ? to : *until;
        } else if (from > unix_s && from < *until) {
            *until = from;
        }
    }
    return is_on;
}

bool windows_hold(const struct window *windows, size_t n, int64_t unix_s, int64_t *ret_until)
{
    bool is_on = false;

    *ret_until = unix_s + 10 * DAY_S;
    for (size_t i = 0; i < n; i++) {
        is_on = holds(&windows[i], unix_s, ret_until) || is_on;
    }
    return is_on;
}
