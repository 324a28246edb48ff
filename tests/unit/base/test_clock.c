/* RFC 3339, written and read. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static int64_t parsed(const char *text)
{
    int64_t ms = -1;

    assert_int_equal(clock_parse_rfc3339(text, &ms), 0);
    return ms;
}

static void test_reads_what_is_right(void **state)
{
    assert_int_equal(parsed("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(parsed("1970-01-01T00:00:00.001Z"), 1);
    assert_int_equal(parsed("1969-12-31T23:59:59.999z"), -1);
    assert_int_equal(parsed("2026-01-02T03:04:05.678Z"), INT64_C(1767323045678));
    assert_int_equal(parsed("2026-01-02t03:04:05.678999999Z"), INT64_C(1767323045678));
    assert_int_equal(parsed("2026-01-02 03:04:05Z"), INT64_C(1767323045000));
    assert_int_equal(parsed("2026-01-02T05:34:05+02:30"), INT64_C(1767323045000));
    assert_int_equal(parsed("2026-01-01T22:04:05-05:00"), INT64_C(1767323045000));
    assert_int_equal(parsed("2024-02-29T00:00:00Z"), INT64_C(1709164800000));
    assert_int_equal(parsed("2000-02-29T00:00:00Z"), INT64_C(951782400000));
    assert_int_equal(parsed("2016-12-31T23:59:60Z"), INT64_C(1483228800000));
    assert_int_equal(parsed("0001-01-01T00:00:00Z"), INT64_C(-62135596800000));
    assert_int_equal(parsed("9999-12-31T23:59:59Z"), INT64_C(253402300799000));
}

static void test_refuses_the_rest(void **state)
{
    static const char *const bad[] = {
        "",
        "2026",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04Z",
        "2026-1-2T03:04:05Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-01-02T24:00:00Z",
        "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:61Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05+0200",
        "2026-01-02T03:04:05+24:00",
        "2026-01-02T03:04:05Zx",
        " 2026-01-02T03:04:05Z",
        "-026-01-02T03:04:05Z",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ms = 42;

        assert_int_equal(clock_parse_rfc3339(bad[i], &ms), -EINVAL);
        assert_int_equal(ms, 42);
    }
}

static void test_round_trip(void **state)
{
    char text[CLOCK_RFC3339_SIZE];

    for (int64_t ms = INT64_C(-62135596800000); ms < INT64_C(253402300799000);
         ms += INT64_C(86400000) * 1461 / 7 + 12345) {
        assert_int_equal(parsed(clock_rfc3339(ms, text)), ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_what_is_right),
        cmocka_unit_test(test_refuses_the_rest),
        cmocka_unit_test(test_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
