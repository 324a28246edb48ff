/*
 * parse_primary.c: see parse.h; literals, parentheses, calls, aggregations.
 */
#include <string.h>

#include "base/limits.h"
#include "rules/functions.h"
#include "rules/literal.h"
#include "rules/parse.h"

static bool aggregation(enum word word, enum aggregation *ret_op)
{
    if (word < WORD_SUM || word > WORD_QUANTILE) {
        return false;
    }
    /* clang-format off */
    *ret_op = (const enum aggregation[]){
        AGGREGATE_SUM, AGGREGATE_AVG, AGGREGATE_COUNT, AGGREGATE_MIN, AGGREGATE_MAX,
        AGGREGATE_GROUP, AGGREGATE_STDDEV, AGGREGATE_STDVAR, AGGREGATE_TOPK, AGGREGATE_BOTTOMK,
        AGGREGATE_QUANTILE}[word - WORD_SUM];
    /* clang-format on */
    return true;
}

/* (a, b); parser->token is the parenthesis. */
static bool arguments(struct parser *parser, struct node ***ret_args, size_t *ret_nargs)
{
    struct node **args = NULL;
    size_t n = 0, room = 0;

    parse_advance(parser);
    while (n > 0 || parser->token.kind != TOKEN_RIGHT_PAREN) {
        struct node *arg;

        if (n == LIMIT_EXPR_ARGUMENTS) {
            return parse_fail(parser, parser->token.at, "more than %d arguments",
                              LIMIT_EXPR_ARGUMENTS);
        }
        arg = parse_expression(parser, 0);
        args = arg ? parse_grow(parser, args, n, &room, sizeof(struct node *)) : NULL;
        if (!args) {
            return false;
        }
        args[n++] = arg;
        if (!parse_skip(parser, TOKEN_COMMA)) {
            break;
        }
    }
    *ret_args = args;
    *ret_nargs = n;
    return parse_expect(parser, TOKEN_RIGHT_PAREN, "\",\" or \")\"");
}

static struct node *call(struct parser *parser, const struct token *name)
{
    const char *text = parser->text + name->at;
    struct node *node = parse_node(parser, NODE_CALL, name->at);
    int len = (int)(name->len > 60 ? 60 : name->len);

    if (!node) {
        return NULL;
    }
    node->call.function = function_find(text, name->len);
    if (!node->call.function && function_is_elsewhere(text, name->len)) {
        return parse_fail(parser, name->at, "the function %.*s() is not supported", len, text);
    }
    if (!node->call.function) {
        char space[SUGGESTION_SIZE];

        return parse_fail(parser, name->at, "there is no function %.*s()%s", len, text,
                          function_suggestion(text, name->len, space));
    }
    if (!arguments(parser, &node->call.args, &node->call.nargs)) {
        return NULL;
    }
    for (size_t i = 0; i < node->call.nargs; i++) {
        if (!parse_over(parser, node, node->call.args[i], NULL)) {
            return NULL;
        }
    }
    return node;
}

/* by (a, b) or without (a, b); true as well if there is neither. */
static bool grouping(struct parser *parser, struct node *node, bool *ret_there)
{
    *ret_there = parser->token.word == WORD_BY || parser->token.word == WORD_WITHOUT;
    if (!*ret_there) {
        return true;
    }
    node->aggregate.without = parser->token.word == WORD_WITHOUT;
    parse_advance(parser);
    return parse_names(parser, &node->aggregate.labels);
}

static struct node *aggregate(struct parser *parser, enum aggregation op, size_t at)
{
    struct node *node = parse_node(parser, NODE_AGGREGATE, at);
    size_t nargs = 0, wanted = aggregation_has_param(op) ? 2 : 1;
    struct node **args = NULL;
    bool before, after;

    if (!node || !grouping(parser, node, &before)) {
        return NULL;
    }
    if (parser->token.kind != TOKEN_LEFT_PAREN) {
        return parse_unexpected(parser, "\"(\"");
    }
    if (!arguments(parser, &args, &nargs) || (!before && !grouping(parser, node, &after))) {
        return NULL;
    }
    if (nargs != wanted) {
        return parse_fail(parser, at, "%s() takes %zu argument%s, not %zu", aggregation_text(op),
                          wanted, wanted == 1 ? "" : "s", nargs);
    }
    node->type = EXPR_VECTOR;
    node->aggregate.op = op;
    node->aggregate.param = wanted == 2 ? args[0] : NULL;
    node->aggregate.child = args[wanted - 1];
    return parse_over(parser, node, node->aggregate.param, node->aggregate.child);
}

static struct node *named(struct parser *parser)
{
    struct token name = parser->token;
    enum aggregation op;
    bool parens, groups;

    parse_advance(parser);
    parens = parser->token.kind == TOKEN_LEFT_PAREN;
    groups = parser->token.word == WORD_BY || parser->token.word == WORD_WITHOUT;
    if (aggregation(name.word, &op) && (parens || groups)) {
        return aggregate(parser, op, name.at);
    }
    if (name.word == WORD_COUNT_VALUES && (parens || groups)) {
        return parse_fail(parser, name.at, "the aggregation count_values is not supported");
    }
    if (name.kind == TOKEN_NAME && name.word == WORD_NONE && parens) {
        return call(parser, &name);
    }
    switch (name.word) {
    case WORD_ATAN2:
    case WORD_BOOL:
    case WORD_ON:
    case WORD_IGNORING:
    case WORD_GROUP_LEFT:
    case WORD_GROUP_RIGHT:
        return parse_fail(parser, name.at, "an expression expected, not \"%.*s\"", (int)name.len,
                          parser->text + name.at);
    default:
        return parse_selector(parser, &name, name.at);
    }
}

static struct node *paren(struct parser *parser)
{
    struct node *node = parse_node(parser, NODE_PAREN, parser->token.at);

    parse_advance(parser);
    if (!node) {
        return NULL;
    }
    node->one.child = parse_expression(parser, 0);
    if (!node->one.child || !parse_expect(parser, TOKEN_RIGHT_PAREN, "\")\"")) {
        return NULL;
    }
    node->type = node->one.child->type;
    return parse_over(parser, node, node->one.child, NULL);
}

static struct node *literal(struct parser *parser)
{
    bool number = parser->token.kind == TOKEN_NUMBER;
    struct node *node = parse_node(parser, number ? NODE_NUMBER : NODE_STRING, parser->token.at);

    if (!node) {
        return NULL;
    }
    if (number) {
        node->type = EXPR_SCALAR;
        if (!literal_number(parser->text + node->at, parser->token.len, &node->number)) {
            return parse_fail(parser, node->at, "\"%.*s\" is no number, or too large",
                              (int)(parser->token.len > 40 ? 40 : parser->token.len),
                              parser->text + node->at);
        }
    } else {
        node->type = EXPR_STRING;
        node->string = parse_string(parser, &parser->token);
        if (!node->string) {
            return NULL;
        }
    }
    parse_advance(parser);
    return node;
}

struct node *parse_primary(struct parser *parser)
{
    struct node *node;

    switch (parser->token.kind) {
    case TOKEN_NUMBER:
    case TOKEN_STRING:
        node = literal(parser);
        break;
    case TOKEN_LEFT_PAREN:
        node = paren(parser);
        break;
    case TOKEN_NAME:
    case TOKEN_METRIC:
        node = named(parser);
        break;
    case TOKEN_LEFT_BRACE:
        node = parse_selector(parser, NULL, parser->token.at);
        break;
    case TOKEN_COMMA:
    default:
        return parse_unexpected(parser, "an expression");
    }
    return parse_suffixes(parser, node);
}
