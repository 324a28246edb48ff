/* POST /api/v1/silences: what a body comes to, and what is wrong with it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/silence_in.h"

#define NOW_MS INT64_C(1767323045000) /* 2026-01-02T03:04:05Z */

static struct v2_silence_in *good(const char *body)
{
    struct v2_silence_in *silence = NULL;
    struct silence_in_error error;

    if (silence_in_parse(body, strlen(body), NOW_MS, &silence, &error) < 0) {
        fail_msg("%s: %s %s", body, error.field, error.text);
    }
    return silence;
}

static void takes_all(void **state)
{
    struct v2_silence_in *silence =
        good("{\"id\": \"x\", \"matchers\": [\"a=b\", \" c !~ \\\"d|e\\\" \"], \"starts_at\": "
             "\"2026-01-02T04:04:05Z\", \"duration\": \"30m\", \"created_by\": \"me\", "
             "\"comment\": null}");

    assert_string_equal(silence->input.id, "x");
    assert_int_equal(silence->input.nmatchers, 2);
    assert_int_equal(silence->input.matchers[1].op, MATCHER_NOT_REGEX);
    assert_int_equal(silence->input.matchers[1].flavor, REGEX_RE2);
    assert_string_equal(silence->input.matchers[1].value, "d|e");
    assert_int_equal(silence->input.starts_ms, NOW_MS + 3600000);
    assert_int_equal(silence->input.ends_ms, NOW_MS + 3600000 + 1800000);
    assert_string_equal(silence->input.created_by, "me");
    assert_string_equal(silence->input.comment, "");
    v2_silence_destroy(silence);
    silence = good("{\"matchers\": [\"a=b\"], \"starts_at\": \"2020-01-01T00:00:00Z\", "
                   "\"duration\": \"1m\"}");
    assert_int_equal(silence->input.ends_ms, NOW_MS + 60000); /* the past is now */
    v2_silence_destroy(silence);
}

static void says_what_is_wrong(void **state)
{
    static const struct {
        const char *body, *field, *text;
    } bad[] = {
        {"", "", ""},
        {"{\"matchers\": [\"a=b\"],", "", ""},
        {"7", "", "must be an object"},
        {"{\"matchers\": \"a=b\", \"duration\": \"1h\"}", "matchers", "must be a list"},
        {"{\"matchers\": [7], \"duration\": \"1h\"}", "matchers[0]", "must be a string"},
        {"{\"matchers\": [\"a=\\\"b\"], \"duration\": \"1h\"}", "matchers[0]", "does not close"},
        {"{\"matchers\": [\"a=b\"], \"duration\": \"0s\"}", "duration", "more than nothing"},
        {"{\"matchers\": [\"a=b\"], \"duration\": \"9000000000000w\"}", "duration", ""},
        {"{\"matchers\": [\"a=b\"], \"duration\": \"1h\", \"ends_at\": \"2027-01-01T00:00:00Z\"}",
         "ends_at", "either"},
        {"{\"matchers\": [\"a=b\"], \"ends_at\": \"tomorrow\"}", "ends_at", "RFC 3339"},
        {"{\"matchers\": [\"a=b\"], \"duration\": \"1h\", \"comment\": 7}", "comment", "string"},
        {"{\"matchers\": [\"a=b\"], \"duration\": \"1h\", \"comment\": \"a\\u0000b\"}", "", ""},
        {"{\"matchers\": [\"a=b\"], \"duration\": \"1h\", \"createdBy\": \"x\"}", "",
         "did you mean 'created_by'"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct v2_silence_in *silence = NULL;
        struct silence_in_error error;

        assert_int_equal(
            silence_in_parse(bad[i].body, strlen(bad[i].body), NOW_MS, &silence, &error), -EINVAL);
        if (!strstr(error.text, bad[i].text) || strcmp(error.field, bad[i].field) != 0 ||
            !*error.text) {
            fail_msg("%s: \"%s\" of \"%s\"", bad[i].body, error.text, error.field);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_all),
        cmocka_unit_test(says_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
