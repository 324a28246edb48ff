/*
 * marks.c: which sinks were told of an episode; and the names of sinks, which are numbers here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alert/private.h"

long sink_index(struct alerts *alerts, const char *name)
{
    char **sinks;

    for (size_t i = 0; i < alerts->nsinks; i++) {
        if (strcmp(alerts->sinks[i], name) == 0) {
            return (long)i;
        }
    }
    if (alerts->nsinks == LIMIT_OUTBOX_SINKS) {
        return -ENOBUFS;
    }
    sinks = realloc(alerts->sinks, (alerts->nsinks + 1) * sizeof *sinks);
    if (!sinks) {
        return -ENOMEM;
    }
    alerts->sinks = sinks;
    sinks[alerts->nsinks] = strdup(name);
    if (!sinks[alerts->nsinks]) {
        return -ENOMEM;
    }
    return (long)alerts->nsinks++;
}

struct mark *mark_find(const struct alert *alert, uint32_t sink)
{
    for (size_t i = 0; i < alert->nmarks; i++) {
        if (alert->marks[i].sink == sink) {
            return &alert->marks[i];
        }
    }
    return NULL;
}

int mark_add(struct alert *alert, const struct mark *mark)
{
    struct mark *marks = realloc(alert->marks, (alert->nmarks + 1) * sizeof *marks);

    if (!marks) {
        return -ENOMEM;
    }
    alert->marks = marks;
    marks[alert->nmarks++] = *mark;
    return 0;
}

void mark_remove(struct alert *alert, struct mark *mark)
{
    *mark = alert->marks[--alert->nmarks];
}

void alerts_rejected(struct alerts *alerts, const char *sink, int64_t id, int64_t episode)
{
    struct alert *alert = alert_find(alerts, episode);
    long index = sink_index(alerts, sink);
    struct mark *mark = alert && index >= 0 ? mark_find(alert, (uint32_t)index) : NULL;

    if (mark && mark->id == id && mark->fate == FATE_TOLD) {
        mark->fate = FATE_REJECTED;
        mark->ack_told = false;
        alert_dirty(alerts, alert);
    }
}

bool alerts_can_move(struct alerts *alerts, const char *from, const char *to, int64_t id,
                     int64_t episode)
{
    const struct alert *alert = alert_find(alerts, episode);
    long old = sink_index(alerts, from), new = sink_index(alerts, to);
    const struct mark *mark = alert && old >= 0 ? mark_find(alert, (uint32_t)old) : NULL;

    if (!mark || new < 0 || mark->id != id || mark->fate != FATE_TOLD) {
        return false;
    }
    mark = mark_find(alert, (uint32_t) new);
    return !mark || mark->fate == FATE_MOVED;
}

int alerts_moved(struct alerts *alerts, struct state_tx *tx, const struct alerts_move *move,
                 int64_t episode, int64_t id, struct alerts_time now)
{
    struct alert *alert = alert_find(alerts, episode);
    long old = sink_index(alerts, move->from), new = sink_index(alerts, move->to);
    struct mark *mark = alert && old >= 0 ? mark_find(alert, (uint32_t)old) : NULL, moved;

    if (!mark || new < 0) {
        return 0;
    }
    moved = *mark;
    moved.sink = (uint32_t) new;
    moved.id = moved.last = id;
    moved.ordering = move->ordering;
    moved.ack_told = false;
    if (!move->heard) {
        mark->fate = FATE_MOVED;
    }
    alert_dirty(alerts, alert);
    mark = mark_find(alert, (uint32_t) new);
    if (mark) {
        *mark = moved; /* it went from there to here before */
    } else if (mark_add(alert, &moved) < 0) {
        return -ENOMEM;
    }
    return ack_tell(alerts, tx, alert, mark_find(alert, (uint32_t) new), now);
}

bool alerts_revived(struct alerts *alerts, struct state_tx *tx, const char *sink, int64_t id,
                    int64_t episode, struct alerts_time now)
{
    struct alert *alert = alert_find(alerts, episode);
    long index = sink_index(alerts, sink);
    struct mark *mark = alert && index >= 0 ? mark_find(alert, (uint32_t)index) : NULL;

    if (mark && mark->fate == FATE_REJECTED && mark->id == id) {
        int r;

        mark->fate = FATE_TOLD;
        alert_dirty(alerts, alert);
        r = ack_tell(alerts, tx, alert, mark, now);
        tx->error = r < 0 && tx->error == 0 ? r : tx->error;
    }
    return mark && mark->fate == FATE_TOLD;
}
