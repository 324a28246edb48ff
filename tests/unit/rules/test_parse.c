/* core/rules/parse*.c, check.c, show.c: errors with their places, types, printing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/expr.h"

static void errors_have_places(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "1:1: there is no expression"},
        {" # only\n ", "2:2: there is no expression"},
        {"1 +", "1:4: an expression expected, but the expression ends"},
        {"1 +\n* 2", "2:1: an expression expected, not \"*\""},
        {"(1", "1:3: \")\" expected"},
        {"1)", "1:2: an operator or the end expected, not \")\""},
        {"a b", "1:3: an operator or the end expected, not \"b\""},
        {"é", "1:1: \"é\" does not belong here"},
        {"'é' + é", "1:7: \"é\" does not belong here"},
        {"a{b=c}", "1:5: a string expected, not \"c\""},
        {"a{b=\"c}", "1:5: the quote \" does not close"},
        {"a{b=\"c\\z\"}", "1:7: the escape \\z is not known"},
        {"a{b=~\"(\"}",
         "1:6: the regular expression is wrong at its byte 1: this \"(\" does not close"},
        {"a{b=~\"(a)\\\\1\"}", "1:6: the regular expression is wrong at its byte 4: RE2 does not "
                               "have backreferences"},
        {"a{b}", "1:4: =, !=, =~ or !~ expected, not \"}\""},
        {"{}", "1:1: the selector needs one matcher"},
        {"{a=~\".*\"}", "1:1: the selector needs one matcher"},
        {"a{__name__=\"b\"}", "1:1: the name of the metric is there twice: \"a\" and \"b\""},
        {"a[5]", "1:3: a duration needs its unit"},
        {"a[5x]", "1:3: \"5x]\" is no duration"},
        {"a[1m1h]", "1:3: 1m1h is no duration"},
        {"a[0s]", "1:3: a duration must be above 0"},
        {"a[5m", "1:5: \"]\" expected, but the expression ends"},
        {"(a)[5m]", "1:4: only a selector can have a range"},
        {"a offset 5m[5m]", "1:12: the offset stands behind the range"},
        {"a offset 5m offset 5m", "1:13: the selector has an offset already"},
        {"1 offset 5m", "1:3: only a selector can have an offset"},
        {"a[5m:1m]", "1:2: subqueries are not supported"},
        {"a @ 1", "1:3: the modifier @ is not supported"},
        {"a atan2 b", "1:3: the operator atan2 is not supported"},
        {"count_values(\"a\", b)", "1:1: the aggregation count_values is not supported"},
        {"1 + sin(a)", "1:5: the function sin() is not supported"},
        {"foobar(a)", "1:1: there is no function foobar()"},
        {"rte(a[5m])", "1:1: there is no function rte(); did you mean 'rate'?"},
        {"1 + summ(a)", "1:5: there is no function summ(); did you mean 'sum'?"},
        {"abs(a, b)", "1:1: abs() takes 1 argument, not 2"},
        {"clamp(a)", "1:1: clamp() takes 3 arguments, not 1"},
        {"round()", "1:1: round() takes at least 1 argument, not 0"},
        {"round(a, 1, 2)", "1:1: round() takes at most 2 arguments, not 3"},
        {"label_join(a, \"b\")", "1:1: label_join() takes at least 3 arguments, not 2"},
        {"rate(a)",
         "1:6: argument 1 of rate() must be a range vector; this is an instant vector: write "
         "a range behind it, such as [5m]"},
        {"rate(a + b)",
         "1:6: argument 1 of rate() must be a range vector; this is an instant vector"},
        {"abs(1)", "1:5: argument 1 of abs() must be an instant vector; this is a scalar"},
        {"abs(a,)", "1:7: an expression expected, not \")\""},
        {"sum(a, b)", "1:1: sum() takes 1 argument, not 2"},
        {"topk(a)", "1:1: topk() takes 2 arguments, not 1"},
        {"topk(a, b)",
         "1:6: the first argument of topk() must be a scalar; this is an instant vector"},
        {"sum(1)", "1:5: sum() takes an instant vector, not a scalar"},
        {"sum by (1) (a)", "1:9: the name of a label or \")\" expected, not \"1\""},
        {"sum(a) by (b c)", "1:14: \",\" or \")\" expected, not \"c\""},
        {"1 == 2", "1:3: a comparison of scalars needs bool"},
        {"a + bool b", "1:3: bool goes with comparisons only"},
        {"a and 1", "1:3: \"and\" is for instant vectors"},
        {"a + \"b\"", "1:5: \"+\" takes scalars and instant vectors, not a string"},
        {"-\"a\"", "1:1: a string has no sign"},
        {"a + on(b) 1", "1:3: on() and ignoring() are for two instant vectors"},
        {"a and on(b) group_left c", "1:3: \"and\" has no group_left or group_right"},
        {"a + on(b) group_left(b) c", "1:3: the label b stands both in on() and in group_left()"},
        {"on", "1:1: an expression expected, not \"on\""},
        {"1e", "1:1: \"1e\" is no number"},
        {"\"\\xff\"", "1:1: the string is not UTF-8"},
        {"a\xff", "1:2: the expression is not UTF-8"},
        {"label_replace(a, \"b-c\", \"\", \"\", \"\")", "1:18: \"b-c\" is no name of a label"},
        {"label_replace(a, \"b\", \"\", \"\", \"(\")", "1:31: the regular expression is wrong"},
        {"label_join(a, \"b\", \"\", \"c-d\")", "1:24: \"c-d\" is no name of a label"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct expr *expr = NULL;
        char why[300] = "";

        if (expr_parse(cases[i].text, &expr, why, sizeof why) != -EINVAL ||
            strncmp(why, cases[i].why, strlen(cases[i].why)) != 0) {
            fail_msg("%s: \"%s\" is not \"%s\"", cases[i].text, why, cases[i].why);
        }
    }
}

static void knows_types(void **state)
{
    static const struct {
        const char *text;
        enum expr_type type;
    } cases[] = {
        {"1", EXPR_SCALAR},         {"'a'", EXPR_STRING},       {"a", EXPR_VECTOR},
        {"(a[5m])", EXPR_MATRIX},   {"1 + 1", EXPR_SCALAR},     {"1 + a", EXPR_VECTOR},
        {"-(1)", EXPR_SCALAR},      {"scalar(a)", EXPR_SCALAR}, {"time()", EXPR_SCALAR},
        {"vector(1)", EXPR_VECTOR}, {"sum(a)", EXPR_VECTOR},    {"(('a'))", EXPR_STRING},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct expr *expr = NULL;
        char why[300] = "";

        assert_int_equal(expr_parse(cases[i].text, &expr, why, sizeof why), 0);
        assert_int_equal(expr_type(expr), cases[i].type);
        expr_destroy(expr);
    }
}

static void tells_selectors(void **state)
{
    struct expr *expr = NULL;
    const struct expr_selector *selector;
    char why[300];

    assert_int_equal(
        expr_parse("a{b=~\"c.*\"} + rate({__name__=\"d\"}[5m] offset -1m)", &expr, why, sizeof why),
        0);
    assert_int_equal(expr_selectors(expr), 2);
    selector = expr_selector(expr, 0);
    assert_int_equal(selector->nmatchers, 2);
    assert_string_equal(selector->matchers[0].name, "__name__");
    assert_string_equal(selector->matchers[0].value, "a");
    assert_int_equal(selector->matchers[1].op, MATCHER_REGEX);
    assert_int_equal(selector->range_ms, 0);
    selector = expr_selector(expr, 1);
    assert_int_equal(selector->nmatchers, 1);
    assert_int_equal(selector->range_ms, 300000);
    assert_int_equal(selector->offset_ms, -60000);
    expr_destroy(expr);
}

static void prints_as_prometheus(void **state)
{
    static const char *const cases[][2] = {
        {"1+2 # three", "1 + 2"},
        {"sum(a)by(b,c)", "sum by (b, c) (a)"},
        {"sum by () (a)", "sum(a)"},
        {"sum without () (a)", "sum without () (a)"},
        {"topk(3,a)", "topk(3, a)"},
        {"a{c='d',b!~`e`}", "a{b!~\"e\",c=\"d\"}"},
        {"{__name__='a'}", "{__name__=\"a\"}"},
        {"a [90m]  offset -1h30m", "a[1h30m] offset -1h30m"},
        {"a<bool on(x)group_left(y)b", "a < bool on (x) group_left (y) b"},
        {"a+ignoring()group_right b", "a + b"},
        {"a+on()group_right b", "a + on () group_right () b"},
        {"1+on()2", "1 + 2"},
        {"-a", "-a"},
        {"-1e6", "-1e+06"},
        {"+NaN", "NaN"},
        {"(A)", "(A)"},
        {"AVG(a)", "avg(a)"},
        {"label_replace(a,'b','$1\\n','c','(.*)')",
         "label_replace(a, \"b\", \"$1\\n\", \"c\", \"(.*)\")"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct expr *expr = NULL;
        char why[300] = "";
        struct buf buf;

        buf_init(&buf, 1000);
        assert_int_equal(expr_parse(cases[i][0], &expr, why, sizeof why), 0);
        expr_show(expr, &buf);
        assert_string_equal(buf_str(&buf), cases[i][1]);
        buf_finish(&buf);
        expr_destroy(expr);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_have_places),
        cmocka_unit_test(knows_types),
        cmocka_unit_test(tells_selectors),
        cmocka_unit_test(prints_as_prometheus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
