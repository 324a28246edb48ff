/*
 * history_private.h: history from inside; private to core/store.
 *
 * Two locks.  `slow` is held by every function of history.h for its whole time, so only one runs.
 * The store's lock guards all that commits touch: it is held for a slice of work at a time, for
 * writing where something changes.  Between two slices commits may add tracks, at the ends of
 * lists, and append samples; they never free a track and never take one out of a list.  So walks go
 * from the end of a list to its start, by number.
 */
#ifndef STORE_HISTORY_PRIVATE_H
#define STORE_HISTORY_PRIVATE_H

#include <pthread.h>

#include "base/limits.h"
#include "store/history.h"
#include "store/series.h"
#include "store/track.h"

/* What is done under the store's lock at a time: some 50 us. */
#define HISTORY_SLICE 256u
/* Of a series: those of a sample, of its owner, the name, and le or quantile. */
#define HISTORY_LABELS (2 * LIMIT_LABELS + 2)
/* Packed labels of one series: LIMIT_SERIES_TEXT_BYTES with lengths, name and bound. */
#define HISTORY_TEXT_BYTES (LIMIT_SERIES_TEXT_BYTES + 1024)

struct history_selector {
    struct matcher *matchers;
    size_t nmatchers;
    uint64_t key;     /* a hash of the matchers, the same after a restart */
    const char *name; /* what __name__ must equal; NULL: no such matcher */
    int64_t keep_ms;
    int64_t since_ms;
    struct track_list tracks;
    uint32_t missing; /* series that there was no room for */
    int64_t searched_ms;
    uint32_t at; /* its place in history->selectors */
};

struct selector_list {
    struct history_selector **items;
    uint32_t n;
    uint32_t size;
};

/* The selectors of one __name__. */
struct selector_name {
    struct selector_list list;
    char name[];
};

/* The tracks of a histogram or summary. */
struct fan {
    uint32_t npoints;
    uint32_t live;          /* how many are there */
    struct track *tracks[]; /* npoints, then PARTS; NULL: nobody wants it */
};

/* What a record's samples go to; by its family's kind. */
union watch {
    struct track *track;
    struct fan *fan;
};

struct history {
    struct store *store;
    pthread_mutex_t slow;

    size_t limit;
    size_t bytes;       /* all */
    size_t track_bytes; /* of them, those of tracks */
    size_t samples;
    uint32_t cut;   /* tracks with TRACK_CUT */
    uint32_t marks; /* walks, counted */
    uint32_t hand;  /* where the last victim was found */
    uint32_t own;   /* tracks of the agent's own metrics */
    uint32_t loose; /* tracks without a record */
    uint64_t last_id;
    int64_t now_ms; /* the latest time that was seen; 0: none */

    struct track_list tracks;
    uint32_t *index; /* of tracks by their labels: place + 1; linear probing */
    uint32_t index_size;
    union watch *watches; /* by id of a record */
    uint32_t nwatches;

    struct selector_list selectors;
    struct selector_list nameless;    /* those without a name */
    struct map names;                 /* to struct selector_name */
    bool unselected;                  /* so tracks may be kept longer than anybody wants */
    struct history_selector *walking; /* matched with what is there */
    bool again;                       /* and not for the first time */
    struct history_selector **hits;   /* room for all of them */

    /* Scratch, under the store's lock. */
    struct tmon_pair pairs[HISTORY_LABELS];
    char parsed[HISTORY_TEXT_BYTES];
    char text[HISTORY_TEXT_BYTES];

    /* Under `slow`. */
    struct history_sample *buffer;
    uint32_t buffer_size;
    struct tmon_pair read_pairs[HISTORY_LABELS];
};

/* -- history.c -- */
/* Whether so many bytes more may be used, for a track that is there (or NULL); others' oldest
 * blocks may be dropped for it, or its own. */
bool history_room(struct history *history, size_t bytes, struct track *track);
/* -ENOMEM.  Accounts for the list's growth. */
int history_push(struct history *history, struct track_list *list, struct track *track);
/* The track of history->text, made if there is none.  -ENOMEM, -ENOBUFS. */
int history_make(struct history *history, uint32_t text_len, uint32_t nlabels, uint32_t hash,
                 struct track **ret_track);
/* It is in no selector's list any more. */
void history_free(struct history *history, struct track *track);
/* Calls fn for each track of the list, from its end on, under the lock for some at a time; fn says
 * what it took, in samples. */
void history_walk(struct history *history, const struct track_list *list, bool write,
                  uint32_t (*fn)(void *arg, struct track *track), void *arg);
void history_lock(struct history *history);
void history_unlock(struct history *history);

/* -- history_index.c -- */
struct track *history_find(const struct history *history, uint32_t hash, const char *text,
                           uint32_t len);
int history_index_add(struct history *history, struct track *track); /* -ENOMEM */
void history_index_remove(struct history *history, const struct track *track);
/* It is at another place in history->tracks now; it was at `from`. */
void history_index_move(struct history *history, const struct track *track, uint32_t from);

/* -- history_labels.c: no lock, but for the scratch that is given -- */
/* Into text[HISTORY_TEXT_BYTES]; 0: too long. */
uint32_t labels_pack(const struct tmon_pair *pairs, size_t n, char *text);
void labels_unpack(const struct track *track, struct tmon_pair *ret_pairs);
/* Of a record's text `{a="b"} `, sorted, into pairs[HISTORY_LABELS - 2] and parsed[]. */
size_t labels_parse(const char *text, uint32_t len, char *parsed, struct tmon_pair *ret_pairs);
/* Puts one more among them, where it belongs. */
void labels_insert(struct tmon_pair *pairs, size_t *n, struct tmon_pair pair);

/* -- history_select.c -- */
/* Whether a selector could match a series of that name; `only`: no other counts. */
bool history_wants(const struct history *history, const struct history_selector *only,
                   const char *name);
/*
 * The track of a series, known to the selectors that match it; NULL: none does.  Adds to *cost, in
 * samples.  -EINVAL: the labels are too long; -ENOBUFS, -ENOMEM: no room, which the selectors know.
 */
int history_track(struct history *history, const struct history_selector *only,
                  const struct tmon_pair *pairs, size_t n, uint32_t *cost,
                  struct track **ret_track);

/* Looks for what is there and is the selector's.  `again`: what had no room before. */
void history_search(struct history *history, struct history_selector *selector, bool again);

/* -- history_read.c -- */
/* Room for n samples in the buffer.  -ENOMEM.  Without the store's lock. */
int history_reserve(struct history *history, uint32_t n);

/* -- history_watch.c -- */
/* Gives a record its tracks.  What it cost, in samples. */
uint32_t history_watch(struct history *history, const struct history_selector *only,
                       struct record *record);
/* The track gets no more samples from its record. */
void history_detach(struct history *history, struct track *track);
/* Its owner, if it has one, does not know it any more. */
void history_disown(struct history *history, struct track *track);

#endif
