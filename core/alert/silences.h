/*
 * silences.h: silences: for some time, nobody is told of the alerts that fit their matchers.
 *
 * Part of the alerts (alerts.h): on the state's thread, saved by alerts_save() in the transaction
 * of the batch, read by alerts_load().  A silence ends by itself, by the wall clock, and is kept
 * for SILENCE_KEPT_MS after that.
 */
#ifndef ALERT_SILENCES_H
#define ALERT_SILENCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alert/alerts.h"
#include "model/matcher.h"
#include "state/state.h"

#define SILENCE_ID_SIZE 37                         /* a UUID as text, with its NUL */
#define SILENCE_KEPT_MS INT64_C(432000000)         /* five days, as Alertmanager's default */
#define SILENCE_TIME_MOST INT64_C(253402300799999) /* the year 9999 */

enum silence_state { SILENCE_PENDING, SILENCE_ACTIVE, SILENCE_EXPIRED, SILENCE_STATES };
const char *silence_state_name(enum silence_state state);

/* All borrowed until the alerts change.  Times are Unix ms. */
struct silence_view {
    const char *id; /* a UUID */
    const struct matcher *matchers;
    size_t nmatchers;
    int64_t starts_ms, ends_ms, updated_ms;
    const char *created_by, *comment;
    enum silence_state state;
};

/* What somebody wants.  All borrowed. */
struct silence_input {
    const char *id; /* of one that is to be changed; NULL or "": a new one */
    const struct matcher *matchers;
    size_t nmatchers;
    int64_t starts_ms; /* 0 or past: now; 0 where one is changed in place: as it is */
    int64_t ends_ms;
    const char *created_by, *comment; /* NULL: "" */
};

/* Whether it could be put: counts, sizes, times, a matcher that asks for something.  Any thread.
 * 0; -EINVAL with a sentence in ret_why. */
int silence_input_check(const struct silence_input *input, int64_t now_ms, char *ret_why,
                        size_t size);

/* As in Alertmanager, a silence keeps its id while it has not ended, its matchers are the same in
 * the same order, and its start stays (to the second) when it is active, or is still to come when
 * it is not; every other change ends it and makes a new one.  ret_id is the one that there is now.
 * Nothing is changed by what is refused: -EINVAL with a sentence in ret_why; -ENOENT: no silence
 * has that id; -EDQUOT: LIMIT_SILENCES have not ended yet.  -ENOMEM fails the batch. */
int alerts_silence_put(struct alerts *alerts, struct state_tx *tx,
                       const struct silence_input *input, struct alerts_time now,
                       char ret_id[SILENCE_ID_SIZE], char *ret_why, size_t size);
/* Ends it now.  -ENOENT; -EALREADY: it has ended. */
int alerts_silence_expire(struct alerts *alerts, struct state_tx *tx, const char *id,
                          struct alerts_time now);
/* False: there is none of that id. */
bool alerts_silence_get(struct alerts *alerts, const char *id, struct alerts_time now,
                        struct silence_view *ret_view);
/* As Alertmanager lists them: active ones by their end, pending ones by their start, then expired
 * ones, the last that ended first.  fn ends the walk by returning false.  -ENOMEM. */
int alerts_silences_visit(struct alerts *alerts,
                          bool (*fn)(void *arg, const struct silence_view *view), void *arg,
                          struct alerts_time now);

#endif
