/*
 * groups.c: groups of alerts: who is in them, and when they are due.
 *
 * A group is due when somebody has to be told of something: group_wait after it was made, then
 * group_interval after its last flush; and when a repeat is due.  Nothing else wakes us for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alert/hold.h"
#include "alert/private.h"
#include "model/labels.h"

#define GROUP_MEMBERS_FIRST 3 /* as many as the smallest block of malloc's has room for */

/* The same for the same key in every run: rows carry it. */
static uint64_t ordering_of(const char *key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (const unsigned char *p = (const unsigned char *)key; *p; p++) {
        hash = (hash ^ *p) * UINT64_C(0x100000001b3);
    }
    return hash >> 1; /* SQLite's integers have a sign */
}

void group_dirty(struct alerts *alerts, struct group *group)
{
    if (!group->dirty) {
        group->dirty = true;
        group->next_dirty = alerts->dirty_groups;
        alerts->dirty_groups = group;
    }
}

struct told *told_find(const struct group *group, uint32_t sink)
{
    for (size_t i = 0; i < group->ntold; i++) {
        if (group->told[i].sink == sink) {
            return &group->told[i];
        }
    }
    return NULL;
}

void group_free(struct group *group)
{
    if (group) {
        free(group->key);
        free(group->labels);
        free(group->told);
        free(group->members);
        free(group);
    }
}

struct group *group_get(struct alerts *alerts, const char *key, struct alerts_time now)
{
    struct group *group = map_get(&alerts->groups, key, strlen(key));

    if (group) {
        return group;
    }
    group = calloc(1, sizeof *group);
    if (!group || !(group->key = strdup(key)) ||
        map_put(&alerts->groups, group->key, strlen(group->key), group) < 0) {
        group_free(group);
        return NULL;
    }
    group->ordering = ordering_of(key);
    group->created_ms = now.real_ms;
    group->created_mono = now.mono_ms;
    alerts->counts.groups++;
    group_dirty(alerts, group);
    return group;
}

void group_drop(struct alerts *alerts, struct state_tx *tx, struct group *group)
{
    (void)map_remove(&alerts->groups, group->key, strlen(group->key));
    heap_remove(&alerts->due, &group->due);
    alerts->counts.groups--;
    if (group->row != 0) {
        row_delete_group(tx, group->row);
    }
    group->gone = true;
    if (!group->dirty) {
        group_free(group);
    }
}

/* ---- members ---- */

static bool is_member(const struct alert *alert, const struct group *group)
{
    for (size_t i = 0; i < alert->ngroups; i++) {
        if (alert->groups[i].group == group) {
            return true;
        }
    }
    return false;
}

static int add_member(struct group *group, struct alert *alert)
{
    struct member *groups = realloc(alert->groups, (alert->ngroups + 1) * sizeof *groups);

    if (!groups) {
        return -ENOMEM;
    }
    alert->groups = groups;
    if (group->nmembers == group->members_size) {
        uint32_t size = group->members_size ? 2 * group->members_size : GROUP_MEMBERS_FIRST;
        struct alert **members = realloc(group->members, size * sizeof(struct alert *));

        if (!members) {
            return -ENOMEM;
        }
        group->members = members;
        group->members_size = size;
    }
    groups[alert->ngroups++] = (struct member){group, group->nmembers};
    group->members[group->nmembers++] = alert;
    return 0;
}

static struct member *membership(struct alert *alert, const struct group *group)
{
    struct member *member = alert->groups;

    while (member->group != group) {
        member++;
    }
    return member;
}

static void remove_member(struct alert *alert, struct member *member)
{
    struct group *group = member->group;
    struct alert *last = group->members[--group->nmembers];

    if (last != alert) {
        group->members[member->index] = last;
        membership(last, group)->index = member->index;
    }
    *member = alert->groups[--alert->ngroups];
}

void group_remove(struct group *group, struct alert *alert)
{
    remove_member(alert, membership(alert, group));
}

void groups_leave(struct alerts *alerts, struct alert *alert)
{
    while (alert->ngroups > 0) {
        remove_member(alert, &alert->groups[alert->ngroups - 1]);
    }
}

/* ---- which groups ---- */

struct join {
    struct alerts *alerts;
    struct alert *alert;
    struct alerts_time now;
    int r;
};

/* The labels of the alert that the route groups by; both are sorted. */
static size_t group_labels(const struct route *route, const struct alert *alert,
                           struct tmon_pair *pairs)
{
    size_t n = 0;

    for (size_t i = 0; i < alert->nlabels; i++) {
        bool wanted = route->group_by_all;

        for (size_t j = 0; j < route->ngroup_by && !wanted; j++) {
            wanted = strcmp(route->group_by[j], alert->labels[i].key) == 0;
        }
        if (wanted) {
            pairs[n++] = alert->labels[i];
        }
    }
    return n;
}

static void join_route(void *arg, const struct route *route)
{
    struct join *join = arg;
    struct alerts *alerts = join->alerts;
    struct tmon_pair pairs[LIMIT_PAIRS];
    size_t n = group_labels(route, join->alert, pairs);
    struct buf *key = &alerts->scratch;
    struct group *group;

    if (join->r < 0) {
        return;
    }
    buf_clear(key);
    buf_puts(key, route->key);
    buf_putc(key, ':');
    labels_show(pairs, n, key);
    group = key->failed ? NULL : group_get(alerts, buf_str(key), join->now);
    if (!group) {
        join->r = -ENOMEM;
        return;
    }
    group->route = route;
    group->held = group->held || route_in_maintenance(route, join->now);
    if (!group->labels) {
        join->r = labels_copy(pairs, n, &group->labels);
        group->nlabels = (uint32_t)n;
    }
    if (join->r == 0 && !is_member(join->alert, group)) {
        join->r = add_member(group, join->alert);
        group->pending = true;
        group_schedule(alerts, group, join->now);
    }
}

int groups_join(struct alerts *alerts, struct alert *alert, struct alerts_time now)
{
    struct join join = {alerts, alert, now, 0};

    if (alerts->routing) {
        routing_match(alerts->routing, alert->labels, alert->nlabels, join_route, &join);
    }
    return join.r;
}

void groups_touch(struct alerts *alerts, const struct alert *alert, struct alerts_time now)
{
    for (size_t i = 0; i < alert->ngroups; i++) {
        alert->groups[i].group->pending = true;
        group_schedule(alerts, alert->groups[i].group, now);
    }
}

void groups_release(struct alerts *alerts, const struct alert *alert, struct alerts_time now)
{
    for (size_t i = 0; i < alert->ngroups; i++) {
        struct group *group = alert->groups[i].group;

        for (size_t j = 0; j < group->ntold; j++) {
            struct told *told = &group->told[j];
            const struct mark *mark = mark_find(alert, told->sink);

            told->idle = false;
            if (mark && mark->told.mono_ms < told->at.mono_ms) {
                told->at = mark->told; /* its own repeat was left out */
                group_dirty(alerts, group);
            }
        }
        if (!group->pending) {
            group->pending = true;
            group->released_mono = now.mono_ms;
        }
        group_schedule(alerts, group, now);
    }
}

/* ---- when ---- */

bool group_needs_telling(struct alerts *alerts, const struct group *group, struct alerts_time now)
{
    for (size_t i = 0; i < group->nmembers; i++) {
        struct alert *alert = group->members[i];

        if (!alert->firing) {
            return true;
        }
        if (alert_hold(alerts, alert, group->route, now) != HOLD_NONE) {
            continue;
        }
        for (size_t j = 0; j < group->route->nto; j++) {
            if (!mark_find(alert, alerts->routed[group->route->to[j]])) {
                return true;
            }
        }
    }
    return false;
}

int64_t group_repeat_at(const struct group *group, struct alerts_time told)
{
    int64_t ms = group->route->repeat_interval_ms;

    return told.mono_ms + (ms > REPEAT_LEAST_MS ? ms : REPEAT_LEAST_MS);
}

/* The first repeat of what fires: of the whole group where a sink takes groups. */
static int64_t next_repeat(const struct group *group)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < group->ntold && group->nmembers > 0; i++) {
        int64_t at = group_repeat_at(group, group->told[i].at);

        next = at < next && !group->told[i].idle ? at : next;
    }
    return next;
}

void group_schedule(struct alerts *alerts, struct group *group, struct alerts_time now)
{
    int64_t at = next_repeat(group);

    if (group->pending) {
        int64_t told = group->flushed_ms == 0
                           ? group->created_mono + group->route->group_wait_ms
                           : group->flushed_mono + group->route->group_interval_ms;
        int64_t released = group->released_mono + group->route->group_wait_ms;

        if (group->released_mono != 0 && told < released) {
            told = released;
        }
        at = told < at ? told : at;
    }
    if (at == INT64_MAX) {
        heap_remove(&alerts->due, &group->due);
    } else {
        (void)heap_set(&alerts->due, &group->due, at);
    }
}
