/*
 * expr.h: an expression of PromQL (the subset that rules use), parsed and evaluated.
 *
 * Parsing gives an immutable tree and the list of its selectors; evaluation is a pure function of
 * the samples that `input` yields.  What is outside the subset is an error with line and column
 * that names the feature.  Semantics, to the last bit where possible, are those of Prometheus 2.42.
 *
 * Threads: an expr keeps the state of its regular expressions, so one thread at a time may parse,
 * evaluate or match with it; different ones do not know of each other.
 */
#ifndef RULES_EXPR_H
#define RULES_EXPR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/matcher.h"
#include "plugin_api.h"

struct expr;

#define EXPR_LOOKBACK_MS 300000

struct expr_sample {
    int64_t time_ms;
    double value; /* the stale marker has the bits of store/history.h */
};

struct expr_selector {
    size_t nmatchers;
    const struct matcher *matchers; /* __name__ among them */
    int64_t range_ms;               /* 0: instant */
    int64_t offset_ms;              /* may be negative */
};

enum expr_type { EXPR_SCALAR, EXPR_STRING, EXPR_VECTOR, EXPR_MATRIX };

/* An owned tree.  -EINVAL with a sentence that begins with "LINE:COLUMN: " (columns count
 * characters); -ENOMEM. */
int expr_parse(const char *text, struct expr **ret_expr, char *ret_why, size_t size);
void expr_destroy(struct expr *expr);
enum expr_type expr_type(const struct expr *expr);
size_t expr_selectors(const struct expr *expr);
const struct expr_selector *expr_selector(const struct expr *expr, size_t i);
/* The text in one line, as Prometheus prints it. */
void expr_show(const struct expr *expr, struct buf *buf);

/* Where samples come from. */
struct expr_series {
    const struct tmon_pair *labels; /* sorted, with __name__, as no other series of the selector */
    const uint64_t *hashes;         /* expr_hash() of each label; NULL: they are computed */
    size_t nlabels;
    const struct expr_sample *samples; /* ascending, in (from_ms, to_ms] */
    size_t n;
};
struct expr_input {
    void *owner;
    /* Calls fn for each series that selector i of the expression matches.  -errno, which
     * expr_eval() returns (the reason is the owner's to tell), or what fn returned if that was not
     * 0.  Prometheus' ranges hold both ends: from_ms is one before the first.  Of an instant
     * selector (range_ms 0) the last sample in the time suffices. */
    int (*read)(void *owner, size_t i, int64_t from_ms, int64_t to_ms,
                int (*fn)(void *arg, const struct expr_series *series), void *arg);
    /* Labels and hashes stay as they are until expr_eval() returns, so that they are borrowed.
     * Samples are never needed after fn. */
    bool labels_stay;
};
/* Of one label, so that the hash of any subset of a series' labels is a sum.  Differs from process
 * to process. */
uint64_t expr_hash(const char *name, const char *value);

struct expr_value { /* one element of a vector; or the scalar, without labels */
    struct tmon_pair *labels;
    size_t nlabels;
    double value;
};
struct expr_result {
    enum expr_type type;
    size_t n;
    struct expr_value *values;
    const char *text; /* of a string */
    void *memory;     /* what it is all made of; expr_result_finish() frees it */
};

/* Evaluates at `time_ms`.  0 with a result; -EINVAL (such as many-to-many matching, or a range
 * vector as the result), -E2BIG (limits: samples, elements, memory, time) with a sentence in
 * ret_why; what input->read returned; -ENOMEM. */
int expr_eval(const struct expr *expr, const struct expr_input *input, int64_t time_ms,
              struct expr_result *ret_result, char *ret_why, size_t size);
void expr_result_finish(struct expr_result *result);

#endif
