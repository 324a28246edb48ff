/* core/model/matcher.c: the grammar, anchored expressions, limits. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/matcher.h"

static void reads_and_matches(void **state)
{
    static const struct {
        const char *text, *value;
        bool matches;
    } cases[] = {
        {"a=\"b\"", "b", true},
        {"a=b", "b", true},
        {" a = \"b c\" ", "b c", true},
        {"a=\"\"", "", true},
        {"a=", "", true},
        {"a!=\"b\"", "", true},
        {"a!=b", "b", false},
        {"a=~\"b|c\"", "c", true},
        {"a=~\"b|c\"", "bc", false},
        {"a=~b.*", "b\nx", true},
        {"a=~\".+\"", "", false},
        {"a!~\"b.*\"", "xb", true},
        {"a!~\"b.*\"", "b", false},
        {"a=\"x\\\"y\\\\z\\n\"", "x\"y\\z\n", true},
        {"a=~\"^b$\"", "b", true},
        {"a=~\"é+\"", "éé", true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct matcher matcher;
        char why[256] = "";

        assert_int_equal(matcher_parse(&matcher, cases[i].text, why, sizeof why), 0);
        if (matcher_matches(&matcher, cases[i].value) != cases[i].matches) {
            fail_msg("%s on \"%s\"", cases[i].text, cases[i].value);
        }
        matcher_finish(&matcher);
    }
}

static void refuses_with_a_reason(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "is no matcher"},         {"a", "is no matcher"},   {"a-b=c", "is no matcher"},
        {"=b", "is no matcher"},       {"9=b", "is no matcher"}, {"a=\"b", "quotes"},
        {"a=\"b\"c", "quotes"},        {"a=b\"c", "quotes"},     {"a=~\"(\"", "byte 2"},
        {"a=~\"x{2,1}\"", "wrong at"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct matcher matcher;
        char why[256] = "";

        if (matcher_parse(&matcher, cases[i].text, why, sizeof why) != -EINVAL) {
            fail_msg("%s was taken", cases[i].text);
        }
        if (!strstr(why, cases[i].why)) {
            fail_msg("%s: %s", cases[i].text, why);
        }
    }
}

/* Without a limit this takes longer than the universe lasts. */
static void does_not_hang(void **state)
{
    struct matcher matcher;
    char why[256], value[64];

    memset(value, 'a', sizeof value);
    value[sizeof value - 2] = 'b';
    value[sizeof value - 1] = '\0';
    assert_int_equal(matcher_parse(&matcher, "a=~\"(a+)+\"", why, sizeof why), 0);
    assert_false(matcher_matches(&matcher, value));
    matcher_finish(&matcher);
}

static void matches_sets(void **state)
{
    const struct tmon_pair labels[] = {{"alertname", "Disk"}, {"severity", "critical"}};
    struct matcher matchers[2];
    char why[256];
    struct buf buf;

    buf_init(&buf, 1000);
    assert_int_equal(matcher_parse(&matchers[0], "severity=~warning|critical", why, sizeof why), 0);
    assert_int_equal(matcher_parse(&matchers[1], "team=\"\"", why, sizeof why), 0);
    assert_true(matchers_match(matchers, 2, labels, 2));
    assert_true(matchers_match(matchers, 0, labels, 2));
    assert_false(matchers_match(matchers, 2, labels, 1));
    matchers_show(matchers, 2, &buf);
    assert_string_equal(buf_str(&buf), "{severity=~\"warning|critical\",team=\"\"}");
    buf_finish(&buf);
    matcher_finish(&matchers[0]);
    matcher_finish(&matchers[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_matches),
        cmocka_unit_test(refuses_with_a_reason),
        cmocka_unit_test(does_not_hang),
        cmocka_unit_test(matches_sets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
