/*
 * history_index.c: from labels to their track.
 *
 * With the store's lock held, for writing where something changes.  As index.c: the table holds
 * places of four bytes and asks the tracks for the rest.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/history_private.h"

static struct track *track_at(const struct history *history, uint32_t at)
{
    return history->tracks.items[history->index[at] - 1];
}

struct track *history_find(const struct history *history, uint32_t hash, const char *text,
                           uint32_t len)
{
    uint32_t mask = history->index_size - 1;

    for (uint32_t at = hash & mask; history->index_size && history->index[at];
         at = (at + 1) & mask) {
        struct track *track = track_at(history, at);

        if (track->hash == hash && track->text_len == len && memcmp(track->text, text, len) == 0) {
            return track;
        }
    }
    return NULL;
}

static void enter(struct history *history, uint32_t hash, uint32_t place)
{
    uint32_t mask = history->index_size - 1;
    uint32_t at = hash & mask;

    while (history->index[at]) {
        at = (at + 1) & mask;
    }
    history->index[at] = place;
}

static int resize(struct history *history, uint32_t size)
{
    uint32_t *old = history->index;
    uint32_t old_size = history->index_size;
    uint32_t *index = calloc(size, sizeof *index);

    if (!index) {
        return -ENOMEM;
    }
    history->index = index;
    history->index_size = size;
    for (uint32_t i = 0; i < old_size; i++) {
        if (old[i]) {
            enter(history, history->tracks.items[old[i] - 1]->hash, old[i]);
        }
    }
    free(old);
    history->bytes += (size - old_size) * sizeof *index;
    return 0;
}

int history_index_add(struct history *history, struct track *track)
{
    // Tracks that are about to be freed are counted, too.
    if (history->tracks.n > history->index_size / 4 * 3) {
        int r = resize(history, history->index_size ? history->index_size * 2 : 64);

        if (r < 0) {
            return r;
        }
    }
    enter(history, track->hash, track->at + 1);
    return 0;
}

static uint32_t find_place(const struct history *history, uint32_t hash, uint32_t place)
{
    uint32_t mask = history->index_size - 1;
    uint32_t at = hash & mask;

    while (history->index[at] && history->index[at] != place) {
        at = (at + 1) & mask;
    }
    return at;
}

void history_index_move(struct history *history, const struct track *track, uint32_t from)
{
    uint32_t at = find_place(history, track->hash, from + 1);

    if (history->index[at]) { // not of one that is about to be freed
        history->index[at] = track->at + 1;
    }
}

void history_index_remove(struct history *history, const struct track *track)
{
    uint32_t mask = history->index_size - 1;
    uint32_t hole = find_place(history, track->hash, track->at + 1);

    if (!history->index[hole]) {
        return;
    }
    for (uint32_t at = (hole + 1) & mask; history->index[at]; at = (at + 1) & mask) {
        uint32_t home = track_at(history, at)->hash & mask;

        if (((at - home) & mask) >= ((at - hole) & mask)) {
            history->index[hole] = history->index[at];
            hole = at;
        }
    }
    history->index[hole] = 0;
}
