/*
 * eval.c: see expr.h and eval.h; walks the tree and makes the result.
 *
 * The recursion is as deep as the tree, which parsing has bounded.
 */
#include "rules/eval.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "rules/functions.h"

#define CLOCK_EVERY 1024 /* elements between two looks at the clock */

int eval_fail(struct eval *eval, int error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(eval->why, eval->size, format, args);
    va_end(args);
    return error;
}

int eval_check(struct eval *eval, size_t n)
{
    if (n < eval->until_clock) {
        eval->until_clock -= n;
        return 0;
    }
    eval->until_clock = CLOCK_EVERY;
    if (eval->pool.bytes > LIMIT_EXPR_MEMORY_BYTES) {
        return eval_fail(eval, -E2BIG, "the evaluation takes more than %u MiB",
                         LIMIT_EXPR_MEMORY_BYTES >> 20);
    }
    if (clock_mono_ns() > eval->deadline_ns) {
        return eval_fail(eval, -E2BIG, "the evaluation takes longer than %d ms", LIMIT_EXPR_MS);
    }
    return 0;
}

void *eval_room(struct scratch *scratch, size_t bytes)
{
    if (bytes > scratch->size) {
        void *data = malloc(bytes);

        if (!data) {
            return NULL;
        }
        free(scratch->data);
        scratch->data = data;
        scratch->size = bytes;
    }
    return scratch->data;
}

static int eval_map(struct eval *eval, map_fn *map, struct vector *vector)
{
    for (size_t i = 0; i < vector->n; i++) {
        vector->elements[i].value = map(vector->elements[i].value);
    }
    return vector_drop_names(eval, vector);
}

static int eval_date(struct eval *eval, const struct node *node, struct value *value)
{
    if (node->call.nargs == 0) {
        const struct set none = {0};
        double seconds = (double)(eval->time_ms / 1000);

        return vector_add(eval, &value->vector, &none, node->call.function->date(seconds));
    }
    return eval_map(eval, node->call.function->date, &value->vector);
}

static int eval_call(struct eval *eval, const struct node *node, struct value *ret_value)
{
    const struct function *function = node->call.function;
    struct value args[FUNCTION_ARGS] = {{0}};
    int r = 0;

    if (function->range) {
        return eval_range(eval, node, ret_value);
    }
    if (function->call == call_timestamp && node_bare(node->call.args[0])->kind == NODE_SELECTOR) {
        /* Only here the time of the sample counts; anywhere else it is that of the evaluation. */
        r = eval_selector(eval, node_bare(node->call.args[0]), true, &ret_value->vector);
        return r < 0 ? r : vector_drop_names(eval, &ret_value->vector);
    }
    for (size_t i = 0; r == 0 && i < node->call.nargs && i < FUNCTION_ARGS; i++) {
        if (node->call.args[i]->type != EXPR_STRING) {
            r = eval_node(eval, node->call.args[i], &args[i]);
        }
    }
    if (r < 0) {
        return r;
    }
    if (function->call) {
        return function->call(eval, node, args, ret_value);
    }
    ret_value->vector = args[0].vector;
    return function->map ? eval_map(eval, function->map, &ret_value->vector)
                         : eval_date(eval, node, ret_value);
}

static int eval_unary(struct eval *eval, const struct node *node, struct value *ret_value)
{
    int r = eval_node(eval, node->one.child, ret_value);

    if (r < 0 || !node->one.minus) {
        return r;
    }
    ret_value->scalar = -ret_value->scalar;
    for (size_t i = 0; i < ret_value->vector.n; i++) {
        ret_value->vector.elements[i].value = -ret_value->vector.elements[i].value;
    }
    return vector_drop_names(eval, &ret_value->vector);
}

int eval_node(struct eval *eval, const struct node *node, struct value *ret_value)
{
    node = node_bare(node);
    *ret_value = (struct value){.type = node->type};
    switch (node->kind) {
    case NODE_NUMBER:
        ret_value->scalar = node->number;
        return 0;
    case NODE_SELECTOR:
        return eval_selector(eval, node, false, &ret_value->vector);
    case NODE_UNARY:
        return eval_unary(eval, node, ret_value);
    case NODE_BINARY:
        return eval_binary(eval, node, ret_value);
    case NODE_CALL:
        return eval_call(eval, node, ret_value);
    case NODE_AGGREGATE:
        return eval_aggregate(eval, node, ret_value);
    case NODE_STRING:
    case NODE_PAREN:
        break;
    }
    return eval_fail(eval, -EINVAL, "a string is no value"); /* the check lets none through */
}

int expr_eval(const struct expr *expr, const struct expr_input *input, int64_t time_ms,
              struct expr_result *ret_result, char *ret_why, size_t size)
{
    struct eval eval = {.expr = expr,
                        .input = input,
                        .time_ms = time_ms,
                        .deadline_ns = clock_mono_ns() + LIMIT_EXPR_MS * NS_PER_MS,
                        .until_clock = CLOCK_EVERY,
                        .why = ret_why,
                        .size = size};
    struct value value;
    int r;

    if (expr->root->type == EXPR_STRING) {
        return result_string(node_bare(expr->root)->string, ret_result);
    }
    if (expr->root->type == EXPR_MATRIX) {
        return eval_fail(&eval, -EINVAL,
                         "a range vector is no result; a function such as rate() "
                         "or max_over_time() makes one of it");
    }
    pool_init(&eval.pool, 4096);
    r = eval_node(&eval, expr->root, &value);
    if (r == 0) {
        r = result_of(&eval, &value, ret_result);
    }
    free(eval.samples_room.data);
    free(eval.keys_room.data);
    pool_finish(&eval.pool);
    return r;
}
