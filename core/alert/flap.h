/*
 * flap.h: alerts that fire and resolve again and again; for the files of this room.
 *
 * One that changes often enough within a window becomes one notice that it flaps, which is an alert
 * of its own beside it: the same labels and flapping="true", so that it goes the same way.  From
 * then on the alert itself stays as if it fired, and nobody is told of it, until it has been quiet
 * for a whole window.  Then the notice ends and says in which state it has settled; if it has
 * resolved by then its end is told to whoever was told that it fired.
 *
 * Changes are counted from the first time that it resolves, and kept in the file from the second
 * one on: an alert that comes and goes costs nothing.
 */
#ifndef ALERT_FLAP_H
#define ALERT_FLAP_H

#include <stdbool.h>

#include "alert/alerts.h"
#include "alert/routing.h"
#include "base/heap.h"
#include "base/map.h"

struct alert;
struct load;

struct flap {                 /* of one set of labels */
    struct tmon_pair *labels; /* one block, see labels_copy() */
    size_t nlabels, identity_len;
    int64_t row; /* 0: it has none yet */
    bool dirty, gone;
    bool flapping;  /* the notice stands */
    bool firing;    /* while it flaps: what was said last */
    int64_t notice; /* the episode of the notice */
    uint32_t total; /* changes since it flaps, those included that made it so */
    size_t n;       /* the last changes, the oldest first */
    struct alerts_time at[ROUTING_FLAP_CHANGES_MOST];
    struct heap_node quiet; /* when the last of them is a window ago */
    struct flap *next_dirty;
};

struct flaps {
    struct map by_identity;
    struct heap quiet;
    struct flap *dirty;
    int64_t last_row;
    bool unsure; /* they were just read: notices may have lost what they are about */
};

void flaps_init(struct flaps *flaps);
/* Forgets all; may be used again. */
void flaps_finish(struct flaps *flaps);

/* As alerts_put(), where flapping is looked for. */
bool flaps_wanted(const struct alerts *alerts);
int flap_put(struct alerts *alerts, struct state_tx *tx, const struct alerts_input *input,
             struct alerts_time now, enum alerts_verdict *ret_verdict);
/* Its time is up.  Whether that was only a change of one that flaps; else it is to be resolved. */
bool flap_expired(struct alerts *alerts, struct state_tx *tx, struct alert *alert,
                  struct alerts_time now);

/* Those that have been quiet for long enough. */
int flaps_run(struct alerts *alerts, struct state_tx *tx, struct alerts_time now);
int64_t flaps_next(const struct alerts *alerts);
/* A routing has come into force: it may not want any. */
int flaps_route(struct alerts *alerts, struct alerts_time now);

/* What is known of the alert's changes; NULL: nothing. */
const struct flap *flap_of(const struct alerts *alerts, const struct alert *alert);

/* flap_rows.c */
void flaps_save(struct alerts *alerts, struct state_tx *tx);
int flaps_load(const struct load *load);
void flap_row_delete(struct state_tx *tx, int64_t row);

/* flap.c, for flap_rows.c: puts it into the map and the heap.  -ENOMEM. */
int flap_enter(struct alerts *alerts, struct flap *flap);
void flap_free(struct flap *flap);

#endif
