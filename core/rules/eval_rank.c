/*
 * eval_rank.c: see eval.h; topk, bottomk and quantile.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "rules/eval.h"
#include "rules/numeric.h"

double eval_quantile(double q, struct order_key *keys, size_t n, struct order_key *room)
{
    double rank, low, high, weight;

    if (n == 0 || isnan(q)) {
        return (double)NAN;
    }
    if (q < 0 || q > 1) {
        return q < 0 ? -(double)INFINITY : (double)INFINITY;
    }
    order_sort(keys, n, ORDER_UP, room);
    rank = q * (double)(n - 1);
    low = numeric_max(0, floor(rank));
    high = numeric_min((double)(n - 1), low + 1);
    weight = rank - floor(rank);
    return keys[(size_t)low].value * (1 - weight) + keys[(size_t)high].value * weight;
}

/* The keys of each group side by side; those of group g end at ret_ends[g]. */
static int split(struct eval *eval, const struct vector *vector, const struct groups *groups,
                 struct order_key **ret_keys, uint32_t **ret_ends)
{
    struct order_key *keys = pool_get(&eval->pool, (2 * vector->n + 1) * sizeof *keys);
    uint32_t *ends = pool_get(&eval->pool, (groups->n + 1) * sizeof *ends);

    if (!keys || !ends) {
        return -ENOMEM;
    }
    for (size_t g = 0, end = 0; g < groups->n; g++) {
        ends[g] = (uint32_t)end;
        end += groups->size[g];
    }
    for (uint32_t i = 0; i < vector->n; i++) {
        keys[ends[groups->of[i]]++] = (struct order_key){vector->elements[i].value, i};
    }
    *ret_keys = keys;
    *ret_ends = ends;
    return 0;
}

int eval_quantiles(struct eval *eval, const struct node *node, double param, struct vector *vector,
                   const struct groups *groups)
{
    struct order_key *keys;
    uint32_t *ends;
    int r = split(eval, vector, groups, &keys, &ends);

    for (size_t g = 0; r == 0 && g < groups->n; g++) {
        if (!eval_group_set(eval, node, &vector->elements[groups->first[g]].set,
                            &vector->elements[g].set)) {
            return -ENOMEM;
        }
        vector->elements[g].value = eval_quantile(param, keys + ends[g] - groups->size[g],
                                                  groups->size[g], keys + vector->n);
    }
    if (r == 0) {
        vector->n = groups->n;
    }
    return r;
}

/* The k best of `n` keys, in order, at their beginning; returns how many.  The heap has the worst
 * of them on top; a NaN is worse than all. */
static size_t best(struct order_key *keys, size_t n, size_t k, bool top, struct order_key *room)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        struct order_key key = keys[i];
        bool better = kept < k || isnan(keys[0].value) ||
                      (top ? keys[0].value < key.value : keys[0].value > key.value);

        if (!better) {
            continue;
        }
        if (kept == k) {
            order_pop(keys, kept--, !top);
        }
        order_push(keys, kept++, key, !top);
    }
    order_sort(keys, kept, top ? ORDER_DOWN_LAST : ORDER_UP_LAST, room);
    return kept;
}

int eval_rank(struct eval *eval, const struct node *node, double param, struct vector *vector,
              const struct groups *groups)
{
    bool top = node->aggregate.op == AGGREGATE_TOPK;
    struct element *elements;
    struct order_key *keys;
    uint32_t *ends;
    size_t n = 0, k;
    int r;

    if (!numeric_is_int64(param)) {
        return eval_fail(eval, -EINVAL, "the first argument of %s() is not a whole number: %g",
                         aggregation_text(node->aggregate.op), param);
    }
    k = param < 1 ? 0 : param > (double)vector->n ? vector->n : (size_t)param;
    elements = pool_get(&eval->pool, (vector->n + 1) * sizeof *elements);
    r = elements ? split(eval, vector, groups, &keys, &ends) : -ENOMEM;
    if (r < 0) {
        return r;
    }
    for (size_t g = 0; k > 0 && g < groups->n; g++) {
        struct order_key *own = keys + ends[g] - groups->size[g];
        size_t kept = best(own, groups->size[g], k, top, keys + vector->n);

        for (size_t i = 0; i < kept; i++) {
            elements[n++] = vector->elements[own[i].index];
        }
    }
    vector->elements = elements;
    vector->room = vector->n + 1;
    vector->n = n;
    return 0;
}
