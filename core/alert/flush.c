/*
 * flush.c: what a group has to say to each of its sinks, said.
 *
 * To a sink that takes groups goes one notification with all that is new, firing and resolved, and
 * beside it what fires still, as far as there is room; where there is more news than room, several.
 * To a sink that takes one alert a notification goes one for each.  Marks decide: nobody hears
 * twice of one firing except by a repeat, and nobody hears of the end of what he was never told of.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alert/hold.h"
#include "alert/private.h"

struct flush {
    struct alerts *alerts;
    struct state_tx *tx;
    struct group *group;
    struct alerts_time now;
    uint32_t sink;
    const char *name;
    bool one_alert;
    struct alerts_item items[LIMIT_ALERTS];
    size_t nitems;
    size_t nshown; /* of the group, those that fire and were told of in its ordering */
};

static int say(struct alerts *alerts, struct state_tx *tx, const struct alerts_notice *notice,
               struct alerts_time now, int64_t *ret_id, uint64_t *ret_ordering)
{
    return alerts->hooks.notify(alerts->hooks.owner, tx, notice, now, ret_id, ret_ordering);
}

int flush_resolve(struct alerts *alerts, struct state_tx *tx, struct alert *alert,
                  const struct mark *mark, const char *group_key, const struct tmon_pair *group,
                  size_t ngroup, struct alerts_time now)
{
    const struct alerts_item item = {.alert = alert, .news = true};
    const struct alerts_notice notice = {
        .sink = alerts->sinks[mark->sink],
        .one_alert = true,
        .ordering = mark->ordering,
        .group_key = group_key,
        .group = group,
        .ngroup = ngroup,
        .items = &item,
        .nitems = 1,
    };
    struct alerts_ended ended = {.id = mark->id, .episode = alert->episode};
    uint64_t ordering;
    int64_t id;
    int r = alerts->hooks.withdraw(alerts->hooks.owner, tx, notice.sink, mark->ordering, &ended, 1,
                                   now);

    if (r < 0 || ended.unheard) {
        return r;
    }
    alert->partly_told = true;
    alert_dirty(alerts, alert);
    return say(alerts, tx, &notice, now, &id, &ordering);
}

/* ---- one sink ---- */

static bool is_held(const struct flush *flush, struct alert *alert)
{
    return alert->firing &&
           alert_hold(flush->alerts, alert, flush->group->route, flush->now) != HOLD_NONE;
}

static struct told *told_of(struct flush *flush, bool add)
{
    struct group *group = flush->group;
    struct told *told = told_find(group, flush->sink);

    if (told || !add) {
        return told;
    }
    told = realloc(group->told, (group->ntold + 1) * sizeof *told);
    if (!told) {
        return NULL;
    }
    group->told = told;
    told[group->ntold] = (struct told){.sink = flush->sink};
    return &told[group->ntold++];
}

/* The ordering that an alert's news must follow for this sink. */
static uint64_t ordering_for(const struct flush *flush, const struct alert *alert)
{
    const struct mark *mark = mark_find(alert, flush->sink);

    /* An episode's notifications are in an order of their own for sinks that take one alert each.
     */
    return mark               ? mark->ordering
           : flush->one_alert ? (uint64_t)alert->episode
                              : flush->group->ordering;
}

/* What was told, noted: a firing gets its mark, a resolve ends it. */
static int note_item(struct flush *flush, const struct alerts_item *item, int64_t id,
                     uint64_t ordering)
{
    struct alert *alert = (struct alert *)item->alert;
    struct mark *mark = mark_find(alert, flush->sink);
    int r = 0;

    if (!item->news) {
        return 0;
    }
    alert_dirty(flush->alerts, alert);
    if (!item->firing) {
        alert->partly_told = true;
        mark_remove(alert, mark);
    } else if (mark) {
        mark->told = flush->now;
        mark->ordering = ordering; /* a repeat may be in a digest */
        mark->last = id;
        if (!item->repeat) {
            mark->fate = FATE_TOLD; /* another sink had taken it over */
            mark->id = id;
            mark->ack_told = false;
        }
    } else {
        const struct mark made = {.sink = flush->sink,
                                  .fate = FATE_TOLD,
                                  .id = id,
                                  .last = id,
                                  .ordering = ordering,
                                  .told = flush->now};

        r = mark_add(alert, &made);
    }
    if (r == 0 && item->firing) {
        r = ack_tell(flush->alerts, flush->tx, alert, mark_find(alert, flush->sink), flush->now);
    }
    return r;
}

/* Sends what has been gathered in flush->items: all news, all of one ordering. */
static int send(struct flush *flush, uint64_t ordering, size_t ntruncated)
{
    const struct alerts_notice notice = {
        .sink = flush->name,
        .one_alert = flush->one_alert,
        .ordering = ordering,
        .group_key = flush->group->key,
        .group = flush->group->labels,
        .ngroup = flush->group->nlabels,
        .items = flush->items,
        .nitems = flush->nitems,
        .ntruncated = ntruncated,
    };
    struct told *told = told_of(flush, true);
    uint64_t taken = ordering;
    int64_t id = 0;
    int r = told ? say(flush->alerts, flush->tx, &notice, flush->now, &id, &taken) : -ENOMEM;

    for (size_t i = 0; r == 0 && i < flush->nitems; i++) {
        r = note_item(flush, &flush->items[i], id, taken);
    }
    if (r == 0) {
        told->at = flush->now;
        told->idle = false;
        group_dirty(flush->alerts, flush->group);
    }
    flush->nitems = 0;
    return r;
}

/* Whether the sink is to be reminded of what fires.  1, 0, -errno. */
static int is_due_again(struct flush *flush, struct alert *alert, struct mark *mark)
{
    struct alerts *alerts = flush->alerts;
    int r;

    if (group_repeat_at(flush->group, mark->told) > flush->now.mono_ms + REPEAT_SLACK_MS) {
        return 0;
    }
    if (alert_is_seen(alert, mark)) {
        mark->told = flush->now; /* looked at again when the next one would be due */
        alert_dirty(alerts, alert);
        return 0;
    }
    r = alerts->hooks.waits(alerts->hooks.owner, flush->tx, flush->name, mark->last);
    if (r != 1 || mark->fate != FATE_TOLD) {
        return r < 0 ? r : 1;
    }
    mark->told = flush->now; /* what waits will remind it */
    alert_dirty(alerts, alert);
    return 0;
}

/* Whether the alert's state is news for the sink.  1, 0, -errno. */
static int is_news(struct flush *flush, struct alert *alert, bool repeat)
{
    struct mark *mark = mark_find(alert, flush->sink);

    if (is_held(flush, alert)) {
        return 0;
    }
    if (alert->firing) {
        return !mark ? 1 : repeat ? is_due_again(flush, alert, mark) : 0;
    }
    return mark && mark->fate == FATE_TOLD;
}

/* ---- a notification ---- */

static bool is_shown(const struct flush *flush, struct alert *alert)
{
    const struct mark *mark = alert->firing ? mark_find(alert, flush->sink) : NULL;

    /* What goes another way, or to another sink, is not shown here: its end would not be. */
    return mark && mark->fate == FATE_TOLD && mark->ordering == flush->group->ordering &&
           !is_held(flush, alert);
}

/* Beside the news, what fires still and was told before.  How many found no room. */
static size_t fill(struct flush *flush)
{
    struct group *group = flush->group;
    size_t left_out = 0;

    for (size_t i = 0; i < group->nmembers; i++) {
        struct alert *alert = group->members[i];

        if (alert->stamp == flush->alerts->stamp || !is_shown(flush, alert)) {
            continue; /* it is news */
        }
        if (flush->nitems == LIMIT_ALERTS) {
            left_out++;
        } else {
            flush->items[flush->nitems++] = (struct alerts_item){.alert = alert, .firing = true};
        }
    }
    return left_out;
}

static int send_group(struct flush *flush)
{
    int r = flush->nitems == 0 ? 0 : send(flush, flush->group->ordering, fill(flush));

    flush->alerts->stamp++; /* what comes now is of the next one */
    return r;
}

/* A full one: what else fires needs only be counted, which has been done. */
static int send_full(struct flush *flush)
{
    size_t shown = 0, first = 0;
    int r;

    for (size_t i = 0; i < flush->nitems; i++) {
        shown += flush->items[i].repeat;
        first += flush->items[i].firing && !flush->items[i].repeat;
    }
    r = send(flush, flush->group->ordering, flush->nshown - shown);
    flush->nshown += first;
    flush->alerts->stamp++;
    return r;
}

/* Takes one alert's news: gathers it, or sends it by itself. */
static int take(struct flush *flush, struct alert *alert)
{
    uint64_t ordering = ordering_for(flush, alert);
    const struct mark *mark = mark_find(alert, flush->sink);
    const struct alerts_item news = {.alert = alert,
                                     .firing = alert->firing,
                                     .news = true,
                                     .repeat = alert->firing && mark && mark->fate == FATE_TOLD};
    int r = 0;

    if (flush->one_alert || ordering != flush->group->ordering) {
        /* Told as a part of something else before: what follows goes the same way. */
        struct alerts_item kept[LIMIT_ALERTS];
        size_t nkept = flush->nitems;

        memcpy(kept, flush->items, nkept * sizeof kept[0]);
        flush->items[0] = news;
        flush->nitems = 1;
        r = send(flush, ordering, 0);
        memcpy(flush->items, kept, nkept * sizeof kept[0]);
        flush->nitems = nkept;
        return r;
    }
    flush->items[flush->nitems++] = news;
    alert->stamp = flush->alerts->stamp;
    return flush->nitems == LIMIT_ALERTS ? send_full(flush) : 0;
}

static bool repeat_is_due(struct flush *flush)
{
    const struct told *told = told_of(flush, false);

    return told && group_repeat_at(flush->group, told->at) <= flush->now.mono_ms + REPEAT_SLACK_MS;
}

/* The sink's marks of what fires in the group. */
struct marks {
    struct alerts_time oldest; /* of those that are not held; now, where there is none */
    struct alerts_time newest; /* of all; INT64_MIN where there is none */
    bool held, free;           /* there is one that is held; one that is not */
};

static struct marks marks_of(const struct flush *flush)
{
    struct group *group = flush->group;
    struct marks marks = {.oldest = flush->now, .newest = {0, INT64_MIN}};

    for (size_t i = 0; i < group->nmembers; i++) {
        const struct mark *mark = mark_find(group->members[i], flush->sink);

        if (!group->members[i]->firing || !mark) {
            continue;
        }
        if (mark->told.mono_ms > marks.newest.mono_ms) {
            marks.newest = mark->told;
        }
        if (is_held(flush, group->members[i])) {
            marks.held = true; /* it is not repeated; whoever lets it go says so */
            continue;
        }
        marks.free = true;
        if (mark->told.mono_ms < marks.oldest.mono_ms) {
            marks.oldest = mark->told;
        }
    }
    return marks;
}

/* When the next repeat counts from.  A sink that takes one alert a notification has a repeat for
 * each: from the oldest.  One that was told of these alerts by another group only: from the newest.
 */
static int set_told(struct flush *flush, bool repeated)
{
    struct told *told = told_of(flush, false);
    struct alerts_time at;
    struct marks marks;
    bool first = !told;

    if (told && !told->idle && !flush->one_alert && !repeated) {
        return 0;
    }
    marks = marks_of(flush);
    if (first && marks.newest.mono_ms == INT64_MIN) {
        return 0;
    }
    if (first && !(told = told_of(flush, true))) {
        return -ENOMEM;
    }
    told->idle = marks.held && !marks.free;
    if (told->idle) {
        at = first ? marks.newest : told->at;
    } else if (flush->one_alert) {
        at = marks.oldest;
    } else {
        at = repeated ? flush->now : first ? marks.newest : told->at;
    }
    if (first || told->at.mono_ms != at.mono_ms) {
        told->at = at;
        group_dirty(flush->alerts, flush->group);
    }
    return 0;
}

static int tell_sink(struct flush *flush, bool pending)
{
    struct group *group = flush->group;
    bool repeat = repeat_is_due(flush);
    int r = 0;

    if (!pending && !repeat) {
        return 0;
    }
    r = group_withdraw(flush->alerts, flush->tx, group, flush->sink, flush->now);
    flush->alerts->stamp++;
    flush->nshown = 0;
    for (size_t i = 0; i < group->nmembers && group->nmembers >= LIMIT_ALERTS; i++) {
        flush->nshown += is_shown(flush, group->members[i]);
    }
    for (size_t i = 0; i < group->nmembers && r == 0; i++) {
        r = is_news(flush, group->members[i], repeat);
        if (r == 1) {
            r = take(flush, group->members[i]);
        }
    }
    if (r == 0) {
        r = send_group(flush);
    }
    return r == 0 ? set_told(flush, repeat) : r;
}

/* ---- the whole ---- */

/* Those that resolved leave; whoever is in no group any more is over. */
static int let_go(struct flush *flush)
{
    struct group *group = flush->group;
    int r = 0;

    for (size_t i = 0; i < group->nmembers && r == 0;) {
        struct alert *alert = group->members[i];

        if (alert->firing) {
            i++;
            continue;
        }
        group_remove(group, alert);
        if (alert->ngroups == 0) {
            r = alert_finish(flush->alerts, flush->tx, alert, flush->now);
        }
    }
    return r;
}

int group_flush(struct alerts *alerts, struct state_tx *tx, struct group *group,
                struct alerts_time now)
{
    struct flush flush = {.alerts = alerts, .tx = tx, .group = group, .now = now};
    bool pending = group->pending;
    int r = 0;

    if (group->nmembers == 0) {
        group_drop(alerts, tx, group);
        return 0;
    }
    for (size_t i = 0; i < group->route->nto && r == 0; i++) {
        const struct routing_sink *sink = &alerts->routing->sinks[group->route->to[i]];

        flush.sink = alerts->routed[group->route->to[i]];
        flush.name = sink->name;
        flush.one_alert = sink->one_alert;
        r = tell_sink(&flush, pending);
    }
    if (r == 0 && pending) {
        r = let_go(&flush);
    }
    if (r < 0) {
        return r;
    }
    if (group->nmembers == 0) {
        group_drop(alerts, tx, group);
        return 0;
    }
    if (pending) {
        group->pending = false;
        group->released_mono = 0;
        group->flushed_ms = now.real_ms;
        group->flushed_mono = now.mono_ms;
        group_dirty(alerts, group);
    }
    group_schedule(alerts, group, now);
    return 0;
}
