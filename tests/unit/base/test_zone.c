/* core/base/zone.c: what time it is elsewhere, as the C library says; files that are none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/zone.h"
#include "base/zone_rule.h"

#define STEP 1000003 /* some 11.6 days: all hours and days come up */
#define FROM INT64_C(-1500000000)
#define TO INT64_C(4200000000) /* 2103: beyond what the files list */

static const char *const names[] = {
    "Asia/Tokyo",        "Europe/Berlin",      "America/New_York",   "Australia/Lord_Howe",
    "Africa/Casablanca", "America/Sao_Paulo",  "Asia/Kathmandu",     "Pacific/Apia",
    "Europe/Dublin",     "America/Godthab",    "Antarctica/Troll",   "Asia/Gaza",
    "Asia/Tehran",       "Pacific/Kiritimati", "Australia/Adelaide", "America/Santiago",
    "Etc/GMT+12",        "America/St_Johns",   "Africa/Monrovia",    "Pacific/Chatham",
};

static void use(const char *zone)
{
    assert_int_equal(setenv("TZ", zone, 1), 0);
    tzset();
}

static int32_t libc_offset(int64_t at)
{
    time_t seconds = (time_t)at;
    struct tm tm;

    assert_non_null(localtime_r(&seconds, &tm));
    return (int32_t)tm.tm_gmtoff;
}

static struct zone *load(const char *name)
{
    struct zone *zone = NULL;
    char why[256] = "";

    if (zone_load(name, &zone, why, sizeof why) < 0) {
        print_message("# %s\n", why);
        return NULL;
    }
    return zone;
}

static void is_as_the_library_has_it(void **state)
{
    if (access("/usr/share/zoneinfo/Asia/Tokyo", R_OK) < 0) {
        skip(); /* a bare machine without tzdata */
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct zone *zone = load(names[i]);

        assert_non_null(zone);
        use(names[i]);
        for (int64_t at = FROM; at < TO; at += STEP) {
            if (zone_offset(zone, at) != libc_offset(at)) {
                fail_msg("%s at %lld: %d, not %d", names[i], (long long)at, zone_offset(zone, at),
                         libc_offset(at));
            }
        }
        zone_destroy(zone);
    }
}

static void rules_are_as_the_library_has_them(void **state)
{
    static const char *const rules[] = {
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "EST5EDT,M3.2.0,M11.1.0",
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
        "AEST-10AEDT,M10.1.0,M4.1.0/3",
        "IST-1GMT0,M10.5.0,M3.5.0/1",
        "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
        "JST-9",
        "XXX3YYY,J60/1,J300/2",
        "XXX-3YYY,59,299/3:30",
        "EET-2EEST,M3.4.4/50,M10.4.4/50",
    };

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct zone_rule rule;

        assert_int_equal(zone_rule_parse(rules[i], strlen(rules[i]), &rule), 0);
        use(rules[i]);
        for (int64_t at = 0; at < TO; at += 13 * 3600 + 7) {
            if (zone_rule_offset(&rule, at) != libc_offset(at)) {
                fail_msg("%s at %lld: %d, not %d", rules[i], (long long)at,
                         zone_rule_offset(&rule, at), libc_offset(at));
            }
        }
    }
}

static void what_is_no_rule(void **state)
{
    static const char *const bad[] = {
        "",
        "A",
        "CET",
        "CET-",
        "CET-25",
        "CET-1:60",
        "CET-1CEST",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M0.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,J0,J366",
        "CET-1CEST,M3.5.0,M10.5.0/168",
        "CET-1CEST,M3.5.0,M10.5.0x",
        "<CET-1",
        "CET-99999999999999999999",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct zone_rule rule;

        assert_int_equal(zone_rule_parse(bad[i], strlen(bad[i]), &rule), -EPROTO);
    }
}

/* Berlin, 2026: 02:00 becomes 03:00 on 29 March, 03:00 becomes 02:00 on 25 October. */
static void clocks_that_jump(void **state)
{
    const int64_t spring = INT64_C(1774746000), autumn = INT64_C(1792890000); /* both 01:00 UTC */
    struct zone *zone = load("Europe/Berlin");

    if (!zone) {
        skip();
    }
    assert_int_equal(zone_offset(zone, spring - 1), 3600);
    assert_int_equal(zone_offset(zone, spring), 7200);
    /* 02:30 is not there: it is the moment of the jump */
    assert_int_equal(zone_when(zone, spring + 3600 + 1800, false), spring);
    assert_int_equal(zone_when(zone, spring + 3600 + 1800, true), spring);
    assert_int_equal(zone_when(zone, spring + 7200, false), spring);
    /* 02:30 is there twice */
    assert_int_equal(zone_when(zone, autumn + 3600 + 1800, false), autumn - 1800);
    assert_int_equal(zone_when(zone, autumn + 3600 + 1800, true), autumn + 1800);
    assert_int_equal(zone_when(zone, autumn + 86400, true), autumn + 86400 - 3600);
    zone_destroy(zone);
    zone = load("UTC");
    assert_int_equal(zone_when(zone, 12345, true), 12345);
    zone_destroy(zone);
}

static void names_that_are_none(void **state)
{
    static const char *const bad[] = {"",
                                      "../etc/passwd",
                                      "/etc/passwd",
                                      "Asia",
                                      "Nowhere/Land",
                                      "Europe/Berlin\n",
                                      "Asia/Tokyo/x",
                                      "posixrules x"};
    struct zone *zone;
    char why[256];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        why[0] = '\0';
        assert_int_equal(zone_load(bad[i], &zone, why, sizeof why), -EINVAL);
        assert_true(strlen(why) > 10);
    }
}

/* Every cut, and every byte turned: refused or read, but nothing beyond it is touched. */
static void damaged_files(void **state)
{
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    unsigned char data[8192], *copy;
    struct zone *zone;
    size_t len;

    if (!file) {
        skip();
    }
    len = fread(data, 1, sizeof data, file);
    (void)fclose(file);
    for (size_t i = 0; i < len; i++) {
        copy = malloc(i ? i : 1);
        memcpy(copy, data, i);
        assert_int_equal(zone_parse(copy, i, &zone), -EPROTO);
        free(copy);
        copy = malloc(len);
        memcpy(copy, data, len);
        copy[i] ^= (unsigned char)(1u << (i % 8));
        if (zone_parse(copy, len, &zone) == 0) {
            (void)zone_offset(zone, 0);
            (void)zone_when(zone, INT64_C(5000000000), true);
            zone_destroy(zone);
        }
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_as_the_library_has_it),
        cmocka_unit_test(rules_are_as_the_library_has_them),
        cmocka_unit_test(what_is_no_rule),
        cmocka_unit_test(clocks_that_jump),
        cmocka_unit_test(names_that_are_none),
        cmocka_unit_test(damaged_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
