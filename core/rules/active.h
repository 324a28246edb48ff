/*
 * active.h: one alert of a rule: pending, firing, or over and not yet told.
 *
 * Timers run by a clock that stands still while the machine or the agent does (see
 * struct rules_time), so a `for` is time in which the condition was seen to hold.
 */
#ifndef RULES_ACTIVE_H
#define RULES_ACTIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "plugin_api.h"

struct rule;

enum active_state { ACTIVE_OVER, ACTIVE_PENDING, ACTIVE_FIRING };
const char *active_state_name(enum active_state state); /* "inactive", "pending", "firing" */

struct active {
    struct rule *rule;
    char *key;                /* of the labels */
    struct tmon_pair *labels; /* normalized, with alertname */
    size_t nlabels;
    struct tmon_pair *annotations; /* sorted */
    size_t nannotations;
    double value;
    enum active_state state;
    bool no_data;          /* it is the alert that there is no data */
    uint64_t round;        /* the rule's, when it was last in the result */
    int64_t since_ms;      /* the timers' clock: since when the condition holds */
    int64_t keep_since_ms; /* since when it does not, while keep_firing_for holds it; -1: it does */
    int64_t since_real_ms, fired_real_ms; /* Unix time, for people */

    /* -- what is durable; the engine's -- */
    struct active *next; /* of those that have no rule any more */
    int64_t row;         /* the number of its row */
    bool resumed;        /* from before the start: the timers are to be set by these */
    int64_t elapsed_ms, keep_elapsed_ms;
    bool told_firing;        /* the desk has it firing */
    uint64_t told_texts;     /* a hash of the annotations that it has */
    int64_t told_ms;         /* when it was told (timers' clock) */
    enum active_state saved; /* as the file has it; ACTIVE_OVER: no row */
    bool saved_keeping;
    int64_t saved_ms; /* when that was written (timers' clock) */
    bool in_flight;   /* on its way to the desk: not to be freed */
    bool refused;     /* the desk does not take it; said once */
};

/* Appends what tells one set of labels from another. */
void active_key(const struct tmon_pair *labels, size_t n, struct buf *buf);
/* Copies; -ENOMEM. */
int active_create(struct rule *rule, const struct tmon_pair *labels, size_t n,
                  struct active **ret_active);
/* Copies in place of the ones that it has. */
int active_annotate(struct active *active, const struct tmon_pair *annotations, size_t n);
void active_destroy(struct active *active);
uint64_t active_texts(const struct active *active);

#endif
