/*
 * spans.c: see spans.h.
 *
 * Each chunk has a version, which is new whenever its text may have changed.  A span remembers the
 * chunks that it shows with their versions; while it can be had for the same ones in the same
 * order, it is right.  Chunks with records that change unseen (the agent's own metrics) or are more
 * than a line (histograms) go into spans of their own, which are rendered each time.
 *
 * A span that is rendered anew ends where the one after it begins, so that those behind it stay
 * good.  The store is locked for one span at a time.
 */
#include "store/spans.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/cursor.h"
#include "store/exposition_private.h"
#include "store/render.h"

#define SPAN_BYTES 65536
#define SPAN_FIRST_BYTES 1024
/* A span that is rendered each time is at least so long if it can: few long spans are better. */
#define SPAN_MIXED_BYTES 4096

struct span_key {
    uint64_t version;
    uint32_t chunk; /* its id */
    bool head;      /* HELP and TYPE of the family stand in front of it */
};

static void span_release(struct span *span)
{
    if (--span->refs == 0) {
        free(span->text);
        free(span->keys);
        free(span);
    }
}

void span_list_finish(struct span_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        span_release(list->items[i]);
    }
    list->n = 0;
}

static struct span *span_new(void)
{
    struct span *span = calloc(1, sizeof *span);

    if (span) {
        span->refs = 1;
    }
    return span;
}

/* Room for `need` bytes more. */
static int reserve(struct span *span, size_t need)
{
    size_t size = span->size + span->size / 2;
    char *text;

    if (span->size - span->len >= need) {
        return 0;
    }
    size = size > SPAN_FIRST_BYTES ? size : SPAN_FIRST_BYTES;
    size = size > span->len + need ? size : span->len + need;
    text = realloc(span->text, size);
    if (!text) {
        return -ENOMEM;
    }
    span->text = text;
    span->size = size;
    return 0;
}

static int add_key(struct span *span, struct span_key key)
{
    if (span->nkeys == span->keys_size) {
        size_t size = span->keys_size ? span->keys_size * 2 : 4;
        struct span_key *keys = realloc(span->keys, size * sizeof *keys);

        if (!keys) {
            return -ENOMEM;
        }
        span->keys = keys;
        span->keys_size = size;
    }
    span->keys[span->nkeys++] = key;
    return 0;
}

/* ---- with the lock held for reading, and the cursor at a chunk ---- */

static uint32_t chunk_id(const struct cursor *cursor)
{
    return cursor->family->chunks[cursor->at.chunk];
}

/* Whether the cursor shows all of the chunk, and its version tells of all changes. */
static bool is_kept(const struct store *store, const struct cursor *cursor)
{
    const struct chunk *chunk = &store->chunks[chunk_id(cursor)];

    return chunk->special == 0 && cursor->at.offset == 0 &&
           cursor_stop(store, cursor) == chunk->used;
}

static void leave_chunk(const struct store *store, struct cursor *cursor)
{
    if (!cursor->in_family) {
        cursor_enter(store, cursor);
    }
    cursor->at = (struct mark){.chunk = cursor->at.chunk + 1};
}

/* Whether the span still is what comes next; the cursor stands behind it then, else where it was.
 */
static bool is_good(const struct store *store, struct cursor *cursor, const struct span *span)
{
    const struct cursor before = *cursor;

    if (span->nkeys == 0 || span->heads != store->heads) {
        return false;
    }
    for (size_t i = 0; i < span->nkeys; i++) {
        const struct span_key *key = &span->keys[i];

        if (!cursor_chunk(store, cursor) || chunk_id(cursor) != key->chunk ||
            store->chunks[key->chunk].version != key->version || key->head == cursor->in_family ||
            !is_kept(store, cursor)) {
            *cursor = before;
            return false;
        }
        leave_chunk(store, cursor);
    }
    return true;
}

static int render_head_of(struct exposition *exposition, struct span *span)
{
    const struct family *family = exposition->cursor.family;

    if (reserve(span, render_head_need(family)) < 0) {
        return -ENOMEM;
    }
    span->len = (size_t)(render_head(span->text + span->len, exposition->store, family,
                                     exposition->openmetrics) -
                         span->text);
    cursor_enter(exposition->store, &exposition->cursor);
    return 0;
}

/* What is left of the chunk, with the family's head if it is not out yet. */
static int render_chunk(struct exposition *exposition, struct span *span)
{
    const struct store *store = exposition->store;
    struct cursor *cursor = &exposition->cursor;
    const struct family *family = cursor->family;
    char *data = store->chunks[chunk_id(cursor)].data;
    uint32_t stop;

    if (reserve(span, 1) < 0 || (!cursor->in_family && render_head_of(exposition, span) < 0)) {
        return -ENOMEM;
    }
    stop = cursor_stop(store, cursor);
    while (cursor->at.offset < stop) {
        struct record *record;
        char *end;

        end = render_plain(span->text + span->len, span->text + span->size, family, data,
                           &cursor->at.offset, stop);
        span->len = (size_t)(end - span->text);
        if (cursor->at.offset >= stop) {
            break;
        }
        record = (struct record *)(void *)(data + cursor->at.offset);
        if (reserve(span, render_record_need(family, record)) < 0) {
            return -ENOMEM;
        }
        if (record->flags) {
            end = render_record(span->text + span->len, record, family, exposition->openmetrics);
            span->len = (size_t)(end - span->text);
            cursor->at.offset += record_bytes(record);
        }
    }
    cursor->at = (struct mark){.chunk = cursor->at.chunk + 1};
    return 0;
}

/* Whether the chunk at the cursor belongs into the span. */
static bool fits_in(const struct store *store, const struct cursor *cursor, const struct span *span)
{
    bool kept = span->nkeys > 0;

    return is_kept(store, cursor) == kept || (!kept && span->len < SPAN_MIXED_BYTES);
}

/* Renders from the cursor on, up to the chunk with the id `until`. */
static int render_span(struct exposition *exposition, struct span *span, uint32_t until)
{
    const struct store *store = exposition->store;
    struct cursor *cursor = &exposition->cursor;
    size_t most = until ? 2 * SPAN_BYTES : SPAN_BYTES;
    bool kept = is_kept(store, cursor);

    span->len = 0;
    span->nkeys = 0;
    span->first = chunk_id(cursor);
    span->heads = store->heads;
    span->openmetrics = exposition->openmetrics;
    do {
        uint32_t id = chunk_id(cursor);

        if ((kept && add_key(span, (struct span_key){store->chunks[id].version, id,
                                                     !cursor->in_family}) < 0) ||
            render_chunk(exposition, span) < 0) {
            span->nkeys = 0;
            span->first = 0;
            return -ENOMEM;
        }
    } while (span->len < most && cursor_chunk(store, cursor) && chunk_id(cursor) != until &&
             fits_in(store, cursor, span));
    return 0;
}

/* ---- one after the other ---- */

struct walk {
    struct exposition *exposition;
    struct span_list *kept;
    size_t at; /* in it: what comes next, if nothing has changed */
};

/* The next span, owned.  1: there is none. */
static int next_span(struct walk *walk, struct span **ret_span)
{
    struct exposition *exposition = walk->exposition;
    struct span_list *kept = walk->kept;
    struct span *span = NULL;
    uint32_t until = 0;
    int r;

    if (!cursor_chunk(exposition->store, &exposition->cursor)) {
        return 1;
    }
    for (size_t i = walk->at; i < kept->n && !span; i++) {
        if (kept->items[i]->first == chunk_id(&exposition->cursor)) {
            span = kept->items[i];
            until = i + 1 < kept->n ? kept->items[i + 1]->first : 0;
            walk->at = i + 1;
        }
    }
    if (span && span->openmetrics == exposition->openmetrics &&
        is_good(exposition->store, &exposition->cursor, span)) {
        span->refs++;
        *ret_span = span;
        return 0;
    }
    if (span && span->refs == 1) {
        span->refs++; // nobody else looks at it: its memory serves again
    } else {
        span = span_new();
        if (!span) {
            return -ENOMEM;
        }
    }
    r = render_span(exposition, span, until);
    if (r < 0) {
        span_release(span);
        return r;
    }
    *ret_span = span;
    return 0;
}

/* "# EOF" where it is due. */
static int end(struct exposition *exposition, struct span_list *list)
{
    struct span *span;

    exposition->ended = true;
    if (!exposition->openmetrics) {
        return 0;
    }
    span = span_new();
    if (!span || reserve(span, sizeof EXPOSITION_EOF) < 0) {
        free(span);
        return -ENOMEM;
    }
    memcpy(span->text, EXPOSITION_EOF, sizeof EXPOSITION_EOF - 1);
    span->len = sizeof EXPOSITION_EOF - 1;
    list->items[list->n++] = span;
    return 0;
}

static int collect(struct walk *walk, size_t most, struct span_list *list)
{
    struct store *store = walk->exposition->store;
    size_t bytes = 0;
    int r = 0;

    while (r == 0 && bytes < most && list->n < SPANS_MAX - 1) {
        (void)pthread_rwlock_rdlock(&store->lock);
        r = next_span(walk, &list->items[list->n]);
        (void)pthread_rwlock_unlock(&store->lock);
        if (r == 0) {
            bytes += list->items[list->n++]->len;
        }
    }
    if (r < 0) {
        return r;
    }
    return r == 1 ? end(walk->exposition, list) : 1;
}

int exposition_spans(struct exposition *exposition, struct span_list *kept, size_t most,
                     struct span_list *ret_list)
{
    struct walk walk = {.exposition = exposition, .kept = kept};
    int r;

    ret_list->n = 0;
    r = collect(&walk, most, ret_list);
    if (r < 0) {
        span_list_finish(ret_list);
        return r;
    }
    span_list_finish(kept);
    *kept = *ret_list;
    for (size_t i = 0; i < kept->n; i++) {
        kept->items[i]->refs++;
    }
    return r;
}
