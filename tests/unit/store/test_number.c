/* Numbers as text: the form that people expect, and the same double when read back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/number.h"

#ifndef ROUNDS /* -DROUNDS=50000000 for a long run */
#define ROUNDS 200000
#endif

static uint64_t state = 88172645463325252u;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static const char *text_of(double value)
{
    static char text[NUMBER_MAX + 1];

    *number_put(text, value) = '\0';
    return text;
}

static const char *bound_of(double value, int canonical)
{
    static char text[NUMBER_MAX + 1];

    *number_put_bound(text, value, canonical) = '\0';
    return text;
}

static void known_numbers_look_as_expected(void **unused)
{
    static const struct {
        double value;
        const char *text;
    } known[] = {
        {0, "0"},
        {-0.0, "-0"},
        {7, "7"},
        {-42, "-42"},
        {99, "99"},
        {100, "100"},
        {12345, "12345"},
        {4294967296, "4294967296"},
        {999999999999999, "999999999999999"},
        {9007199254740993.0, "9007199254740992"},
        {1e20, "100000000000000000000"},
        {1e21, "1e+21"},
        {1e23, "1e+23"},
        {0.1, "0.1"},
        {0.25, "0.25"},
        {-0.001, "-0.001"},
        {0.0015, "0.0015"},
        {3.14159, "3.14159"},
        {1234.567, "1234.567"},
        {0.30000000000000004, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {123456789.123456789, "123456789.12345679"},
        {0.000001, "0.000001"},
        {0.0000001, "1e-07"},
        {1.5e-7, "1.5e-07"},
        {5e-324, "5e-324"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {1792345678.25, "1792345678.25"},
        {INFINITY, "+Inf"},
        {-INFINITY, "-Inf"},
        {NAN, "NaN"},
        {-NAN, "NaN"},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_string_equal(text_of(known[i].value), known[i].text);
    }
}

static void bounds_are_written_as_other_exporters_do(void **unused)
{
    (void)unused;
    assert_string_equal(bound_of(1, 0), "1");
    assert_string_equal(bound_of(1, 1), "1.0");
    assert_string_equal(bound_of(0, 1), "0.0");
    assert_string_equal(bound_of(0.005, 0), "0.005");
    assert_string_equal(bound_of(0.005, 1), "0.005");
    assert_string_equal(bound_of(-2.5, 0), "-2.5");
    assert_string_equal(bound_of(0.00001, 1), "1e-05");
    assert_string_equal(bound_of(100000, 0), "100000");
    assert_string_equal(bound_of(1000000, 0), "1e+06");
    assert_string_equal(bound_of(1000000, 1), "1e+06");
    assert_string_equal(bound_of(INFINITY, 0), "+Inf");
    assert_string_equal(bound_of(INFINITY, 1), "+Inf");
}

static void whole_numbers_of_all_lengths(void **unused)
{
    char text[NUMBER_MAX + 1];
    char expected[32];
    uint64_t value = 0;

    (void)unused;
    for (int digits = 0; digits < 20; digits++) {
        for (int around = -1; around <= 1; around++) {
            *number_put_u64(text, value + (uint64_t)around) = '\0';
            snprintf(expected, sizeof expected, "%llu",
                     (unsigned long long)(value + (uint64_t)around));
            assert_string_equal(text, expected);
        }
        value = digits == 0 ? 1 : value * 10;
    }
    *number_put_i64(text, INT64_MIN) = '\0';
    assert_string_equal(text, "-9223372036854775808");
}

/* A double of some kind: all bits by chance, beside a power of two, a few decimals, a ratio. */
static double any_double(void)
{
    uint64_t bits = draw();
    double value;

    switch (draw() % 4) {
    case 0:
        value = ldexp(1, (int)(draw() % 2098) - 1074);
        memcpy(&bits, &value, sizeof bits);
        bits += draw() % 3 - 1;
        break;
    case 1:
        return (double)(draw() % 1000000000) / 1000;
    case 2:
        return (double)(draw() % 1000000000) / (double)(draw() % 1000 + 1);
    default:
        break;
    }
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int significant_digits(const char *text)
{
    int digits = 0;
    int zeros = 0;

    for (; *text && *text != 'e'; text++) {
        if (*text == '0' && digits > 0) {
            zeros++;
        } else if (*text >= '1' && *text <= '9') {
            digits += zeros + 1;
            zeros = 0;
        }
    }
    return digits;
}

static void random_numbers_read_back_and_are_the_shortest(void **unused)
{
    (void)unused;
    for (long i = 0; i < ROUNDS; i++) {
        double value = any_double();
        const char *text;
        char shorter[64];
        double back;
        int digits;

        if (!isfinite(value)) {
            continue;
        }
        text = text_of(value);
        back = strtod(text, NULL);
        if (memcmp(&back, &value, sizeof value) != 0) {
            fail_msg("%a became %s", value, text);
        }
        digits = significant_digits(text);
        if (digits > 1) {
            snprintf(shorter, sizeof shorter, "%.*e", digits - 2, value);
            if (strtod(shorter, NULL) == value) {
                fail_msg("%s would do for %s", shorter, text);
            }
        }
        back = strtod(bound_of(value, (int)(i & 1)), NULL);
        assert_memory_equal(&back, &value, sizeof value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_numbers_look_as_expected),
        cmocka_unit_test(bounds_are_written_as_other_exporters_do),
        cmocka_unit_test(whole_numbers_of_all_lengths),
        cmocka_unit_test(random_numbers_read_back_and_are_the_shortest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
