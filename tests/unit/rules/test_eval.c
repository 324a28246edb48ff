/* core/rules/eval*.c, range_*.c, result.c: what test_promql does not compare with a Prometheus, and
 * its most important cases for machines that have none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit.h"

static void check(struct kit *kit, const char *text, int64_t time_ms, const char *wanted)
{
    for (int hashes = 0; hashes < 2; hashes++) {
        char *is;

        kit->with_hashes = hashes;
        is = kit_show(kit, text, time_ms);
        if (strcmp(is, wanted) != 0) {
            fail_msg("%s at %lld: %s is not %s", text, (long long)time_ms, is, wanted);
        }
        free(is);
    }
}

static void looks_back_five_minutes(void **state)
{
    struct kit kit;

    kit_init(&kit);
    kit_load(&kit, "a 1");
    check(&kit, "a", -1, "");
    check(&kit, "a", 0, "{__name__=\"a\"} 1\n");
    check(&kit, "a", 300000, "{__name__=\"a\"} 1\n");
    check(&kit, "a", 300001, "");
    check(&kit, "a offset 1m", 360000, "{__name__=\"a\"} 1\n");
    check(&kit, "a offset -1m", 240000, "{__name__=\"a\"} 1\n");
    check(&kit, "a offset -1m", -60001, "");
    check(&kit, "timestamp(a)", 7500, "{} 0\n");
    check(&kit, "timestamp(a + 0)", 7500, "{} 7.5\n");
    kit_finish(&kit);
}

static void marks_end_a_series(void **state)
{
    struct kit kit;

    kit_init(&kit);
    kit_load(&kit, "a 1 2 stale _ 5");
    check(&kit, "a", 29999, "{__name__=\"a\"} 2\n");
    check(&kit, "a", 30000, "");
    check(&kit, "a", 59999, "");
    check(&kit, "a", 60000, "{__name__=\"a\"} 5\n");
    check(&kit, "count_over_time(a[1m])", 60000, "{} 3\n");
    check(&kit, "count_over_time(a[59999ms])", 60000, "{} 2\n");
    check(&kit, "last_over_time(a[1m])", 50000, "{__name__=\"a\"} 2\n");
    check(&kit, "count_over_time(a[10s])", 35000, "");
    check(&kit, "absent_over_time(a[10s])", 35000, "{} 1\n");
    kit_finish(&kit);
}

static void ranges_have_both_ends(void **state)
{
    struct kit kit;

    kit_init(&kit);
    kit_load(&kit, "a 0 1 2 3 4 5 6 7 8");
    check(&kit, "count_over_time(a[30s])", 60000, "{} 3\n");
    check(&kit, "rate(a[30s])", 60000, "{} 0.06666666666666667\n");
    check(&kit, "increase(a[1m])", 120000, "{} 4\n");
    check(&kit, "rate(a[15s])", 60000, "{} 0.06666666666666667\n");
    check(&kit, "rate(a[14s])", 60000, "");
    kit_finish(&kit);
}

static void labels_may_stand_before_the_name(void **state)
{
    struct kit kit;

    kit_init(&kit);
    kit_load(&kit, "a{Z=\"1\",b=\"2\"} 5");
    check(&kit, "-a", 0, "{Z=\"1\", b=\"2\"} -5\n");
    check(&kit, "sum without (Z) (a)", 0, "{b=\"2\"} 5\n");
    check(&kit, "a * on(Z) a", 0, "{Z=\"1\"} 25\n");
    check(&kit, "{b=\"2\"} == a", 0, "{Z=\"1\", __name__=\"a\", b=\"2\"} 5\n");
    kit_finish(&kit);
}

static void says_what_went_wrong(void **state)
{
    struct kit kit;

    kit_init(&kit);
    kit_load(&kit, "a{x=\"1\"} 1");
    kit_load(&kit, "a{x=\"2\"} 2");
    kit_load(&kit, "b{x=\"1\"} 1");
    check(&kit, "b + on() a", 0,
          "many-to-many matching is not possible: on the right side {__name__=\"a\", x=\"2\"} and "
          "{__name__=\"a\", x=\"1\"} fall together by the labels that are matched");
    check(&kit, "a + on() b", 0,
          "several elements on the left match one on the right; if that is meant, write "
          "group_left");
    check(&kit, "-{x=\"1\"}", 0, "two elements of a vector have the same labels: {x=\"1\"}");
    check(&kit, "topk(NaN, a)", 0, "the first argument of topk() is not a whole number: nan");
    check(&kit, "a[5m]", 0,
          "a range vector is no result; a function such as rate() or max_over_time() makes one of "
          "it");
    check(&kit, "('a')", 0, "a");
    check(&kit, "1 + 1", 0, "2");
    check(&kit, "nothing", 0, "");
    kit_finish(&kit);
}

static int refuse(void *owner, size_t i, int64_t from_ms, int64_t to_ms,
                  int (*fn)(void *arg, const struct expr_series *series), void *arg)
{
    return -ENODATA;
}

/* More than was asked for is no harm. */
static int too_much(void *owner, size_t i, int64_t from_ms, int64_t to_ms,
                    int (*fn)(void *arg, const struct expr_series *series), void *arg)
{
    static const struct tmon_pair label = {"__name__", "a"};
    static const struct expr_sample samples[] = {{-900000, 1}, {-600000, 2}, {0, 3}, {1000, 4}};
    const struct expr_series series = {.labels = &label, .nlabels = 1, .samples = samples, .n = 4};

    return fn(arg, &series);
}

static void takes_what_it_is_given(void **state)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = {{"a", 3}, {"sum_over_time(a[10m])", 5}, {"a offset -1s", 4}};
    const struct expr_input refusing = {.read = refuse}, input = {.read = too_much};
    struct expr_result result;
    struct expr *expr = NULL;
    char why[300] = "untouched";

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(expr_parse(cases[i].text, &expr, why, sizeof why), 0);
        assert_int_equal(expr_eval(expr, &refusing, 0, &result, why, sizeof why), -ENODATA);
        assert_string_equal(why, "untouched");
        assert_int_equal(expr_eval(expr, &input, 0, &result, why, sizeof why), 0);
        assert_int_equal(result.n, 1);
        assert_true(result.values[0].value == cases[i].value);
        expr_result_finish(&result);
        expr_destroy(expr);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_back_five_minutes),
        cmocka_unit_test(marks_end_a_series),
        cmocka_unit_test(ranges_have_both_ends),
        cmocka_unit_test(labels_may_stand_before_the_name),
        cmocka_unit_test(says_what_went_wrong),
        cmocka_unit_test(takes_what_it_is_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
