/*
 * history_tidy.c: what has to happen now and then: the agent's own metrics are sampled, series
 * whose instance went are ended, tracks that are too old are freed.
 *
 * Runs on the rules' thread.  A reload takes an instance away and gives it back, so its series do
 * not end at once: as in Prometheus, they get their mark where the next collection would have been,
 * when the one after it has not come either.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/history_private.h"

/* Before that, two samples are no measure of the interval. */
#define LEFT_MOST_MS 300000
/* How often what had no room is tried again, with no more room than before: others may give some.
 */
#define SEARCH_MS 60000

struct tidy {
    struct history *history;
    int64_t now_ms;
    int64_t keep_ms; /* of the selector that is walked over */
    struct track_list gone;
};

/* ---- own metrics ---- */

static void put_now(const struct tidy *tidy, struct track *track, double value)
{
    if (!track) {
        return;
    }
    if (!(track->flags & TRACK_FRESH)) {
        track->flags |= TRACK_FRESH;
        tidy->history->store->owners[0]->past.fresh++;
    }
    (void)track_put(tidy->history, track, tidy->now_ms, double_to_bits(value), true);
}

/* All lines of the histogram at once, so that they are of one moment. */
static void sample_fan(const struct tidy *tidy, const struct fan *fan,
                       const struct store_metric *metric)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i <= fan->npoints; i++) {
        count += atomic_load_explicit(&metric->counts[i], memory_order_relaxed);
        put_now(tidy, fan->tracks[i], (double)count); // the last of them is PART_INF
    }
    put_now(tidy, fan->tracks[fan->npoints + PART_SUM], store_metric_value(metric));
    put_now(tidy, fan->tracks[fan->npoints + PART_COUNT], (double)count);
}

static uint32_t sample_own(const struct tidy *tidy, struct track *track)
{
    struct history *history = tidy->history;
    struct record *record = track->record ? record_at(history->store, track->record) : NULL;
    const struct store_metric *metric;

    if (!record) {
        track_mark(history, track, tidy->now_ms);
        history_disown(history, track);
        return 1;
    }
    metric = (*record_extra(record))->metric;
    if (record_family(history->store, record)->kind == TMON_HISTOGRAM) {
        const struct fan *fan = history->watches[track->record].fan;
        uint32_t part = 0;

        while (!fan->tracks[part]) {
            part++;
        }
        if (track->part == part) {
            sample_fan(tidy, fan, metric);
        }
        return 1 + fan->npoints;
    }
    put_now(tidy, track, store_metric_value(metric));
    return 1;
}

/* ---- series whose owner went ---- */

static void end_left(const struct tidy *tidy, struct track *track)
{
    int64_t interval_ms = track->end.pace.interval_ms;

    if (interval_ms <= 0 || interval_ms > LEFT_MOST_MS) {
        interval_ms = LEFT_MOST_MS;
    }
    if (tidy->now_ms - interval_ms > track_add_ms(track->end.pace.time_ms, interval_ms / 10 * 11)) {
        track->flags &= (uint8_t)~TRACK_LEFT;
        track_mark(tidy->history, track, track_add_ms(track->end.pace.time_ms, interval_ms));
    }
}

/* ---- what is too old ---- */

static bool is_over(const struct tidy *tidy, const struct track *track)
{
    int64_t kept_ms = track_add_ms(track->keep_ms, TRACK_SLACK_MS);

    return track->record == NO_SERIES &&
           (!track->first || track_add_ms(track->end.pace.time_ms, kept_ms) < tidy->now_ms);
}

static uint32_t look_at_track(void *arg, struct track *track)
{
    struct tidy *tidy = arg;
    uint32_t spent = 1;

    if ((track->flags & TRACK_OWNED) && track->owner == 0) {
        spent = sample_own(tidy, track);
    } else if (track->flags & TRACK_LEFT) {
        end_left(tidy, track);
    }
    track_trim(tidy->history, track, tidy->now_ms);
    if (is_over(tidy, track) && history_push(tidy->history, &tidy->gone, track) == 0) {
        history_index_remove(tidy->history, track); // so that no birth finds it any more
        track->flags |= TRACK_GONE;
    }
    return spent;
}

/* Takes those that are gone out of the list.  Commits may push behind its end meanwhile. */
static void sift(struct history *history, struct track_list *list)
{
    uint32_t from = 0;
    uint32_t to = 0;
    bool more = true;

    while (more) {
        pthread_rwlock_wrlock(&history->store->lock);
        for (uint32_t n = 0; n < HISTORY_SLICE && from < list->n; n++) {
            struct track *track = list->items[from++];

            if (!(track->flags & TRACK_GONE)) {
                list->items[to++] = track;
            }
        }
        more = from < list->n;
        if (!more) {
            list->n = to;
        }
        pthread_rwlock_unlock(&history->store->lock);
    }
}

static uint32_t free_gone(void *arg, struct track *track)
{
    history_free(arg, track);
    return 4;
}

static void free_old(struct tidy *tidy)
{
    struct history *history = tidy->history;

    if (tidy->gone.n > 0) {
        for (uint32_t i = 0; i < history->selectors.n; i++) {
            sift(history, &history->selectors.items[i]->tracks);
        }
        history_walk(history, &tidy->gone, true, free_gone, history);
    }
    pthread_rwlock_wrlock(&history->store->lock);
    history->bytes -= tidy->gone.size * sizeof(struct track *);
    pthread_rwlock_unlock(&history->store->lock);
    free(tidy->gone.items);
}

/* ---- selectors that went ---- */

static int by_keep(const void *a, const void *b)
{
    int64_t left = (*(struct history_selector *const *)a)->keep_ms;
    int64_t right = (*(struct history_selector *const *)b)->keep_ms;

    return (left < right) - (left > right);
}

static uint32_t keep_less(void *arg, struct track *track)
{
    const struct tidy *tidy = arg;

    if (track->mark != tidy->history->marks) {
        track->mark = tidy->history->marks;
        if (track->keep_ms > tidy->keep_ms) {
            track_keep(track, tidy->keep_ms);
        }
    }
    return 1;
}

/* The longest first, so that the first that comes to a track is the one that counts. */
static void keep_what_is_wanted(struct tidy *tidy)
{
    struct history *history = tidy->history;

    if (!history->unselected) {
        return;
    }
    history->unselected = false;
    qsort(history->selectors.items, history->selectors.n, sizeof *history->selectors.items,
          by_keep); // commits do not look at this list
    pthread_rwlock_wrlock(&history->store->lock);
    history->marks++;
    pthread_rwlock_unlock(&history->store->lock);
    for (uint32_t i = 0; i < history->selectors.n; i++) {
        tidy->keep_ms = history->selectors.items[i]->keep_ms;
        history_walk(history, &history->selectors.items[i]->tracks, true, keep_less, tidy);
    }
}

static void look_at_selectors(struct tidy *tidy)
{
    struct history *history = tidy->history;

    for (uint32_t i = 0; i < history->selectors.n; i++) {
        struct history_selector *selector = history->selectors.items[i];
        bool again;

        pthread_rwlock_wrlock(&history->store->lock);
        if (selector->since_ms == 0) {
            selector->since_ms = tidy->now_ms;
        }
        again = selector->missing > 0 && (history->bytes < history->limit / 16 * 15 ||
                                          tidy->now_ms - selector->searched_ms >= SEARCH_MS);
        pthread_rwlock_unlock(&history->store->lock);
        if (again) {
            selector->searched_ms = tidy->now_ms;
            history_search(history, selector, true);
        }
    }
}

void history_sample_own(struct history *history, int64_t now_ms)
{
    struct tidy tidy = {.history = history, .now_ms = now_ms};
    bool own;

    pthread_rwlock_rdlock(&history->store->lock);
    own = history->own > 0;
    pthread_rwlock_unlock(&history->store->lock);
    if (own) {
        store_refresh(history->store, clock_mono_ns() / NS_PER_MS);
    }
    history_lock(history);
    pthread_rwlock_wrlock(&history->store->lock);
    history->now_ms = now_ms;
    pthread_rwlock_unlock(&history->store->lock);
    keep_what_is_wanted(&tidy);
    history_walk(history, &history->tracks, true, look_at_track, &tidy);
    free_old(&tidy);
    look_at_selectors(&tidy);
    history_unlock(history);
}

/* ---- samples from elsewhere ---- */

int history_append(struct history *history, const struct tmon_pair *labels, size_t nlabels,
                   int64_t time_ms, double value)
{
    struct track *track;
    uint32_t cost = 0;
    int r = 0;

    if (nlabels > HISTORY_LABELS) {
        return -EINVAL;
    }
    history_lock(history);
    pthread_rwlock_wrlock(&history->store->lock);
    r = history_track(history, NULL, labels, nlabels, &cost, &track);
    if (r == 0 && track) {
        (void)track_put(history, track, time_ms, double_to_bits(value), true);
    }
    pthread_rwlock_unlock(&history->store->lock);
    history_unlock(history);
    return r;
}
