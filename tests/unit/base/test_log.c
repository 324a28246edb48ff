/* core/base/log.c: one event stays one line, whatever is in it; limits count what they hold back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static char captured[65536];

/* Sends stderr into a pipe while fn runs. */
static const char *capture(void (*fn)(void))
{
    int p[2];
    int saved = dup(STDERR_FILENO);
    ssize_t n;

    assert_int_equal(pipe(p), 0);
    (void)dup2(p[1], STDERR_FILENO);
    (void)close(p[1]);
    fn();
    (void)dup2(saved, STDERR_FILENO);
    (void)close(saved);
    n = read(p[0], captured, sizeof captured - 1);
    captured[n > 0 ? n : 0] = '\0';
    (void)close(p[0]);
    return captured;
}

static void say_hostile(void)
{
    log_info("worker ended", LOG_S("instance", "db"),
             LOG_S("why", "line\nbreak \"quoted\" \x1b[31m \xff"), LOG_I("code", -3),
             LOG_F("seconds", 0.25), LOG_S("absent", NULL));
    log_debug("too low to be shown");
}

static void test_logfmt(void **state)
{
    const char *line;

    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    line = capture(say_hostile);
    assert_non_null(strstr(
        line, " level=info msg=\"worker ended\" instance=db why=\"line\\nbreak \\\"quoted\\\" "
              "\\u001b[31m ?\" code=-3 seconds=0.25\n"));
    assert_null(strstr(line, "absent"));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void test_json(void **state)
{
    const char *line;

    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    line = capture(say_hostile);
    assert_int_equal(line[0], '{');
    assert_non_null(strstr(
        line,
        "\"level\":\"info\",\"msg\":\"worker ended\",\"instance\":\"db\",\"why\":\"line\\nbreak"));
    assert_non_null(strstr(line, "\"code\":-3,\"seconds\":0.25}\n"));
}

static void say_long(void)
{
    char *text = malloc(100001);

    memset(text, 'x', 100000);
    text[100000] = '\0';
    log_error("long", LOG_S("a", text), LOG_S("b", text), LOG_S("c", text), LOG_S("d", text),
              LOG_S("e", text));
    free(text);
}

static void test_long_lines_are_cut(void **state)
{
    for (int format = LOG_FORMAT_LOGFMT; format <= LOG_FORMAT_JSON; format++) {
        const char *line;

        log_setup(LOG_LEVEL_INFO, (enum log_format)format);
        line = capture(say_long);
        assert_true(strlen(line) < 8300);
        assert_int_equal(line[strlen(line) - 1], '\n');
    }
    assert_non_null(strstr(captured, "\"cut\":true"));
}

static void test_limit(void **state)
{
    struct log_limit limit;
    int passed = 0;

    log_limit_init(&limit, 3, 1);
    for (int i = 0; i < 100; i++) {
        passed += log_limit_allow(&limit, NS_PER_S);
    }
    assert_int_equal(passed, 3);
    assert_int_equal(log_limit_take_suppressed(&limit), 97);
    assert_true(log_limit_allow(&limit, 2 * NS_PER_S));
    assert_false(log_limit_allow(&limit, 2 * NS_PER_S));
}

static void test_time(void **state)
{
    char text[CLOCK_RFC3339_SIZE];

    assert_string_equal(clock_rfc3339(1735689600123, text), "2025-01-01T00:00:00.123Z");
    assert_string_equal(clock_rfc3339(-1, text), "1969-12-31T23:59:59.999Z");
    assert_string_equal(clock_rfc3339(INT64_MAX, text), "0000-00-00T00:00:00.000Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logfmt),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_long_lines_are_cut),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
