/*
 * eval_absent.c: see eval.h; absent() and absent_over_time().
 */
#include <errno.h>
#include <string.h>

#include "rules/eval.h"

/* What the matchers say for certain. */
static int labels_of(struct eval *eval, const struct node *node, struct set *ret_set)
{
    struct set set = {0};
    const struct expr_selector *selector;

    *ret_set = set;
    node = node_bare(node);
    if (node->kind != NODE_SELECTOR) {
        return 0;
    }
    selector = &eval->expr->selectors[node->selector.index];
    for (size_t i = 0; i < selector->nmatchers; i++) {
        const struct matcher *matcher = &selector->matchers[i];
        bool wanted = matcher->op == MATCHER_EQUAL;

        if (strcmp(matcher->name, SET_NAME) == 0) {
            continue;
        }
        for (size_t k = 0; wanted && k < i; k++) { /* a second one says that it is no one value */
            wanted = selector->matchers[k].op != MATCHER_EQUAL ||
                     strcmp(selector->matchers[k].name, matcher->name) != 0;
        }
        if (!set_with(&eval->pool, &set, matcher->name, wanted ? matcher->value : "", &set)) {
            return -ENOMEM;
        }
    }
    *ret_set = set;
    return 0;
}

int eval_absent(struct eval *eval, const struct node *selector, struct vector *vector)
{
    struct set set;
    int r;

    if (vector->n > 0) {
        vector->n = 0;
        return 0;
    }
    r = labels_of(eval, selector, &set);
    return r < 0 ? r : vector_add(eval, vector, &set, 1);
}

int call_absent(struct eval *eval, const struct node *node, struct value *args,
                struct value *ret_value)
{
    ret_value->vector = args[0].vector;
    return eval_absent(eval, node->call.args[0], &ret_value->vector);
}
