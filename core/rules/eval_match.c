/*
 * eval_match.c: see eval.h; operators between two vectors: which elements meet, and the labels of
 * what comes out.
 */
#include <errno.h>
#include <string.h>

#include "model/labels.h"
#include "rules/eval.h"

static enum part part_of(const struct matching *matching)
{
    return matching->on ? PART_ONLY : PART_WITHOUT;
}

int eval_sets(struct eval *eval, const struct node *node, struct vector *left, struct vector *right)
{
    const struct matching *matching = &node->binary.matching;
    enum op op = node->binary.op;
    const struct vector *known = op == OP_OR ? left : right;
    struct table table;
    size_t n = 0;
    int r = 0;

    if (right->n == 0 && op != OP_AND) {
        return 0;
    }
    if (!set_table_init(eval, &table, known->n, &matching->labels, part_of(matching))) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < known->n; i++) {
        (void)set_table_find(&table, known->elements, &known->elements[i].set, i);
    }
    if (op != OP_OR) {
        for (size_t i = 0; i < left->n; i++) {
            bool there = set_table_find(&table, right->elements, &left->elements[i].set,
                                        TABLE_NONE) != TABLE_NONE;

            if (there == (op == OP_AND)) {
                left->elements[n++] = left->elements[i];
            }
        }
        left->n = n;
        return 0;
    }
    if (left->n == 0) {
        *left = *right;
        return 0;
    }
    for (size_t i = 0; r == 0 && i < right->n; i++) {
        const struct set *set = &right->elements[i].set;

        if (set_table_find(&table, left->elements, set, TABLE_NONE) == TABLE_NONE) {
            r = vector_add(eval, left, set, right->elements[i].value);
        }
    }
    /* Two with the same labels would have matched, and the right one would not be here. */
    left->distinct = left->distinct && right->distinct;
    left->distinct_unnamed = left->distinct_unnamed && right->distinct_unnamed &&
                             !names_have(&matching->labels, SET_NAME);
    return r;
}

static int many_to_many(struct eval *eval, const struct matching *matching, const struct set *one,
                        const struct set *other)
{
    struct buf buf;
    int r;

    buf_init(&buf, 600);
    labels_show(one->pairs, one->n, &buf);
    buf_puts(&buf, " and ");
    labels_show(other->pairs, other->n, &buf);
    r = eval_fail(eval, -EINVAL,
                  "many-to-many matching is not possible: on the %s side %s fall together by the "
                  "labels that are matched",
                  matching->grouping == GROUP_RIGHT ? "left" : "right", buf_str(&buf));
    buf_finish(&buf);
    return r;
}

/* The labels of a result: of the "many" side, without the name where a new number was computed;
 * one to one only those that were matched; with what group_left() or group_right() brings over. */
static bool result_set(struct eval *eval, const struct node *node, const struct set *many,
                       const struct set *one, struct set *ret_set)
{
    const struct matching *matching = &node->binary.matching;
    bool named = op_is_comparison(node->binary.op), ok = true;
    struct set set = *many;

    if (!named) {
        ok = set_drop_name(&eval->pool, &set, &set);
    }
    if (ok && matching->grouping == GROUP_NONE && matching->on) {
        ok = set_only(&eval->pool, &set, &matching->labels, &set);
    } else if (ok && matching->grouping == GROUP_NONE && matching->labels.n > 0) {
        ok = set_but(&eval->pool, &set, &matching->labels, &set);
    }
    for (size_t i = 0; ok && i < matching->include.n; i++) {
        const char *name = matching->include.written[i];

        ok = set_with(&eval->pool, &set, name, set_get(one, name), &set);
    }
    if (ok && node->binary.as_bool) {
        ok = set_drop_name(&eval->pool, &set, &set);
    }
    *ret_set = set;
    return ok;
}

struct match {
    struct vector *many, *one;
    struct table ones;
    bool *used; /* by element of `one`: it has met another */
};

static int match_init(struct eval *eval, const struct node *node, struct match *match)
{
    const struct matching *matching = &node->binary.matching;

    match->used = pool_get(&eval->pool, match->one->n * sizeof *match->used);
    if (!match->used ||
        !set_table_init(eval, &match->ones, match->one->n, &matching->labels, part_of(matching))) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < match->one->n; i++) {
        const struct set *set = &match->one->elements[i].set;
        uint32_t found = set_table_find(&match->ones, match->one->elements, set, i);

        if (found != TABLE_NONE) {
            return many_to_many(eval, matching, set, &match->one->elements[found].set);
        }
        match->used[i] = false;
    }
    return 0;
}

/* What is known of the labels of the results.  One to one they hold what was matched, which is
 * there once. */
static void know(const struct node *node, const struct vector *many, struct vector *out)
{
    const struct matching *matching = &node->binary.matching;

    if (matching->grouping == GROUP_NONE) {
        out->distinct = !names_have(&matching->labels, SET_NAME);
        out->distinct_unnamed = out->distinct;
    } else if (matching->include.n == 0) {
        bool named = op_is_comparison(node->binary.op) && !node->binary.as_bool;

        out->distinct = named ? many->distinct : many->distinct_unnamed;
        out->distinct_unnamed = many->distinct_unnamed;
    }
}

/* One element and the one that it meets, if it does. */
static int meet(struct eval *eval, const struct node *node, struct match *match,
                const struct element *many, struct vector *out)
{
    const struct matching *matching = &node->binary.matching;
    enum op op = node->binary.op;
    bool filter = op_is_comparison(op) && !node->binary.as_bool;
    bool swapped = matching->grouping == GROUP_RIGHT;
    uint32_t found = set_table_find(&match->ones, match->one->elements, &many->set, TABLE_NONE);
    const struct element *one = &match->one->elements[found == TABLE_NONE ? 0 : found];
    double left = swapped ? one->value : many->value;
    double right = swapped ? many->value : one->value;
    struct set set;

    if (found == TABLE_NONE || (filter && !op_compare(op, left, right))) {
        return 0;
    }
    if (match->used[found] && matching->grouping == GROUP_NONE) {
        return eval_fail(eval, -EINVAL,
                         "several elements on the left match one on the right; if that is meant, "
                         "write group_left");
    }
    match->used[found] = true;
    if (!result_set(eval, node, &many->set, &one->set, &set)) {
        return -ENOMEM;
    }
    return vector_add(eval, out, &set, filter ? left : op_compute(op, left, right));
}

int eval_matched(struct eval *eval, const struct node *node, struct vector *left,
                 struct vector *right)
{
    bool swapped = node->binary.matching.grouping == GROUP_RIGHT;
    struct match match = {.many = swapped ? right : left, .one = swapped ? left : right};
    struct vector out = {0};
    int r = 0;

    if (left->n > 0 && right->n > 0) {
        r = match_init(eval, node, &match);
        for (size_t i = 0; r == 0 && i < match.many->n; i++) {
            r = meet(eval, node, &match, &match.many->elements[i], &out);
        }
        know(node, match.many, &out);
    }
    *left = out;
    return r;
}
