/* core/rules/functions.c: the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/functions.h"

static void finds_them(void **state)
{
    static const char *const names[] = {"rate",
                                        "irate",
                                        "increase",
                                        "delta",
                                        "idelta",
                                        "deriv",
                                        "predict_linear",
                                        "avg_over_time",
                                        "min_over_time",
                                        "max_over_time",
                                        "sum_over_time",
                                        "count_over_time",
                                        "stddev_over_time",
                                        "stdvar_over_time",
                                        "last_over_time",
                                        "quantile_over_time",
                                        "histogram_quantile",
                                        "absent",
                                        "absent_over_time",
                                        "present_over_time",
                                        "changes",
                                        "resets",
                                        "abs",
                                        "ceil",
                                        "floor",
                                        "round",
                                        "clamp",
                                        "clamp_min",
                                        "clamp_max",
                                        "sgn",
                                        "sqrt",
                                        "exp",
                                        "ln",
                                        "log2",
                                        "log10",
                                        "time",
                                        "timestamp",
                                        "scalar",
                                        "vector",
                                        "sort",
                                        "sort_desc",
                                        "label_replace",
                                        "label_join",
                                        "day_of_week",
                                        "day_of_month",
                                        "days_in_month",
                                        "month",
                                        "year",
                                        "hour",
                                        "minute"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct function *function = function_find(names[i], strlen(names[i]));

        if (!function || strcmp(function->name, names[i]) != 0) {
            fail_msg("%s is not there", names[i]);
        }
        assert_false(function_is_elsewhere(names[i], strlen(names[i])));
    }
    assert_null(function_find("rat", 3));
    assert_null(function_find("rates", 5));
    assert_null(function_find("", 0));
    assert_non_null(function_find("rate(", 4));
}

static void knows_those_of_others(void **state)
{
    assert_true(function_is_elsewhere("acos", 4));
    assert_true(function_is_elsewhere("tanh", 4));
    assert_true(function_is_elsewhere("holt_winters", 12));
    assert_false(function_is_elsewhere("holt", 4));
    assert_false(function_is_elsewhere("foo", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_them),
        cmocka_unit_test(knows_those_of_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
