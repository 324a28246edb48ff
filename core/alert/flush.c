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
        mark->told_ms = flush->now.real_ms;
        mark->ordering = ordering; /* a repeat may be in a digest */
        mark->last = id;
        if (!item->repeat) {
            mark->fate = FATE_TOLD; /* another sink had taken it over */
            mark->id = id;
        }
    } else {
        const struct mark made = {flush->sink, FATE_TOLD, id, id, ordering, flush->now.real_ms};

        r = mark_add(alert, &made);
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
        told->real_ms = flush->now.real_ms;
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

    if (mark->fate == FATE_REJECTED || mark->told_ms + flush->group->route->repeat_interval_ms >
                                           flush->now.real_ms + REPEAT_SLACK_MS) {
        return 0;
    }
    r = alerts->hooks.waits(alerts->hooks.owner, flush->tx, flush->name, mark->last);
    if (r != 1 || mark->fate == FATE_MOVED) {
        return r < 0 ? r : 1;
    }
    mark->told_ms = flush->now.real_ms; /* what waits will remind it */
    alert_dirty(alerts, alert);
    return 0;
}

/* Whether the alert's state is news for the sink.  1, 0, -errno. */
static int is_news(struct flush *flush, struct alert *alert, bool repeat)
{
    struct mark *mark = mark_find(alert, flush->sink);

    if (alert->firing) {
        return !mark ? 1 : repeat ? is_due_again(flush, alert, mark) : 0;
    }
    return mark && mark->fate == FATE_TOLD;
}

/* ---- firings that nobody has heard of ---- */

struct owed { /* the end of an episode */
    uint64_t ordering;
    struct alerts_ended ended;
};

static int by_ordering(const void *a, const void *b)
{
    const struct owed *x = a, *y = b;

    return (x->ordering > y->ordering) - (x->ordering < y->ordering);
}

static int withdraw_run(struct flush *flush, const struct owed *owed, struct alerts_ended *ended,
                        size_t n)
{
    struct alerts *alerts = flush->alerts;
    int r;

    for (size_t i = 0; i < n; i++) {
        ended[i] = owed[i].ended;
    }
    r = alerts->hooks.withdraw(alerts->hooks.owner, flush->tx, flush->name, owed->ordering, ended,
                               n, flush->now);
    for (size_t i = 0; i < n && r == 0; i++) {
        struct alert *alert = ended[i].unheard ? alert_find(alerts, ended[i].episode) : NULL;

        if (alert) {
            mark_remove(alert, mark_find(alert, flush->sink));
            alert_dirty(alerts, alert);
        }
    }
    return r;
}

/* What fired and has ended while it waited unheard is withdrawn: then there is nothing to tell. All
 * of the group at once, since the queue may be long. */
static int withdraw_ended(struct flush *flush)
{
    const struct group *group = flush->group;
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
        const struct mark *mark = alert->firing ? NULL : mark_find(alert, flush->sink);

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
        r = withdraw_run(flush, &owed[i], ended, next - i);
    }
    free(owed);
    free(ended);
    return r;
}

/* ---- a notification ---- */

/* Beside the news, what fires still and was told before. */
static size_t fill(struct flush *flush)
{
    struct group *group = flush->group;
    size_t left_out = 0, news = flush->nitems;

    for (size_t i = 0; i < group->nmembers; i++) {
        const struct alert *alert = group->members[i];
        const struct mark *mark = mark_find(alert, flush->sink);
        bool there = false;

        /* What goes another way, or to another sink, is not shown here: its end would not be. */
        if (!alert->firing || !mark || mark->fate != FATE_TOLD ||
            mark->ordering != group->ordering) {
            continue;
        }
        for (size_t j = 0; j < news && !there; j++) {
            there = flush->items[j].alert == alert;
        }
        if (there) {
            continue;
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
    return flush->nitems == 0 ? 0 : send(flush, flush->group->ordering, fill(flush));
}

/* Takes one alert's news: gathers it, or sends it by itself. */
static int take(struct flush *flush, const struct alert *alert)
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
    return flush->nitems == LIMIT_ALERTS ? send_group(flush) : 0;
}

static bool repeat_is_due(struct flush *flush)
{
    const struct told *told = told_of(flush, false);

    return told && told->real_ms + flush->group->route->repeat_interval_ms <=
                       flush->now.real_ms + REPEAT_SLACK_MS;
}

/* When the next repeat counts from.  A sink that takes one alert a notification has a repeat for
 * each: from the oldest.  One that was told of these alerts by another group only: from the newest.
 */
static int set_told(struct flush *flush, bool repeated)
{
    struct group *group = flush->group;
    struct told *told = told_of(flush, false);
    int64_t oldest = flush->now.real_ms, newest = 0;

    if (told && !flush->one_alert && !repeated) {
        return 0;
    }
    for (size_t i = 0; i < group->nmembers; i++) {
        const struct mark *mark = mark_find(group->members[i], flush->sink);

        if (group->members[i]->firing && mark && mark->fate != FATE_REJECTED) {
            oldest = mark->told_ms < oldest ? mark->told_ms : oldest;
            newest = mark->told_ms > newest ? mark->told_ms : newest;
        }
    }
    if (!told && newest == 0) {
        return 0;
    }
    if (!told && !(told = told_of(flush, true))) {
        return -ENOMEM;
    }
    if (!flush->one_alert) {
        oldest = repeated ? flush->now.real_ms : newest;
    }
    if (told->real_ms != oldest) {
        told->real_ms = oldest;
        group_dirty(flush->alerts, group);
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
    r = withdraw_ended(flush);
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
        group->flushed_ms = now.real_ms;
        group->flushed_mono = now.mono_ms;
        group_dirty(alerts, group);
    }
    group_schedule(alerts, group, now);
    return 0;
}
