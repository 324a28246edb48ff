/* plugins/redis without a server: which URLs it takes, and how it gives up.  The rest is tested in
 * tests/system/test_plugin_redis.py against real servers. */
#include "kit.h"

#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static tmon_rc create_with(const char *settings, const char *said)
{
    struct mock_host *mock = mock_open(kit_plugin("redis"), "redis", settings);
    tmon_rc rc;

    assert_string_equal(mock_error(mock), "");
    rc = mock_create(mock, 1000);
    if (said != NULL && !mock_said(mock, said)) {
        fail_msg("%s: did not say \"%s\"", settings, said);
    }
    assert_false(mock_said(mock, "hush"));
    mock_close(mock);
    return rc;
}

static void takes_urls(void **state)
{
    static const char *const urls[] = {
        "redis://localhost",
        "REDIS://localhost:6380/",
        "redis://[::1]:6379/15",
        "redis://:hush@localhost",
        "redis://me:hu%3Ash@localhost/0",
        "redis://me:hush@localhost?db=3",
        "rediss://localhost",
        "unix:///run/redis.sock",
        "unix://:hush@/run/redis.sock?db=2",
    };

    for (size_t i = 0; i < COUNT(urls); i++) {
        char settings[256];

        (void)snprintf(settings, sizeof settings, "url: \"%s\"\n", urls[i]);
        if (create_with(settings, NULL) != TMON_OK) {
            fail_msg("%s was refused", urls[i]);
        }
    }
}

static void refuses_urls(void **state)
{
    static const struct {
        const char *url, *said;
    } cases[] = {
        {"localhost:6379", "must start with redis://"},
        {"http://localhost", "must start with redis://"},
        {"redis://", "must name a host"},
        {"redis://:hush@", "must name a host"},
        {"redis://:6379", "must name a host"},
        {"redis://[::1", "must name a host"},
        {"redis://a:0", "1 to 65535"},
        {"redis://a:65536", "1 to 65535"},
        {"redis://a:6379x", "1 to 65535"},
        {"redis://a:", "1 to 65535"},
        {"redis://a/one", "number of a database"},
        {"redis://a/-1", "number of a database"},
        {"redis://a/99999999999999999999", "number of a database"},
        {"redis://a?timeout=5", "nothing but the number of a database"},
        {"redis://a/1#x", "number of a database"},
        {"redis://me:hush%2@a", "bad %-escape"},
        {"redis://me:hush%00@a", "bad %-escape"},
        {"redis://hush@a", "a user but no password"},
        {"redis://a b", "blanks"},
        {"unix://run/redis.sock", "must name a path"},
        {"unix:///run/redis.sock?db=x", "?db=NUMBER"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char settings[256];

        (void)snprintf(settings, sizeof settings, "url: \"%s\"\n", cases[i].url);
        assert_int_equal(create_with(settings, cases[i].said), TMON_REJECTED);
    }
}

static void gives_up_at_the_deadline(void **state)
{
    struct mock_host *mock = kit_start("redis", "url: \"redis://no-such-name.invalid\"\n");

    for (int i = 0; i < 3; i++) { // a lookup that was given up is taken up again
        struct timespec from, to;

        clock_gettime(CLOCK_MONOTONIC, &from);
        assert_int_not_equal(mock_check(mock, 200), TMON_OK);
        clock_gettime(CLOCK_MONOTONIC, &to);
        assert_true(mock_said(mock, "name resolution of no-such-name.invalid"));
        assert_string_equal(mock_detail_text(mock, "failed"), "name resolution");
        assert_true((double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9 <
                    2);
    }
    assert_int_equal(mock_collect(mock, 200), TMON_OK);
    kit_near(mock_value(mock, "redis_up"), 0);
    kit_stop(mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_urls),
        cmocka_unit_test(refuses_urls),
        cmocka_unit_test(gives_up_at_the_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
