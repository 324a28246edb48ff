/* Host, Origin and Authorization: what is let in, and above all what is not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/hosts.h"

static const char *const allowed[] = {"status.example.org", "Agent"};

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        const char *name; /* NULL: refused */
    } cases[] = {
        {"localhost", "localhost"},
        {"localhost:9909", "localhost"},
        {"[::1]", "::1"},
        {"[::1]:80", "::1"},
        {"a_b-c.example.", "a_b-c.example."},
        {"", NULL},
        {":9909", NULL},
        {"localhost:", NULL},
        {"localhost:99999999", NULL},
        {"localhost:80x", NULL},
        {"user@localhost", NULL},
        {"local host", NULL},
        {"[::1", NULL},
        {"[::1]x", NULL},
        {"[]", NULL},
        {"::1", NULL},
        {"localhost/path", NULL},
        {"localhost,evil.example", NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct host_span host = {0};
        int r = host_parse(cases[i].text, &host);

        if (!cases[i].name) {
            assert_int_equal(r, -EINVAL);
            continue;
        }
        assert_int_equal(r, 0);
        assert_int_equal(host.len, strlen(cases[i].name));
        assert_memory_equal(host.name, cases[i].name, host.len);
    }
}

static void test_host(void **state)
{
    static const char *const good[] = {
        "localhost", "LOCALHOST:9909", "localhost.",         "127.0.0.1:9909",
        "127.9.9.9", "[::1]:9909",     "status.example.org", "STATUS.example.org.:443",
        "agent",     "agent:1",
    };
    static const char *const bad[] = {
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "10.0.0.1",
        "[2001:db8::1]",
        "xlocalhost",
        "localhos",
        "",
        "status.example.orgx",
        "1127.0.0.1",
        "0177.0.0.1",
        "localhost@evil",
    };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(host_allowed(good[i], allowed, 2));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(host_allowed(bad[i], allowed, 2));
    }
    assert_false(host_allowed("agent", NULL, 0));
}

static void test_origin(void **state)
{
    assert_true(origin_allowed("http://localhost:9909", "localhost:9909", NULL, 0));
    assert_true(origin_allowed("https://LocalHost:9909", "localhost:9909", NULL, 0));
    assert_true(origin_allowed("https://status.example.org", "127.0.0.1:9909", allowed, 2));
    assert_true(origin_allowed("https://status.example.org", NULL, allowed, 2));
    /* another port is another origin */
    assert_false(origin_allowed("http://localhost:3000", "localhost:9909", NULL, 0));
    assert_false(origin_allowed("http://localhost:9909", NULL, NULL, 0));
    assert_false(origin_allowed("http://evil.example", "localhost:9909", allowed, 2));
    assert_false(origin_allowed("null", "localhost:9909", allowed, 2));
    assert_false(origin_allowed("", "localhost:9909", allowed, 2));
    assert_false(origin_allowed("file://localhost:9909", "localhost:9909", allowed, 2));
    assert_false(origin_allowed("http://localhost:9909/x", "localhost:9909", allowed, 2));
}

static void test_bearer(void **state)
{
    assert_true(bearer_matches("Bearer secret", "secret"));
    assert_true(bearer_matches("bearer  secret", "secret"));
    assert_false(bearer_matches(NULL, "secret"));
    assert_false(bearer_matches("", "secret"));
    assert_false(bearer_matches("Bearer", "secret"));
    assert_false(bearer_matches("Bearer ", "secret"));
    assert_false(bearer_matches("Bearer secre", "secret"));
    assert_false(bearer_matches("Bearer secrets", "secret"));
    assert_false(bearer_matches("Bearer secretsecret", "secret"));
    assert_false(bearer_matches("Bearer secret ", "secret"));
    assert_false(bearer_matches("Basic secret", "secret"));
    assert_false(bearer_matches("Bearer ", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_origin),
        cmocka_unit_test(test_bearer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
