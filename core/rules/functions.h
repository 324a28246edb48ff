/*
 * functions.h: private to rules/: the functions, what they take, and what computes them.
 */
#ifndef RULES_FUNCTIONS_H
#define RULES_FUNCTIONS_H

#include "base/suggest.h"
#include "rules/tree.h"

#define FUNCTION_ARGS 5 /* that are told apart; label_join() repeats its last */

struct eval;
struct value;
struct window;

/* Of the samples of one series; false: it has no value. */
typedef bool range_fn(const struct window *window, double *ret_value);
/* Of one value of a vector; the name of the metric falls off. */
typedef double map_fn(double value);
/* Of the evaluated arguments.  -errno, said with eval_fail(). */
typedef int call_fn(struct eval *eval, const struct node *node, struct value *args,
                    struct value *ret_value);

struct function {
    const char *name;
    enum expr_type result;
    unsigned least, most; /* arguments; most 0: any number */
    enum expr_type args[FUNCTION_ARGS];
    /* one of these */
    range_fn *range;
    map_fn *map;
    map_fn *date; /* of seconds; without an argument, of the time of the evaluation */
    call_fn *call;
};

/* NULL: there is none of that name. */
const struct function *function_find(const char *name, size_t len);
/* Whether a Prometheus has it, though we do not. */
bool function_is_elsewhere(const char *name, size_t len);
/* "; did you mean 'rate'?" or "", as suggest_ending(); aggregations are meant too. */
const char *function_suggestion(const char *name, size_t len, char space[static SUGGESTION_SIZE]);

#endif
