/*
 * lex.c: see lex.h.
 *
 * Like Prometheus', the lexer has two states: inside braces every word is a name, inside brackets
 * there are only durations.  It sets them itself, so that one token of lookahead is right.
 */
#include "rules/lex.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DIGITS "0123456789"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
    return is_alpha(c) || is_digit(c);
}

void lexer_init(struct lexer *lexer, const char *text)
{
    *lexer = (struct lexer){.text = text};
}

void lex_place(const char *text, size_t at, unsigned *ret_line, unsigned *ret_column)
{
    *ret_line = 1;
    *ret_column = 1;
    for (size_t i = 0; i < at && text[i]; i++) {
        if (text[i] == '\n') {
            ++*ret_line;
            *ret_column = 1;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) {
            ++*ret_column;
        }
    }
}

__attribute__((format(printf, 3, 4))) static void fail(struct lexer *lexer, struct token *token,
                                                       const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(lexer->why, sizeof lexer->why, format, args);
    va_end(args);
    token->kind = TOKEN_ERROR;
}

static enum word find_word(const char *text, size_t len)
{
    static const struct {
        const char *text;
        enum word word;
    } words[] = {
        {"and", WORD_AND},
        {"or", WORD_OR},
        {"unless", WORD_UNLESS},
        {"atan2", WORD_ATAN2},
        {"sum", WORD_SUM},
        {"avg", WORD_AVG},
        {"count", WORD_COUNT},
        {"min", WORD_MIN},
        {"max", WORD_MAX},
        {"group", WORD_GROUP},
        {"stddev", WORD_STDDEV},
        {"stdvar", WORD_STDVAR},
        {"topk", WORD_TOPK},
        {"bottomk", WORD_BOTTOMK},
        {"quantile", WORD_QUANTILE},
        {"count_values", WORD_COUNT_VALUES},
        {"offset", WORD_OFFSET},
        {"by", WORD_BY},
        {"without", WORD_WITHOUT},
        {"on", WORD_ON},
        {"ignoring", WORD_IGNORING},
        {"group_left", WORD_GROUP_LEFT},
        {"group_right", WORD_GROUP_RIGHT},
        {"bool", WORD_BOOL},
        {"start", WORD_START},
        {"end", WORD_END},
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i].text) == len && strncasecmp(words[i].text, text, len) == 0) {
            return words[i].word;
        }
    }
    return WORD_NONE;
}

/* Digits with dot and exponent, or hexadecimal ones.  Whether they make a number is seen later. */
static const char *skip_number(const char *p)
{
    const char *digits = DIGITS;

    if (*p == '0') {
        p++;
        if (*p == 'x' || *p == 'X') {
            p++;
            digits = DIGITS "abcdefABCDEF";
        }
    }
    p += strspn(p, digits);
    if (*p == '.') {
        p++;
        p += strspn(p, digits);
    }
    if (*p == 'e' || *p == 'E') {
        p++;
        p += *p == '+' || *p == '-';
        p += strspn(p, DIGITS);
    }
    return p;
}

/* The rest of a duration, behind its first digits; NULL: it is none. */
static const char *skip_duration(const char *p)
{
    if (!*p || !strchr("smhdwy", *p)) {
        return NULL;
    }
    p++;
    p += *p == 's';
    while (is_digit(*p)) {
        p += strspn(p, DIGITS);
        if (!*p || !strchr("smhdw", *p)) {
            return NULL;
        }
        p++;
        p += *p == 's';
    }
    return is_word(*p) ? NULL : p;
}

static void lex_number(struct lexer *lexer, const char *start, struct token *token)
{
    const char *end = skip_number(start);

    if (!is_word(*end)) {
        token->kind = TOKEN_NUMBER;
    } else {
        const char *unit = end;

        end = skip_duration(unit);
        token->kind = TOKEN_DURATION;
        if (!end) {
            fail(lexer, token, "\"%.20s\" is neither a number nor a duration", start);
            return;
        }
    }
    token->len = (size_t)(end - start);
}

static void lex_duration(struct lexer *lexer, const char *start, struct token *token)
{
    const char *unit = skip_number(start), *end;

    token->kind = TOKEN_DURATION;
    if (!is_word(*unit)) {
        fail(lexer, token, "a duration needs its unit, as in 5m");
        return;
    }
    end = skip_duration(unit);
    if (!end) {
        fail(lexer, token, "\"%.20s\" is no duration; write it as 90s or 1h30m", start);
        return;
    }
    token->len = (size_t)(end - start);
}

/* Finds the other quote; escapes are looked at when the string is read. */
static void lex_string(struct lexer *lexer, const char *start, struct token *token)
{
    const char *p = start + 1;

    token->kind = TOKEN_STRING;
    for (; *p && *p != *start; p++) {
        if (*start == '`') {
            continue;
        }
        if (*p == '\n') {
            break;
        }
        if (*p == '\\' && p[1] && p[1] != '\n') {
            p++;
        }
    }
    if (*p != *start) {
        fail(lexer, token, "the quote %c does not close", *start);
        return;
    }
    token->len = (size_t)(p + 1 - start);
}

static void lex_name(struct lexer *lexer, const char *start, struct token *token)
{
    const char *p = start;

    while (is_word(*p) || (*p == ':' && !lexer->braces)) {
        p++;
    }
    token->len = (size_t)(p - start);
    token->kind = memchr(start, ':', token->len) ? TOKEN_METRIC : TOKEN_NAME;
    if (!lexer->braces) {
        if (token->len == 3 &&
            (strncasecmp(start, "inf", 3) == 0 || strncasecmp(start, "nan", 3) == 0)) {
            token->kind = TOKEN_NUMBER;
        }
        token->word = find_word(start, token->len);
    }
}

static bool lex_symbol(const struct lexer *lexer, const char *p, struct token *token)
{
    static const struct {
        char text[3];
        enum token_kind kind;
        bool outside, inside; /* of braces */
    } symbols[] = {
        {"==", TOKEN_EQ, true, false},
        {"=~", TOKEN_MATCH, false, true},
        {"!=", TOKEN_NE, true, true},
        {"!~", TOKEN_NOT_MATCH, false, true},
        {">=", TOKEN_GE, true, false},
        {"<=", TOKEN_LE, true, false},
        {"=", TOKEN_ASSIGN, true, true},
        {">", TOKEN_GT, true, false},
        {"<", TOKEN_LT, true, false},
        {"+", TOKEN_ADD, true, false},
        {"-", TOKEN_SUB, true, false},
        {"*", TOKEN_MUL, true, false},
        {"/", TOKEN_DIV, true, false},
        {"%", TOKEN_MOD, true, false},
        {"^", TOKEN_POW, true, false},
        {"(", TOKEN_LEFT_PAREN, true, false},
        {")", TOKEN_RIGHT_PAREN, true, false},
        {"{", TOKEN_LEFT_BRACE, true, false},
        {"}", TOKEN_RIGHT_BRACE, false, true},
        {"[", TOKEN_LEFT_BRACKET, true, false},
        {"]", TOKEN_RIGHT_BRACKET, true, false},
        {",", TOKEN_COMMA, true, true},
        {"@", TOKEN_AT, true, false},
    };

    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        size_t len = strlen(symbols[i].text);

        if ((lexer->braces ? symbols[i].inside : symbols[i].outside) &&
            strncmp(p, symbols[i].text, len) == 0) {
            token->kind = symbols[i].kind;
            token->len = len;
            return true;
        }
    }
    return false;
}

static const char *skip_blanks(const char *p)
{
    for (;;) {
        p += strspn(p, " \t\r\n");
        if (*p != '#') {
            return p;
        }
        p += strcspn(p, "\r\n");
    }
}

/* Inside brackets: a duration, a colon (of a subquery), the end. */
static void lex_in_brackets(struct lexer *lexer, const char *p, struct token *token)
{
    token->len = 1;
    if (*p == ']') {
        token->kind = TOKEN_RIGHT_BRACKET;
        lexer->brackets = false;
    } else if (*p == ':') {
        token->kind = TOKEN_COLON;
    } else {
        lex_duration(lexer, p, token);
    }
}

void lexer_next(struct lexer *lexer, struct token *ret_token)
{
    const char *p = skip_blanks(lexer->text + lexer->at);

    *ret_token = (struct token){.kind = TOKEN_END, .at = (size_t)(p - lexer->text)};
    if (!*p) {
        /* The parser says what is missing. */
    } else if (lexer->brackets) {
        lex_in_brackets(lexer, p, ret_token);
    } else if (!lexer->braces && (is_digit(*p) || (*p == '.' && is_digit(p[1])))) {
        lex_number(lexer, p, ret_token);
    } else if (*p == '"' || *p == '\'' || *p == '`') {
        lex_string(lexer, p, ret_token);
    } else if (is_alpha(*p) || (*p == ':' && !lexer->braces)) {
        lex_name(lexer, p, ret_token);
    } else if (!lex_symbol(lexer, p, ret_token)) {
        int len = 1;

        while (((unsigned char)p[len] & 0xc0) == 0x80) {
            len++;
        }
        fail(lexer, ret_token, "\"%.*s\" does not belong here", len, p);
    }
    if (ret_token->kind == TOKEN_LEFT_BRACE || ret_token->kind == TOKEN_RIGHT_BRACE) {
        lexer->braces = ret_token->kind == TOKEN_LEFT_BRACE;
    }
    if (ret_token->kind == TOKEN_LEFT_BRACKET) {
        lexer->brackets = true;
    }
    lexer->at = ret_token->at + ret_token->len;
}
