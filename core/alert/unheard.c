/*
 * unheard.c: what fired and has ended while it waited unheard is withdrawn.  All that a group has
 * of it at once: the queue may be long, and is gone through once for each ordering.
 */
#include <errno.h>
#include <stdlib.h>

#include "alert/private.h"

struct owed { /* the end of an episode */
    uint64_t ordering;
    struct alerts_ended ended;
};

static int by_ordering(const void *a, const void *b)
{
    const struct owed *x = a, *y = b;

    return (x->ordering > y->ordering) - (x->ordering < y->ordering);
}

/* Those of one ordering. */
static int withdraw(struct alerts *alerts, struct state_tx *tx, uint32_t sink,
                    const struct owed *owed, struct alerts_ended *ended, size_t n,
                    struct alerts_time now)
{
    int r;

    for (size_t i = 0; i < n; i++) {
        ended[i] = owed[i].ended;
    }
    r = alerts->hooks.withdraw(alerts->hooks.owner, tx, alerts->sinks[sink], owed->ordering, ended,
                               n, now);
    for (size_t i = 0; i < n && r == 0; i++) {
        struct alert *alert = ended[i].unheard ? alert_find(alerts, ended[i].episode) : NULL;

        if (alert) {
            mark_remove(alert, mark_find(alert, sink));
            alert_dirty(alerts, alert);
        }
    }
    return r;
}

int group_withdraw(struct alerts *alerts, struct state_tx *tx, struct group *group, uint32_t sink,
                   struct alerts_time now)
{
    struct owed *owed = NULL;
    struct alerts_ended *ended = NULL;
    size_t n = 0;
    int r = 0;

    for (size_t i = 0; i < group->nmembers; i++) {
        n += !group->members[i]->firing;
    }
    if (n == 0) {
        return 0;
    }
    owed = calloc(n, sizeof *owed);
    ended = calloc(n, sizeof *ended);
    n = 0;
    for (size_t i = 0; i < group->nmembers && owed && ended; i++) {
        const struct alert *alert = group->members[i];
        const struct mark *mark = alert->firing ? NULL : mark_find(alert, sink);

        if (mark && mark->fate == FATE_TOLD) {
            owed[n++] = (struct owed){mark->ordering, {.id = mark->id, .episode = alert->episode}};
        }
    }
    r = owed && ended ? 0 : -ENOMEM;
    if (n > 1) {
        qsort(owed, n, sizeof *owed, by_ordering);
    }
    for (size_t i = 0, next; i < n && r == 0; i = next) {
        for (next = i + 1; next < n && owed[next].ordering == owed[i].ordering; next++) {}
        r = withdraw(alerts, tx, sink, &owed[i], ended, next - i, now);
    }
    free(owed);
    free(ended);
    return r;
}
