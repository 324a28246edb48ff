/*
 * eval_binary.c: see eval.h; operators, and what they do with a scalar on one side.
 */
#include <errno.h>
#include <math.h>

#include "rules/eval.h"
#include "rules/numeric.h"

const char *op_text(enum op op)
{
    static const char *const texts[] = {
        "or", "and", "unless", "==", "!=", ">", "<", ">=", "<=", "+", "-", "*", "/", "%", "^"};

    return texts[op];
}

const char *aggregation_text(enum aggregation op)
{
    static const char *const texts[] = {"sum",    "avg",    "count", "min",     "max",     "group",
                                        "stddev", "stdvar", "topk",  "bottomk", "quantile"};

    return texts[op];
}

double op_compute(enum op op, double left, double right)
{
    switch (op) {
    case OP_ADD:
        return left + right;
    case OP_SUB:
        return left - right;
    case OP_MUL:
        return left * right;
    case OP_DIV:
        return left / right;
    case OP_MOD:
        return fmod(left, right);
    case OP_POW:
        return numeric_pow(left, right);
    default:
        return op_compare(op, left, right) ? 1 : 0;
    }
}

bool op_compare(enum op op, double left, double right)
{
    switch (op) {
    case OP_EQ:
        return left == right;
    case OP_NE:
        return left != right;
    case OP_GT:
        return left > right;
    case OP_LT:
        return left < right;
    case OP_GE:
        return left >= right;
    case OP_LE:
        return left <= right;
    default:
        return true;
    }
}

/* A comparison is a filter that keeps the vector's value, whatever side it stands on. */
static int with_scalar(struct eval *eval, const struct node *node, struct vector *vector,
                       double scalar, bool scalar_left)
{
    enum op op = node->binary.op;
    bool filter = op_is_comparison(op) && !node->binary.as_bool;
    size_t n = 0;

    for (size_t i = 0; i < vector->n; i++) {
        struct element *element = &vector->elements[i];
        double left = scalar_left ? scalar : element->value;
        double right = scalar_left ? element->value : scalar;

        if (!filter) {
            element->value = op_compute(op, left, right);
        } else if (op_compare(op, left, right)) {
            vector->elements[n++] = *element;
        }
    }
    if (filter) {
        vector->n = n;
        return vector_check(eval, vector);
    }
    return vector_drop_names(eval, vector);
}

int eval_binary(struct eval *eval, const struct node *node, struct value *ret_value)
{
    struct value left, right;
    int r = eval_node(eval, node->binary.left, &left);

    r = r < 0 ? r : eval_node(eval, node->binary.right, &right);
    if (r < 0) {
        return r;
    }
    if (left.type == EXPR_SCALAR && right.type == EXPR_SCALAR) {
        ret_value->scalar = op_compute(node->binary.op, left.scalar, right.scalar);
        return 0;
    }
    if (left.type == EXPR_SCALAR || right.type == EXPR_SCALAR) {
        bool scalar_left = left.type == EXPR_SCALAR;

        ret_value->vector = scalar_left ? right.vector : left.vector;
        return with_scalar(eval, node, &ret_value->vector, scalar_left ? left.scalar : right.scalar,
                           scalar_left);
    }
    r = op_is_set(node->binary.op) ? eval_sets(eval, node, &left.vector, &right.vector)
                                   : eval_matched(eval, node, &left.vector, &right.vector);
    ret_value->vector = left.vector;
    return r < 0 ? r : vector_check(eval, &ret_value->vector);
}
