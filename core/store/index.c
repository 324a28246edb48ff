/*
 * index.c: from a text to its series.
 *
 * Called with the store's lock held for writing (index_find: for reading suffices).  The table
 * holds ids of four bytes only and asks the records for the rest: base/map.h would cost 24 bytes a
 * series where this costs 8.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/series.h"

uint32_t index_find(const struct store *store, uint32_t hash, const char *text, uint32_t len)
{
    uint32_t mask = store->index_size - 1;

    if (store->index_size == 0) {
        return NO_SERIES;
    }
    for (uint32_t at = hash & mask; store->index[at] != NO_SERIES; at = (at + 1) & mask) {
        struct record *record = record_at(store, store->index[at]);

        if (record->hash == hash && record_is(store, record, text, len)) {
            return record->id;
        }
    }
    return NO_SERIES;
}

void index_put(struct store *store, uint32_t hash, uint32_t id)
{
    uint32_t mask = store->index_size - 1;
    uint32_t at = hash & mask;

    while (store->index[at] != NO_SERIES) {
        at = (at + 1) & mask;
    }
    store->index[at] = id;
}

int index_reserve(struct store *store, uint32_t series)
{
    uint32_t size = store->index_size ? store->index_size : 64;
    uint32_t *old = store->index;
    uint32_t old_size = store->index_size;

    while (series > size / 4 * 3) {
        size *= 2;
    }
    if (size == old_size) {
        return 0;
    }
    store->index = calloc(size, sizeof *store->index);
    if (!store->index) {
        store->index = old;
        return -ENOMEM;
    }
    store->index_size = size;
    for (uint32_t i = 0; i < old_size; i++) {
        if (old[i] != NO_SERIES) {
            index_put(store, record_at(store, old[i])->hash, old[i]);
        }
    }
    free(old);
    return 0;
}

void index_remove(struct store *store, uint32_t hash, uint32_t id)
{
    uint32_t mask = store->index_size - 1;
    uint32_t hole = hash & mask;

    while (store->index[hole] != id) {
        hole = (hole + 1) & mask;
    }
    // Close the gap: move up whatever would not be found any more behind it.
    for (uint32_t at = (hole + 1) & mask; store->index[at] != NO_SERIES; at = (at + 1) & mask) {
        uint32_t home = record_at(store, store->index[at])->hash & mask;

        if (((at - home) & mask) >= ((at - hole) & mask)) {
            store->index[hole] = store->index[at];
            hole = at;
        }
    }
    store->index[hole] = NO_SERIES;
}
