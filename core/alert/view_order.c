/*
 * view_order.c: alerts and groups in the orders in which Alertmanager lists them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alert/private.h"
#include "model/labels.h"

/* Fewer labels come first; else the first name in which they differ, or its value, decides. */
static int compare_labels(const struct tmon_pair *a, size_t na, const struct tmon_pair *b,
                          size_t nb)
{
    if (na != nb) {
        return na < nb ? -1 : 1;
    }
    for (size_t i = 0; i < na; i++) {
        int order = strcmp(a[i].key, b[i].key);

        if (order != 0) {
            return -order; /* who has not the earlier name comes first */
        }
        order = strcmp(a[i].value, b[i].value);
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

static int by_fingerprint(const void *a, const void *b)
{
    const struct alert *one = *(struct alert *const *)a, *other = *(struct alert *const *)b;

    return one->fingerprint < other->fingerprint ? -1 : one->fingerprint > other->fingerprint;
}

static int by_place(const void *a, const void *b)
{
    static const char *const first[] = {"job", "instance"};
    const struct alert *one = *(struct alert *const *)a, *other = *(struct alert *const *)b;

    for (size_t i = 0; i < 2; i++) {
        int order = strcmp(labels_get(one->labels, one->nlabels, first[i]),
                           labels_get(other->labels, other->nlabels, first[i]));

        if (order != 0) {
            return order;
        }
    }
    return compare_labels(one->labels, one->nlabels, other->labels, other->nlabels);
}

struct told_group {
    const struct group *group;
    const char *sink;
};

static int by_labels(const void *a, const void *b)
{
    const struct told_group *one = a, *other = b;
    int order = compare_labels(one->group->labels, one->group->nlabels, other->group->labels,
                               other->group->nlabels);

    if (order == 0) {
        order = strcmp(one->sink, other->sink);
    }
    return order != 0 ? order : strcmp(one->group->key, other->group->key);
}

/* Those of the list that fire; takes it. */
static int visit(struct alerts *alerts, struct alert **list, size_t n,
                 int (*order)(const void *a, const void *b),
                 bool (*fn)(void *arg, const struct alerts_view *view), void *arg,
                 struct alerts_time now)
{
    struct view_space space;
    bool more = true;

    qsort(list, n, sizeof(struct alert *), order);
    for (size_t i = 0; i < n && more; i++) {
        const struct alerts_view view = alert_view(alerts, list[i], &space, now);

        more = fn(arg, &view);
    }
    free(list);
    return 0;
}

int alerts_visit_firing(struct alerts *alerts,
                        bool (*fn)(void *arg, const struct alerts_view *view), void *arg,
                        struct alerts_time now)
{
    struct alert **list = calloc(alerts->by_episode.used + 1, sizeof(struct alert *));
    struct alert *alert;
    size_t n = 0, pos = 0;

    if (!list) {
        return -ENOMEM;
    }
    while ((alert = map_next(&alerts->by_episode, &pos))) {
        if (alert->firing) {
            list[n++] = alert;
        }
    }
    return visit(alerts, list, n, by_fingerprint, fn, arg, now);
}

int alerts_visit_members(struct alerts *alerts, const struct alerts_group_view *view,
                         bool (*fn)(void *arg, const struct alerts_view *view), void *arg,
                         struct alerts_time now)
{
    const struct group *group = view->group;
    struct alert **list = calloc(group->nmembers + 1, sizeof(struct alert *));
    size_t n = 0;

    if (!list) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < group->nmembers; i++) {
        if (group->members[i]->firing) {
            list[n++] = group->members[i];
        }
    }
    return visit(alerts, list, n, by_place, fn, arg, now);
}

/* Whom it is told to, as far as there is room; how many. */
static size_t told_groups(const struct alerts *alerts, const struct group *group,
                          struct told_group *ret_told)
{
    size_t n = group->nmembers > 0 && group->route ? group->route->nto : 0;

    for (size_t i = 0; i < n && ret_told; i++) {
        ret_told[i] = (struct told_group){group, alerts->routing->sinks[group->route->to[i]].name};
    }
    return n;
}

int alerts_visit_groups(struct alerts *alerts,
                        bool (*fn)(void *arg, const struct alerts_group_view *view), void *arg,
                        struct alerts_time now)
{
    struct told_group *told;
    struct group *group;
    size_t n = 0, pos = 0;
    bool more = true;

    while ((group = map_next(&alerts->groups, &pos))) {
        n += told_groups(alerts, group, NULL);
    }
    told = calloc(n + 1, sizeof *told);
    if (!told) {
        return -ENOMEM;
    }
    n = pos = 0;
    while ((group = map_next(&alerts->groups, &pos))) {
        n += told_groups(alerts, group, &told[n]);
    }
    qsort(told, n, sizeof *told, by_labels);
    for (size_t i = 0; i < n && more; i++) {
        more = fn(arg, &(struct alerts_group_view){
                           .labels = told[i].group->labels,
                           .nlabels = told[i].group->nlabels,
                           .sink = told[i].sink,
                           .nmembers = told[i].group->nmembers,
                           .group = told[i].group,
                       });
    }
    free(told);
    return 0;
}
