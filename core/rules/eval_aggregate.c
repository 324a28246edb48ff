/*
 * eval_aggregate.c: see eval.h; sum, avg, count and the like.
 *
 * Sums are plain, in the order of the elements, and the mean is a moving one: so has it Prometheus
 * 2.42, and so come the last digits out.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "rules/eval.h"

struct group {
    double value, mean;
    double n;
};

/* The first element of a group. */
static struct group begin(enum aggregation op, double value)
{
    struct group group = {value, value, 1};

    if (op == AGGREGATE_STDDEV || op == AGGREGATE_STDVAR) {
        group.value = 0;
    } else if (op == AGGREGATE_GROUP) {
        group.value = 1;
    }
    return group;
}

/* A mean that is infinite stays so, where the formula would make it NaN. */
static void add_to_mean(struct group *group, double value)
{
    if (isinf(group->mean) && (isinf(value) ? (group->mean > 0) == (value > 0) : !isnan(value))) {
        return;
    }
    group->mean += value / group->n - group->mean / group->n;
}

static void add(enum aggregation op, struct group *group, double value)
{
    double delta = value - group->mean;

    group->n++;
    switch (op) {
    case AGGREGATE_SUM:
        group->value += value;
        break;
    case AGGREGATE_AVG:
        add_to_mean(group, value);
        break;
    case AGGREGATE_MAX:
        group->value = group->value < value || isnan(group->value) ? value : group->value;
        break;
    case AGGREGATE_MIN:
        group->value = group->value > value || isnan(group->value) ? value : group->value;
        break;
    case AGGREGATE_STDDEV:
    case AGGREGATE_STDVAR:
        group->mean += delta / group->n;
        group->value += delta * (value - group->mean);
        break;
    default:
        break;
    }
}

static double finish(enum aggregation op, const struct group *group)
{
    switch (op) {
    case AGGREGATE_AVG:
        return group->mean;
    case AGGREGATE_COUNT:
        return group->n;
    case AGGREGATE_STDVAR:
        return group->value / group->n;
    case AGGREGATE_STDDEV:
        return sqrt(group->value / group->n);
    default:
        return group->value;
    }
}

bool eval_group_set(struct eval *eval, const struct node *node, const struct set *set,
                    struct set *ret_set)
{
    return node->aggregate.without ? set_without(&eval->pool, set, &node->aggregate.labels, ret_set)
                                   : set_only(&eval->pool, set, &node->aggregate.labels, ret_set);
}

static int simple(struct eval *eval, const struct node *node, struct vector *vector,
                  const struct groups *groups)
{
    struct group *sums = pool_get(&eval->pool, (groups->n + 1) * sizeof *sums);
    enum aggregation op = node->aggregate.op;

    if (!sums) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < vector->n; i++) {
        struct group *group = &sums[groups->of[i]];

        if (groups->first[groups->of[i]] == i) {
            *group = begin(op, vector->elements[i].value);
        } else {
            add(op, group, vector->elements[i].value);
        }
    }
    for (size_t g = 0; g < groups->n; g++) { /* a group's first element is not before it */
        if (!eval_group_set(eval, node, &vector->elements[groups->first[g]].set,
                            &vector->elements[g].set)) {
            return -ENOMEM;
        }
        vector->elements[g].value = finish(op, &sums[g]);
    }
    vector->n = groups->n;
    return 0;
}

int eval_aggregate(struct eval *eval, const struct node *node, struct value *ret_value)
{
    struct vector *vector = &ret_value->vector;
    enum aggregation op = node->aggregate.op;
    struct value param = {0};
    struct groups groups;
    int r = node->aggregate.param ? eval_node(eval, node->aggregate.param, &param) : 0;

    r = r < 0 ? r : eval_node(eval, node->aggregate.child, ret_value);
    r = r < 0 ? r
              : groups_make(eval, vector, &node->aggregate.labels,
                            node->aggregate.without ? PART_WITHOUT : PART_ONLY, &groups);
    if (r < 0) {
        return r;
    }
    if (op == AGGREGATE_TOPK || op == AGGREGATE_BOTTOMK) {
        r = eval_rank(eval, node, param.scalar, vector, &groups); /* elements as they were */
        return r < 0 ? r : vector_check(eval, vector);
    }
    r = op == AGGREGATE_QUANTILE ? eval_quantiles(eval, node, param.scalar, vector, &groups)
                                 : simple(eval, node, vector, &groups);
    vector->distinct = true;
    vector->distinct_unnamed =
        vector->n < 2 || node->aggregate.without || !names_have(&node->aggregate.labels, SET_NAME);
    return r;
}
