/*
 * history_read.c: samples for whoever evaluates.
 *
 * Runs on the rules' thread.  The lock is held while one series is decoded, or some thousand
 * samples of it, and not while the caller looks at them: what is decoded is a copy, and a track's
 * labels do not change, nor does a track go while a function of history.h runs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/history_private.h"

#define SAMPLES_PER_LOCK 8192u /* some 50 us */
#define TRACKS_PER_LOCK 64u

typedef int (*series_fn)(void *arg, const struct history_series *series);

int history_reserve(struct history *history, uint32_t n)
{
    struct history_sample *buffer;
    uint32_t size = history->buffer_size ? history->buffer_size : 1024;

    if (n <= history->buffer_size) {
        return 0;
    }
    while (size < n) {
        size *= 2;
    }
    buffer = realloc(history->buffer, size * sizeof *buffer);
    if (!buffer) {
        return -ENOMEM;
    }
    history->buffer = buffer;
    history->buffer_size = size;
    return 0;
}

/* How many of n samples are not after `time_ms`. */
static uint32_t count_until(const struct history_sample *samples, uint32_t n, int64_t time_ms)
{
    uint32_t low = 0;

    while (low < n) {
        uint32_t middle = low + (n - low) / 2;

        if (samples[middle].time_ms <= time_ms) {
            low = middle + 1;
        } else {
            n = middle;
        }
    }
    return low;
}

struct range {
    const struct track *track;
    int64_t from_ms;
    int64_t to_ms;
    int64_t next_ms; /* blocks that begin later are to be decoded; at first, that end later */
    uint32_t n;      /* samples in the buffer */
    bool begun;
    bool cut;
};

static const struct block *next_block(const struct range *range)
{
    const struct block *block = range->track->first;

    if (!range->begun) {
        while (block && block->next && block->next->time_ms <= range->from_ms) {
            block = block->next;
        }
        return block;
    }
    while (block && block->time_ms <= range->next_ms) {
        block = block->next;
    }
    return block;
}

/* Some of the range, with the lock held.  0: all is done; else so much room is needed to go on. */
static uint32_t decode_some(const struct history *history, struct range *range)
{
    const struct block *block = next_block(range);
    uint32_t stop = range->n + SAMPLES_PER_LOCK;

    for (; block && block->time_ms <= range->to_ms; block = block->next) {
        if (range->n + block->n > history->buffer_size || range->n >= stop) {
            return range->n + block->n;
        }
        range->n += track_decode(block, history->buffer + range->n);
        range->next_ms = history->buffer[range->n - 1].time_ms;
        range->begun = true;
    }
    return 0;
}

static int read_range(struct history *history, struct range *range)
{
    uint32_t need;

    do {
        pthread_rwlock_rdlock(&history->store->lock);
        range->cut = range->from_ms < range->track->edge_ms;
        need = decode_some(history, range);
        pthread_rwlock_unlock(&history->store->lock);
        if (need > 0 && history_reserve(history, need) < 0) {
            return -ENOMEM;
        }
    } while (need > 0);
    return 0;
}

static int give(struct history *history, const struct track *track,
                const struct history_sample *samples, uint32_t n, bool cut, series_fn fn, void *arg)
{
    struct history_series series = {
        .id = track->id,
        .labels = history->read_pairs,
        .nlabels = track->nlabels,
        .samples = samples,
        .n = n,
        .cut = cut,
    };

    labels_unpack(track, history->read_pairs);
    return fn(arg, &series);
}

static int read_one(struct history *history, const struct track *track, int64_t from_ms,
                    int64_t to_ms, series_fn fn, void *arg)
{
    struct range range = {.track = track, .from_ms = from_ms, .to_ms = to_ms};
    int r = read_range(history, &range);
    uint32_t first;
    uint32_t end;

    if (r < 0) {
        return r;
    }
    first = count_until(history->buffer, range.n, from_ms);
    end = count_until(history->buffer, range.n, to_ms);
    if (first >= end && !range.cut) {
        return 0;
    }
    return give(history, track, history->buffer + first, end > first ? end - first : 0, range.cut,
                fn, arg);
}

/* ---- the last ones ---- */

struct last {
    const struct track *track;
    struct history_sample sample;
    bool found; /* else it was there and was dropped */
};

/* The last sample not after to_ms, with the lock held.  False: there is none. */
static bool find_last(struct history *history, const struct track *track, int64_t to_ms,
                      struct history_sample *ret_sample)
{
    const struct block *block = track->first;
    uint32_t n;

    if (!block || block->time_ms > to_ms) {
        return false;
    }
    if (track->end.pace.time_ms <= to_ms) {
        *ret_sample =
            (struct history_sample){track->end.pace.time_ms, double_from_bits(track->end.value)};
        return true;
    }
    if ((*track->last)->n > 1 && track->before_ms <= to_ms) {
        *ret_sample = (struct history_sample){track->before_ms, double_from_bits(track->before)};
        return true;
    }
    while (block->next && block->next->time_ms <= to_ms) {
        block = block->next;
    }
    n = track_decode(block, history->buffer);
    *ret_sample = history->buffer[count_until(history->buffer, n, to_ms) - 1];
    return true;
}

static uint32_t find_some(struct history *history, const struct history_selector *selector,
                          uint32_t *at, int64_t from_ms, int64_t to_ms,
                          struct last ret_last[static TRACKS_PER_LOCK])
{
    uint32_t n = 0;

    pthread_rwlock_rdlock(&history->store->lock);
    for (uint32_t i = 0; i < TRACKS_PER_LOCK && *at < selector->tracks.n; i++) {
        struct last *last = &ret_last[n];

        last->track = selector->tracks.items[(*at)++];
        last->found = find_last(history, last->track, to_ms, &last->sample);
        n += last->found ? last->sample.time_ms > from_ms : last->track->edge_ms > from_ms;
    }
    pthread_rwlock_unlock(&history->store->lock);
    return n;
}

static int read_last(struct history *history, const struct history_selector *selector,
                     int64_t from_ms, int64_t to_ms, series_fn fn, void *arg)
{
    struct last last[TRACKS_PER_LOCK];
    uint32_t at = 0;
    uint32_t before;
    int r = 0;

    do {
        uint32_t n;

        before = at;
        n = find_some(history, selector, &at, from_ms, to_ms, last);
        for (uint32_t i = 0; r == 0 && i < n; i++) {
            r = give(history, last[i].track, &last[i].sample, last[i].found, !last[i].found, fn,
                     arg);
        }
    } while (r == 0 && at > before);
    return r;
}

/* ---- all ---- */

static uint32_t some_tracks(const struct history *history, const struct history_selector *selector,
                            uint32_t from, const struct track *ret_tracks[static TRACKS_PER_LOCK])
{
    uint32_t n = 0;

    pthread_rwlock_rdlock(&history->store->lock);
    while (n < TRACKS_PER_LOCK && from + n < selector->tracks.n) {
        ret_tracks[n] = selector->tracks.items[from + n];
        n++;
    }
    pthread_rwlock_unlock(&history->store->lock);
    return n;
}

static int read_ranges(struct history *history, const struct history_selector *selector,
                       int64_t from_ms, int64_t to_ms, series_fn fn, void *arg)
{
    const struct track *tracks[TRACKS_PER_LOCK];
    uint32_t at = 0;
    uint32_t n;
    int r = 0;

    while (r == 0 && (n = some_tracks(history, selector, at, tracks)) > 0) {
        for (uint32_t i = 0; r == 0 && i < n; i++) {
            r = read_one(history, tracks[i], from_ms, to_ms, fn, arg);
        }
        at += n;
    }
    return r;
}

static int begin(struct history *history, const struct history_selector *selector)
{
    uint32_t missing;

    pthread_rwlock_rdlock(&history->store->lock);
    missing = selector->missing;
    pthread_rwlock_unlock(&history->store->lock);
    return missing > 0 ? -ENOBUFS : history_reserve(history, BLOCK_SAMPLES_MOST);
}

int history_read(struct history *history, const struct history_selector *selector, int64_t from_ms,
                 int64_t to_ms, series_fn fn, void *arg)
{
    int r;

    history_lock(history);
    r = begin(history, selector);
    if (r == 0) {
        r = read_ranges(history, selector, from_ms, to_ms, fn, arg);
    }
    history_unlock(history);
    return r;
}

int history_read_last(struct history *history, const struct history_selector *selector,
                      int64_t from_ms, int64_t to_ms, series_fn fn, void *arg)
{
    int r;

    history_lock(history);
    r = begin(history, selector);
    if (r == 0) {
        r = read_last(history, selector, from_ms, to_ms, fn, arg);
    }
    history_unlock(history);
    return r;
}
