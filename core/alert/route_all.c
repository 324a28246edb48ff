/*
 * route_all.c: a routing comes into force: every alert goes into the groups that it leads to now.
 *
 * Groups are known by their keys, so one that is there before and after keeps its times; marks are
 * of episodes, so nobody hears anew of what he was told by another route.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alert/private.h"

static void leave_all(struct alerts *alerts)
{
    struct alert *alert;
    struct group *group;
    size_t pos = 0;

    while ((alert = map_next(&alerts->by_episode, &pos))) {
        alert->ngroups = 0;
    }
    pos = 0;
    while ((group = map_next(&alerts->groups, &pos))) {
        group->nmembers = 0;
        group->route = NULL;
        group->pending = false;
        group->held = false;
        group->released_mono = 0;
        heap_remove(&alerts->due, &group->due);
    }
}

/* When the group's sinks were told last.  Times of sinks that the route does not lead to any more
 * would make repeats that nobody gets; a sink that is new to the group may know its alerts already,
 * by another. */
static int settle_told(struct alerts *alerts, struct group *group)
{
    struct told *told = calloc(group->route->nto, sizeof *told);
    size_t n = 0;
    bool same;

    if (!told) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < group->route->nto; i++) {
        uint32_t sink = alerts->routed[group->route->to[i]];
        const struct told *old = told_find(group, sink);
        struct told newest = old ? *old : (struct told){.sink = sink, .at = {0, INT64_MIN}};

        newest.idle = false; /* what is held may be another now */
        for (size_t j = 0; !old && j < group->nmembers; j++) {
            const struct alert *alert = group->members[j];
            const struct mark *mark = mark_find(alert, sink);

            if (alert->firing && mark && mark->told.mono_ms > newest.at.mono_ms) {
                newest.at = mark->told;
            }
        }
        if (newest.at.mono_ms > INT64_MIN) {
            told[n++] = newest;
        }
    }
    same = n == group->ntold;
    for (size_t i = 0; same && i < n; i++) {
        same = told_find(group, told[i].sink) != NULL;
    }
    free(group->told);
    group->told = told;
    group->ntold = n;
    if (!same) {
        group_dirty(alerts, group);
    }
    return 0;
}

/* Groups that nobody is in are dropped; of the others it is found out what they owe. */
static int settle_groups(struct alerts *alerts, struct state_tx *tx, struct alerts_time now)
{
    size_t n = alerts->groups.used, i = 0, pos = 0;
    struct group **groups = calloc(n ? n : 1, sizeof(struct group *));
    struct group *group;
    int r = 0;

    if (!groups) {
        return -ENOMEM;
    }
    while ((group = map_next(&alerts->groups, &pos))) {
        groups[i++] = group;
    }
    for (i = 0; i < n && r == 0; i++) {
        group = groups[i];
        if (group->nmembers == 0 && !tx) {
            r = heap_set(&alerts->due, &group->due, now.mono_ms); /* as soon as one can write */
            continue;
        }
        if (group->nmembers == 0) {
            group_drop(alerts, tx, group);
            continue;
        }
        r = settle_told(alerts, group);
        group->pending = group_needs_telling(alerts, group, now);
        group_schedule(alerts, group, now);
    }
    free(groups);
    return r;
}

int route_all(struct alerts *alerts, struct state_tx *tx, struct alerts_time now)
{
    struct alert *alert;
    size_t pos = 0;
    int r = 0;

    leave_all(alerts);
    alerts->maintenance_at = now.mono_ms;
    alerts->uncounted = true;
    inhibit_leave_all(alerts);
    r = inhibit_enter_all(alerts);
    r = r < 0 ? r : flaps_route(alerts, now);
    while (r == 0 && (alert = map_next(&alerts->by_episode, &pos))) {
        r = groups_join(alerts, alert, now);
    }
    if (r == 0) {
        r = settle_groups(alerts, tx, now);
    }
    if (r < 0 && tx && tx->error == 0) {
        tx->error = r;
    }
    return r;
}

int alerts_route(struct alerts *alerts, struct state_tx *tx, struct routing *routing,
                 struct alerts_time now)
{
    uint32_t *routed = calloc(routing->nsinks, sizeof *routed);
    struct routing *before = alerts->routing;
    int r = routed ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < routing->nsinks; i++) {
        long sink = sink_index(alerts, routing->sinks[i].name);

        if (sink < 0) {
            r = (int)sink;
        } else {
            routed[i] = (uint32_t)sink;
        }
    }
    if (r < 0) {
        free(routed);
        routing_destroy(routing);
        tx->error = tx->error ? tx->error : r;
        return r;
    }
    leave_all(alerts); /* nobody points into the old one any more */
    inhibit_leave_all(alerts);
    free(alerts->routed);
    alerts->routing = routing;
    alerts->routed = routed;
    routing_destroy(before);
    return route_all(alerts, tx, now);
}
