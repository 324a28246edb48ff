/*
 * track.c: see track.h.
 *
 * Runs on whatever thread commits.  A block begins with 64 bytes and grows until the range is
 * spread over blocks of a good size; then it is left as it is and the next one begins.  Where
 * memory ends, a track goes on in the place of its own oldest samples and knows it (TRACK_CUT).
 */
#include "store/track.h"

#include <stdlib.h>
#include <string.h>

#include "store/history_private.h"

#define MALLOC_HEAD 8u

static uint32_t block_bytes(const struct block *block)
{
    return (uint32_t)track_heap_bytes(BLOCK_HEAD + block->size);
}

static void account(struct history *history, struct track *track, uint32_t more, uint32_t less)
{
    track->bytes += more - less;
    history->bytes += more;
    history->bytes -= less;
    history->track_bytes += more;
    history->track_bytes -= less;
}

static void set_drop(struct track *track)
{
    const struct block *second = track->first ? track->first->next : NULL;

    track->drop_ms =
        second ? track_add_ms(track_add_ms(second->time_ms, track->keep_ms), TRACK_SLACK_MS)
               : TRACK_NEVER;
}

/* Samples up to here are gone; `cut` says whether the range still wanted them. */
static void set_edge(struct history *history, struct track *track, int64_t edge_ms, bool cut)
{
    if (edge_ms > track->edge_ms) {
        track->edge_ms = edge_ms;
    }
    if (cut != ((track->flags & TRACK_CUT) != 0)) {
        track->flags ^= TRACK_CUT;
        history->cut = cut ? history->cut + 1 : history->cut - 1;
    }
}

static struct block *unlink_first(struct history *history, struct track *track, bool cut)
{
    struct block *first = track->first;

    track->first = first->next;
    if (!track->first) {
        track->last = &track->first;
    } else {
        if (track->last == &first->next) {
            track->last = &track->first;
        }
        set_edge(history, track, track_add_ms(track->first->time_ms, -1), cut);
    }
    track->samples -= first->n;
    history->samples -= first->n;
    set_drop(track);
    return first;
}

static void drop_first(struct history *history, struct track *track, bool cut)
{
    struct block *first = unlink_first(history, track, cut);

    account(history, track, 0, block_bytes(first));
    free(first);
}

void track_cut(struct history *history, struct track *track)
{
    drop_first(history, track, true);
}

void track_trim(struct history *history, struct track *track, int64_t now_ms)
{
    while (now_ms >= track->drop_ms) {
        drop_first(history, track, false);
    }
}

void track_keep(struct track *track, int64_t keep_ms)
{
    track->keep_ms = keep_ms;
    set_drop(track);
}

void track_clear(struct history *history, struct track *track)
{
    while (track->first) {
        struct block *block = track->first;

        track->first = block->next;
        account(history, track, 0, block_bytes(block));
        track->samples -= block->n;
        history->samples -= block->n;
        free(block);
    }
    track->last = &track->first;
    set_drop(track);
}

void track_lost(struct history *history, struct track *track, int64_t edge_ms)
{
    set_edge(history, track, edge_ms, true);
}

uint32_t track_decode(const struct block *block, struct history_sample *ret_samples)
{
    struct gorilla state;
    uint32_t at = 0;

    gorilla_start(&state, block->time_ms, block->value);
    ret_samples[0] = (struct history_sample){block->time_ms, double_from_bits(block->value)};
    return 1 + gorilla_get(&state, block->data, block->size, &at, block->bits, ret_samples + 1,
                           block->n - 1u);
}

/* ---- appending ---- */

/* The block is the track's newest from now on. */
static void begin(struct history *history, struct track *track, struct block *block,
                  int64_t time_ms, uint64_t value)
{
    memset(block->data, 0, block->size);
    block->next = NULL;
    block->time_ms = time_ms;
    block->value = value;
    block->n = 1;
    block->bits = 0;
    if (*track->last) {
        track->last = &(*track->last)->next;
    }
    *track->last = block;
    track->samples++;
    history->samples++;
    gorilla_start(&track->end, time_ms, value);
    set_drop(track);
}

static bool begin_anew(struct history *history, struct track *track, int64_t time_ms,
                       uint64_t value)
{
    uint32_t bytes = (uint32_t)track_heap_bytes(BLOCK_FIRST);
    struct block *block = history_room(history, bytes, track) ? malloc(BLOCK_FIRST) : NULL;

    if (block) {
        block->size = BLOCK_FIRST - BLOCK_HEAD;
        account(history, track, bytes, 0);
    } else {
        block = track->first ? unlink_first(history, track, true) : NULL;
        if (!track->first) {
            set_edge(history, track, block ? track_add_ms(time_ms, -1) : time_ms, true);
        }
    }
    if (block) {
        begin(history, track, block, time_ms, value);
    }
    return block != NULL;
}

/*
 * Whether the next larger block would be better.  A range of `need` bytes costs a head for each of
 * its blocks, and on average half a block that is beyond it: need / size * head + size / 2.  A step
 * from size to next pays while size * next < 2 * head * need; and need / size is keep / span.
 */
static bool is_worth_it(const struct track *track, const struct block *block, uint32_t next)
{
    double span_ms = (double)track->end.pace.time_ms - (double)block->time_ms;

    return next * span_ms < 2.0 * (BLOCK_HEAD + MALLOC_HEAD) * (double)track->keep_ms;
}

static bool grow(struct history *history, struct track *track)
{
    struct block *block = *track->last;
    uint32_t before = block_bytes(block);
    uint32_t after = before & (before - 1) ? before / 3 * 4 : before / 2 * 3; // 64, 96, 128, ...
    uint32_t size = after - MALLOC_HEAD;

    if (size > BLOCK_MOST || !is_worth_it(track, block, size - BLOCK_HEAD) ||
        !history_room(history, after - before, track)) {
        return false;
    }
    block = realloc(*track->last, size);
    if (!block) {
        return false;
    }
    *track->last = block;
    memset(block->data + block->size, 0, size - BLOCK_HEAD - block->size);
    block->size = (uint16_t)(size - BLOCK_HEAD);
    account(history, track, after, before);
    return true;
}

static bool put(struct history *history, struct track *track, int64_t time_ms, uint64_t value)
{
    struct block *block = *track->last;

    if (!block ||
        !gorilla_put(&track->end, block->data, block->size, &block->bits, time_ms, value)) {
        return false;
    }
    block->n++;
    track->samples++;
    history->samples++;
    return true;
}

/* ---- a clock that went back ---- */

/* Drops what the block holds of this time and later; it holds something before it. */
static void shorten(struct history *history, struct track *track, struct block *block,
                    int64_t time_ms)
{
    uint32_t at = 0;
    uint16_t n = 1;
    uint32_t byte;
    struct history_sample sample;

    gorilla_start(&track->end, block->time_ms, block->value);
    while (n < block->n) {
        struct gorilla end = track->end;
        uint32_t start = at;

        if (gorilla_get(&track->end, block->data, block->size, &at, block->bits, &sample, 1) == 0 ||
            sample.time_ms >= time_ms) {
            track->end = end;
            at = start;
            break;
        }
        n++;
    }
    track->samples -= (uint32_t)(block->n - n);
    history->samples -= (uint32_t)(block->n - n);
    block->n = n;
    block->bits = (uint16_t)at;
    byte = (at + 7) / 8;
    memset(block->data + byte, 0, block->size - byte);
    if (at % 8) {
        block->data[at / 8] &= (uint8_t)(0xff00 >> at % 8);
    }
}

static void take_back(struct history *history, struct track *track, int64_t time_ms)
{
    struct block *ahead;

    track->last = &track->first;
    while (track->first && track->first->time_ms < time_ms && (*track->last)->next &&
           (*track->last)->next->time_ms < time_ms) {
        track->last = &(*track->last)->next;
    }
    if (track->first && track->first->time_ms >= time_ms) {
        ahead = track->first;
        track->first = NULL;
    } else {
        ahead = (*track->last)->next;
        (*track->last)->next = NULL;
        shorten(history, track, *track->last, time_ms);
    }
    while (ahead) {
        struct block *block = ahead;

        ahead = block->next;
        account(history, track, 0, block_bytes(block));
        track->samples -= block->n;
        history->samples -= block->n;
        free(block);
    }
    if (track->edge_ms >= time_ms) {
        track->edge_ms = track_add_ms(time_ms, -1);
    }
    set_drop(track);
}

bool track_put(struct history *history, struct track *track, int64_t time_ms, uint64_t value,
               bool wall)
{
    int64_t before_ms = track->end.pace.time_ms;
    uint64_t before = track->end.value;

    if (track->first && time_ms <= track->end.pace.time_ms) {
        if (!wall || time_ms == track->end.pace.time_ms) {
            return false;
        }
        take_back(history, track, time_ms);
        before_ms = track->end.pace.time_ms;
        before = track->end.value;
    }
    if (!put(history, track, time_ms, value) &&
        !(*track->last && grow(history, track) && put(history, track, time_ms, value)) &&
        !begin_anew(history, track, time_ms, value)) {
        return false;
    }
    track->before = before;
    track->before_ms = before_ms;
    track_trim(history, track, time_ms);
    return true;
}

void track_mark(struct history *history, struct track *track, int64_t time_ms)
{
    if (!track->first || track->end.value == HISTORY_STALE_BITS) {
        return;
    }
    if (time_ms == track->end.pace.time_ms) {
        time_ms++;
    }
    (void)track_put(history, track, time_ms, HISTORY_STALE_BITS, true);
}
