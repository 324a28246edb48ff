/*
 * maintenance.c: see maintenance.h; and the end of windows, at which what still fires is told.
 */
#include "alert/maintenance.h"

#include <stdlib.h>

#include "alert/hold.h"
#include "alert/private.h"

/* The clock of the wall may be set: then it is noticed after so long at the latest. */
#define LOOK_MS 60000
#define CHAINED 32 /* begins and ends of windows within others that are looked over */

struct maintenance *maintenance_create(size_t n)
{
    struct maintenance *maintenance = calloc(1, sizeof *maintenance);

    if (maintenance && !(maintenance->windows = calloc(n ? n : 1, sizeof(struct window)))) {
        free(maintenance);
        return NULL;
    }
    return maintenance;
}

void maintenance_destroy(struct maintenance *maintenance)
{
    if (!maintenance) {
        return;
    }
    for (size_t i = 0; i < maintenance->n; i++) {
        window_finish(&maintenance->windows[i]);
    }
    free(maintenance->windows);
    free(maintenance);
}

bool maintenance_holds(struct maintenance *maintenance, int64_t real_ms)
{
    if (real_ms < maintenance->since_ms || real_ms >= maintenance->until_ms) {
        int64_t until_s;

        maintenance->active =
            windows_hold(maintenance->windows, maintenance->n, real_ms / 1000, &until_s);
        maintenance->since_ms = real_ms;
        maintenance->until_ms = until_s * 1000;
    }
    return maintenance->active;
}

int64_t maintenance_end(const struct maintenance *maintenance, int64_t real_ms)
{
    int64_t at_s = real_ms / 1000, until_s = at_s;

    for (int i = 0; i < CHAINED; i++) {
        if (!windows_hold(maintenance->windows, maintenance->n, at_s, &until_s)) {
            break;
        }
        at_s = until_s;
    }
    return at_s * 1000;
}

bool route_in_maintenance(const struct route *route, struct alerts_time now)
{
    return route->maintenance && maintenance_holds(route->maintenance, now.real_ms);
}

/* The first moment at which a window of the tree begins or ends; INT64_MAX: there are none. */
static int64_t next_of(const struct route *route, int64_t real_ms)
{
    int64_t next = INT64_MAX;

    if (route->maintenance) {
        (void)maintenance_holds(route->maintenance, real_ms);
        next = route->maintenance->until_ms;
    }
    for (size_t i = 0; i < route->nroutes; i++) {
        int64_t inner = next_of(&route->routes[i], real_ms);

        next = inner < next ? inner : next;
    }
    return next;
}

/* Whoever is in such a group and fires may be told of now. */
static void release(struct alerts *alerts, const struct group *group, struct alerts_time now)
{
    for (size_t i = 0; i < group->nmembers; i++) {
        alert_released(alerts, group->members[i], now);
    }
}

void maintenance_run(struct alerts *alerts, struct alerts_time now)
{
    struct group *group;
    int64_t next;
    size_t pos = 0;

    if (now.mono_ms < alerts->maintenance_at) {
        return;
    }
    next = alerts->routing ? next_of(&alerts->routing->root, now.real_ms) : INT64_MAX;
    while (next < INT64_MAX && (group = map_next(&alerts->groups, &pos))) {
        bool held = group->nmembers > 0 && route_in_maintenance(group->route, now);

        if (group->held && !held) {
            release(alerts, group, now);
        }
        alerts->uncounted = alerts->uncounted || held != group->held;
        group->held = held;
    }
    next = next < INT64_MAX ? next - now.real_ms : INT64_MAX;
    alerts->maintenance_at =
        next == INT64_MAX ? next : now.mono_ms + (next < LOOK_MS ? next : LOOK_MS);
}
