/*
 * parse.h: private to rules/parse*.c and check.c.
 *
 * Recursive descent over one token of lookahead.  A function returns NULL or false when something
 * was wrong; the first who notices has said it with parse_fail().
 */
#ifndef RULES_PARSE_H
#define RULES_PARSE_H

#include "rules/lex.h"
#include "rules/tree.h"

struct parser {
    const char *text;
    struct lexer lexer;
    struct token token; /* the one that is looked at */
    size_t end;         /* where the one before it ended */
    struct expr *expr;
    size_t nnodes;
    unsigned depth;
    size_t selectors_room;
    int error; /* negative errno once something failed */
    char *why;
    size_t size;
};

void *parse_fail(struct parser *parser, size_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Says that something else was expected where the current token stands. */
void *parse_unexpected(struct parser *parser, const char *expected);
void *parse_no_memory(struct parser *parser);

void parse_advance(struct parser *parser);
/* Steps over a token of that kind, if it is one. */
bool parse_skip(struct parser *parser, enum token_kind kind);
bool parse_expect(struct parser *parser, enum token_kind kind, const char *expected);

/* NULL: no memory or too many, which is said. */
struct node *parse_node(struct parser *parser, enum node_kind kind, size_t at);
/* Sets the height from the children's. */
struct node *parse_over(struct parser *parser, struct node *node, const struct node *left,
                        const struct node *right);
/* A copy of a token's text in the pool. */
char *parse_copy(struct parser *parser, const struct token *token);
/* The meaning of a string token, in the pool. */
char *parse_string(struct parser *parser, const struct token *token);
/* An array in the pool with room for one more after n; *room is what it has. */
void *parse_grow(struct parser *parser, void *array, size_t n, size_t *room, size_t item);

struct node *parse_expression(struct parser *parser, int least);
struct node *parse_primary(struct parser *parser);
/* A selector whose name (may be NULL) was read before; then ranges and offsets behind anything. */
struct node *parse_selector(struct parser *parser, const struct token *name, size_t at);
struct node *parse_suffixes(struct parser *parser, struct node *node);
/* (a, b, c) */
bool parse_names(struct parser *parser, struct names *ret_names);

/* Types, counts of arguments, what fits together.  Sets what the tree needs for evaluation. */
bool check_tree(struct parser *parser, struct node *root);

#endif
