/*
 * history.h: the short past of the series that rules look at, and of no others.
 *
 * A selector says which series (matchers) and how far back (keep_ms); a series is kept as long as
 * the longest selector that matches it asks.  Samples are compressed; all of it is bounded.  A
 * series that its instance stops to emit gets a mark (HISTORY_STALE), as in Prometheus.
 *
 * Threads: commits append under the store's lock; one reader at a time (the rules' thread) reads
 * under a lock that it holds per series.  Times are Unix time in ms.
 */
#ifndef STORE_HISTORY_H
#define STORE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/matcher.h"
#include "store/store.h"

struct history;
struct history_selector;

/* The bits of Prometheus's stale marker; no other NaN has them. */
#define HISTORY_STALE_BITS UINT64_C(0x7ff0000000000002)

struct history_sample {
    int64_t time_ms;
    double value;
};

struct history_limits {
    size_t bytes; /* of all samples together; 0: LIMIT_HISTORY_BYTES */
};

/* Belongs to the store from then on: its commits feed it.  -ENOMEM. */
int history_create(struct store *store, const struct history_limits *limits,
                   struct history **ret_history);
void history_destroy(struct history *history);

/* Copies the matchers; __name__ is a label like others.  Existing series are matched at once, later
 * ones when they are born.  keep_ms: the range and offset that are needed, with the lookback.
 * -ENOMEM. */
int history_select(struct history *history, const struct matcher *matchers, size_t n,
                   int64_t keep_ms, struct history_selector **ret_selector);
void history_unselect(struct history *history, struct history_selector *selector);

struct history_series {
    uint64_t id;                    /* the same as long as the series lives */
    const struct tmon_pair *labels; /* sorted, with __name__ */
    size_t nlabels;
    const struct history_sample *samples; /* of the time asked for, ascending, marks included */
    size_t n;
    bool cut; /* the bounds did not hold all of it: a range over it would be a wrong number */
};
/* Calls fn for each series of the selector with its samples in (from_ms, to_ms].  Everything is
 * borrowed during the call of fn.  -ENOMEM, or what fn returned if that was not 0. */
int history_read(struct history *history, const struct history_selector *selector, int64_t from_ms,
                 int64_t to_ms, int (*fn)(void *arg, const struct history_series *series),
                 void *arg);

/* The agent's own metrics have no commits: their values now, for those that are selected. */
void history_sample_own(struct history *history, int64_t now_ms);
/* A sample from elsewhere (recorded rules): makes the series if it is not there.  The labels with
 * __name__, sorted. */
int history_append(struct history *history, const struct tmon_pair *labels, size_t nlabels,
                   int64_t time_ms, double value);

struct history_stats {
    size_t series, samples, bytes;
    uint64_t cut; /* series whose range the bounds did not hold, now */
};
void history_stats(const struct history *history, const struct history_selector *selector,
                   struct history_stats *ret_stats); /* selector NULL: the whole */

/* Survives a restart: in bulk.  Appends an encoded snapshot; takes one over (series that no
 * selector wants, or too old, are left out).  -EPROTO: it is damaged; what was good of it is in. */
int history_save(struct history *history, struct buf *buf);
int history_restore(struct history *history, const void *data, size_t len, int64_t now_ms);

#endif
