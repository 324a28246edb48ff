/*
 * silence_private.h: silences as the files of this room see them; nobody else includes it.
 *
 *   silences.c       made, changed, ended; what time does to them; the list
 *   silence_match.c  which active ones an alert fits, remembered
 *   silence_rows.c   in the file
 *
 * Labels of an alert never change, and neither do the matchers of a silence: whether one fits the
 * other is found out once.  Each silence has a version from when it becomes active; each alert
 * knows up to which version it has looked.
 */
#ifndef ALERT_SILENCE_PRIVATE_H
#define ALERT_SILENCE_PRIVATE_H

#include "alert/silences.h"
#include "alert/table.h"
#include "base/heap.h"
#include "base/limits.h"
#include "base/map.h"

struct bucket { /* active silences that ask for the same label with the same value */
    char *key;  /* name, NUL, value */
    size_t len;
    size_t n;
    struct silence *first;
};

struct silence {
    char id[SILENCE_ID_SIZE];
    int64_t row; /* the number that its id stands for */
    enum silence_state state;
    uint64_t version; /* while it is active */
    size_t nmatchers;
    struct matcher *matchers;
    char *created_by, *comment;
    int64_t starts_ms, ends_ms, updated_ms;
    struct heap_node change; /* when it starts, ends, is forgotten */
    struct bucket *bucket;   /* while it is active; NULL: in none */
    struct silence *next_in_bucket;
    bool dirty, saved, gone;
    struct silence *next_dirty;
};

struct silences {
    struct map by_id;
    struct heap changes; /* of those that have not ended */
    struct heap expired; /* the first that will be forgotten on top */
    size_t n[SILENCE_STATES];
    struct silence **active; /* by version, the newest last; n[SILENCE_ACTIVE] of them */
    size_t active_size;
    struct map buckets;
    struct silence *loose; /* active, and in no bucket */
    uint64_t version;      /* the last that was given */
    uint64_t seen_version; /* as the counts know it */
    bool ended;            /* some have: alerts may have them still */
    struct silence *dirty;
    int64_t ahead_ms;  /* of the wall clock over the other, when timers were set */
    int64_t looked_ms; /* by the clock that does not jump: when that was compared last */
};

/* ---- silences.c ---- */

/* What time has done to them: they start, end, are forgotten; alerts that were held are told. */
int silences_run(struct alerts *alerts, struct alerts_time now);
int64_t silences_next(const struct silences *silences);
void silences_finish(struct silences *silences);
/* Puts a new or loaded one into memory, in the state that it has by now; on an error it is still
 * the caller's.  -ENOMEM. */
int silence_enter(struct silences *silences, struct silence *silence, struct alerts_time now);
void silence_free(struct silence *silence);
/* "0189abcd-..." of 16 bytes, and its number. */
void silence_name(struct silence *silence, const unsigned char bytes[16]);
/* Whether it is a UUID as silence_name() writes it. */
bool silence_id_ok(const char *id, int64_t *ret_row);

/* ---- silence_match.c ---- */

/* An active one into the index, or out of it.  -ENOMEM. */
int silence_index(struct silences *silences, struct silence *silence);
void silence_unindex(struct silences *silences, struct silence *silence);
/* Looks at what the alert has not looked at yet.  Whether any active silence fits it. */
bool silences_hold(struct alerts *alerts, struct alert *alert);
/* Takes those that have ended from all alerts, and tells of those that are not held any more. */
void silences_release(struct alerts *alerts, struct alerts_time now);

/* ---- silence_rows.c ---- */

void silences_save(struct alerts *alerts, struct state_tx *tx);
int silences_load(const struct load *load);

#endif
