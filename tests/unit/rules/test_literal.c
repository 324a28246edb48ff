/* core/rules/literal.c, literal_string.c, literal_put.c: what Go reads and prints. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/literal.h"

static void reads_numbers(void **state)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {
        {"0", 0},
        {"17", 17},
        {"017", 15},
        {"08", 8},
        {"0x1f", 31},
        {"1e3", 1000},
        {".5", 0.5},
        {"5.", 5},
        {"1e-400", 0},
        {"inf", INFINITY},
        {"+Inf", INFINITY},
        {"-inf", -INFINITY},
        {"Infinity", INFINITY},
        {"0x1p-2", 0.25},
        {"0x.8p1", 1},
        {"0x7fffffffffffffff", 9223372036854775807.0},
        {"99999999999999999999", 1e20},
        {"-2.5E+1", -25},
    };
    static const char *const bad[] = {
        "",     "+",     "e5",     "1e", "1e+", "0x",    "0x1.8",  "1_000", "+nan",
        "infi", "1e999", "-1e999", " 1", "1 ",  "1.2.3", "nan(1)", "0x1p",  "0xfffffffffffffffff",
        "1f"};
    double value;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!literal_number(good[i].text, strlen(good[i].text), &value) || value != good[i].value) {
            fail_msg("%s is %g", good[i].text, value);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (literal_number(bad[i], strlen(bad[i]), &value)) {
            fail_msg("%s is %g", bad[i], value);
        }
    }
    assert_true(literal_float("NaN", 3, &value));
    assert_true(isnan(value));
    assert_false(literal_float("0x1f", 4, &value));
}

static void reads_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"5m", 300000},
                {"1h30m", 5400000},
                {"1y", INT64_C(31536000000)},
                {"1w1d", 691200000},
                {"1s500ms", 1500},
                {"090s", 90000},
                {"292y", INT64_C(292) * 31536000000}};
    static const char *const bad[] = {"",     "5",    "m",    "0s", "1m1h",
                                      "1s1s", "1.5h", "300y", "5M", "99999999999999999999h",
                                      "1mss", "5m "};
    char why[200];
    int64_t ms;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(literal_duration(good[i].text, strlen(good[i].text), &ms, why, sizeof why));
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (literal_duration(bad[i], strlen(bad[i]), &ms, why, sizeof why)) {
            fail_msg("%s is %lld ms", bad[i], (long long)ms);
        }
    }
}

static void reads_strings(void **state)
{
    static const struct {
        const char *text, *value;
        size_t at; /* of the error */
    } cases[] = {
        {"\"a\"", "a", 0},
        {"'a\"b'", "a\"b", 0},
        {"`a\\n`", "a\\n", 0},
        {"\"\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\"", "\a\b\f\n\r\t\v\\\"", 0},
        {"\"\\x41\\101\\u00e9\\U0001F600\"", "AAé😀", 0},
        {"\"\\xc3\\xa9\"", "é", 0},
        {"\"\"", "", 0},
        {"\"a\\'\"", NULL, 2},
        {"\"\\z\"", NULL, 1},
        {"\"\\x4\"", NULL, 1},
        {"\"\\400\"", NULL, 1},
        {"\"\\18\"", NULL, 1},
        {"\"\\ud800\"", NULL, 1},
        {"\"\\U00110000\"", NULL, 1},
        {"\"\\x00\"", NULL, 0},
        {"\"\\xff\"", NULL, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf buf;
        char why[200];
        size_t at = 99;
        bool ok;

        buf_init(&buf, 1000);
        ok = literal_string(cases[i].text, strlen(cases[i].text), &buf, &at, why, sizeof why);
        if (ok != (cases[i].value != NULL) || (ok && strcmp(buf_str(&buf), cases[i].value) != 0) ||
            (!ok && at != cases[i].at)) {
            fail_msg("%s is \"%s\"", cases[i].text, buf_str(&buf));
        }
        buf_finish(&buf);
    }
}

static void prints(void **state)
{
    struct buf buf;

    buf_init(&buf, 1000);
    literal_put_duration(5400000, &buf);
    buf_putc(&buf, ' ');
    literal_put_duration(INT64_C(90) * 86400000, &buf);
    buf_putc(&buf, ' ');
    literal_put_duration(1500, &buf);
    buf_putc(&buf, ' ');
    literal_put_duration(INT64_C(2) * 31536000000, &buf);
    buf_putc(&buf, ' ');
    literal_put_number(1e6, &buf);
    buf_putc(&buf, ' ');
    literal_put_number(-0.0, &buf);
    buf_putc(&buf, ' ');
    literal_put_string("a\"\\\n\x01\x7fé\xc2\x85\xe2\x80\xa8\xef\xbb\xbf", &buf);
    assert_string_equal(buf_str(&buf), "1h30m 90d 1s500ms 2y 1e+06 -0 "
                                       "\"a\\\"\\\\\\n\\x01\\x7fé\\u0085\\u2028\\ufeff\"");
    buf_finish(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(reads_durations),
        cmocka_unit_test(reads_strings),
        cmocka_unit_test(prints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
