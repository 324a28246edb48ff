/*
 * verdicts.h: what the checks said last, one entry an instance, and what that means for the whole.
 *
 * Written by the agent's main thread, read by the HTTP thread; every function may be called by any
 * thread, but an entry is not used any more by anybody when it is removed.
 */
#ifndef STORE_VERDICTS_H
#define STORE_VERDICTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "model/verdict.h"

struct verdicts;
struct verdicts_entry;

/* What a failing check does to the whole (`affects:`). */
enum verdicts_affects { AFFECTS_FAIL, AFFECTS_DEGRADE, AFFECTS_NOTHING };

enum health { HEALTH_HEALTHY, HEALTH_DEGRADED, HEALTH_UNHEALTHY };
const char *health_name(enum health health); /* "healthy", ... */

struct verdicts_spec {
    const char *name; /* the instance; copied */
    enum verdicts_affects affects;
    uint32_t fail_after; /* fails in a row until it counts as failing; 0 is 1 */
    uint32_t pass_after; /* verdicts in a row that are no fails until it stops to; 0 is 1 */
    bool ready;          /* named in `ready:`: readiness waits until it passes or warns */
};

int verdicts_create(struct verdicts **ret_verdicts); /* returns owned; -ENOMEM */
void verdicts_destroy(struct verdicts *verdicts);    /* takes NULL; entries go with it */

/* Returns owned (verdicts_remove).  -EEXIST: the name is taken; -ENOMEM. */
int verdicts_add(struct verdicts *verdicts, const struct verdicts_spec *spec,
                 struct verdicts_entry **ret_entry);
void verdicts_remove(struct verdicts *verdicts, struct verdicts_entry *entry); /* takes NULL */
/* Changes affects, fail_after, pass_after and ready of an entry that stays (a reload); the name
 * stays. */
void verdicts_change(struct verdicts *verdicts, struct verdicts_entry *entry,
                     const struct verdicts_spec *spec);

/* The effective status went from one to another: worth one line in the log. */
struct verdicts_change {
    bool changed;
    bool first; /* there was none before */
    tmon_verdict from, to;
};

/* Takes the verdict.  ret_change may be NULL. */
void verdicts_put(struct verdicts *verdicts, struct verdicts_entry *entry, struct verdict *verdict,
                  int64_t mono_ns, int64_t real_ms, struct verdicts_change *ret_change);

/* Goes up whenever an answer about health would read differently, ages aside. */
uint64_t verdicts_generation(const struct verdicts *verdicts);

struct verdicts_summary {
    enum health health;
    uint32_t entries;
    uint32_t pending;                          /* have no verdict yet */
    uint32_t not_ready;                        /* named in `ready:` and pending or failing */
    char not_ready_name[LIMIT_NAME_BYTES + 1]; /* the first of these; "" if none */
};
void verdicts_summary(struct verdicts *verdicts, struct verdicts_summary *ret_summary);

/* One entry as a reader sees it; borrowed during the visit. */
struct verdicts_view {
    const char *name;
    enum verdicts_affects affects;
    tmon_verdict status; /* effective: after fail_after and pass_after */
    const struct verdict
        *verdict;    /* the last one itself; NULL: none yet (leave the others alone) */
    uint32_t streak; /* verdicts in a row on the same side (failing or not) as the last one */
    uint32_t
        needed; /* if the last one's side differs from `status`: the streak that turns it; else 0 */
    int64_t mono_ns, real_ms; /* when it came */
};
/* Calls fn for each entry in the order of names, under a read lock: fn must not block or call back.
 * Stops when fn returns false. */
void verdicts_visit(struct verdicts *verdicts,
                    bool (*fn)(void *arg, const struct verdicts_view *view), void *arg);

#endif
