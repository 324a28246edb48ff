/*
 * windows.c: see windows.h.
 */
#include "config/windows.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "config/sections.h"

const struct tmon_option windows_options[] = {
    {"days", TMON_LIST, 0, NULL, 0, 0, NULL,
     "on which it begins, such as mon-fri (default: each day)", NULL},
    {"from", TMON_STRING, TMON_REQUIRED, NULL, 0, 0, NULL, "HH:MM, when it begins", NULL},
    {"to", TMON_STRING, TMON_REQUIRED, NULL, 0, 0, NULL,
     "HH:MM, when it ends; on the next day if that is not after the begin", NULL},
    {"time_zone", TMON_STRING, 0, "UTC", 0, 0, NULL,
     "such as Asia/Tokyo, or local: that of the machine", NULL},
    {0},
};

struct reading {
    struct config_errors *errors;
    const struct node *node; /* the mapping of one window; may be NULL */
    struct config_position at;
};

/* Where a key's value stands. */
static struct config_position at_key(const struct reading *reading, const char *key)
{
    const struct node *value = reading->node ? node_get(reading->node, key, NULL) : NULL;

    return value ? value->at : reading->at;
}

static void read_days(const struct reading *reading, const struct setting *days,
                      struct window *window)
{
    const struct node *list = reading->node ? node_get(reading->node, "days", NULL) : NULL;

    if (!days->set) {
        window->days = WINDOW_DAYS_ALL;
        return;
    }
    for (size_t i = 0; i < days->count; i++) {
        struct config_position at = list && list->kind == NODE_SEQUENCE && i < list->count
                                        ? list->items[i]->at
                                        : at_key(reading, "days");

        if (window_days(days->items[i], &window->days) < 0) {
            config_error(reading->errors, at,
                         "'days' takes days of the week and ranges of them, such as [mon-fri, "
                         "sunday]");
        }
    }
    if (days->count == 0) {
        config_error(reading->errors, at_key(reading, "days"),
                     "'days' is empty; leave it out for each day");
    }
}

static bool read_time(const struct reading *reading, const struct settings *settings,
                      const char *key, int *ret_minutes)
{
    if (window_minutes(section_text(settings, key), ret_minutes) < 0) {
        config_error(reading->errors, at_key(reading, key),
                     "'%s' must be a time of the day, such as \"22:00\"; the last one is 24:00",
                     key);
        return false;
    }
    return true;
}

static int read_window(const struct reading *reading, const struct settings *settings,
                       struct window *window)
{
    bool good = read_time(reading, settings, "from", &window->begin);
    char why[256];
    int r;

    good = read_time(reading, settings, "to", &window->end) && good;
    read_days(reading, settings_find(settings, "days"), window);
    if (good && window->begin == window->end) {
        config_error(reading->errors, at_key(reading, "to"),
                     "'to' is the same time as 'from'; a whole day is from 00:00 to 24:00");
    } else if (good && window->begin == 24 * 60) {
        config_error(reading->errors, at_key(reading, "from"),
                     "'from' is the end of the day; write 00:00 of the next one");
    }
    r = zone_load(section_text(settings, "time_zone"), &window->zone, why, sizeof why);
    if (r == -EINVAL) {
        config_error(reading->errors, at_key(reading, "time_zone"), "'time_zone': %s", why);
    }
    return r == -ENOMEM ? r : 0;
}

int windows_read(const struct node *node, const struct setting *setting,
                 struct config_errors *errors, struct config_route *route)
{
    int r = 0;

    route->maintenance_set = node != NULL;
    if (!node || setting->count == 0) {
        return 0; /* an empty list: what is inherited does not hold here */
    }
    if (setting->count > LIMIT_WINDOWS) {
        config_error(errors, node->at, "'maintenance' has more than %d windows", LIMIT_WINDOWS);
        return 0;
    }
    route->windows = calloc(setting->count, sizeof *route->windows);
    if (!route->windows) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < setting->count && r == 0; i++) {
        const struct node *item =
            node->kind == NODE_SEQUENCE && i < node->count ? node->items[i] : node;
        const struct reading reading = {errors, item->kind == NODE_MAPPING ? item : NULL, item->at};

        route->nwindows++;
        r = read_window(&reading, setting->groups[i], &route->windows[i]);
    }
    return r;
}

void windows_finish(struct config_route *route)
{
    for (size_t i = 0; i < route->nwindows; i++) {
        window_finish(&route->windows[i]);
    }
    free(route->windows);
}
