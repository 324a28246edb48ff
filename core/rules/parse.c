/*
 * parse.c: see parse.h; what all of the parser uses.
 */
#include "rules/parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "rules/literal.h"

void *parse_fail(struct parser *parser, size_t at, const char *format, ...)
{
    unsigned line, column;
    va_list args;
    int n;

    if (parser->error) {
        return NULL;
    }
    parser->error = -EINVAL;
    lex_place(parser->text, at, &line, &column);
    n = snprintf(parser->why, parser->size, "%u:%u: ", line, column);
    if (n >= 0 && (size_t)n < parser->size) {
        va_start(args, format);
        (void)vsnprintf(parser->why + n, parser->size - (size_t)n, format, args);
        va_end(args);
    }
    return NULL;
}

void *parse_unexpected(struct parser *parser, const char *expected)
{
    const struct token *token = &parser->token;

    if (token->kind == TOKEN_ERROR) {
        return parse_fail(parser, token->at, "%s", parser->lexer.why);
    }
    if (token->kind == TOKEN_END) {
        return parse_fail(parser, token->at, "%s expected, but the expression ends", expected);
    }
    return parse_fail(parser, token->at, "%s expected, not \"%.*s\"", expected,
                      (int)(token->len > 40 ? 40 : token->len), parser->text + token->at);
}

void *parse_no_memory(struct parser *parser)
{
    parser->error = parser->error ? parser->error : -ENOMEM;
    return NULL;
}

void parse_advance(struct parser *parser)
{
    parser->end = parser->token.at + parser->token.len;
    lexer_next(&parser->lexer, &parser->token);
}

bool parse_skip(struct parser *parser, enum token_kind kind)
{
    if (parser->token.kind != kind) {
        return false;
    }
    parse_advance(parser);
    return true;
}

bool parse_expect(struct parser *parser, enum token_kind kind, const char *expected)
{
    if (!parse_skip(parser, kind)) {
        (void)parse_unexpected(parser, expected);
        return false;
    }
    return true;
}

struct node *parse_node(struct parser *parser, enum node_kind kind, size_t at)
{
    struct node *node;

    if (parser->nnodes == LIMIT_EXPR_NODES) {
        return parse_fail(parser, at, "the expression has more than %d parts", LIMIT_EXPR_NODES);
    }
    parser->nnodes++;
    node = pool_get(&parser->expr->pool, sizeof *node);
    if (!node) {
        return parse_no_memory(parser);
    }
    memset(node, 0, sizeof *node);
    node->kind = kind;
    node->at = at;
    node->height = 1;
    return node;
}

struct node *parse_over(struct parser *parser, struct node *node, const struct node *left,
                        const struct node *right)
{
    unsigned height = left && left->height > node->height - 1 ? left->height : node->height - 1;

    height = right && right->height > height ? right->height : height;
    if (height >= LIMIT_EXPR_DEPTH) {
        return parse_fail(parser, node->at, "the expression nests deeper than %d",
                          LIMIT_EXPR_DEPTH);
    }
    node->height = height + 1;
    return node;
}

char *parse_copy(struct parser *parser, const struct token *token)
{
    char *copy = pool_copy(&parser->expr->pool, parser->text + token->at, token->len);

    return copy ? copy : parse_no_memory(parser);
}

char *parse_string(struct parser *parser, const struct token *token)
{
    struct buf buf;
    size_t at = 0;
    char why[128];
    char *copy = NULL;

    buf_init(&buf, LIMIT_EXPR_BYTES);
    if (!literal_string(parser->text + token->at, token->len, &buf, &at, why, sizeof why)) {
        (void)parse_fail(parser, token->at + at, "%s", why);
    } else if (!buf.failed) {
        copy = pool_copy(&parser->expr->pool, buf_str(&buf), buf.len);
    }
    buf_finish(&buf);
    return copy ? copy : parse_no_memory(parser);
}

void *parse_grow(struct parser *parser, void *array, size_t n, size_t *room, size_t item)
{
    size_t more = *room ? *room * 2 : 4;
    void *grown;

    if (n < *room) {
        return array;
    }
    grown = pool_get(&parser->expr->pool, more * item);
    if (!grown) {
        return parse_no_memory(parser);
    }
    if (n > 0) {
        memcpy(grown, array, n * item);
    }
    *room = more;
    return grown;
}
