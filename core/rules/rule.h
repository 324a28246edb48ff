/*
 * rule.h: rules as they are evaluated: compiled from what stands in files, and what is known of
 * each since.
 *
 * Compiling belongs to whoever checks a configuration (`check`, the building thread, `rules test`);
 * then a set is handed over to one thread that evaluates it (engine.h, unit_test.c).
 */
#ifndef RULES_RULE_H
#define RULES_RULE_H

#include "base/map.h"
#include "config/rules.h"
#include "rules/expr.h"
#include "rules/template.h"

#define RULES_INTERVAL_MS 15000 /* of a group that says none */

/* A label or annotation. */
struct rule_pair {
    char *name;
    char *text;                /* as it stands */
    struct template *template; /* NULL: a recording rule's labels are no templates */
};

/* A set of labels that a recording rule, or ALERTS, has had a sample for: when it has none any more
 * that is marked. */
struct rule_emitted {
    char *key;
    struct tmon_pair *labels;
    size_t nlabels;
    uint64_t round; /* the last one with a sample */
    double value;   /* of that */
};

struct rule {
    struct rules_group *group;
    bool recording;
    char *name;
    char *key; /* within the group: keeps state across reloads and restarts */
    char *text;
    struct expr *expr;
    int64_t for_ms, keep_firing_ms;
    enum config_no_data no_data;
    size_t nlabels, nannotations;
    struct rule_pair *labels, *annotations;
    int64_t range_ms; /* how far back it looks: the longest range with its offset; 0: at now only */
    bool own_series;  /* ALERTS is to be emitted for it */

    /* -- since it is evaluated; the evaluating thread's -- */
    struct map active; /* struct active by key, see active.h */
    struct map emitted;
    uint64_t round;
    char *error; /* of the last evaluation; NULL: it went well */
    size_t nresults;
    int64_t evaluated_ms; /* Unix time; 0: never */
    int64_t timer_ms;     /* the same by the timers' clock; -1: never */
    int64_t took_ns;
    bool empty_input;         /* no selector found a sample */
    bool warming;             /* its range is not covered yet: nothing resolves */
    bool waiting;             /* not evaluated yet: its sources have not run */
    int64_t no_data_since_ms; /* of the timers' clock; -1: there is data */
    int64_t covered_ms;       /* since when (Unix time) there is history of what it selects */
    void **handles;           /* the storage's, one a selector; owned by the storage's owner */
};

struct rules_group {
    char *name, *key, *file;
    uint32_t line;
    int64_t interval_ms;
    uint32_t limit;
    size_t n;
    struct rule *rules;
};

struct rules_set {
    size_t ngroups, nrules;
    struct rules_group *groups;
};

/* Compiles all; what is wrong is in `errors`, at its place, and then -EINVAL; -ENOMEM.  0 with an
 * owned set. */
int rules_compile(const struct config_rules *config, int64_t default_interval_ms,
                  struct config_errors *errors, struct rules_set **ret_set);
void rules_set_destroy(struct rules_set *set);

/* How far back a selector of the rule reads, with the lookback. */
int64_t rule_selector_keep_ms(const struct expr_selector *selector);
/* The set without its alerts and what it emitted, which go to the other. */
void rule_take_state(struct rule *rule, struct rule *from);

#endif
