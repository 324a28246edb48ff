/*
 * history_snapshot.c: the history as bytes, for a restart.
 *
 * Runs on a thread of the caller's that may take its time.  A snapshot is a row of frames, each
 * with its checksum and its version; what is damaged costs its frame only, for the next one is
 * found by its first bytes.  Blocks are copied as they are, but read back sample by sample through
 * the same door as all others, so that a snapshot can bring nothing in that could not have come by
 * itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/wire.h"
#include "store/history_private.h"

#define MAGIC UINT32_C(0x31484d54) /* "TMH1": the version, of the bits (gorilla.c) too */
#define HEAD_BYTES 12u             /* magic, length, checksum */
#define FRAME_BYTES 32768u         /* what damage may cost; one track may be more */
#define BLOCK_LEAST 25u            /* of one block, encoded */

enum frame_kind { FRAME_SELECTORS = 1, FRAME_TRACKS, FRAME_END };

/* ---- writing ---- */

static void put_frame(struct buf *buf, struct buf *frame)
{
    wire_put_u32(buf, MAGIC);
    wire_put_u32(buf, (uint32_t)frame->len);
    wire_put_u32(buf, (uint32_t)crc32(0, (const Bytef *)frame->data, (uInt)frame->len));
    buf_append(buf, frame->data, frame->len);
    buf->failed |= frame->failed;
    buf_clear(frame);
}

static void put_selectors(struct history *history, struct buf *frame)
{
    wire_put_u8(frame, FRAME_SELECTORS);
    wire_put_u32(frame, history->selectors.n);
    for (uint32_t i = 0; i < history->selectors.n; i++) {
        const struct history_selector *selector = history->selectors.items[i];

        wire_put_u64(frame, selector->key);
        pthread_rwlock_rdlock(&history->store->lock);
        wire_put_i64(frame, selector->since_ms);
        pthread_rwlock_unlock(&history->store->lock);
    }
}

static size_t bytes_for(const struct track *track)
{
    return track->bytes + track->text_len + (size_t)track->nlabels * 10 + 64;
}

static void put_track(struct history *history, const struct track *track, struct buf *frame)
{
    uint32_t nblocks = 0;

    labels_unpack(track, history->read_pairs);
    wire_put_u8(frame, track->nlabels);
    for (uint32_t i = 0; i < track->nlabels; i++) {
        wire_put_str(frame, history->read_pairs[i].key);
        wire_put_str(frame, history->read_pairs[i].value);
    }
    wire_put_i64(frame, track->flags & TRACK_CUT ? track->edge_ms : TRACK_NO_EDGE);
    for (const struct block *block = track->first; block; block = block->next) {
        nblocks++;
    }
    wire_put_u32(frame, nblocks);
    for (const struct block *block = track->first; block; block = block->next) {
        wire_put_i64(frame, block->time_ms);
        wire_put_u64(frame, block->value);
        wire_put_u16(frame, block->n);
        wire_put_u16(frame, block->bits);
        wire_put_bytes(frame, block->data, (block->bits + 7u) / 8);
    }
}

/* The n-th track, or the last if there are fewer.  1: it is in; 0: there is none; -ENOMEM. */
static int put_nth(struct history *history, uint32_t *n, struct buf *frame)
{
    size_t need = 0;
    bool in = false;

    while (!in) {
        if (!buf_reserve(frame, need)) { // not under the lock
            return -ENOMEM;
        }
        pthread_rwlock_rdlock(&history->store->lock);
        *n = *n < history->tracks.n ? *n : history->tracks.n;
        if (*n > 0) {
            const struct track *track = history->tracks.items[*n - 1];

            need = bytes_for(track);
            in = need < frame->size - frame->len;
            if (in) {
                put_track(history, track, frame);
            }
        }
        pthread_rwlock_unlock(&history->store->lock);
        if (*n == 0) {
            return 0;
        }
    }
    --*n;
    return 1;
}

static int put_tracks(struct history *history, struct buf *frame, struct buf *buf, uint64_t *ret_n)
{
    uint32_t at = UINT32_MAX;
    int r = 1;

    while (r == 1) {
        if (frame->len == 0) {
            wire_put_u8(frame, FRAME_TRACKS);
        }
        r = put_nth(history, &at, frame);
        *ret_n += r == 1;
        if (frame->len >= FRAME_BYTES || r == 0) {
            put_frame(buf, frame);
        }
    }
    return r;
}

int history_save(struct history *history, int64_t now_ms, struct buf *buf)
{
    struct buf frame;
    uint64_t n = 0;
    int r;

    buf_init(&frame, UINT32_MAX / 2);
    history_lock(history);
    put_selectors(history, &frame);
    put_frame(buf, &frame);
    r = put_tracks(history, &frame, buf, &n);
    history_unlock(history);
    wire_put_u8(&frame, FRAME_END);
    wire_put_u64(&frame, n);
    wire_put_i64(&frame, now_ms);
    put_frame(buf, &frame);
    buf_finish(&frame);
    return r < 0 ? r : buf->failed ? -ENOBUFS : 0;
}

/* ---- reading ---- */

struct restore {
    struct history *history;
    int64_t now_ms;
    bool damaged;
    bool ended;
    uint64_t ntracks;
    struct wire_reader selectors;  /* the frame of them */
    struct history_sample *buffer; /* of the track that is read */
    size_t n;
    size_t size;
    size_t nnewer; /* of them, those at the end that the track had already */
    struct tmon_pair pairs[HISTORY_LABELS];
};

static bool get_pairs(struct wire_reader *reader, struct tmon_pair *pairs, uint32_t n)
{
    if (n > HISTORY_LABELS) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        pairs[i].key = wire_get_str(reader, UINT8_MAX);
        pairs[i].value = wire_get_str(reader, HISTORY_TEXT_BYTES);
        if (reader->bad || (i > 0 && strcmp(pairs[i - 1].key, pairs[i].key) >= 0)) {
            return false;
        }
    }
    return true;
}

static int reserve(struct restore *restore, size_t more)
{
    size_t size = restore->size ? restore->size : 1024;
    struct history_sample *buffer;

    while (size < restore->n + more) {
        size *= 2;
    }
    if (size == restore->size) {
        return 0;
    }
    buffer = realloc(restore->buffer, size * sizeof *buffer);
    if (!buffer) {
        return -ENOMEM;
    }
    restore->buffer = buffer;
    restore->size = size;
    return 0;
}

/* Appends the block's samples to the buffer.  -EPROTO, -ENOMEM. */
static int get_block(struct restore *restore, struct wire_reader *reader)
{
    uint8_t data[BLOCK_MOST + GORILLA_LEAST_BYTES] = {0};
    struct gorilla state;
    struct history_sample *first;
    int64_t time_ms = wire_get_i64(reader);
    uint64_t value = wire_get_u64(reader);
    uint32_t n = wire_get_u16(reader);
    uint32_t bits = wire_get_u16(reader);
    uint32_t at = 0;
    size_t len;
    const void *bytes = wire_get_bytes(reader, BLOCK_MOST, &len);

    if (reader->bad || n == 0 || n - 1 > bits / 2 || len != (bits + 7) / 8) {
        return -EPROTO;
    }
    if (reserve(restore, n) < 0) {
        return -ENOMEM;
    }
    memcpy(data, bytes, len);
    gorilla_start(&state, time_ms, value);
    first = restore->buffer + restore->n;
    *first = (struct history_sample){time_ms, double_from_bits(value)};
    at = gorilla_get(&state, data, sizeof data, &at, bits, first + 1, n - 1);
    restore->n += 1 + at;
    return at == n - 1 ? 0 : -EPROTO;
}

/* What came since the start, taken out of the track and put behind the others. */
static int take_newer(struct restore *restore, struct track *track)
{
    size_t n = restore->n;

    restore->nnewer = 0;
    if (!track->first) {
        return 0;
    }
    while (n > 0 && restore->buffer[n - 1].time_ms >= track->first->time_ms) {
        n--;
    }
    restore->n = n;
    if (reserve(restore, track->samples) < 0) {
        return -ENOMEM;
    }
    for (const struct block *block = track->first; block; block = block->next) {
        restore->n += track_decode(block, restore->buffer + restore->n);
    }
    restore->nnewer = restore->n - n;
    track_clear(restore->history, track);
    return 0;
}

static int put_samples(struct restore *restore, uint32_t nlabels, int64_t edge_ms)
{
    struct history *history = restore->history;
    struct track *track = NULL;
    uint32_t cost = 0;
    int64_t from_ms;
    int r = history_track(history, NULL, restore->pairs, nlabels, &cost, &track);

    if (r < 0 || !track) {
        return r == -EINVAL ? -EPROTO : 0; // the selectors know that there was no room
    }
    r = take_newer(restore, track);
    if (r < 0) {
        return r;
    }
    from_ms = track_add_ms(restore->now_ms, -track_add_ms(track->keep_ms, TRACK_SLACK_MS));
    for (size_t i = 0; i < restore->n; i++) {
        const struct history_sample *sample = &restore->buffer[i];

        if (i >= restore->n - restore->nnewer ||
            (sample->time_ms > from_ms && sample->time_ms <= restore->now_ms)) {
            (void)track_put(history, track, sample->time_ms, double_to_bits(sample->value), false);
        }
    }
    if (edge_ms > from_ms && edge_ms <= restore->now_ms) {
        track_lost(history, track, edge_ms);
    }
    return 0;
}

/* One track.  -EPROTO, -ENOMEM. */
static int get_track(struct restore *restore, struct wire_reader *reader)
{
    uint32_t nlabels = wire_get_u8(reader);
    int64_t edge_ms;
    uint32_t nblocks;
    int r = get_pairs(reader, restore->pairs, nlabels) ? 0 : -EPROTO;
    int put = 0;

    edge_ms = wire_get_i64(reader);
    nblocks = wire_get_count(reader, UINT32_MAX, BLOCK_LEAST);
    if (reader->bad) {
        r = -EPROTO;
    }
    restore->n = 0;
    for (uint32_t i = 0; i < nblocks && r == 0; i++) {
        r = get_block(restore, reader);
    }
    if (r != -EPROTO || restore->n > 0) {
        pthread_rwlock_wrlock(&restore->history->store->lock);
        put = put_samples(restore, nlabels, edge_ms);
        pthread_rwlock_unlock(&restore->history->store->lock);
    }
    return r < 0 ? r : put;
}

static int get_tracks(struct restore *restore, struct wire_reader *reader)
{
    while (reader->pos < reader->len) {
        int r = get_track(restore, reader);

        if (r == -ENOMEM) {
            return r;
        }
        if (r < 0) {
            restore->damaged = true;
            return 0;
        }
        restore->ntracks++;
    }
    return 0;
}

/* A frame that is whole. */
static int get_frame(struct restore *restore, const uint8_t *data, size_t len)
{
    struct wire_reader reader;

    wire_reader_init(&reader, data, len);
    switch (wire_get_u8(&reader)) {
    case FRAME_SELECTORS:
        restore->selectors = reader;
        return 0;
    case FRAME_TRACKS:
        return get_tracks(restore, &reader);
    case FRAME_END:
        restore->ended = wire_get_u64(&reader) == restore->ntracks && !reader.bad;
        return 0;
    default:
        restore->damaged = true;
        return 0;
    }
}

static uint32_t u32_at(const uint8_t *data)
{
    return data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

/* The bytes of the frame here; 0: there is none. */
static size_t frame_at(const uint8_t *data, size_t len)
{
    uint32_t n;

    if (len < HEAD_BYTES || u32_at(data) != MAGIC) {
        return 0;
    }
    n = u32_at(data + 4);
    if (n > len - HEAD_BYTES || crc32(0, data + HEAD_BYTES, n) != u32_at(data + 8)) {
        return 0;
    }
    return HEAD_BYTES + n;
}

/* Where the next frame might begin. */
static size_t skip_damage(const uint8_t *data, size_t len)
{
    static const uint8_t magic[4] = {'T', 'M', 'H', '1'};
    const uint8_t *next = len > 1 ? memmem(data + 1, len - 1, magic, sizeof magic) : NULL;

    return next ? (size_t)(next - data) : len;
}

/* A selector that was there before has been matched since then. */
static void put_since(struct restore *restore)
{
    struct history *history = restore->history;
    struct wire_reader *reader = &restore->selectors;
    uint32_t n = wire_get_count(reader, UINT32_MAX, 16);

    for (uint32_t i = 0; i < n; i++) {
        uint64_t key = wire_get_u64(reader);
        int64_t since_ms = wire_get_i64(reader);

        pthread_rwlock_wrlock(&history->store->lock);
        for (uint32_t j = 0; j < history->selectors.n; j++) {
            struct history_selector *selector = history->selectors.items[j];

            if (selector->key == key && since_ms > 0 &&
                (selector->since_ms == 0 || since_ms < selector->since_ms)) {
                selector->since_ms = since_ms;
            }
        }
        pthread_rwlock_unlock(&history->store->lock);
    }
}

int history_restore(struct history *history, const void *data, size_t len, int64_t now_ms)
{
    struct restore *restore = calloc(1, sizeof *restore);
    const uint8_t *at = data;
    int r = 0;

    if (!restore) {
        return -ENOMEM;
    }
    restore->history = history;
    restore->now_ms = now_ms;
    history_lock(history);
    while (len > 0 && r == 0) {
        size_t n = frame_at(at, len);

        if (n > 0) {
            r = get_frame(restore, at + HEAD_BYTES, n - HEAD_BYTES);
        } else {
            restore->damaged = true;
            n = skip_damage(at, len);
        }
        at += n;
        len -= n;
    }
    if (r == 0 && (restore->damaged || !restore->ended)) {
        r = -EPROTO;
    }
    if (r == 0) {
        put_since(restore);
    }
    history_unlock(history);
    free(restore->buffer);
    free(restore);
    return r;
}
