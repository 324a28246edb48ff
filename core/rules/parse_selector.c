/*
 * parse_selector.c: see parse.h; selectors of series, lists of labels.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "model/labels.h"
#include "rules/parse.h"

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool parse_names(struct parser *parser, struct names *ret_names)
{
    const char **written = NULL, **sorted;
    size_t n = 0, room = 0;

    if (!parse_expect(parser, TOKEN_LEFT_PAREN, "\"(\"")) {
        return false;
    }
    while (parser->token.kind != TOKEN_RIGHT_PAREN) {
        if (parser->token.kind != TOKEN_NAME) {
            return parse_unexpected(parser, "the name of a label or \")\"");
        }
        if (n == LIMIT_EXPR_NAMES) {
            return parse_fail(parser, parser->token.at, "more than %d labels", LIMIT_EXPR_NAMES);
        }
        written = parse_grow(parser, written, n, &room, sizeof *written);
        if (!written || !(written[n] = parse_copy(parser, &parser->token))) {
            return false;
        }
        n++;
        parse_advance(parser);
        if (!parse_skip(parser, TOKEN_COMMA) && parser->token.kind != TOKEN_RIGHT_PAREN) {
            return parse_unexpected(parser, "\",\" or \")\"");
        }
    }
    parse_advance(parser);
    sorted = pool_get(&parser->expr->pool, (n + 1) * sizeof *sorted);
    if (!sorted) {
        return parse_no_memory(parser);
    }
    if (n > 0) {
        memcpy(sorted, written, n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, by_text);
    }
    *ret_names = (struct names){written, sorted, n};
    return true;
}

/* Adds a matcher, which the expr owns from then on. */
static bool add(struct parser *parser, size_t index, size_t *room, const char *name,
                enum matcher_op op, const char *value, size_t at)
{
    struct expr_selector *selector = &parser->expr->selectors[index];
    struct matcher *matchers = (struct matcher *)selector->matchers;
    char why[200];
    int r;

    if (selector->nmatchers == LIMIT_EXPR_NAMES) {
        return parse_fail(parser, at, "more than %d matchers", LIMIT_EXPR_NAMES);
    }
    matchers = parse_grow(parser, matchers, selector->nmatchers, room, sizeof *matchers);
    if (!matchers) {
        return false;
    }
    selector->matchers = matchers;
    r = matcher_init_re2(&matchers[selector->nmatchers], name, op, value, why, sizeof why);
    if (r < 0) {
        return r == -ENOMEM ? parse_no_memory(parser) : parse_fail(parser, at, "%s", why);
    }
    selector->nmatchers++;
    return true;
}

static bool matcher_operator(struct parser *parser, enum matcher_op *ret_op)
{
    static const struct {
        enum token_kind kind;
        enum matcher_op op;
    } operators[] = {{TOKEN_ASSIGN, MATCHER_EQUAL},
                     {TOKEN_NE, MATCHER_NOT_EQUAL},
                     {TOKEN_MATCH, MATCHER_REGEX},
                     {TOKEN_NOT_MATCH, MATCHER_NOT_REGEX}};

    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (parser->token.kind == operators[i].kind) {
            *ret_op = operators[i].op;
            parse_advance(parser);
            return true;
        }
    }
    return parse_unexpected(parser, "=, !=, =~ or !~");
}

/* name="value" */
static bool matcher(struct parser *parser, size_t index, size_t *room)
{
    enum matcher_op op = MATCHER_EQUAL;
    const char *name, *value;
    size_t at;

    if (parser->token.kind != TOKEN_NAME) {
        return parse_unexpected(parser, "the name of a label or \"}\"");
    }
    name = parse_copy(parser, &parser->token);
    parse_advance(parser);
    if (!name || !matcher_operator(parser, &op)) {
        return false;
    }
    if (parser->token.kind != TOKEN_STRING) {
        return parse_unexpected(parser, "a string");
    }
    at = parser->token.at;
    value = parse_string(parser, &parser->token);
    parse_advance(parser);
    return value && add(parser, index, room, name, op, value, at);
}

/* {a="b", c=~"d"}; parser->token is the brace. */
static bool braces(struct parser *parser, size_t index, size_t *room)
{
    parse_advance(parser);
    while (parser->token.kind != TOKEN_RIGHT_BRACE) {
        if (!matcher(parser, index, room)) {
            return false;
        }
        if (!parse_skip(parser, TOKEN_COMMA) && parser->token.kind != TOKEN_RIGHT_BRACE) {
            return parse_unexpected(parser, "\",\" or \"}\"");
        }
    }
    parse_advance(parser);
    return true;
}

/* A selector of everything is a mistake, most of the time a typo. */
static bool sane(struct parser *parser, const struct expr_selector *selector, bool named, size_t at)
{
    for (size_t i = 1; named && i < selector->nmatchers; i++) {
        if (strcmp(selector->matchers[i].name, "__name__") == 0) {
            return parse_fail(parser, at,
                              "the name of the metric is there twice: \"%s\" and \"%s\"",
                              selector->matchers[0].value, selector->matchers[i].value);
        }
    }
    for (size_t i = 0; i < selector->nmatchers; i++) {
        if (!matcher_matches(&selector->matchers[i], "")) {
            return true;
        }
    }
    return parse_fail(parser, at,
                      "the selector needs one matcher that does not match an empty "
                      "value: as it is, it selects all series");
}

struct node *parse_selector(struct parser *parser, const struct token *name, size_t at)
{
    struct expr *expr = parser->expr;
    struct node *node = parse_node(parser, NODE_SELECTOR, at);
    size_t index = expr->nselectors, room = 0;
    struct expr_selector *selectors;

    if (!node) {
        return NULL;
    }
    if (index == LIMIT_EXPR_SELECTORS) {
        return parse_fail(parser, at, "more than %d selectors", LIMIT_EXPR_SELECTORS);
    }
    selectors = parse_grow(parser, expr->selectors, index, &parser->selectors_room,
                           sizeof *expr->selectors);
    if (!selectors) {
        return NULL;
    }
    expr->selectors = selectors;
    selectors[index] = (struct expr_selector){0};
    expr->nselectors++;
    node->type = EXPR_VECTOR;
    node->selector.index = index;
    if (name) {
        node->selector.name = parse_copy(parser, name);
        if (!node->selector.name ||
            !add(parser, index, &room, "__name__", MATCHER_EQUAL, node->selector.name, at)) {
            return NULL;
        }
    }
    if (parser->token.kind == TOKEN_LEFT_BRACE && !braces(parser, index, &room)) {
        return NULL;
    }
    return sane(parser, &expr->selectors[index], name != NULL, at) ? node : NULL;
}
