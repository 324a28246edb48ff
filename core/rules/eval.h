/*
 * eval.h: private to rules/: one evaluation, and what its parts are made of.
 *
 * A node's value belongs to its parent alone, which changes vectors in place.  All memory is the
 * evaluation's pool.
 */
#ifndef RULES_EVAL_H
#define RULES_EVAL_H

#include "rules/order.h"
#include "rules/set.h"
#include "rules/tree.h"

struct element {
    struct set set;
    double value;
};

struct vector {
    struct element *elements;
    size_t n, room;
    /* What is known, so that it needs no proof: no two elements have the same labels; nor would
     * they without the name of the metric. */
    bool distinct, distinct_unnamed;
};

struct value {
    enum expr_type type;
    double scalar;
    struct vector vector;
};

struct eval {
    const struct expr *expr;
    const struct expr_input *input;
    int64_t time_ms;
    struct pool pool;
    size_t nsamples;     /* read so far */
    int64_t deadline_ns; /* of clock_mono_ns() */
    size_t until_clock;  /* elements until the next look at it */
    /* Buffers that serve one series after the other. */
    struct scratch {
        void *data;
        size_t size;
    } samples_room, keys_room;
    char *why;
    size_t size;
};

/* -EINVAL or -E2BIG with the sentence, for returning. */
int eval_fail(struct eval *eval, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int eval_node(struct eval *eval, const struct node *node, struct value *ret_value);
/* At least so many bytes, until the next call with that buffer; NULL: out of memory. */
void *eval_room(struct scratch *scratch, size_t bytes);
/* Told of work on n elements; -E2BIG once the evaluation takes too long or too much memory.  Cheap
 * enough for each element. */
int eval_check(struct eval *eval, size_t n);

/* Copies.  -ENOMEM, -E2BIG. */
int result_of(struct eval *eval, const struct value *value, struct expr_result *ret_result);
int result_string(const char *text, struct expr_result *ret_result);

/* Adds an element.  -ENOMEM, -E2BIG. */
int vector_add(struct eval *eval, struct vector *vector, const struct set *set, double value);
/* Takes the name of the metric off all elements.  -EINVAL: two have the same labels then. */
int vector_drop_names(struct eval *eval, struct vector *vector);
/* -EINVAL: two elements have the same labels. */
int vector_check(struct eval *eval, struct vector *vector);

/* Selectors: the instant one, and the one in a call. */
int eval_selector(struct eval *eval, const struct node *node, bool timestamps,
                  struct vector *ret_vector);
int eval_range(struct eval *eval, const struct node *node, struct value *ret_value);
/* One element or none where there was none or some; with the labels that the selector asks for. */
int eval_absent(struct eval *eval, const struct node *selector, struct vector *vector);

int eval_aggregate(struct eval *eval, const struct node *node, struct value *ret_value);
/* Element i of a vector belongs to group of[i]; groups are numbered as they appear, first[g] is the
 * first element of group g and size[g] counts them. */
struct groups {
    uint32_t *of, *first, *size;
    size_t n;
};
int groups_make(struct eval *eval, const struct vector *vector, const struct names *names,
                enum part part, struct groups *ret_groups);
/* topk, bottomk and quantile of each group. */
int eval_rank(struct eval *eval, const struct node *node, double param, struct vector *vector,
              const struct groups *groups);
int eval_quantiles(struct eval *eval, const struct node *node, double param, struct vector *vector,
                   const struct groups *groups);
/* The labels of a group, from one of its elements'. */
bool eval_group_set(struct eval *eval, const struct node *node, const struct set *set,
                    struct set *ret_set);
/* Sorts the keys; `room` is for as many. */
double eval_quantile(double q, struct order_key *keys, size_t n, struct order_key *room);

int eval_binary(struct eval *eval, const struct node *node, struct value *ret_value);
double op_compute(enum op op, double left, double right);
bool op_compare(enum op op, double left, double right);
int eval_matched(struct eval *eval, const struct node *node, struct vector *left,
                 struct vector *right);
int eval_sets(struct eval *eval, const struct node *node, struct vector *left,
              struct vector *right);

/* A table that finds the element with equal labels; open addressing. */
struct table {
    struct slot {
        uint32_t number; /* of an element, and one; 0: free */
        uint32_t hash;   /* the upper half, so that few others are looked at */
    } * slots;
    size_t mask;
    const struct names *names; /* NULL: all labels count */
    enum part part;
};
bool set_table_init(struct eval *eval, struct table *table, size_t n, const struct names *names,
                    enum part part);
#define TABLE_NONE UINT32_MAX
/* The number (of an element) whose part equals the set's; if there is none, TABLE_NONE, and
 * `number` is put there unless it is TABLE_NONE itself. */
uint32_t set_table_find(struct table *table, const struct element *elements, const struct set *set,
                        uint32_t number);

int call_absent(struct eval *eval, const struct node *node, struct value *args,
                struct value *ret_value);
int call_clamp(struct eval *eval, const struct node *node, struct value *args,
               struct value *ret_value);
int call_clamp_max(struct eval *eval, const struct node *node, struct value *args,
                   struct value *ret_value);
int call_clamp_min(struct eval *eval, const struct node *node, struct value *args,
                   struct value *ret_value);
int call_histogram_quantile(struct eval *eval, const struct node *node, struct value *args,
                            struct value *ret_value);
int call_label_join(struct eval *eval, const struct node *node, struct value *args,
                    struct value *ret_value);
int call_label_replace(struct eval *eval, const struct node *node, struct value *args,
                       struct value *ret_value);
int call_round(struct eval *eval, const struct node *node, struct value *args,
               struct value *ret_value);
int call_scalar(struct eval *eval, const struct node *node, struct value *args,
                struct value *ret_value);
int call_sort(struct eval *eval, const struct node *node, struct value *args,
              struct value *ret_value);
int call_sort_desc(struct eval *eval, const struct node *node, struct value *args,
                   struct value *ret_value);
int call_time(struct eval *eval, const struct node *node, struct value *args,
              struct value *ret_value);
int call_timestamp(struct eval *eval, const struct node *node, struct value *args,
                   struct value *ret_value);
int call_vector(struct eval *eval, const struct node *node, struct value *args,
                struct value *ret_value);

/* Of seconds since 1970, as they come out of a vector. */
double date_day_of_month(double seconds);
double date_day_of_week(double seconds);
double date_days_in_month(double seconds);
double date_hour(double seconds);
double date_minute(double seconds);
double date_month(double seconds);
double date_year(double seconds);

#endif
