/* What an operator may write for each type of setting, and what is said of the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "model/value.h"

static int64_t number(tmon_type type, const char *text)
{
    struct value_rule rule = {.type = type};
    struct value value = {.num = -77};
    char why[128];

    return value_parse(&rule, text, &value, why, sizeof why) ? -77 : value.num;
}

static const char *why(tmon_type type, double min, double max, const char *choices,
                       const char *text)
{
    static char space[160];
    struct value_rule rule = {.type = type, .min = min, .max = max, .choices = choices};
    struct value value = {.num = 4711};

    if (value_parse(&rule, text, &value, space, sizeof space) == 0) {
        return "good";
    }
    assert_int_equal(value.num, 4711); // outputs are never written on failure
    return space;
}

static void durations(void **state)
{
    assert_int_equal(number(TMON_DURATION, "500ms"), 500);
    assert_int_equal(number(TMON_DURATION, "15s"), 15000);
    assert_int_equal(number(TMON_DURATION, "1h30m"), 5400000);
    assert_int_equal(number(TMON_DURATION, "1w2d"), 777600000);
    assert_int_equal(number(TMON_DURATION, "0"), 0);
    static const char *const bad[] = {"",
                                      "15",
                                      "-5s",
                                      "5 s",
                                      "1.5h",
                                      "30m1h",
                                      "1s1s",
                                      "5x",
                                      "s",
                                      "05s",
                                      "99999999999999999999s",
                                      "9223372036854775807d"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(number(TMON_DURATION, bad[i]), -77);
    }
    assert_string_equal(why(TMON_DURATION, 0, 0, NULL, "15"),
                        "must be a duration with its unit, such as 500ms, 30s, 5m, 2h or 1d");
    assert_string_equal(why(TMON_DURATION, 100, 86400000, NULL, "50ms"),
                        "must be from 100ms to 1d");
}

static void sizes(void **state)
{
    assert_int_equal(number(TMON_BYTES, "4096"), 4096);
    assert_int_equal(number(TMON_BYTES, "64KiB"), 65536);
    assert_int_equal(number(TMON_BYTES, "10 MB"), 10000000);
    assert_int_equal(number(TMON_BYTES, "2GiB"), INT64_C(2147483648));
    assert_int_equal(number(TMON_BYTES, "64K"), -77);
    assert_int_equal(number(TMON_BYTES, "64kib"), -77);
    assert_int_equal(number(TMON_BYTES, "9999999TiB"), -77);
    assert_string_equal(why(TMON_BYTES, 1 << 20, 1 << 30, NULL, "4KiB"),
                        "must be from 1MiB to 1GiB");
    assert_string_equal(why(TMON_BYTES, 0, 1000, NULL, "4KiB"), "must be from 0 to 1000");
}

static void numbers(void **state)
{
    assert_int_equal(number(TMON_INT, "-12"), -12);
    assert_int_equal(number(TMON_INT, "9223372036854775807"), INT64_MAX);
    static const char *const bad[] = {
        "", "010", "0x10", "1e3", "1.0", " 1", "1 ", "9223372036854775808", "ten", "--1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(number(TMON_INT, bad[i]), -77);
    }
    assert_string_equal(why(TMON_INT, 1, 100, NULL, "101"), "must be from 1 to 100");
    assert_string_equal(why(TMON_FLOAT, 0, 100, NULL, "99.5"), "good");
    assert_string_equal(why(TMON_FLOAT, 0, 100, NULL, "1e9"), "must be from 0 to 100");
    assert_string_equal(why(TMON_FLOAT, 0, 0, NULL, "nan"), "must be a number such as 0.5");
    assert_string_equal(why(TMON_FLOAT, 0, 0, NULL, "0x1p3"), "must be a number such as 0.5");
    assert_string_equal(why(TMON_FLOAT, 0, 0, NULL, "1e999"), "must be a number such as 0.5");
    assert_int_equal(number(TMON_BOOL, "Yes"), 1);
    assert_int_equal(number(TMON_BOOL, "off"), 0);
    assert_string_equal(why(TMON_BOOL, 0, 0, NULL, "1"), "must be true or false");
}

static void texts(void **state)
{
    char *huge = malloc(LIMIT_SETTING_BYTES + 2);

    assert_string_equal(why(TMON_CHOICE, 0, 0, "left|right", "right"), "good");
    assert_string_equal(why(TMON_CHOICE, 0, 0, "left|right", "le"), "must be one of left|right");
    assert_string_equal(why(TMON_CHOICE, 0, 0, "left|right", ""), "must be one of left|right");
    assert_string_equal(why(TMON_STRING, 0, 0, NULL, "\xff"), "must be text in UTF-8");
    memset(huge, 'x', LIMIT_SETTING_BYTES + 1);
    huge[LIMIT_SETTING_BYTES + 1] = 0;
    assert_string_equal(why(TMON_STRING, 0, 0, NULL, huge), "is longer than 65536 bytes");
    free(huge);
    assert_string_equal(why(99, 0, 0, NULL, "x"), "cannot be written as a single value");
}

static void urls(void **state)
{
    static const char *const good[] = {"http://localhost", "https://example.com:8443/a?b=c#d",
                                       "http://[::1]:80/", "HTTPS://u:p@example.com",
                                       "http://[fe80::1]"};
    static const char *const bad[] = {
        "example.com",     "ftp://x/",    "http://",        "http:///x",
        "http://:80/",     "http://x:0/", "http://x:65536", "http://x:80a/",
        "http://x y/",     "http://x\n",  "http://[::1",    "http://[]/",
        "http://[::1]80/", "http://u@/",  "http://x:",      "http://x\\y/"};

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_string_equal(why(TMON_URL, 0, 0, NULL, good[i]), "good");
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_string_not_equal(why(TMON_URL, 0, 0, NULL, bad[i]), "good");
    }
}

static void list_defaults(void **state)
{
    static const char *const want[] = {"a", "b c", ""};

    for (size_t i = 0; i < 3; i++) {
        char *item = value_list_item(" a, b c ,", i);

        assert_string_equal(item, want[i]);
        free(item);
    }
    assert_null(value_list_item("a,b,", 3));
    assert_null(value_list_item("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations), cmocka_unit_test(sizes), cmocka_unit_test(numbers),
        cmocka_unit_test(texts),     cmocka_unit_test(urls),  cmocka_unit_test(list_defaults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
