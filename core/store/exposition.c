/*
 * exposition.c: one scrape, a block at a time.
 *
 * Runs on the thread that scrapes.  Its cursor (family, chunk, offset) stands in a list of the
 * store, and whoever moves or frees records corrects the cursors in it: so the cursor is always
 * right without marks on series or copies of anything.  What does not fit into an empty block (a
 * long histogram) is rendered aside, at one go, and handed out from there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/cursor.h"
#include "store/exposition_private.h"
#include "store/render.h"

#define GZIP_INPUT 32768 /* fits the cache beside deflate's tables */
/* Level 6 saves a tenth of the bytes for three times the CPU; see docs/metrics.md. */
#define GZIP_LEVEL 1

/* -- under the read lock -- */

/* Moves on to the next record that is alive; NULL at the end of all. */
static struct record *seek(const struct store *store, struct cursor *cursor)
{
    while (cursor_chunk(store, cursor)) {
        char *data = store->chunks[cursor->family->chunks[cursor->at.chunk]].data;
        uint32_t stop = cursor_stop(store, cursor);

        while (cursor->at.offset < stop) {
            struct record *record = (struct record *)(void *)(data + cursor->at.offset);

            if (!(record->flags & RECORD_DEAD)) {
                return record;
            }
            cursor->at.offset += record_bytes(record);
        }
    }
    return NULL;
}

/* Where to render `need` bytes: in the block if they fit, aside if the block is empty, else NULL.
 */
static char *place_for(struct exposition *exposition, char *out, const char *end, bool empty,
                       size_t need)
{
    if ((size_t)(end - out) >= need) {
        return out;
    }
    if (!empty) {
        return NULL;
    }
    if (exposition->aside_size < need) {
        char *aside = realloc(exposition->aside, need);

        if (!aside) {
            return NULL;
        }
        exposition->aside = aside;
        exposition->aside_size = need;
    }
    return exposition->aside;
}

/* Renders until the block is full, or one thing aside; bytes in the block, or -ENOMEM. */
static ssize_t render_some(struct exposition *exposition, char *block, size_t size)
{
    const struct store *store = exposition->store;
    struct cursor *cursor = &exposition->cursor;
    const char *end = block + size;
    char *out = block;
    struct record *record;

    while ((record = seek(store, cursor)) != NULL) {
        bool head = !cursor->in_family;
        bool plain = !head && record->flags == 0;
        size_t need =
            head ? render_head_need(cursor->family) : render_record_need(cursor->family, record);
        char *place;
        char *stop;

        if (plain) {
            uint32_t before = cursor->at.offset;
            const char *data = store->chunks[cursor->family->chunks[cursor->at.chunk]].data;

            out = render_plain(out, end, cursor->family, data, &cursor->at.offset,
                               cursor_stop(store, cursor));
            if (cursor->at.offset != before) {
                continue;
            }
        }
        place = place_for(exposition, out, end, out == block, need);
        if (!place) {
            return out == block ? -ENOMEM : out - block;
        }
        if (head) {
            stop = render_head(place, store, cursor->family, exposition->openmetrics);
            cursor_enter(store, cursor);
        } else {
            stop = render_record(place, record, cursor->family, exposition->openmetrics);
            cursor->at.offset += record_bytes(record);
        }
        if (place == exposition->aside) {
            exposition->aside_len = (size_t)(stop - place);
            return 0;
        }
        out = stop;
    }
    return out - block;
}

/* -- the plain bytes -- */

static size_t take_aside(struct exposition *exposition, char *block, size_t size)
{
    size_t len = exposition->aside_len - exposition->aside_at;

    if (len == 0) {
        return 0;
    }
    len = len < size ? len : size;
    memcpy(block, exposition->aside + exposition->aside_at, len);
    exposition->aside_at += len;
    if (exposition->aside_at == exposition->aside_len) {
        exposition->aside_at = 0;
        exposition->aside_len = 0;
    }
    return len;
}

static ssize_t read_plain(struct exposition *exposition, char *block, size_t size)
{
    static const char eof[] = EXPOSITION_EOF;
    ssize_t n;

    if (size == 0) {
        return 0;
    }
    if (exposition->aside_len == 0 && !exposition->ended) {
        pthread_rwlock_rdlock(&exposition->store->lock);
        n = render_some(exposition, block, size);
        pthread_rwlock_unlock(&exposition->store->lock);
        if (n != 0) {
            return n;
        }
        if (exposition->aside_len == 0) {
            exposition->ended = true;
            if (exposition->openmetrics) {
                if (!place_for(exposition, block, block, true, sizeof eof)) {
                    return -ENOMEM;
                }
                memcpy(exposition->aside, eof, sizeof eof - 1);
                exposition->aside_len = sizeof eof - 1;
            }
        }
    }
    return (ssize_t)take_aside(exposition, block, size);
}

/* -- compressed -- */

static ssize_t read_gzip(struct exposition *exposition, char *block, size_t size)
{
    z_stream *gzip = &exposition->gzip;

    gzip->next_out = (unsigned char *)block;
    gzip->avail_out = (unsigned)(size < UINT32_MAX ? size : UINT32_MAX);
    while (gzip->avail_out > 0 && !exposition->gzip_ended) {
        int flush = Z_NO_FLUSH;

        if (gzip->avail_in == 0) {
            ssize_t n = read_plain(exposition, exposition->plain, GZIP_INPUT);

            if (n < 0) {
                return n;
            }
            gzip->next_in = (unsigned char *)exposition->plain;
            gzip->avail_in = (unsigned)n;
            flush = n == 0 ? Z_FINISH : Z_NO_FLUSH;
        }
        exposition->gzip_ended = deflate(gzip, flush) == Z_STREAM_END;
    }
    return (char *)gzip->next_out - block;
}

ssize_t exposition_read(struct exposition *exposition, char *block, size_t size)
{
    return exposition->plain ? read_gzip(exposition, block, size)
                             : read_plain(exposition, block, size);
}

/* -- life -- */

static int gzip_init(struct exposition *exposition)
{
    exposition->plain = malloc(GZIP_INPUT);
    if (!exposition->plain) {
        return -ENOMEM;
    }
    if (deflateInit2(&exposition->gzip, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        free(exposition->plain);
        return -ENOMEM;
    }
    return 0;
}

int exposition_create(struct store *store, enum exposition_format format, bool gzip, int64_t now_ms,
                      struct exposition **ret_exposition)
{
    struct exposition *exposition = calloc(1, sizeof *exposition);

    if (!exposition) {
        return -ENOMEM;
    }
    exposition->store = store;
    exposition->openmetrics = format != EXPOSITION_TEXT;
    if (gzip && gzip_init(exposition) < 0) {
        free(exposition);
        return -ENOMEM;
    }
    store_refresh(store, now_ms);
    store_expire(store, now_ms);
    pthread_rwlock_wrlock(&store->lock);
    store_metric_set(store->series_gauge, store->live);
    exposition->cursor.family = store->nfamilies > 0 ? store->families[0] : NULL;
    exposition->cursor.next = store->cursors;
    store->cursors = &exposition->cursor;
    pthread_rwlock_unlock(&store->lock);
    *ret_exposition = exposition;
    return 0;
}

void exposition_destroy(struct exposition *exposition)
{
    struct cursor **at;

    if (!exposition) {
        return;
    }
    pthread_rwlock_wrlock(&exposition->store->lock);
    at = &exposition->store->cursors;
    while (*at != &exposition->cursor) {
        at = &(*at)->next;
    }
    *at = exposition->cursor.next;
    pthread_rwlock_unlock(&exposition->store->lock);
    if (exposition->plain) {
        deflateEnd(&exposition->gzip);
        free(exposition->plain);
    }
    free(exposition->aside);
    free(exposition);
}
