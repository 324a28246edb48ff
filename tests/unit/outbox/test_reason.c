/* Why it failed: one line, and no secret in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "outbox/reason.h"

#define URL                                                                                        \
    "https://someone:password1@hooks.example.org/services/T0000/B0000/XXXXtoken?key=querykey1"

static struct settings *make(void)
{
    struct settings *settings = settings_create(3);
    struct setting *headers;

    assert_non_null(settings);
    settings->settings[0] =
        (struct setting){.name = strdup("url"), .type = TMON_URL, .set = true, .text = strdup(URL)};
    settings->settings[1] = (struct setting){.name = strdup("token"),
                                             .type = TMON_STRING,
                                             .set = true,
                                             .secret = true,
                                             .text = strdup("canary-of-a-token")};
    headers = &settings->settings[2];
    *headers = (struct setting){.name = strdup("headers"),
                                .type = TMON_MAP,
                                .set = true,
                                .secret = true,
                                .count = 1,
                                .items = calloc(1, sizeof(char *)),
                                .values = calloc(1, sizeof(char *))};
    headers->items[0] = strdup("X-Key");
    headers->values[0] = strdup("canary-of-a-header");
    return settings;
}

static void check(const char *text, const char *expected)
{
    struct settings *settings = make();
    char space[256];

    reason_put(space, sizeof space, settings, text);
    assert_string_equal(space, expected);
    settings_destroy(settings);
}

static void is_one_line(void **state)
{
    check("", "");
    check("plain", "plain");
    check("  two\r\n lines\tand \x01 more\n", "two lines and more");
    check("gr\xc3\xbc\xc3\x9f"
          "e \xff",
          "gr\xc3\xbc\xc3\x9f"
          "e ?");
}

static void hides_secrets(void **state)
{
    check("bad token canary-of-a-token, canary-of-a-token", "bad token <secret>, <secret>");
    check("X-Key: canary-of-a-header", "<secret>: <secret>");
    check("no route /services/T0000/B0000/XXXXtoken?key=querykey1!", "no route <secret>!");
    check("no hook XXXXtoken", "no hook <secret>");
    check("key querykey1 of password1", "key <secret> of <secret>");
    check("cannot connect to hooks.example.org port 443: refused",
          "cannot connect to hooks.example.org port 443: refused");
}

/* Also a part of one that somebody has cut off. */
static void hides_what_was_cut(void **state)
{
    check("HTTP 404 canary-of-a-", "HTTP 404 <secret>");
    check("HTTP 404 canary", "HTTP 404 canary");
}

static void is_cut_at_a_code_point(void **state)
{
    char space[8];

    reason_put(space, sizeof space, NULL, "123456\xc3\xbc");
    assert_string_equal(space, "123456");
    reason_put(space, sizeof space, NULL,
               "12345\xc3\xbc"
               "7");
    assert_string_equal(space, "12345\xc3\xbc");
}

static void check_body(const char *body, size_t len, const char *expected)
{
    const struct tmon_bytes bytes = {body, len};
    struct settings *settings = make();
    char space[64];

    reason_body(space, sizeof space, settings, &bytes);
    assert_string_equal(space, expected);
    settings_destroy(settings);
}

static void reads_bodies(void **state)
{
    char huge[5000];

    check_body("", 0, "");
    check_body("no_service", 10, "no_service");
    check_body("\r\n  first \nsecond", 16, "first");
    check_body("<html>", 6, "");
    check_body("ab\0cd", 5, "");
    check_body("ab\xff", 3, "");
    check_body("of XXXXtoken\n", 13, "of <secret>");
    memset(huge, 'x', sizeof huge);
    memcpy(huge + 40, "canary-of-a-token", 17);
    check_body(huge, sizeof huge,
               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx<secret>xxxxxxxxxxxxxxx");
}

static void tells_the_status(void **state)
{
    char space[64];

    reason_http(space, sizeof space, NULL, 404, "no_service");
    assert_string_equal(space, "HTTP 404 no_service");
    reason_http(space, sizeof space, NULL, 404, "it answered 404: no_service");
    assert_string_equal(space, "it answered 404: no_service");
    reason_http(space, sizeof space, NULL, 500, "");
    assert_string_equal(space, "HTTP 500");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_one_line),        cmocka_unit_test(hides_secrets),
        cmocka_unit_test(hides_what_was_cut), cmocka_unit_test(is_cut_at_a_code_point),
        cmocka_unit_test(reads_bodies),       cmocka_unit_test(tells_the_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
