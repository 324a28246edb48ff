/* core/model/window.c: when a window holds, over midnight, over the turn of clocks. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "model/window.h"

static int64_t utc(const char *text)
{
    struct tm tm = {0};

    assert_non_null(strptime(text, "%Y-%m-%d %H:%M", &tm));
    return timegm(&tm);
}

/* False: the machine has no such zone. */
static bool make(struct window *window, const char *days, const char *from, const char *to,
                 const char *zone)
{
    char why[256];

    *window = (struct window){0};
    assert_int_equal(window_days(days, &window->days), 0);
    assert_int_equal(window_minutes(from, &window->begin), 0);
    assert_int_equal(window_minutes(to, &window->end), 0);
    return zone_load(zone, &window->zone, why, sizeof why) == 0;
}

/* From the first to the second, and neither a minute earlier nor later. */
static void holds(const struct window *window, const char *from, const char *to)
{
    int64_t until;

    assert_false(windows_hold(window, 1, utc(from) - 60, &until));
    assert_int_equal(until, utc(from));
    assert_true(windows_hold(window, 1, utc(from), &until));
    assert_int_equal(until, utc(to));
    assert_true(windows_hold(window, 1, utc(to) - 1, &until));
    assert_int_equal(until, utc(to));
    for (int64_t at = utc(from); at < utc(to); at += 60) {
        assert_true(windows_hold(window, 1, at, &until));
    }
    assert_false(windows_hold(window, 1, utc(to), &until));
}

static void over_midnight(void **state)
{
    struct window window;
    int64_t until;

    assert_true(make(&window, "mon-fri", "22:00", "06:00", "UTC"));
    holds(&window, "2026-11-27 22:00", "2026-11-28 06:00"); /* Friday to Saturday */
    assert_false(windows_hold(&window, 1, utc("2026-11-28 23:00"), &until)); /* Saturday */
    assert_int_equal(until, utc("2026-11-30 22:00"));
    window_finish(&window);

    assert_true(make(&window, "sat", "00:00", "24:00", "UTC"));
    holds(&window, "2026-11-28 00:00", "2026-11-29 00:00");
    window_finish(&window);
    if (make(&window, "sun", "2:00", "4:30", "Asia/Tokyo")) { /* Saturday still in UTC */
        holds(&window, "2026-11-28 17:00", "2026-11-28 19:30");
    }
    window_finish(&window);
}

static void over_the_turn_of_clocks(void **state)
{
    struct window window;

    if (!make(&window, "sun", "02:30", "04:00", "Europe/Berlin")) {
        skip();
    }
    holds(&window, "2026-03-29 01:00", "2026-03-29 02:00"); /* 02:30 does not come */
    holds(&window, "2026-10-25 00:30", "2026-10-25 03:00"); /* the first of two */
    holds(&window, "2026-11-01 01:30", "2026-11-01 03:00");
    window_finish(&window);
    assert_true(make(&window, "sat", "22:00", "02:30", "Europe/Berlin"));
    holds(&window, "2026-03-28 21:00", "2026-03-29 01:00"); /* as soon as it is past 02:30 */
    holds(&window, "2026-10-24 20:00", "2026-10-25 01:30"); /* the last of two; in one piece */
    window_finish(&window);
    assert_true(make(&window, "sat-sun", "00:00", "24:00", "Europe/Berlin"));
    assert_int_equal(window.days, 0x41);
    window_finish(&window);
}

/* Two that touch: the end of one is when to ask again, and then the other holds. */
static void several(void **state)
{
    struct window windows[2];
    int64_t until;

    assert_true(make(&windows[0], "mon", "20:00", "24:00", "UTC"));
    assert_true(make(&windows[1], "Tuesday", "00:00", "06:00", "UTC"));
    assert_true(windows_hold(windows, 2, utc("2026-11-23 21:00"), &until));
    assert_int_equal(until, utc("2026-11-24 00:00"));
    assert_true(windows_hold(windows, 2, until, &until));
    assert_int_equal(until, utc("2026-11-24 06:00"));
    assert_false(windows_hold(windows, 2, until, &until));
    assert_false(windows_hold(NULL, 0, 0, &until));
    assert_true(until > 0);
    window_finish(&windows[0]);
    window_finish(&windows[1]);
}

static void what_is_written(void **state)
{
    static const char *const bad_days[] = {"",        "mo",      "mon-", "-fri",
                                           "mon-fry", "mon tue", "mond", "mon-tue-wed"};
    static const char *const bad_times[] = {"",     "6",      "06:0",  "06:60", "24:01", "6:000",
                                            "-1:0", "100:00", "06:0x", "25:00", " 6:00"};
    uint8_t days = 0;
    int minutes;

    assert_int_equal(window_days("fri-mon", &days), 0);
    assert_int_equal(days, 0x63);
    assert_int_equal(window_days("WED", &days), 0);
    assert_int_equal(days, 0x6b);
    for (size_t i = 0; i < sizeof bad_days / sizeof bad_days[0]; i++) {
        assert_int_equal(window_days(bad_days[i], &days), -EINVAL);
    }
    assert_int_equal(window_minutes("24:00", &minutes), 0);
    assert_int_equal(minutes, 1440);
    assert_int_equal(window_minutes("6:05", &minutes), 0);
    assert_int_equal(minutes, 365);
    for (size_t i = 0; i < sizeof bad_times / sizeof bad_times[0]; i++) {
        assert_int_equal(window_minutes(bad_times[i], &minutes), -EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_midnight),
        cmocka_unit_test(over_the_turn_of_clocks),
        cmocka_unit_test(several),
        cmocka_unit_test(what_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
