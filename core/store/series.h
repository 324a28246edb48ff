/*
 * series.h: how the store keeps its series; private to core/store.
 *
 * A family (one name, one kind) keeps its series as records in chunks of at most 64 KiB, in the
 * order in which they were born, so that a scrape reads memory from front to back.  A record is a
 * header, a pointer to what few series have (buckets, a time, a metric of the agent's own), and the
 * labels as text.  Dropping marks it dead; a chunk that is half dead is compacted.  So records
 * move, and are known by an id: `refs[id]` says where it is.
 *
 * Everything here is called with the store's lock held for writing, unless it says otherwise.
 */
#ifndef STORE_SERIES_H
#define STORE_SERIES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/map.h"
#include "store/store.h"
#include "store/track.h"

#define CHUNK_BYTES 65536u /* 8192 slots of 8 bytes: 13 bits of a ref */
#define CHUNK_SLACK 32u    /* readable behind the last record: a scrape copies in steps of 32 */
#define REF_SLOT_BITS 13
#define REF_FREE UINT32_C(0x80000000)
#define MAX_CHUNKS (1u << (31 - REF_SLOT_BITS))
#define NO_SERIES 0u /* ids start at 1 */
/* As Prometheus: a series without samples is gone after five minutes. */
#define STORE_KEEP_MS (5 * 60 * 1000)

enum record_flags {
    RECORD_DEAD = 1,
    RECORD_EXTRA = 2, /* a struct extra * stands between header and text */
    RECORD_LONG = 4,  /* the value's text does not fit behind the text (-1.2345678901234567e-100) */
};
#define VALUE_BYTES 24u

/*
 * A header, then a struct extra * where flags say so, then the labels as `{key="value"} ` or just
 * the space, then (without an extra) the value's text and a newline: so with the family's name in
 * front they are the line that a scrape shows.  The value is rendered when it changes, not when it
 * is read: there may be several scrapers, and of 100,000 series most do not move.
 */
struct record {
    double value; /* of a histogram or summary: the sum */
    uint32_t id;
    uint32_t hash;     /* of name and labels */
    uint32_t next;     /* a guess: the series that its owner emitted after this one */
    uint32_t seen_s;   /* when it was last emitted */
    uint16_t text_len; /* of the labels */
    uint16_t owner;
    uint8_t commit; /* low bits of the owner's count of commits when it was last emitted */
    uint8_t flags;
    uint8_t value_len; /* with the newline */
    bool watched;      /* store->history wants its samples */
};

/* What few series have.  Owned by its record. */
struct extra {
    struct store_metric *metric; /* of the agent's own: the values are there; else NULL */
    int64_t time_ms;             /* 0: none */
    uint64_t count;
    uint32_t npoints;
    double points[]; /* npoints bounds, then npoints points */
};

struct store_metric {
    _Atomic uint64_t bits; /* a double */
    uint32_t id;
    uint32_t nbounds;
    const double *bounds;
    _Atomic uint64_t counts[]; /* histogram: nbounds + 1, not cumulative */
};

struct chunk {
    struct family *family; /* NULL: not in use, `used` is the next free one */
    char *data;
    uint32_t used;
    uint32_t size;    /* without CHUNK_SLACK */
    uint32_t dead;    /* bytes of dead records */
    uint32_t special; /* records that are alive and have an extra or a long value */
    uint64_t version; /* another one whenever the lines of its records may be others */
};

struct family {
    char *name; /* CHUNK_SLACK bytes are readable behind it */
    uint32_t name_len;
    char *help; /* NULL: none */
    tmon_metric_kind kind;
    uint32_t at; /* its place in store->families */
    uint32_t live;
    uint32_t *chunks; /* ids, in order */
    uint32_t nchunks;
};

struct store_owner {
    char *name;
    struct tmon_pair *labels; /* sorted by key, unique, no empty values; owned */
    size_t nlabels;
    uint16_t index;
    uint32_t cap;
    uint32_t keep_s;
    _Atomic uint32_t series;
    uint32_t first; /* a guess: the first series of a collection */
    uint32_t commits;
    uint32_t oldest_s;                            /* no series of it was seen before */
    uint32_t dropped;                             /* series, ever */
    struct store_metric *refused[STORE_REFUSALS]; /* NULL: none yet */
    struct store_metric *series_gauge;
    struct track_owner past;
};

/* A place in a family: before the record at this offset, or at the end of the chunk. */
struct mark {
    uint32_t chunk; /* index in family->chunks */
    uint32_t offset;
};

/* Where a scrape stands; see exposition.c.  Whoever moves or frees records corrects the marks. */
struct cursor {
    struct cursor *next;
    struct family *family; /* NULL: at the end */
    bool in_family;        /* HELP and TYPE are out, and `end` is set */
    struct mark at;
    struct mark end; /* what is born behind it is not for this scrape: it may have been shown
                        before it was dropped and born again */
};

struct store {
    pthread_rwlock_t lock;
    uint32_t max_series;
    uint32_t live;

    struct family **families; /* sorted by name */
    uint32_t nfamilies;
    uint32_t families_size;
    struct map by_name;

    struct chunk *chunks; /* [0] is never used */
    uint32_t nchunks;
    uint32_t chunks_size;
    uint32_t free_chunk; /* 0: none */

    uint32_t *refs; /* by id: chunk and slot; or REF_FREE and the next free id */
    uint32_t nrefs;
    uint32_t refs_size;
    uint32_t free_ref;

    uint32_t *index; /* hash table of ids, linear probing */
    uint32_t index_size;

    struct store_owner **owners; /* by index; [0] is the agent itself */
    uint32_t nowners;
    uint32_t owners_size;
    uint32_t free_owner; /* none below it is free */

    struct cursor *cursors;
    uint64_t versions; /* of chunks: the last one that was given */
    uint64_t heads;    /* another number whenever the head of a family may be another */
    uint32_t swept_s;  /* when stopped series were last looked for */
    struct store_refresh *refreshes;
    struct history *history; /* NULL: none */
    struct store_metric *series_gauge;
    struct store_metric *limit_gauge;
};

/* Runs the refreshes; without the lock. */
void store_refresh(struct store *store, int64_t now_ms);

/* All that a record with such a text takes. */
static inline uint32_t record_bytes_for(uint32_t text_len, bool extra)
{
    return ((uint32_t)(sizeof(struct record) + 7) + text_len +
            (extra ? (uint32_t)sizeof(struct extra *) : VALUE_BYTES)) &
           ~7u;
}

static inline uint32_t record_bytes(const struct record *record)
{
    return record_bytes_for(record->text_len, record->flags & RECORD_EXTRA);
}

static inline struct record *record_at(const struct store *store, uint32_t id)
{
    uint32_t ref;

    if (id >= store->nrefs) {
        return NULL;
    }
    ref = store->refs[id];
    if (ref & REF_FREE) {
        return NULL;
    }
    return (struct record *)(void *)(store->chunks[ref >> REF_SLOT_BITS].data +
                                     (size_t)(ref & ((1u << REF_SLOT_BITS) - 1)) * 8);
}

static inline struct extra **record_extra(struct record *record)
{
    return (struct extra **)(void *)(record + 1);
}

static inline char *record_text(struct record *record)
{
    return (char *)(record + 1) + ((record->flags & RECORD_EXTRA) ? sizeof(struct extra *) : 0);
}

static inline struct family *record_family(const struct store *store, const struct record *record)
{
    return store->chunks[store->refs[record->id] >> REF_SLOT_BITS].family;
}

/* Whether it is the series of this text, of name and labels. */
static inline bool record_is(const struct store *store, struct record *record, const char *text,
                             uint32_t len)
{
    const struct family *family = record_family(store, record);

    return len == family->name_len + record->text_len &&
           memcmp(record_text(record), text + family->name_len, record->text_len) == 0 &&
           memcmp(family->name, text, family->name_len) == 0;
}

/* -- family.c -- */
struct family *family_find(const struct store *store, const char *name);
/* -ENOMEM; -EEXIST when the name is part of a histogram's or summary's, or the other way round. */
int family_add(struct store *store, const char *name, tmon_metric_kind kind,
               struct family **ret_family);
/* It has no chunks any more. */
void family_remove(struct store *store, struct family *family);
/* Takes over the help if the family has none yet. */
void family_help(struct store *store, struct family *family, const char *help);

/* -- record.c -- */
/* A new record at the end of the family, known under an id, not yet in the index.  `text` is that
 * of the labels only.  -ENOMEM. */
int record_add(struct store *store, struct family *family, const char *text, uint32_t len,
               uint32_t hash, struct extra *extra, struct record **ret_record);
/* Sets the value and, where it changed, renders it. */
void record_set(struct store *store, struct record *record, double value);
/* Drops it, its extra and, when it was the last one, its family; tidies its chunk.  Not for loops
 * over records. */
void record_drop(struct store *store, uint32_t id);
/* Ends a family without live records: its chunks, then itself. */
void family_drop(struct store *store, struct family *family);
/* Drops each record for which `test` says so; a loop over all. */
void record_drop_if(struct store *store, bool (*test)(void *arg, const struct record *record),
                    void *arg);

/* -- index.c -- */
uint32_t index_find(const struct store *store, uint32_t hash, const char *text, uint32_t len);
int index_reserve(struct store *store, uint32_t series); /* -ENOMEM */
void index_put(struct store *store, uint32_t hash, uint32_t id);
void index_remove(struct store *store, uint32_t hash, uint32_t id);

/* -- text.c: no lock -- */
/* Renders `name{labels} ` into text[LIMIT_SERIES_TEXT_BYTES].  Both label lists are sorted; one of
 * the owner stands before one of the same key.  0: too long. */
uint32_t text_render(char *text, const char *name, const struct tmon_pair *labels, size_t nlabels,
                     const struct tmon_pair *own, size_t nown);
/* Sorted, unique, without empty values, checked; owned, with its strings, as one allocation.
 * -EINVAL, -ENOMEM. */
int text_labels(const struct tmon_pair *labels, size_t nlabels, struct tmon_pair **ret_labels,
                size_t *ret_nlabels);

#endif
