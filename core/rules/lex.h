/*
 * lex.h: private to rules/: the text of an expression as tokens.
 */
#ifndef RULES_LEX_H
#define RULES_LEX_H

#include <stdbool.h>
#include <stddef.h>

enum token_kind {
    TOKEN_END,
    TOKEN_ERROR, /* lexer.why says it */
    TOKEN_NUMBER,
    TOKEN_DURATION,
    TOKEN_STRING, /* with its quotes */
    TOKEN_NAME,   /* of a metric, label or function; `word` if it is a keyword */
    TOKEN_METRIC, /* a name with colons */
    TOKEN_LEFT_PAREN,
    TOKEN_RIGHT_PAREN,
    TOKEN_LEFT_BRACE,
    TOKEN_RIGHT_BRACE,
    TOKEN_LEFT_BRACKET,
    TOKEN_RIGHT_BRACKET,
    TOKEN_COMMA,
    TOKEN_COLON,
    TOKEN_AT,
    TOKEN_ASSIGN, /* = */
    TOKEN_EQ,     /* == */
    TOKEN_NE,
    TOKEN_MATCH,     /* =~ */
    TOKEN_NOT_MATCH, /* !~ */
    TOKEN_GT,
    TOKEN_LT,
    TOKEN_GE,
    TOKEN_LE,
    TOKEN_ADD,
    TOKEN_SUB,
    TOKEN_MUL,
    TOKEN_DIV,
    TOKEN_MOD,
    TOKEN_POW,
};

enum word {
    WORD_NONE,
    WORD_AND,
    WORD_OR,
    WORD_UNLESS,
    WORD_ATAN2,
    WORD_SUM,
    WORD_AVG,
    WORD_COUNT,
    WORD_MIN,
    WORD_MAX,
    WORD_GROUP,
    WORD_STDDEV,
    WORD_STDVAR,
    WORD_TOPK,
    WORD_BOTTOMK,
    WORD_QUANTILE,
    WORD_COUNT_VALUES,
    WORD_OFFSET,
    WORD_BY,
    WORD_WITHOUT,
    WORD_ON,
    WORD_IGNORING,
    WORD_GROUP_LEFT,
    WORD_GROUP_RIGHT,
    WORD_BOOL,
    WORD_START,
    WORD_END,
};

struct token {
    enum token_kind kind;
    enum word word;
    size_t at, len; /* in the text */
};

struct lexer {
    const char *text;
    size_t at;
    bool braces, brackets; /* inside { } words are names, inside [ ] are durations */
    char why[160];         /* of TOKEN_ERROR */
};

void lexer_init(struct lexer *lexer, const char *text);
void lexer_next(struct lexer *lexer, struct token *ret_token);

/* Line and column of a byte, from 1; columns count characters. */
void lex_place(const char *text, size_t at, unsigned *ret_line, unsigned *ret_column);

#endif
