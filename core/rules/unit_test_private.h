/*
 * unit_test_private.h: a file of unit tests, read; and the memory that stands in for a history.
 */
#ifndef RULES_UNIT_TEST_PRIVATE_H
#define RULES_UNIT_TEST_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "config/rules.h"
#include "rules/evaluate.h"
#include "rules/notation.h"

/* Texts are borrowed from the file's tree, except where an owned block is named. */
struct unit_labels {
    struct tmon_pair *pairs; /* owned block; sorted */
    size_t n;
};

struct unit_alert {
    struct unit_labels labels, annotations;
};

struct unit_alert_test {
    int64_t at_ms;
    const char *alertname;
    size_t n;
    struct unit_alert *alerts;
    bool done;
};

struct unit_sample {
    const char *text;
    double value;
};

struct unit_expr_test {
    int64_t at_ms;
    const char *expr;
    size_t n;
    struct unit_sample *samples;
};

struct unit_input {
    struct tmon_pair *labels; /* owned block */
    size_t nlabels;
    struct notation_value *values; /* owned */
    size_t n, next;
};

struct unit_group {
    const char *name;
    int64_t interval_ms;
    size_t ninputs, nalert_tests, nexpr_tests;
    struct unit_input *inputs;
    struct unit_alert_test *alert_tests;
    struct unit_expr_test *expr_tests;
    struct unit_labels external_labels;
    const char *external_url;
};

struct unit_file {
    struct tree *tree;
    struct config_rules rules;
    int64_t interval_ms;
    size_t norder;
    const char **order;
    size_t ngroups;
    struct unit_group *groups;
};

/* Mistakes are in `errors`; -ENOMEM.  unit_file_finish() in any case. */
int unit_file_read(const char *path, struct config_errors *errors, struct unit_file *file);
void unit_file_finish(struct unit_file *file);
/* Runs one group of tests; appends what is wrong to `out`, a paragraph each.  How many there are,
 * or -ENOMEM. */
int unit_group_run(const struct unit_file *file, struct unit_group *group, struct buf *out);

/* ---- samples in memory ---- */

struct memory_series {
    char *key;
    struct tmon_pair *labels;
    size_t nlabels;
    struct expr_sample *samples;
    size_t n, size;
};

struct memory {
    struct map series;
};

void memory_init(struct memory *memory);
void memory_finish(struct memory *memory);
/* What is not newer than the last sample of the series is left out.  -ENOMEM. */
int memory_append(void *owner, const struct tmon_pair *labels, size_t n, int64_t time_ms,
                  double value);
/* As struct expr_input wants it. */
int memory_read(struct memory *memory, const struct expr_selector *selector, int64_t from_ms,
                int64_t to_ms, int (*fn)(void *arg, const struct expr_series *series), void *arg);

#endif
