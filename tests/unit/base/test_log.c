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
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/socket.h>
#include <sys/wait.h>
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
        assert_true(strlen(line) <= 4096);
        assert_int_equal(line[strlen(line) - 1], '\n');
    }
    assert_non_null(strstr(captured, "\"cut\":true"));
}

/* ---- nobody reads ---- */

/* Logs until three lines on end are lost.  How many there are that nobody was told of: a terminal
 * takes another line now and then, and with it those before are told. */
static uint64_t fill(void)
{
    uint64_t told = log_lost();

    for (int on_end = 0; on_end < 3;) {
        uint64_t lost = log_lost();

        log_info("nobody reads this"); /* shorter than what tells of it */
        if (log_lost() > lost) {
            on_end++;
        } else {
            on_end = 0;
            told = lost;
        }
    }
    return log_lost() - told;
}

/* Fills it, reads what there is, logs once more; what was read last, at most `captured` bytes.  An
 * alarm ends the test program if a line waits.  How many lines were lost. */
static uint64_t fill_and_read(int reader)
{
    uint64_t lost;
    size_t len = 0;
    ssize_t n;

    (void)alarm(30);
    lost = fill();
    assert_int_equal(fcntl(reader, F_SETFL, O_NONBLOCK), 0);
    for (struct pollfd more = {.fd = reader, .events = POLLIN}; poll(&more, 1, 200) > 0;) {
        if (read(reader, captured, sizeof captured) <= 0) {
            break;
        }
    }
    log_info("read again");
    for (struct pollfd more = {.fd = reader, .events = POLLIN}; poll(&more, 1, 200) > 0;) {
        n = read(reader, captured + len, sizeof captured - 1 - len);
        if (n <= 0) {
            break;
        }
        len += (size_t)n;
    }
    captured[len] = '\0';
    (void)alarm(0);
    return lost;
}

/* 0 when all is as it should be; stderr is lost to the other end for good. */
static int log_into(int writer, int reader)
{
    const char *told;
    char count[32];

    (void)dup2(writer, STDERR_FILENO);
    log_open();
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    (void)snprintf(count, sizeof count, " count=%llu", (unsigned long long)fill_and_read(reader));
    told = strstr(captured, "level=warning msg=\"log lines were lost");
    if (!told || (told - strstr(captured, "time=")) > 40 || !strstr(told, count)) {
        return 1;
    }
    told = strchr(told, '\n');
    return told && strncmp(told + 1, "time=", 5) == 0 && strstr(told, "msg=\"read again\"") ? 0 : 2;
}

/* In a process of its own, which ends with log_into()'s result. */
static void in_child(int writer, int reader, bool as_nobody)
{
    pid_t child = fork();
    int status = 0;

    assert_true(child >= 0);
    if (child == 0) {
        int flags = fcntl(writer, F_GETFL);

        if (as_nobody && setuid(65534) != 0) {
            _exit(3);
        }
        status = log_into(writer, reader);
        /* Others share the open file: it is left as it was. */
        _exit(status == 0 && fcntl(STDERR_FILENO, F_GETFL) != flags ? 4 : status);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    (void)close(writer);
    (void)close(reader);
}

static void test_full_pipe(void **state)
{
    int p[2];

    assert_int_equal(pipe(p), 0);
    in_child(p[1], p[0], false);
}

static void test_full_pipe_of_another_user(void **state)
{
    int p[2];

    if (getuid() != 0) {
        skip();
    }
    assert_int_equal(pipe(p), 0);
    in_child(p[1], p[0], true);
}

static void test_full_socket(void **state)
{
    int p[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
    in_child(p[1], p[0], false);
}

static void test_full_terminal(void **state)
{
    int p[2];

    assert_int_equal(openpty(&p[0], &p[1], NULL, NULL, NULL), 0);
    in_child(p[1], p[0], false);
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
        cmocka_unit_test(test_full_pipe),
        cmocka_unit_test(test_full_pipe_of_another_user),
        cmocka_unit_test(test_full_socket),
        cmocka_unit_test(test_full_terminal),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
