/* core/rules/numeric.c: Go's results, some of which C's library does not have. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/numeric.h"

#define INF ((double)INFINITY)

static void same(const char *what, double is, double wanted)
{
    if ((isnan(wanted) && isnan(is)) || memcmp(&is, &wanted, sizeof is) == 0) {
        return;
    }
    fail_msg("%s is %.17g, not %.17g", what, is, wanted);
}

static void powers(void **state)
{
    static const double cases[][3] = {
        {2, 10, 1024},
        {0, -1, INFINITY},
        {-0.0, -1, -INFINITY},
        {-0.0, -2, INFINITY},
        {-0.0, 3, -0.0},
        {-0.0, 2, 0},
        {-8, 1.0 / 3, NAN},
        {1, NAN, 1},
        {NAN, 0, 1},
        {NAN, 1, NAN},
        {-1, INFINITY, 1},
        {0.5, INFINITY, 0},
        {2, -INFINITY, 0},
        {2, INFINITY, INFINITY},
        {-INFINITY, 3, -INFINITY},
        {-INFINITY, -3, -0.0},
        {-INFINITY, 2, INFINITY},
        {INFINITY, -1, 0},
        {4, 0.5, 2},
        {4, -0.5, 0.5},
        {2, 1024, INFINITY},
        {2, -1074, 4.9406564584124654e-324},
        {2, -1075, 0},
        {-1, 1e300, 1},
        {2, 1e300, INFINITY},
        {0.5, 1e300, 0},
        {-2, -3, -0.125},
        {10, 23, 1e23},
        {1e200, 1e10, INFINITY},
        /* measured; C's pow() has 1.0000000000000006e+308 the same, but not these */
        {10, 308, 1.0000000000000006e+308},
        {10, -308, 9.999999999999994e-309},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        same("a power", numeric_pow(cases[i][0], cases[i][1]), cases[i][2]);
    }
}

static void exponents_and_logarithms(void **state)
{
    same("exp 0", numeric_exp(0), 1);
    same("exp -Inf", numeric_exp(-INF), 0);
    same("exp Inf", numeric_exp(INF), INF);
    same("exp NaN", numeric_exp((double)NAN), (double)NAN);
    same("exp -1000", numeric_exp(-1000), 0);
    same("exp 710", numeric_exp(710), INF);
    same("exp 709.7", numeric_exp(709.7), INF); /* too early, as in Go on x86-64 */
    same("ln 0", numeric_log(0), -INF);
    same("ln -1", numeric_log(-1), (double)NAN);
    same("ln Inf", numeric_log(INF), INF);
    same("ln 1", numeric_log(1), 0);
    same("log2 8", numeric_log2(8), 3);
    same("log2 0.125", numeric_log2(0.125), -3);
    same("log2 0", numeric_log2(0), -INF);
    same("log2 Inf", numeric_log2(INF), INF);
    same("log2 NaN", numeric_log2((double)NAN), (double)NAN);
    same("log10 1000", numeric_log10(1000), 3);
    for (double x = 1e-300; x < 1e300; x *= 7.3) {
        assert_true(fabs(numeric_log(x) - log(x)) <= 1e-14 * fabs(log(x)) + 1e-15);
        assert_true(fabs(numeric_exp(log(x)) / exp(log(x)) - 1) <= 1e-14);
    }
}

static void extremes(void **state)
{
    same("max", numeric_max((double)NAN, INF), INF);
    same("max", numeric_max(-INF, (double)NAN), (double)NAN);
    same("max", numeric_max(-0.0, 0), 0);
    same("max", numeric_max(0, -0.0), 0);
    same("min", numeric_min((double)NAN, -INF), -INF);
    same("min", numeric_min(INF, (double)NAN), (double)NAN);
    same("min", numeric_min(0, -0.0), -0.0);
    same("sign", numeric_sign(-3), -1);
    same("sign", numeric_sign(-0.0), -0.0);
    same("sign", numeric_sign((double)NAN), (double)NAN);
}

static void sums_keep_their_errors(void **state)
{
    struct kahan kahan = {0};

    kahan_add(&kahan, 1);
    kahan_add(&kahan, 1e100);
    kahan_add(&kahan, 1);
    kahan_add(&kahan, -1e100);
    same("the sum", kahan.sum + kahan.error, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(powers),
        cmocka_unit_test(exponents_and_logarithms),
        cmocka_unit_test(extremes),
        cmocka_unit_test(sums_keep_their_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
