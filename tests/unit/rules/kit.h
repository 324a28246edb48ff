/*
 * Series in memory for tests of expressions: in order of their birth, as a Prometheus would have
 * them.  Out of memory aborts.
 */
#ifndef TESTS_RULES_KIT_H
#define TESTS_RULES_KIT_H

#include "rules/expr.h"

struct kit_series {
    struct tmon_pair *labels; /* owned, one block */
    size_t nlabels;
    uint64_t *hashes;
    struct expr_sample *samples;
    size_t n, room;
};

struct kit {
    struct kit_series *series;
    size_t n, room;
    const struct expr *expr; /* that is evaluated */
    bool with_hashes;        /* hand out hashes, and labels that stay */
};

void kit_init(struct kit *kit);
void kit_finish(struct kit *kit);
/* Copies; sorts the labels.  The index. */
size_t kit_add(struct kit *kit, const struct tmon_pair *labels, size_t nlabels);
void kit_sample(struct kit *kit, size_t series, int64_t time_ms, double value);
/* name{a="b"} 1 2 _ stale NaN: one sample every 15 s from 0. */
void kit_load(struct kit *kit, const char *line);
int kit_eval(struct kit *kit, const struct expr *expr, int64_t time_ms,
             struct expr_result *ret_result, char *ret_why, size_t size);
/* Parses and evaluates; "{a="b"} 1\n{a="c"} 2\n", a number, or the error.  Owned. */
char *kit_show(struct kit *kit, const char *text, int64_t time_ms);

double kit_stale(void);

#endif
