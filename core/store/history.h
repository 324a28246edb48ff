/*
 * history.h: the short past of the series that rules look at, and of no others.
 *
 * A selector says which series (matchers) and how far back (keep_ms); a series is kept as long as
 * the longest selector that matches it asks, its last sample longer.  Samples are compressed; all
 * of it is bounded.  A series that its instance stops to emit gets a mark (HISTORY_STALE_BITS), as
 * in Prometheus, and so do all series of a collection that failed.
 *
 * A histogram or summary is the series that a Prometheus has of it which scrapes this agent:
 * x_bucket{le="0.5"}, x_sum, x_count, x{quantile="0.9"}.  It asks for OpenMetrics, so whole bounds
 * are written "1.0", and there is no x_sum beside negative bounds.
 *
 * Times are Unix time in ms.  A sample that is not newer than the last of its series is left out.
 * Where the clock goes back, what a series holds of times to come is dropped.
 *
 * Threads: commits (store.h) append, on any thread.  Everything here may be called by any thread,
 * one at a time, and not from within the functions that it calls back; the store's lock is held for
 * some 100 us at most.
 */
#ifndef STORE_HISTORY_H
#define STORE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bits.h"
#include "base/buf.h"
#include "model/matcher.h"
#include "store/store.h"

struct history;
struct history_selector;

/* The bits of Prometheus's stale marker; no other NaN has them. */
#define HISTORY_STALE_BITS UINT64_C(0x7ff0000000000002)
static inline bool history_is_stale(double value)
{
    return double_to_bits(value) == HISTORY_STALE_BITS;
}

struct history_sample {
    int64_t time_ms;
    double value;
};

struct history_limits {
    size_t bytes; /* of everything here together; 0: LIMIT_HISTORY_BYTES */
};

/* The store's from then on: its commits feed it, and it ends with it.  One a store.  -ENOMEM. */
int history_create(struct store *store, const struct history_limits *limits,
                   struct history **ret_history);
/* Before its store.  Takes NULL. */
void history_destroy(struct history *history);

/*
 * Copies the matchers; __name__ is a label like others.  Existing series are matched at once, later
 * ones when they are born.  keep_ms: the range and offset that are needed, with the lookback.  What
 * no selector matches any more is dropped, so add the new ones before the old ones go.  -ENOMEM.
 */
int history_select(struct history *history, const struct matcher *matchers, size_t n,
                   int64_t keep_ms, struct history_selector **ret_selector);
void history_unselect(struct history *history, struct history_selector *selector); /* takes NULL */

struct history_series {
    uint64_t id;                    /* the same as long as the series is kept; given once */
    const struct tmon_pair *labels; /* sorted, with __name__ */
    size_t nlabels;
    const struct history_sample *samples; /* of the time asked for, ascending, marks included */
    size_t n;
    bool cut; /* samples of that time were dropped: a range over it would be a wrong number */
};
/*
 * Calls fn for each series of the selector that has samples in (from_ms, to_ms], or had some that
 * were dropped (cut).  Everything is borrowed during the call of fn.  -ENOMEM; -ENOBUFS: the bounds
 * leave no room for some series at all (fn was not called); or what fn returned if that was not 0.
 */
int history_read(struct history *history, const struct history_selector *selector, int64_t from_ms,
                 int64_t to_ms, int (*fn)(void *arg, const struct history_series *series),
                 void *arg);
/* The same with only the last of these samples: what a selector without a range wants, and much
 * faster.  `cut`: it was dropped, so n is 0. */
int history_read_last(struct history *history, const struct history_selector *selector,
                      int64_t from_ms, int64_t to_ms,
                      int (*fn)(void *arg, const struct history_series *series), void *arg);

/*
 * To be called before each evaluation, and at least once a minute.  The agent's own metrics have no
 * commits: takes their values now, of those that are selected.  Also drops what is too old, and
 * ends series whose instance has gone.
 */
void history_sample_own(struct history *history, int64_t now_ms);
/* A sample from elsewhere (recorded rules): makes the series if it is not there, and is nothing
 * where no selector matches it.  The labels with __name__, sorted.  -EINVAL (labels too many or too
 * long), -ENOMEM, -ENOBUFS (no room for another series). */
int history_append(struct history *history, const struct tmon_pair *labels, size_t nlabels,
                   int64_t time_ms, double value);

struct history_stats {
    size_t series, samples, bytes;
    uint64_t cut;     /* series whose range the bounds did not hold, now */
    uint64_t missing; /* series that the bounds left no room for */
    int64_t since_ms; /* of a selector: it is matched since then, restarts survived; 0: no sample
                         came yet */
};
void history_stats(struct history *history, const struct history_selector *selector,
                   struct history_stats *ret_stats); /* selector NULL: the whole */

/*
 * Survives a restart: in bulk.  Appends an encoded snapshot; takes one over (series that no
 * selector wants, and samples that are too old or of times to come, are left out; samples that came
 * meanwhile stay).  -ENOBUFS: the buf's cap; -EPROTO: it is damaged, and what was good of it is in;
 * -ENOMEM.
 */
int history_save(struct history *history, int64_t now_ms, struct buf *buf);
int history_restore(struct history *history, const void *data, size_t len, int64_t now_ms);

#endif
