/*
 * history_feed.c: samples on their way from a commit into tracks, and marks where they stay away.
 *
 * Runs on whatever thread commits.  All samples of a collection have one time.  It is moved by up
 * to 2 ms, as Prometheus does, to where the collection was to be expected: each is late by a
 * little, and regular times take a seventh of the bits.
 */
#include "store/history_feed.h"

#include "store/history_private.h"

#define ALIGN_MS 2

int64_t history_begin(struct history *history, struct store_owner *owner, int64_t time_ms)
{
    struct pace *pace = &owner->past.pace;
    int64_t most_ms = pace->interval_ms / 100 < ALIGN_MS ? pace->interval_ms / 100 : ALIGN_MS;
    int64_t off_ms = time_ms - pace_next(pace);

    if (pace->time_ms == 0) {
        pace_start(pace, time_ms);
    } else {
        pace_step(pace, off_ms >= -most_ms && off_ms <= most_ms ? 0 : off_ms);
    }
    history->now_ms = pace->time_ms;
    return pace->time_ms;
}

uint32_t history_born(struct history *history, struct record *record)
{
    return history_watch(history, NULL, record);
}

/* ---- samples ---- */

struct feed {
    struct history *history;
    struct store_owner *owner;
    int64_t time_ms; /* of the collection */
    int64_t own_ms;  /* the sample's own; 0: none */
};

static uint32_t feed_track(const struct feed *feed, struct track *track, double value)
{
    struct track_owner *past = &feed->owner->past;

    if (feed->own_ms > 0) { // ends by itself, without a mark
        if (track->flags & TRACK_FRESH) {
            track->flags &= (uint8_t)~TRACK_FRESH;
            past->fresh--;
        }
        if (feed->own_ms <= track_add_ms(feed->time_ms, LIMIT_HISTORY_AHEAD_MS)) {
            (void)track_put(feed->history, track, feed->own_ms, double_to_bits(value), false);
        }
        return 0;
    }
    track->commit = feed->owner->commits;
    if (!(track->flags & TRACK_FRESH)) {
        track->flags |= TRACK_FRESH;
        past->fresh++;
    }
    (void)track_put(feed->history, track, feed->time_ms, double_to_bits(value), true);
    return 1;
}

static uint32_t feed_points(const struct feed *feed, const struct fan *fan,
                            const struct extra *extra, double sum)
{
    uint32_t fed = 0;

    for (uint32_t i = 0; i < fan->npoints; i++) {
        if (fan->tracks[i]) {
            fed += feed_track(feed, fan->tracks[i], extra->points[fan->npoints + i]);
        }
    }
    for (uint32_t i = 0; i < PARTS; i++) {
        struct track *track = fan->tracks[fan->npoints + i];

        if (track) {
            fed += feed_track(feed, track, i == PART_SUM ? sum : (double)extra->count);
        }
    }
    return fed;
}

uint32_t history_feed(struct history *history, struct store_owner *owner, struct record *record,
                      int64_t time_ms)
{
    const struct extra *extra = record->flags & RECORD_EXTRA ? *record_extra(record) : NULL;
    struct feed feed = {history, owner, time_ms, extra ? extra->time_ms : 0};
    const struct family *family = record_family(history->store, record);

    if (family->kind == TMON_HISTOGRAM || family->kind == TMON_SUMMARY) {
        return feed_points(&feed, history->watches[record->id].fan, extra, record->value);
    }
    return feed_track(&feed, history->watches[record->id].track, record->value);
}

/* ---- marks ---- */

struct sweep {
    struct history *history;
    struct store_owner *owner;
    int64_t time_ms;
    bool all;
};

static uint32_t mark_missing(void *arg, struct track *track)
{
    const struct sweep *sweep = arg;

    if ((track->flags & TRACK_FRESH) && (sweep->all || track->commit != sweep->owner->commits)) {
        track->flags &= (uint8_t)~TRACK_FRESH;
        sweep->owner->past.fresh--;
        track_mark(sweep->history, track, sweep->time_ms);
    }
    return 1;
}

void history_end(struct history *history, struct store_owner *owner, int64_t time_ms, uint32_t fed)
{
    uint32_t fresh;

    pthread_rwlock_rdlock(&history->store->lock);
    fresh = owner->past.fresh;
    pthread_rwlock_unlock(&history->store->lock);
    if (fed < fresh) {
        history_walk(history, &owner->past.tracks, true, mark_missing,
                     &(struct sweep){history, owner, time_ms, false});
    }
}

void store_collection_failed(struct store *store, struct store_owner *owner, int64_t time_ms)
{
    struct history *history;
    uint32_t fresh;

    pthread_rwlock_rdlock(&store->lock);
    history = store->history;
    fresh = owner->past.fresh;
    pthread_rwlock_unlock(&store->lock);
    if (history && fresh > 0) {
        history_walk(history, &owner->past.tracks, true, mark_missing,
                     &(struct sweep){history, owner, time_ms, true});
    }
}
