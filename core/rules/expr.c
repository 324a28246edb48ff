/*
 * expr.c: see expr.h; the life of an expression.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "rules/parse.h"
#include "rules/replacement.h"

/* The first byte of what is no character. */
static size_t broken_at(const char *text, size_t len)
{
    size_t at = 0;

    while (at < len) {
        size_t n = 1;

        while (at + n < len && ((unsigned char)text[at + n] & 0xc0) == 0x80) {
            n++;
        }
        if (!utf8_valid(text + at, n)) {
            break;
        }
        at += n;
    }
    return at;
}

static struct node *parse_all(struct parser *parser)
{
    struct node *root;
    size_t len = strnlen(parser->text, LIMIT_EXPR_BYTES + 1);

    if (len > LIMIT_EXPR_BYTES) {
        return parse_fail(parser, 0, "the expression has more than %d bytes", LIMIT_EXPR_BYTES);
    }
    if (!utf8_valid(parser->text, len)) {
        return parse_fail(parser, broken_at(parser->text, len), "the expression is not UTF-8");
    }
    parse_advance(parser);
    if (parser->token.kind == TOKEN_END) {
        return parse_fail(parser, parser->token.at, "there is no expression");
    }
    root = parse_expression(parser, 0);
    if (root && parser->token.kind != TOKEN_END) {
        return parse_unexpected(parser, "an operator or the end");
    }
    return root && check_tree(parser, root) ? root : NULL;
}

int expr_parse(const char *text, struct expr **ret_expr, char *ret_why, size_t size)
{
    struct expr *expr = calloc(1, sizeof *expr);
    struct parser parser = {.text = text, .expr = expr, .why = ret_why, .size = size};

    if (!expr) {
        return -ENOMEM;
    }
    pool_init(&expr->pool, 0);
    lexer_init(&parser.lexer, text);
    expr->root = parse_all(&parser);
    if (!expr->root) {
        expr_destroy(expr);
        return parser.error ? parser.error : -ENOMEM;
    }
    *ret_expr = expr;
    return 0;
}

void expr_destroy(struct expr *expr)
{
    if (!expr) {
        return;
    }
    for (size_t i = 0; i < expr->nselectors; i++) {
        struct matcher *matchers = (struct matcher *)expr->selectors[i].matchers;

        for (size_t k = 0; k < expr->selectors[i].nmatchers; k++) {
            matcher_finish(&matchers[k]);
        }
    }
    for (struct replacement *r = expr->replacements; r; r = r->next) {
        replacement_finish(r);
    }
    pool_finish(&expr->pool);
    free(expr);
}

enum expr_type expr_type(const struct expr *expr)
{
    return expr->root->type;
}

size_t expr_selectors(const struct expr *expr)
{
    return expr->nselectors;
}

const struct expr_selector *expr_selector(const struct expr *expr, size_t i)
{
    return &expr->selectors[i];
}
