/*
 * rules.h: rules as they stand in files: `groups:` of the configuration and of rule files, which
 * have Prometheus's format.
 *
 * Plain structs with positions.  Expressions and templates are text here: the room rules, which
 * stands below, compiles them (rules/compile.h).  No ${VARIABLES} are put into rules, because
 * Prometheus has none and a file is to mean the same to both.  Immutable once read.
 */
#ifndef CONFIG_RULES_H
#define CONFIG_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/errors.h"
#include "config/tree.h"

/* What becomes of a rule's alerts when none of its selectors finds a sample: `no_data`, which is
 * ours alone (promtool refuses a file with it). */
enum config_no_data {
    CONFIG_NO_DATA_UNSAID, /* keep, but for unit tests, which do as Prometheus does */
    CONFIG_NO_DATA_KEEP,
    CONFIG_NO_DATA_RESOLVE,
    CONFIG_NO_DATA_ALERT
};

struct config_rule_pair {
    char *name;
    char *value;
    struct config_position at; /* of the value */
};

struct config_rule {
    struct config_position at;
    bool recording;
    char *name; /* of the alert, or of the series that is recorded */
    char *expr;
    struct config_position expr_at;
    int64_t for_ms, keep_firing_ms;
    enum config_no_data no_data;
    size_t nlabels, nannotations;
    struct config_rule_pair *labels, *annotations; /* sorted by name */
};

struct config_rule_group {
    struct config_position at;
    char *name;
    char *key; /* the file's last name, the group's name, and a number where these are not unique:
                  stays the same when the configuration moves to another directory */
    int64_t interval_ms; /* 0: not said */
    uint32_t limit;      /* alerts or series of one rule; 0: none */
    size_t nrules;
    struct config_rule *rules;
};

struct config_rules {
    size_t ngroups, nrules;
    struct config_rule_group *groups; /* in the order of the files */
    size_t nfiles;
    char **files; /* names of rule files; positions borrow them */
};

/* Reads one rule file and appends its groups; `at` is where it is asked for.  One of unit tests is
 * an error; of a pattern, below, it is passed over with a warning.  Mistakes are in
 * `errors`; -ENOMEM. */
int config_rules_file(const char *path, struct config_position at, struct config_errors *errors,
                      struct config_rules *rules);
/* Reads every file that a pattern matches (glob(7), relative to the file `from`), each once.  That
 * there is none is a warning; where it `must` be and is no pattern, an error.  As above. */
int config_rules_glob(const char *pattern, const char *from, struct config_position at, bool must,
                      struct config_errors *errors, struct config_rules *rules);
/* Appends the groups of a `groups:` list. */
int config_rules_groups(const struct node *list, struct config_errors *errors,
                        struct config_rules *rules);
void config_rules_finish(struct config_rules *rules);

/* A duration as Prometheus writes it: 5m, 1h30m, 1d, 90s, 250ms, 0.  -EINVAL. */
int config_prometheus_duration(const char *text, int64_t *ret_ms);

#endif
