/*
 * record.c: where records live: chunks, refs, and tidying up.
 *
 * Called with the store's lock held for writing.  See series.h for the picture.  A chunk starts
 * small and grows to 64 KiB before the family gets another one, so a family of one series costs 256
 * bytes, and one of 100,000 wastes at most one chunk's rest.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/history_feed.h"
#include "store/number.h"
#include "store/series.h"

static int chunk_new(struct store *store, struct family *family)
{
    uint32_t id = store->free_chunk;
    uint32_t *ids;

    ids = realloc(family->chunks, (family->nchunks + 1) * sizeof *ids);
    if (!ids) {
        return -ENOMEM;
    }
    family->chunks = ids;
    if (id == 0 && store->nchunks == store->chunks_size) {
        uint32_t size = store->chunks_size ? store->chunks_size * 2 : 64;
        struct chunk *chunks =
            size <= MAX_CHUNKS ? realloc(store->chunks, size * sizeof *chunks) : NULL;

        if (!chunks) {
            return -ENOMEM;
        }
        store->chunks = chunks;
        store->chunks_size = size;
        if (store->nchunks == 0) {
            chunks[store->nchunks++] = (struct chunk){0};
        }
    }
    if (id) {
        store->free_chunk = store->chunks[id].used;
    } else {
        id = store->nchunks++;
    }
    store->chunks[id] = (struct chunk){.family = family};
    family->chunks[family->nchunks++] = id;
    return 0;
}

/* Room for `need` more bytes. */
static int chunk_grow(struct chunk *chunk, uint32_t need)
{
    uint32_t size = chunk->size ? chunk->size : 256;
    char *data;

    while (size <
           chunk->used + need) { // by a quarter: it is copied four times, and an eighth is idle
        size += size / 4;
    }
    size = (size < CHUNK_BYTES ? size : CHUNK_BYTES) & ~7u;
    data = realloc(chunk->data, (size_t)size + CHUNK_SLACK);
    if (!data) {
        return -ENOMEM;
    }
    memset(data + chunk->used, 0,
           (size_t)size + CHUNK_SLACK - chunk->used); // the slack is read, so it is defined
    chunk->data = data;
    chunk->size = size;
    return 0;
}

static int take_ref(struct store *store, uint32_t *ret_id)
{
    if (store->free_ref != NO_SERIES) {
        *ret_id = store->free_ref;
        store->free_ref = store->refs[*ret_id] & ~REF_FREE;
        return 0;
    }
    if (store->nrefs == store->refs_size) {
        uint32_t size = store->refs_size ? store->refs_size + store->refs_size / 2 : 256;
        uint32_t *refs = realloc(store->refs, size * sizeof *refs);

        if (!refs) {
            return -ENOMEM;
        }
        store->refs = refs;
        store->refs_size = size;
        if (store->nrefs == 0) {
            refs[store->nrefs++] = REF_FREE; // NO_SERIES
        }
    }
    *ret_id = store->nrefs++;
    return 0;
}

static void give_ref(struct store *store, uint32_t id)
{
    store->refs[id] = REF_FREE | store->free_ref;
    store->free_ref = id;
}

static void render_value(struct chunk *chunk, struct record *record)
{
    char text[NUMBER_MAX];
    size_t len = (size_t)(number_put(text, record->value) - text);

    chunk->special -= (record->flags & RECORD_LONG) != 0;
    record->flags &= (uint8_t)~RECORD_LONG;
    if (len >= VALUE_BYTES) {
        record->flags |= RECORD_LONG;
        chunk->special++;
        return;
    }
    text[len] = '\n';
    memcpy(record_text(record) + record->text_len, text, VALUE_BYTES);
    record->value_len = (uint8_t)(len + 1);
}

void record_set(struct store *store, struct record *record, double value)
{
    bool same = memcmp(&record->value, &value, sizeof value) == 0; // NaN, too

    record->value = value;
    if (!same && !(record->flags & RECORD_EXTRA)) {
        struct chunk *chunk = &store->chunks[store->refs[record->id] >> REF_SLOT_BITS];

        render_value(chunk, record);
        chunk->version = ++store->versions;
    }
}

int record_add(struct store *store, struct family *family, const char *text, uint32_t len,
               uint32_t hash, struct extra *extra, struct record **ret_record)
{
    uint32_t need = record_bytes_for(len, extra != NULL);
    struct chunk *chunk = NULL;
    struct record *record;
    uint32_t id;

    if (family->nchunks > 0) {
        chunk = &store->chunks[family->chunks[family->nchunks - 1]];
    }
    if (!chunk || chunk->used + need > CHUNK_BYTES) {
        if (chunk_new(store, family) < 0) {
            return -ENOMEM;
        }
        chunk = &store->chunks[family->chunks[family->nchunks - 1]];
    }
    if (chunk->used + need > chunk->size && chunk_grow(chunk, need) < 0) {
        return -ENOMEM; // an empty chunk may stay behind; it is used next time or goes with the
                        // family
    }
    if (take_ref(store, &id) < 0) {
        return -ENOMEM;
    }
    store->refs[id] = (uint32_t)(chunk - store->chunks) << REF_SLOT_BITS | chunk->used / 8;
    record = (struct record *)(void *)(chunk->data + chunk->used);
    *record = (struct record){
        .id = id,
        .hash = hash,
        .text_len = (uint16_t)len,
        .flags = extra ? RECORD_EXTRA : 0,
    };
    if (extra) {
        *record_extra(record) = extra;
    }
    memcpy(record_text(record), text, len);
    if (extra) {
        chunk->special++;
    } else {
        render_value(chunk, record);
    }
    chunk->used += need;
    chunk->version = ++store->versions;
    family->live++;
    store->live++;
    *ret_record = record;
    return 0;
}

/* Calls fn for each mark in the family's n-th chunk or behind it. */
static void each_mark(struct store *store, const struct family *family, uint32_t n,
                      void (*fn)(struct mark *mark, const void *arg), const void *arg)
{
    for (struct cursor *cursor = store->cursors; cursor; cursor = cursor->next) {
        if (cursor->family != family) {
            continue;
        }
        if (cursor->at.chunk >= n) {
            fn(&cursor->at, arg);
        }
        if (cursor->end.chunk >= n) {
            fn(&cursor->end, arg);
        }
    }
}

struct gone {
    uint32_t chunk;
    uint32_t used_before; /* of the chunk in front of it */
};

/* A mark in it goes to the end of the chunk in front, not to the start of the one behind: that one
 * may be missing, and then the one in front is where the next series is born. */
static void chunk_is_gone(struct mark *mark, const void *arg)
{
    const struct gone *gone = arg;

    if (mark->chunk > gone->chunk) {
        mark->chunk--;
    } else if (gone->chunk > 0) {
        *mark = (struct mark){gone->chunk - 1, gone->used_before};
    } else {
        mark->offset = 0;
    }
}

/* Frees the family's n-th chunk, which has no live records. */
static void chunk_free(struct store *store, struct family *family, uint32_t n)
{
    uint32_t id = family->chunks[n];
    uint32_t used = n > 0 ? store->chunks[family->chunks[n - 1]].used : 0;

    each_mark(store, family, n, chunk_is_gone, &(struct gone){n, used});
    family->nchunks--;
    memmove(family->chunks + n, family->chunks + n + 1,
            (family->nchunks - n) * sizeof *family->chunks);
    free(store->chunks[id].data);
    store->chunks[id] = (struct chunk){.used = store->free_chunk};
    store->free_chunk = id;
}

struct move {
    uint32_t chunk;
    uint32_t from;
    uint32_t to;
};

static void record_moves(struct mark *mark, const void *arg)
{
    const struct move *move = arg;

    if (mark->chunk == move->chunk && mark->offset == move->from) {
        mark->offset = move->to;
    }
}

/* Moves the live records of the family's n-th chunk together. */
static void chunk_compact(struct store *store, struct family *family, uint32_t n)
{
    struct chunk *chunk = &store->chunks[family->chunks[n]];
    uint32_t to = 0;
    char *data;

    for (uint32_t from = 0; from < chunk->used;) {
        struct record *record = (struct record *)(void *)(chunk->data + from);
        uint32_t bytes = record_bytes(record);

        // A mark that was moved down never meets a later `from`, which is above where it is now.
        each_mark(store, family, n, record_moves, &(struct move){n, from, to});
        if (!(record->flags & RECORD_DEAD)) {
            store->refs[record->id] = family->chunks[n] << REF_SLOT_BITS | to / 8;
            memmove(chunk->data + to, record, bytes);
            to += bytes;
        }
        from += bytes;
    }
    each_mark(store, family, n, record_moves, &(struct move){n, chunk->used, to});
    chunk->used = to;
    chunk->dead = 0;
    data = realloc(chunk->data, (size_t)to + CHUNK_SLACK);
    if (data) {
        chunk->data = data;
        chunk->size = to;
    }
    memset(chunk->data + to, 0, CHUNK_SLACK);
}

/* After records of the family's n-th chunk died; whether the chunk is gone. */
static bool chunk_tidy(struct store *store, struct family *family, uint32_t n)
{
    const struct chunk *chunk = &store->chunks[family->chunks[n]];

    if (chunk->dead == chunk->used) {
        chunk_free(store, family, n);
        return true;
    }
    if (chunk->dead * 2 > chunk->used) {
        chunk_compact(store, family, n);
    }
    return false;
}

void family_drop(struct store *store, struct family *family)
{
    while (family->nchunks > 0) {
        chunk_free(store, family, family->nchunks - 1);
    }
    family_remove(store, family);
}

static void kill_record(struct store *store, struct family *family, struct chunk *chunk,
                        struct record *record)
{
    if (record->watched) {
        history_record_gone(store->history, record);
    }
    index_remove(store, record->hash, record->id);
    if (record->flags & RECORD_EXTRA) {
        free(*record_extra(record));
    }
    atomic_fetch_sub_explicit(&store->owners[record->owner]->series, 1, memory_order_relaxed);
    chunk->special -= (record->flags & (RECORD_EXTRA | RECORD_LONG)) != 0;
    chunk->version = ++store->versions;
    record->flags |= RECORD_DEAD;
    give_ref(store, record->id);
    chunk->dead += record_bytes(record);
    family->live--;
    store->live--;
}

void record_drop(struct store *store, uint32_t id)
{
    uint32_t chunk_id = store->refs[id] >> REF_SLOT_BITS;
    struct chunk *chunk = &store->chunks[chunk_id];
    struct family *family = chunk->family;
    uint32_t n = 0;

    kill_record(store, family, chunk, record_at(store, id));
    while (family->chunks[n] != chunk_id) {
        n++;
    }
    (void)chunk_tidy(store, family, n);
    if (family->live == 0) {
        family_drop(store, family);
    }
}

static void drop_in_family(struct store *store, struct family *family,
                           bool (*test)(void *arg, const struct record *record), void *arg)
{
    for (uint32_t n = 0; n < family->nchunks;) {
        struct chunk *chunk = &store->chunks[family->chunks[n]];
        uint32_t before = chunk->dead;

        for (uint32_t at = 0; at < chunk->used;) {
            struct record *record = (struct record *)(void *)(chunk->data + at);

            at += record_bytes(record);
            if (!(record->flags & RECORD_DEAD) && test(arg, record)) {
                kill_record(store, family, chunk, record);
            }
        }
        if (chunk->dead == before || !chunk_tidy(store, family, n)) {
            n++;
        }
    }
}

void record_drop_if(struct store *store, bool (*test)(void *arg, const struct record *record),
                    void *arg)
{
    for (uint32_t i = store->nfamilies; i-- > 0;) {
        struct family *family = store->families[i];

        drop_in_family(store, family, test, arg);
        if (family->live == 0) {
            family_drop(store, family);
        }
    }
}
