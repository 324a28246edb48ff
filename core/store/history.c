/*
 * history.c: life of the history and its tracks, and the bound of its memory.
 *
 * Who is short of memory takes it from a track that has more than its share, the oldest block
 * first: so what the bound holds is spread evenly, and a series that is born late is not worse off.
 * A track without samples of its range knows it (TRACK_CUT), and who asks for them is told.
 */
#include "store/history.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/history_feed.h"
#include "store/history_private.h"

#define VICTIMS_LOOKED_AT 64
#define VICTIMS_AT_ONCE 16

void history_lock(struct history *history)
{
    int r = pthread_mutex_lock(&history->slow);

    assert(r == 0); // not from within a callback
    (void)r;
}

void history_unlock(struct history *history)
{
    (void)pthread_mutex_unlock(&history->slow);
}

int history_create(struct store *store, const struct history_limits *limits,
                   struct history **ret_history)
{
    struct history *history = calloc(1, sizeof *history);
    pthread_mutexattr_t attributes;

    if (!history) {
        return -ENOMEM;
    }
    history->store = store;
    history->limit = limits && limits->bytes ? limits->bytes : LIMIT_HISTORY_BYTES;
    history->bytes = track_heap_bytes(sizeof *history);
    map_init(&history->names);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&history->slow, &attributes);
    pthread_mutexattr_destroy(&attributes);
    pthread_rwlock_wrlock(&store->lock);
    assert(!store->history);
    store->history = history;
    pthread_rwlock_unlock(&store->lock);
    *ret_history = history;
    return 0;
}

void history_destroy(struct history *history)
{
    if (!history) {
        return;
    }
    while (history->selectors.n > 0) {
        history_unselect(history, history->selectors.items[history->selectors.n - 1]);
    }
    pthread_rwlock_wrlock(&history->store->lock);
    for (uint32_t i = 0; i < history->store->nowners; i++) {
        if (history->store->owners[i]) {
            history_owner_gone(history, history->store->owners[i]);
        }
    }
    history->store->history = NULL;
    pthread_rwlock_unlock(&history->store->lock);
    assert(history->tracks.n == 0);
    map_finish(&history->names);
    free(history->tracks.items);
    free(history->index);
    free(history->watches);
    free(history->selectors.items);
    free(history->nameless.items);
    free(history->hits);
    free(history->buffer);
    pthread_mutex_destroy(&history->slow);
    free(history);
}

/* ---- the bound ---- */

static bool is_rich(const struct track *track, size_t share)
{
    return track->bytes > share && track->first && track->first->next;
}

static struct track *find_victim(struct history *history, size_t share)
{
    for (uint32_t i = 0; i < VICTIMS_LOOKED_AT && i < history->tracks.n; i++) {
        struct track *track;

        history->hand = history->hand + 1 < history->tracks.n ? history->hand + 1 : 0;
        track = history->tracks.items[history->hand];
        if (is_rich(track, share)) {
            return track;
        }
    }
    return NULL;
}

bool history_room(struct history *history, size_t bytes, struct track *track)
{
    size_t rest = history->bytes - history->track_bytes; // tables and the like
    size_t share = history->limit > rest ? (history->limit - rest) / (history->tracks.n + 1) : 0;

    for (int i = 0; history->bytes + bytes > history->limit; i++) {
        struct track *victim = track && is_rich(track, share) ? track : find_victim(history, share);

        if (!victim || i == VICTIMS_AT_ONCE) {
            return false;
        }
        track_cut(history, victim);
    }
    return true;
}

/* ---- tracks ---- */

int history_push(struct history *history, struct track_list *list, struct track *track)
{
    if (list->n == list->size) {
        uint32_t size = list->size ? list->size + (list->size + 3) / 4 : 2;
        struct track **items = realloc(list->items, size * sizeof *items);

        if (!items) {
            return -ENOMEM;
        }
        history->bytes += (size - list->size) * sizeof *items;
        list->items = items;
        list->size = size;
    }
    list->items[list->n++] = track;
    return 0;
}

int history_make(struct history *history, uint32_t text_len, uint32_t nlabels, uint32_t hash,
                 struct track **ret_track)
{
    size_t size = offsetof(struct track, text) + text_len;
    size_t bytes;
    struct track *track;

    size = size < sizeof *track ? sizeof *track : size;
    bytes = track_heap_bytes(size);
    if (!history_room(history, bytes + track_heap_bytes(sizeof(struct block)), NULL)) {
        return -ENOBUFS;
    }
    track = calloc(1, size);
    if (!track || history_push(history, &history->tracks, track) < 0) {
        free(track);
        return -ENOMEM;
    }
    track->at = history->tracks.n - 1;
    track->id = ++history->last_id;
    track->last = &track->first;
    track->edge_ms = TRACK_NO_EDGE;
    track->drop_ms = TRACK_NEVER;
    track->hash = hash;
    track->record = NO_SERIES;
    history->loose++;
    track->text_len = (uint16_t)text_len;
    track->nlabels = (uint8_t)nlabels;
    memcpy(track->text, history->text, text_len);
    if (history_index_add(history, track) < 0) {
        history->tracks.n--;
        history->loose--;
        free(track);
        return -ENOMEM;
    }
    track->bytes = (uint32_t)bytes;
    history->bytes += bytes;
    history->track_bytes += bytes;
    *ret_track = track;
    return 0;
}

void history_free(struct history *history, struct track *track)
{
    struct track *last = history->tracks.items[history->tracks.n - 1];
    uint32_t from = last->at;

    history_disown(history, track);
    history_detach(history, track);
    track_clear(history, track);
    if (!(track->flags & TRACK_GONE)) {
        history_index_remove(history, track);
    }
    if (last != track) {
        history->tracks.items[track->at] = last;
        last->at = track->at;
        history_index_move(history, last, from);
    }
    history->tracks.n--;
    history->loose--;
    history->cut -= (track->flags & TRACK_CUT) != 0;
    history->bytes -= track->bytes;
    history->track_bytes -= track->bytes;
    free(track);
}

/* ---- walks ---- */

void history_walk(struct history *history, const struct track_list *list, bool write,
                  uint32_t (*fn)(void *arg, struct track *track), void *arg)
{
    uint32_t i = UINT32_MAX;

    while (i > 0) {
        if (write) {
            pthread_rwlock_wrlock(&history->store->lock);
        } else {
            pthread_rwlock_rdlock(&history->store->lock);
        }
        i = i < list->n ? i : list->n;
        for (uint32_t spent = 0; i > 0 && spent < HISTORY_SLICE;) {
            spent += fn(arg, list->items[--i]);
        }
        pthread_rwlock_unlock(&history->store->lock);
    }
}

static uint32_t add(void *arg, struct track *track)
{
    struct history_stats *stats = arg;

    stats->series++;
    stats->samples += track->samples;
    stats->bytes += track->bytes;
    stats->cut += (track->flags & TRACK_CUT) != 0;
    return 1;
}

void history_stats(struct history *history, const struct history_selector *selector,
                   struct history_stats *ret_stats)
{
    struct history_stats stats = {0};

    history_lock(history);
    if (selector) {
        history_walk(history, &selector->tracks, false, add, &stats);
    }
    pthread_rwlock_rdlock(&history->store->lock);
    if (selector) {
        stats.missing = selector->missing;
        stats.since_ms = selector->since_ms;
    } else {
        stats = (struct history_stats){.series = history->tracks.n,
                                       .samples = history->samples,
                                       .bytes = history->bytes,
                                       .cut = history->cut};
        for (uint32_t i = 0; i < history->selectors.n; i++) {
            stats.missing += history->selectors.items[i]->missing;
        }
    }
    pthread_rwlock_unlock(&history->store->lock);
    history_unlock(history);
    *ret_stats = stats;
}
