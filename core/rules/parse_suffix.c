/*
 * parse_suffix.c: see parse.h; the range and the offset of a selector.
 */
#include "rules/literal.h"
#include "rules/parse.h"

static bool duration(struct parser *parser, int64_t *ret_ms)
{
    char why[160];

    if (parser->token.kind != TOKEN_DURATION) {
        return parse_unexpected(parser, "a duration");
    }
    if (!literal_duration(parser->text + parser->token.at, parser->token.len, ret_ms, why,
                          sizeof why)) {
        return parse_fail(parser, parser->token.at, "%s", why);
    }
    parse_advance(parser);
    return true;
}

/* [5m]; parser->token is the bracket. */
static struct node *range(struct parser *parser, struct node *node)
{
    struct expr_selector *selector;
    size_t at = parser->token.at;
    int64_t ms;

    parse_advance(parser);
    if (!duration(parser, &ms)) {
        return NULL;
    }
    if (parser->token.kind == TOKEN_COLON) {
        return parse_fail(parser, at,
                          "subqueries are not supported; record what is inside as a "
                          "rule of its own and take a range of that");
    }
    if (!parse_expect(parser, TOKEN_RIGHT_BRACKET, "\"]\"")) {
        return NULL;
    }
    if (node->kind != NODE_SELECTOR || node->type != EXPR_VECTOR) {
        return parse_fail(parser, at, "only a selector can have a range");
    }
    selector = &parser->expr->selectors[node->selector.index];
    if (selector->offset_ms != 0) {
        return parse_fail(parser, at, "the offset stands behind the range");
    }
    selector->range_ms = ms;
    node->type = EXPR_MATRIX;
    return node;
}

/* offset 5m, offset -5m; parser->token is the word. */
static struct node *offset(struct parser *parser, struct node *node)
{
    struct expr_selector *selector;
    size_t at = parser->token.at;
    bool minus;
    int64_t ms;

    parse_advance(parser);
    minus = parse_skip(parser, TOKEN_SUB);
    if (!duration(parser, &ms)) {
        return NULL;
    }
    if (node->kind != NODE_SELECTOR) {
        return parse_fail(parser, at, "only a selector can have an offset");
    }
    selector = &parser->expr->selectors[node->selector.index];
    if (selector->offset_ms != 0) {
        return parse_fail(parser, at, "the selector has an offset already");
    }
    selector->offset_ms = minus ? -ms : ms;
    return node;
}

struct node *parse_suffixes(struct parser *parser, struct node *node)
{
    while (node) {
        if (parser->token.kind == TOKEN_LEFT_BRACKET) {
            node = range(parser, node);
        } else if (parser->token.word == WORD_OFFSET) {
            node = offset(parser, node);
        } else if (parser->token.kind == TOKEN_AT) {
            return parse_fail(parser, parser->token.at, "the modifier @ is not supported");
        } else {
            break;
        }
    }
    return node;
}
