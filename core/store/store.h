/*
 * store.h: the series of the agent: what collectors emit, and what the agent says of itself.
 *
 * A series belongs to the owner (an instance) that emitted it first.  Its text `name{label="v"} `
 * is rendered once, when it is born, and is its identity from then on: a commit compares it, a
 * scrape copies it. Readers (core/store/exposition.h) and writers share one lock that nobody holds
 * for longer than a few hundred series.
 *
 * Threads: any thread may call any function here, but commits of one owner come one at a time, and
 * an owner or a metric is not used any more by anybody when it is removed.  Times are in ms of a
 * clock that does not jump (loop_now() / NS_PER_MS).
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "plugin_api.h"

struct store;
struct store_owner;
struct store_metric;

struct store_limits {
    uint32_t series; /* in total, the agent's own included; 0: LIMIT_SERIES */
};

/* Returns owned.  -ENOMEM. */
int store_create(const struct store_limits *limits, struct store **ret_store);
/* A lower cap drops nothing that is there. */
void store_change(struct store *store, const struct store_limits *limits);
/* Takes NULL.  Expositions must be gone by then; owners and metrics go with it. */
void store_destroy(struct store *store);

/* -- what collectors emit -- */

struct store_owner_spec {
    const char *name; /* the instance; copied */
    /* Added to each of its series, in place of a label of the same key; copied. */
    const struct tmon_pair *labels;
    size_t nlabels;  /* at most LIMIT_LABELS */
    uint32_t series; /* cap on its series; 0: LIMIT_SERIES_PER_OWNER */
    int64_t keep_ms; /* how long a series that it stopped to emit stays (give at least a few
                        intervals); 0: five minutes */
};

/* Returns owned (store_owner_remove).  -ENOMEM, -EINVAL (a label that Prometheus would refuse). */
int store_owner_add(struct store *store, const struct store_owner_spec *spec,
                    struct store_owner **ret_owner);
/* Drops all its series at once.  Takes NULL. */
void store_owner_remove(struct store *store, struct store_owner *owner);
/* Changes the caps of an owner that stays (a reload); name and labels stay as they are. */
void store_owner_change(struct store *store, struct store_owner *owner,
                        const struct store_owner_spec *spec);
/* How many series it has now. */
uint32_t store_owner_series(const struct store_owner *owner);

/* Why a sample was refused; counted in toiletmon_store_refused_samples_total{name,reason}. */
enum store_refusal {
    STORE_REFUSED_OWNER_LIMIT, /* a new series beyond the cap of its owner */
    STORE_REFUSED_TOTAL_LIMIT, /* a new series beyond the cap of the store */
    STORE_REFUSED_COLLIDING, /* the series belongs to another owner: tell them apart by `labels:` */
    STORE_REFUSED_CONFLICT,  /* the family has another type, or its name is part of a histogram's */
    STORE_REFUSED_DUPLICATE, /* twice in one collection */
    STORE_REFUSED_TOO_LONG, /* name and labels beyond LIMIT_SERIES_TEXT_BYTES, or too many labels */
    STORE_REFUSALS
};
/* "owner_limit", ...; and a sentence for the operator that says what to do. */
const char *store_refusal_name(enum store_refusal why);
const char *store_refusal_advice(enum store_refusal why);

struct store_commit_result {
    uint32_t accepted; /* samples */
    uint32_t created;  /* series that are new */
    uint32_t dropped;  /* series of this owner that had stopped */
    uint32_t refused[STORE_REFUSALS];
    /* The first that was refused for each reason, "" if none: for one line in the log. */
    char example[STORE_REFUSALS][LIMIT_METRIC_NAME_BYTES + 1];
};

/*
 * Takes over the samples (model/sample.h) of one finished collection; borrows the batch.  Refused
 * samples are counted and change nothing.  time_ms: Unix time of the collection, which samples
 * without one of their own get in the history.  -EPROTO: the batch is malformed from some sample on
 * (those before it are in); -ENOMEM: the rest is not in.  The result is written in any case.
 */
int store_commit(struct store *store, struct store_owner *owner, const void *batch, size_t len,
                 int64_t now_ms, int64_t time_ms, struct store_commit_result *ret_result);
/* A collection came to nothing (a commit that failed included): as in Prometheus, all series of the
 * owner end in the history, until the next one.  The store itself shows them on. */
void store_collection_failed(struct store *store, struct store_owner *owner, int64_t time_ms);

/* -- what the agent says of itself: held by pointer, bumped without lock or lookup -- */

struct store_metric_spec {
    tmon_metric_kind kind; /* TMON_COUNTER, TMON_GAUGE, TMON_UNTYPED or TMON_HISTOGRAM */
    const char *name;
    const char *help;
    const struct tmon_pair *labels; /* copied; in any order, no empty values */
    size_t nlabels;
    const double
        *bounds; /* TMON_HISTOGRAM: ascending, without +Inf; constant data, borrowed for ever */
    size_t nbounds;
};

/* Returns owned (store_metric_remove).  -EEXIST: there is such a series, or the family has another
 * type; -EINVAL; -ENOMEM.  They count in the total, but its cap does not refuse them. */
int store_metric_add(struct store *store, const struct store_metric_spec *spec,
                     struct store_metric **ret_metric);
/* The same for a counter or gauge which there may as well not be: NULL where it cannot be had. */
struct store_metric *store_metric_new(struct store *store, tmon_metric_kind kind, const char *name,
                                      const char *help, const struct tmon_pair *labels,
                                      size_t nlabels);
void store_metric_remove(struct store *store, struct store_metric *metric); /* takes NULL */
/* All of these take NULL (nothing happens), so that a metric which could not be had needs no test.
 */
void store_metric_inc(struct store_metric *metric);
void store_metric_add_value(struct store_metric *metric, double value); /* counter, gauge */
void store_metric_set(struct store_metric *metric, double value);
void store_metric_observe(struct store_metric *metric, double value); /* histogram */
double store_metric_value(const struct store_metric *metric);         /* of a histogram: the sum */
uint64_t store_metric_count(const struct store_metric *metric);       /* of a histogram */

/*
 * Metrics that are worth a look only when somebody asks (uptime, memory): fn runs at the start of
 * each scrape, and before rules look, on the thread that does so and without any lock, and sets
 * them; maybe on two threads at once.  `entry` is the caller's memory, borrowed until removed;
 * nobody scrapes while it is added or removed.
 */
struct store_refresh {
    void (*fn)(void *arg, int64_t now_ms);
    void *arg;
    struct store_refresh *next; /* the store's */
};
void store_refresh_add(struct store *store, struct store_refresh *entry);
void store_refresh_remove(struct store *store, struct store_refresh *entry);

/* -- the whole -- */

struct store_stats {
    uint32_t series;
    uint32_t families;
    size_t bytes; /* of memory, allocator's overhead not counted */
};
void store_stats(struct store *store, struct store_stats *ret_stats);
/* Drops the series that stopped longer ago than their owners keep them.  Each scrape does it too.
 */
void store_expire(struct store *store, int64_t now_ms);

#endif
