/* Where URLs lead, and where redirects may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "fetch/place.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void reads_scheme_host_port(void **state)
{
    static const struct {
        const char *url, *host;
        uint16_t port;
        bool tls;
    } cases[] = {
        {"http://example.com", "example.com", 80, false},
        {"HTTPS://Example.COM/path?x=http://other/", "example.com", 443, true},
        {"http://user:p%40ss@example.com:8080#x", "example.com", 8080, false},
        {"http://[::1]:9909/", "::1", 9909, false},
        {"http://[0:0:0:0:0:0:0:1]", "::1", 80, false},
        {"http://127.0.0.1", "127.0.0.1", 80, false},
        {"http://127.1", "127.0.0.1", 80, false},
        {"http://0x7f000001", "127.0.0.1", 80, false},
        {"http://2130706433/", "127.0.0.1", 80, false},
        {"http://a_b-c.example?q", "a_b-c.example", 80, false},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct place place;

        assert_int_equal(place_parse(cases[i].url, &place), 0);
        assert_string_equal(place.host, cases[i].host);
        assert_int_equal(place.port, cases[i].port);
        assert_int_equal(place.tls, cases[i].tls);
    }
}

static void refuses_what_reads_two_ways(void **state)
{
    static const char *const urls[] = {
        "",
        "example.com",
        "ftp://example.com",
        "file:///etc/passwd",
        "http://",
        "http:///path",
        "http://good.example@evil.example@other/",
        "http://good.example\\@evil.example/",
        "http://good.example evil.example/",
        "http://good.example\tx/",
        "http://exa%6dple.com/",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com:80x/",
        "http://example.com:/",
        "http://[::1/",
        "http://[]/",
        "http://[::1]x/",
        "http://[fe80::1%25eth0]/",
        "http://user@/",
        "http://a!b/",
    };

    for (size_t i = 0; i < COUNT(urls); i++) {
        struct place place = {.port = 7};

        if (place_parse(urls[i], &place) != -EINVAL) {
            fail_msg("taken: %s", urls[i]);
        }
        assert_int_equal(place.port, 7);
    }
}

static void redirects_stay_at_home(void **state)
{
    static const struct {
        const char *from, *to;
        bool fine;
    } cases[] = {
        {"http://a/x", "http://a/y", true},
        {"http://a/x", "https://a/x", true},
        {"http://a:8080/x", "https://a:8443/x", true},
        {"http://127.0.0.1/x", "http://127.1/y", true},
        {"https://a/", "http://a/", false},
        {"http://a/", "http://b/", false},
        {"http://a/", "http://a.b/", false},
        {"http://a/", "http://a:6379/", false},
        {"https://a/", "https://a:8443/", false},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct place from, to;

        assert_int_equal(place_parse(cases[i].from, &from), 0);
        assert_int_equal(place_parse(cases[i].to, &to), 0);
        assert_int_equal(place_redirect_problem(&from, &to) == NULL, cases[i].fine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_scheme_host_port),
        cmocka_unit_test(refuses_what_reads_two_ways),
        cmocka_unit_test(redirects_stay_at_home),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
