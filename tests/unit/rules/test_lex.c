/* core/rules/lex.c: tokens, words, what is inside braces and brackets, places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/lex.h"

static void check(const char *text, const enum token_kind *kinds)
{
    struct lexer lexer;
    struct token token;
    size_t i = 0;

    lexer_init(&lexer, text);
    do {
        lexer_next(&lexer, &token);
        if (token.kind != kinds[i++]) {
            fail_msg("token %zu of %s is a %d", i, text, token.kind);
        }
    } while (token.kind != TOKEN_END && token.kind != TOKEN_ERROR);
}

static void knows_tokens(void **state)
{
    check("1 + a:b", (enum token_kind[]){TOKEN_NUMBER, TOKEN_ADD, TOKEN_METRIC, TOKEN_END});
    check("1e3 0x1F .5 5. inf NaN",
          (enum token_kind[]){TOKEN_NUMBER, TOKEN_NUMBER, TOKEN_NUMBER, TOKEN_NUMBER, TOKEN_NUMBER,
                              TOKEN_NUMBER, TOKEN_END});
    check("5m 1h30m 10ms",
          (enum token_kind[]){TOKEN_DURATION, TOKEN_DURATION, TOKEN_DURATION, TOKEN_END});
    check("{inf=~'a'}", (enum token_kind[]){TOKEN_LEFT_BRACE, TOKEN_NAME, TOKEN_MATCH, TOKEN_STRING,
                                            TOKEN_RIGHT_BRACE, TOKEN_END});
    check("a[5m:1m]",
          (enum token_kind[]){TOKEN_NAME, TOKEN_LEFT_BRACKET, TOKEN_DURATION, TOKEN_COLON,
                              TOKEN_DURATION, TOKEN_RIGHT_BRACKET, TOKEN_END});
    check("# nothing\n\t", (enum token_kind[]){TOKEN_END});
    check("a #\n>= #", (enum token_kind[]){TOKEN_NAME, TOKEN_GE, TOKEN_END});
    check("`a\n\\`", (enum token_kind[]){TOKEN_STRING, TOKEN_END});
    check("'a\\'b'", (enum token_kind[]){TOKEN_STRING, TOKEN_END});
    check("'a\n'", (enum token_kind[]){TOKEN_ERROR});
    check("'a\\", (enum token_kind[]){TOKEN_ERROR});
    check("1_000", (enum token_kind[]){TOKEN_ERROR});
    check("a[5]", (enum token_kind[]){TOKEN_NAME, TOKEN_LEFT_BRACKET, TOKEN_ERROR});
    check("a[5mm]", (enum token_kind[]){TOKEN_NAME, TOKEN_LEFT_BRACKET, TOKEN_ERROR});
    check("a & b", (enum token_kind[]){TOKEN_NAME, TOKEN_ERROR});
    check("a =~ b", (enum token_kind[]){TOKEN_NAME, TOKEN_ASSIGN, TOKEN_ERROR});
    check("{a==\"b\"}",
          (enum token_kind[]){TOKEN_LEFT_BRACE, TOKEN_NAME, TOKEN_ASSIGN, TOKEN_ASSIGN,
                              TOKEN_STRING, TOKEN_RIGHT_BRACE, TOKEN_END});
}

static void knows_words_in_any_case(void **state)
{
    static const struct {
        const char *text;
        enum word word;
    } cases[] = {{"SUM", WORD_SUM},       {"by", WORD_BY},   {"Group_Left", WORD_GROUP_LEFT},
                 {"summ", WORD_NONE},     {"su", WORD_NONE}, {"a:b", WORD_NONE},
                 {"unless", WORD_UNLESS}, {"end", WORD_END}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lexer lexer;
        struct token token;

        lexer_init(&lexer, cases[i].text);
        lexer_next(&lexer, &token);
        assert_int_equal(token.word, cases[i].word);
    }
}

static void counts_characters(void **state)
{
    unsigned line, column;

    lex_place("é\n日本x", 9, &line, &column);
    assert_int_equal(line, 2);
    assert_int_equal(column, 3);
    lex_place("ab", 100, &line, &column);
    assert_int_equal(column, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_tokens),
        cmocka_unit_test(knows_words_in_any_case),
        cmocka_unit_test(counts_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
