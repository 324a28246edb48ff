/* core/model/regex.c, re2.c, re2_class.c: RE2's meaning, refusals by name, limits, groups. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/matcher.h"
#include "model/regex.h"

static int match(const char *text, enum regex_flavor flavor, const char *subject)
{
    struct regex *regex = NULL;
    char why[200] = "";
    int r = regex_create(text, flavor, &regex, why, sizeof why);

    if (r < 0) {
        fail_msg("%s: %s", text, why);
    }
    r = regex_match(regex, subject, strlen(subject));
    regex_destroy(regex);
    return r;
}

static void means_what_re2_means(void **state)
{
    static const struct {
        const char *regex, *subject;
        int matches;
    } cases[] = {
        {"a.b", "a\nb", 0},
        {"(?s)a.b", "a\nb", 1},
        {"a\\sb", "a\vb", 0},
        {"a\\Sb", "a\vb", 1},
        {"a[\\s]b", "a\vb", 0},
        {"a[^\\S]b", "a\tb", 1},
        {"a\\vb", "a\vb", 1},
        {"a$", "a\n", 0},
        {"(?m)a$\n^", "a\n", 1},
        {"a{,2}", "a{,2}", 1},
        {"a{2}", "aa", 1},
        {"[[a]", "[", 1},
        {"[a&&b]", "&", 1},
        {"\\Q.*\\E", ".*", 1},
        {"\\_", "_", 1},
        {"\\101", "A", 1},
        {"\\x{1F600}", "😀", 1},
        {"#a b", "#a b", 1},
        {"(?i)é", "É", 1},
        {"[^a]", "\n", 1},
        {"\\pL\\p{Nd}", "é7", 1},
        {"\\P{L}", "é", 0},
        {"\\p{^L}", "7", 1},
        {"[\\d-z]", "-", 1},
        {"(?U)a+", "aa", 1},
        {"()", "", 1},
        {"|", "", 1},
        {"(?i:a)b", "AB", 0},
        {"a]}", "a]}", 1},
        {"^*a\\b+$?", "a", 1},
        {"a{3,}", "aaaa", 1},
        {"\xe6\x97\xa5+", "日日", 1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (match(cases[i].regex, REGEX_RE2, cases[i].subject) != cases[i].matches) {
            fail_msg("%s on \"%s\"", cases[i].regex, cases[i].subject);
        }
    }
    assert_int_equal(match("a.b", REGEX_PCRE2, "a\nb"), 1);
}

static void refuses_by_name(void **state)
{
    static const struct {
        const char *regex, *why;
    } cases[] = {
        {"(a)\\1", "byte 4: RE2 does not have backreferences"},
        {"(?P<a>b)\\k<a>", "backreferences"},
        {"a(?=b)", "byte 2: RE2 does not have lookahead"},
        {"a(?!b)", "lookahead"},
        {"(?<=b)a", "lookbehind"},
        {"(?<!b)a", "lookbehind"},
        {"(?<a>b)", "write (?P<name>"},
        {"(?>a)", "atomic"},
        {"(?|a)", "branch reset"},
        {"(?#a)", "comment"},
        {"(?(1)a)", "conditional"},
        {"(?R)", "recursion"},
        {"(?1)", "recursion"},
        {"(?&a)", "recursion"},
        {"(?C1)", "callout"},
        {"(*ACCEPT)", "nothing to repeat"},
        {"a*+", "possessive"},
        {"a{2}{3}", "quantifiers of quantifiers"},
        {"a{1001}", "1000 times"},
        {"\\C", "RE2 does not have \\C"},
        {"\\R", "RE2 does not have \\R"},
        {"\\Qa", "no \\E"},
        {"[\\b]", "RE2 does not have \\b"},
        {"[a-\\d]", "RE2 does not have \\d"},
        {"[b-a]", "backwards"},
        {"[a", "does not close"},
        {"[[:nope:]]", "no class"},
        {"\\p{Greek}", "general categories"},
        {"\\pC", "general categories"},
        {"\\x{110000}", "hexadecimal"},
        {"\\x4", "hexadecimal"},
        {"a\\", "backslash"},
        {"(?z)", "no group"},
        {"(?i-)", "no group"},
        {"(?P<>a)", "name of the group"},
        {"(", "byte 1: this \"(\" does not close"},
        {"a(b(c)", "byte 2: this"},
        {"a{2,1}", "byte 2: the repetition runs backwards"},
        {"(|*)", "byte 3: there is nothing to repeat"},
        {"a(?i)**", "byte 7"},
        {"é)", "byte 3: there is no \"(\""},
        {"*", "byte 1"},
        {"\xff", "UTF-8"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct regex *regex = NULL;
        char why[200] = "";

        assert_int_equal(regex_create(cases[i].regex, REGEX_RE2, &regex, why, sizeof why), -EINVAL);
        if (!strstr(why, cases[i].why)) {
            fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].regex, why, cases[i].why);
        }
    }
}

static void a_limit_is_no_answer(void **state)
{
    char subject[2001];

    memset(subject, 'a', sizeof subject - 1);
    subject[sizeof subject - 1] = '\0';
    assert_int_equal(match("(a|a)*(a|a)*[bc]", REGEX_RE2, subject), -E2BIG);
}

static void a_long_one_is_refused(void **state)
{
    static char text[40000];
    struct regex *regex = NULL;
    char why[200] = "";

    memset(text, '=', sizeof text - 1);
    assert_int_equal(regex_create(text, REGEX_RE2, &regex, why, sizeof why), -E2BIG);
}

static void tells_groups(void **state)
{
    struct regex *regex = NULL;
    char why[200];
    size_t start, end;

    assert_int_equal(regex_create("(a)|(?P<name>b+)", REGEX_RE2, &regex, why, sizeof why), 0);
    assert_int_equal(regex_match(regex, "bb", 2), 1);
    assert_true(regex_group(regex, 0, &start, &end));
    assert_false(regex_group(regex, 1, &start, &end));
    assert_true(regex_group(regex, 2, &start, &end));
    assert_int_equal(start, 0);
    assert_int_equal(end, 2);
    assert_false(regex_group(regex, 3, &start, &end));
    assert_false(regex_group(regex, 100000000, &start, &end));
    assert_int_equal(regex_named(regex, "name", 4), 2);
    assert_int_equal(regex_named(regex, "nam", 3), 0);
    assert_int_equal(regex_named(regex, "", 0), 0);
    regex_destroy(regex);
}

static void a_copy_matches_the_same(void **state)
{
    struct matcher matcher, copy;
    char why[200];

    assert_int_equal(matcher_init_re2(&matcher, "a", MATCHER_REGEX, "b.", why, sizeof why), 0);
    assert_int_equal(matcher_copy(&matcher, &copy), 0);
    matcher_finish(&matcher);
    assert_true(matcher_matches(&copy, "bc"));
    assert_false(matcher_matches(&copy, "b\n"));
    matcher_finish(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_what_re2_means), cmocka_unit_test(refuses_by_name),
        cmocka_unit_test(a_limit_is_no_answer), cmocka_unit_test(a_long_one_is_refused),
        cmocka_unit_test(tells_groups),         cmocka_unit_test(a_copy_matches_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
