/*
 * check.c: see parse.h; what a tree may consist of, as Prometheus' parser has it.
 *
 * The regular expression of a label_replace() and the names it is given are constants, so they are
 * looked at here, though Prometheus finds them wrong only when it evaluates.
 */
#include <errno.h>
#include <string.h>

#include "model/labels.h"
#include "rules/functions.h"
#include "rules/parse.h"
#include "rules/replacement.h"

static const char *type_text(enum expr_type type)
{
    switch (type) {
    case EXPR_SCALAR:
        return "a scalar";
    case EXPR_STRING:
        return "a string";
    case EXPR_VECTOR:
        return "an instant vector";
    case EXPR_MATRIX:
        break;
    }
    return "a range vector";
}

static bool is_number(const struct node *node)
{
    return node->type == EXPR_SCALAR || node->type == EXPR_VECTOR;
}

static bool check_unary(struct parser *parser, struct node *node)
{
    if (!check_tree(parser, node->one.child)) {
        return false;
    }
    node->type = node->one.child->type;
    if (!is_number(node)) {
        return parse_fail(parser, node->at, "%s has no sign", type_text(node->type));
    }
    return true;
}

/* A label in on() and in group_left() would be both one's own and the other side's. */
static bool check_include(struct parser *parser, const struct node *node)
{
    const struct matching *matching = &node->binary.matching;

    for (size_t i = 0; matching->on && i < matching->labels.n; i++) {
        for (size_t j = 0; j < matching->include.n; j++) {
            if (strcmp(matching->labels.written[i], matching->include.written[j]) == 0) {
                return parse_fail(parser, node->binary.op_at,
                                  "the label %s stands both in on() and in group_%s()",
                                  matching->labels.written[i],
                                  matching->grouping == GROUP_LEFT ? "left" : "right");
            }
        }
    }
    return true;
}

static bool check_binary(struct parser *parser, struct node *node)
{
    struct node *left = node->binary.left, *right = node->binary.right;
    struct matching *matching = &node->binary.matching;
    enum op op = node->binary.op;
    size_t at = node->binary.op_at;
    bool scalars;

    if (!check_tree(parser, left) || !check_tree(parser, right)) {
        return false;
    }
    if (!is_number(left) || !is_number(right)) {
        const struct node *odd = is_number(left) ? right : left;

        return parse_fail(parser, odd->at, "\"%s\" takes scalars and instant vectors, not %s",
                          op_text(op), type_text(odd->type));
    }
    scalars = left->type == EXPR_SCALAR && right->type == EXPR_SCALAR;
    node->type = scalars ? EXPR_SCALAR : EXPR_VECTOR;
    if (node->binary.as_bool && !op_is_comparison(op)) {
        return parse_fail(parser, at, "bool goes with comparisons only, not with \"%s\"",
                          op_text(op));
    }
    if (scalars && op_is_comparison(op) && !node->binary.as_bool) {
        return parse_fail(parser, at, "a comparison of scalars needs bool: %s bool", op_text(op));
    }
    if (!check_include(parser, node)) {
        return false;
    }
    if (left->type == EXPR_VECTOR && right->type == EXPR_VECTOR) {
        if (op_is_set(op) && matching->grouping != GROUP_NONE) {
            return parse_fail(parser, at, "\"%s\" has no group_left or group_right", op_text(op));
        }
        return true;
    }
    if (op_is_set(op)) {
        return parse_fail(parser, at, "\"%s\" is for instant vectors, not for scalars",
                          op_text(op));
    }
    if (matching->labels.n > 0) {
        return parse_fail(parser, at, "on() and ignoring() are for two instant vectors");
    }
    return true;
}

static bool check_aggregate(struct parser *parser, struct node *node)
{
    struct node *param = node->aggregate.param, *child = node->aggregate.child;

    if (!check_tree(parser, child) || (param && !check_tree(parser, param))) {
        return false;
    }
    if (child->type != EXPR_VECTOR) {
        return parse_fail(parser, child->at, "%s() takes an instant vector, not %s",
                          aggregation_text(node->aggregate.op), type_text(child->type));
    }
    if (param && param->type != EXPR_SCALAR) {
        return parse_fail(parser, param->at,
                          "the first argument of %s() must be a scalar; this is %s",
                          aggregation_text(node->aggregate.op), type_text(param->type));
    }
    return true;
}

static bool check_count(struct parser *parser, const struct node *node)
{
    const struct function *function = node->call.function;
    size_t n = node->call.nargs;
    const char *bound = function->least == function->most ? "" : "at least ";
    unsigned limit = function->least;

    if (n < function->least || (n > function->most && function->most >= function->least)) {
        if (n > function->most && function->most > function->least) {
            bound = "at most ";
            limit = function->most;
        }
        return parse_fail(parser, node->at, "%s() takes %s%u argument%s, not %zu", function->name,
                          bound, limit, limit == 1 ? "" : "s", n);
    }
    return true;
}

/* Constant labels of label_replace() (its first string) and label_join() (all but the separator).
 */
static bool check_label(struct parser *parser, const struct node *node, size_t i)
{
    const struct node *name = node_bare(node->call.args[i]);

    return labels_name_ok(name->string) ||
           parse_fail(parser, node->call.args[i]->at, "\"%.64s\" is no name of a label",
                      name->string);
}

static bool check_labels(struct parser *parser, struct node *node)
{
    struct node **args = node->call.args;
    char why[256];
    int r;

    if (!check_label(parser, node, 1)) {
        return false;
    }
    if (strcmp(node->call.function->name, "label_join") == 0) {
        for (size_t i = 3; i < node->call.nargs; i++) {
            if (!check_label(parser, node, i)) {
                return false;
            }
        }
        return true;
    }
    r = replacement_create(&parser->expr->pool, node_bare(args[4])->string,
                           node_bare(args[2])->string, &node->call.replacement, why, sizeof why);
    if (r < 0) {
        return r == -ENOMEM ? parse_no_memory(parser) : parse_fail(parser, args[4]->at, "%s", why);
    }
    node->call.replacement->next = parser->expr->replacements;
    parser->expr->replacements = node->call.replacement;
    return true;
}

static bool check_call(struct parser *parser, struct node *node)
{
    const struct function *function = node->call.function;
    bool strings = false;

    node->type = function->result;
    if (!check_count(parser, node)) {
        return false;
    }
    for (size_t i = 0; i < node->call.nargs; i++) {
        size_t last = function->most ? function->most - 1 : function->least;
        enum expr_type wanted = function->args[i < last ? i : last];
        struct node *arg = node->call.args[i];

        if (!check_tree(parser, arg)) {
            return false;
        }
        if (arg->type != wanted) {
            bool range = wanted == EXPR_MATRIX && arg->kind == NODE_SELECTOR;

            return parse_fail(parser, arg->at, "argument %zu of %s() must be %s; this is %s%s",
                              i + 1, function->name, type_text(wanted), type_text(arg->type),
                              range ? ": write a range behind it, such as [5m]" : "");
        }
        strings = strings || wanted == EXPR_STRING;
    }
    return !strings || check_labels(parser, node);
}

bool check_tree(struct parser *parser, struct node *node)
{
    switch (node->kind) {
    case NODE_NUMBER:
    case NODE_STRING:
    case NODE_SELECTOR:
        return true;
    case NODE_PAREN:
        if (!check_tree(parser, node->one.child)) {
            return false;
        }
        node->type = node->one.child->type;
        return true;
    case NODE_UNARY:
        return check_unary(parser, node);
    case NODE_BINARY:
        return check_binary(parser, node);
    case NODE_CALL:
        return check_call(parser, node);
    case NODE_AGGREGATE:
        return check_aggregate(parser, node);
    }
    return false;
}
