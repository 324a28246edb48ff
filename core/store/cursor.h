/*
 * cursor.h: how a scrape walks the store; private to core/store.  With the store's lock held for
 * reading.
 */
#ifndef STORE_CURSOR_H
#define STORE_CURSOR_H

#include "store/series.h"

/* How far the cursor may go in its chunk. */
static inline uint32_t cursor_stop(const struct store *store, const struct cursor *cursor)
{
    if (cursor->in_family && cursor->at.chunk == cursor->end.chunk) {
        return cursor->end.offset;
    }
    return store->chunks[cursor->family->chunks[cursor->at.chunk]].used;
}

static inline uint32_t cursor_last_chunk(const struct cursor *cursor)
{
    uint32_t n = cursor->family->nchunks;

    return cursor->in_family && cursor->end.chunk < n ? cursor->end.chunk + 1 : n;
}

/* Moves on to a chunk with records behind the cursor, which may all be dead; false at the end of
 * all. */
static inline bool cursor_chunk(const struct store *store, struct cursor *cursor)
{
    while (cursor->family) {
        const struct family *family = cursor->family;

        while (cursor->at.chunk < cursor_last_chunk(cursor)) {
            if (cursor->at.offset < cursor_stop(store, cursor)) {
                return true;
            }
            cursor->at = (struct mark){.chunk = cursor->at.chunk + 1};
        }
        cursor->family = family->at + 1 < store->nfamilies ? store->families[family->at + 1] : NULL;
        cursor->at = (struct mark){0};
        cursor->in_family = false;
    }
    return false;
}

/* The head of its family is out. */
static inline void cursor_enter(const struct store *store, struct cursor *cursor)
{
    const struct family *family = cursor->family;

    cursor->in_family = true;
    cursor->end.chunk = family->nchunks - 1;
    cursor->end.offset = store->chunks[family->chunks[cursor->end.chunk]].used;
}

#endif
