/*
 * parse_operator.c: see parse.h; operators.
 *
 * Operators by precedence climbing.  A unary minus binds like a product, so that -2^2 is -4, and
 * takes all that binds tighter as its operand, so that 2^-1*3 is (2^-1)*3, as in Prometheus'
 * grammar.
 */
#include "base/limits.h"
#include "rules/parse.h"

enum { LEAST_OR = 1, LEAST_AND, LEAST_COMPARISON, LEAST_SUM, LEAST_PRODUCT, LEAST_POWER };

/* How strongly the current token binds as an operator; 0: it is none. */
static int binds(struct parser *parser, enum op *ret_op)
{
    static const struct {
        enum token_kind kind;
        enum word word;
        enum op op;
        int strength;
    } operators[] = {
        {TOKEN_NAME, WORD_OR, OP_OR, LEAST_OR},
        {TOKEN_NAME, WORD_AND, OP_AND, LEAST_AND},
        {TOKEN_NAME, WORD_UNLESS, OP_UNLESS, LEAST_AND},
        {TOKEN_EQ, WORD_NONE, OP_EQ, LEAST_COMPARISON},
        {TOKEN_NE, WORD_NONE, OP_NE, LEAST_COMPARISON},
        {TOKEN_GT, WORD_NONE, OP_GT, LEAST_COMPARISON},
        {TOKEN_LT, WORD_NONE, OP_LT, LEAST_COMPARISON},
        {TOKEN_GE, WORD_NONE, OP_GE, LEAST_COMPARISON},
        {TOKEN_LE, WORD_NONE, OP_LE, LEAST_COMPARISON},
        {TOKEN_ADD, WORD_NONE, OP_ADD, LEAST_SUM},
        {TOKEN_SUB, WORD_NONE, OP_SUB, LEAST_SUM},
        {TOKEN_MUL, WORD_NONE, OP_MUL, LEAST_PRODUCT},
        {TOKEN_DIV, WORD_NONE, OP_DIV, LEAST_PRODUCT},
        {TOKEN_MOD, WORD_NONE, OP_MOD, LEAST_PRODUCT},
        {TOKEN_POW, WORD_NONE, OP_POW, LEAST_POWER},
    };

    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (parser->token.kind == operators[i].kind && parser->token.word == operators[i].word) {
            *ret_op = operators[i].op;
            return operators[i].strength;
        }
    }
    return 0;
}

/* bool, on(...), ignoring(...), group_left(...), group_right(...) behind an operator. */
static bool modifiers(struct parser *parser, struct node *node)
{
    struct matching *matching = &node->binary.matching;

    if (parser->token.word == WORD_BOOL) {
        node->binary.as_bool = true;
        parse_advance(parser);
    }
    if (parser->token.word != WORD_ON && parser->token.word != WORD_IGNORING) {
        return true;
    }
    matching->on = parser->token.word == WORD_ON;
    parse_advance(parser);
    if (!parse_names(parser, &matching->labels)) {
        return false;
    }
    if (parser->token.word != WORD_GROUP_LEFT && parser->token.word != WORD_GROUP_RIGHT) {
        return true;
    }
    matching->grouping = parser->token.word == WORD_GROUP_LEFT ? GROUP_LEFT : GROUP_RIGHT;
    parse_advance(parser);
    return parser->token.kind != TOKEN_LEFT_PAREN || parse_names(parser, &matching->include);
}

static struct node *binary(struct parser *parser, struct node *left, enum op op, int strength)
{
    struct node *node = parse_node(parser, NODE_BINARY, left->at);

    if (!node) {
        return NULL;
    }
    node->binary.op = op;
    node->binary.op_at = parser->token.at;
    node->binary.left = left;
    parse_advance(parser);
    if (!modifiers(parser, node)) {
        return NULL;
    }
    node->binary.right = parse_expression(parser, op == OP_POW ? strength : strength + 1);
    return node->binary.right ? parse_over(parser, node, left, node->binary.right) : NULL;
}

static struct node *unary(struct parser *parser)
{
    bool minus = parser->token.kind == TOKEN_SUB;
    struct node *node, *child;
    size_t at = parser->token.at;

    parse_advance(parser);
    child = parse_expression(parser, LEAST_POWER);
    if (!child) {
        return NULL;
    }
    if (child->kind == NODE_NUMBER) {
        child->number = minus ? -child->number : child->number;
        child->at = at;
        return child;
    }
    node = parse_node(parser, NODE_UNARY, at);
    if (!node) {
        return NULL;
    }
    node->one.minus = minus;
    node->one.child = child;
    return parse_over(parser, node, child, NULL);
}

struct node *parse_expression(struct parser *parser, int least)
{
    struct node *left;
    enum op op;
    int strength;

    if (parser->depth == LIMIT_EXPR_DEPTH) {
        return parse_fail(parser, parser->token.at, "the expression nests deeper than %d",
                          LIMIT_EXPR_DEPTH);
    }
    parser->depth++;
    left = parser->token.kind == TOKEN_ADD || parser->token.kind == TOKEN_SUB
               ? unary(parser)
               : parse_primary(parser);
    while (left && (strength = binds(parser, &op)) >= least && strength > 0) {
        left = binary(parser, left, op, strength);
    }
    if (left && parser->token.kind == TOKEN_NAME && parser->token.word == WORD_ATAN2) {
        left = parse_fail(parser, parser->token.at, "the operator atan2 is not supported");
    }
    parser->depth--;
    return left;
}
