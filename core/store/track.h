/*
 * track.h: the past of one series, in blocks of bits; private to core/store.
 *
 * A block is a run of samples (gorilla.h) that is read without the others, so the oldest is dropped
 * by freeing it.  Its size follows from how much the whole range takes: small blocks waste their
 * heads, large ones what is kept beyond the range.  A track lives as long as a selector wants it
 * and has something to say, also while its series is gone from the store.
 *
 * Everything here is called with the store's lock held for writing, unless it says otherwise.
 */
#ifndef STORE_TRACK_H
#define STORE_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bits.h"
#include "store/gorilla.h"

struct history;

/* An evaluation may be so much late and still find all of its range. */
#define TRACK_SLACK_MS 30000
#define TRACK_NEVER INT64_MAX
#define TRACK_NO_EDGE INT64_MIN

struct block {
    struct block *next;
    int64_t time_ms; /* of the first sample */
    uint64_t value;
    uint16_t n;    /* samples, the first included */
    uint16_t bits; /* of the others */
    uint16_t size; /* of data */
    uint8_t data[];
};

/* What malloc gives without a rest: 64 bytes less its own 8, up to 1 KiB less these. */
#define BLOCK_FIRST 56u
#define BLOCK_MOST 1016u
#define BLOCK_HEAD ((uint32_t)offsetof(struct block, data))
#define BLOCK_SAMPLES_MOST ((BLOCK_MOST - BLOCK_HEAD) * 8 / 2 + 1) /* two bits each at least */

enum track_flags {
    TRACK_OWNED = 1, /* in the list of its owner */
    TRACK_FRESH = 2, /* the owner's last collection had it: it gets a mark when one has not */
    TRACK_LEFT = 4,  /* its owner went: it gets a mark if no other emits it soon */
    TRACK_CUT = 8,   /* the bounds took samples of its range */
    TRACK_GONE = 16, /* about to be freed */
};

/* What a line of a series is: the value of a plain one; of a histogram or summary with n points
 * the points, then: */
enum track_part { PART_INF, PART_SUM, PART_COUNT, PARTS };

struct track {
    uint64_t id;
    struct block *first; /* the oldest; NULL: no samples */
    struct block **last; /* where the pointer to the newest stands */
    struct gorilla end;  /* of the newest block */
    int64_t before_ms;   /* the sample before the last, where the newest block has one */
    uint64_t before;
    int64_t keep_ms;
    int64_t edge_ms; /* samples up to here may be missing, those behind it are all there */
    int64_t drop_ms; /* the first block goes when there is a sample of this time */
    uint32_t samples;
    uint32_t bytes; /* all that it takes */
    uint32_t at;    /* its place in history->tracks */
    uint32_t at_owner;
    uint32_t record; /* NO_SERIES: none in the store */
    uint32_t commit; /* its owner's count of commits when it was last emitted */
    uint32_t hash;
    uint32_t nselectors;
    uint32_t mark; /* number of the last walk that was here */
    uint16_t owner;
    uint16_t part;
    uint16_t text_len;
    uint8_t flags;
    uint8_t nlabels;
    char text[]; /* the labels, packed (history_private.h) */
};

struct track_list {
    struct track **items;
    uint32_t n;
    uint32_t size;
};

/* What an owner has of tracks; a member of struct store_owner. */
struct track_owner {
    struct track_list tracks;
    uint32_t fresh;   /* of them, those with TRACK_FRESH */
    struct pace pace; /* of its collections */
};

/* What malloc really takes for n bytes. */
static inline size_t track_heap_bytes(size_t n)
{
    size_t bytes = (n + 8 + 15) & ~(size_t)15;

    return bytes < 32 ? 32 : bytes;
}

static inline int64_t track_add_ms(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? (b < 0 ? INT64_MIN : INT64_MAX) : sum;
}

/* Appends a sample.  One that is not newer than the last is left out; with `wall`, the time is that
 * of the clock, and if that went back, what the track holds of times to come is dropped.  False: it
 * was left out. */
bool track_put(struct history *history, struct track *track, int64_t time_ms, uint64_t value,
               bool wall);
/* The stale marker, unless there is one. */
void track_mark(struct history *history, struct track *track, int64_t time_ms);
/* Drops blocks that end before the range. */
void track_trim(struct history *history, struct track *track, int64_t now_ms);
void track_keep(struct track *track, int64_t keep_ms);
/* Drops the oldest block, for want of memory. */
void track_cut(struct history *history, struct track *track);
/* Drops all samples, and knows nothing of them. */
void track_clear(struct history *history, struct track *track);
/* Samples up to that time were lost that the range wants. */
void track_lost(struct history *history, struct track *track, int64_t edge_ms);
/* All samples of a block; how many. */
uint32_t track_decode(const struct block *block, struct history_sample *ret_samples);

#endif
