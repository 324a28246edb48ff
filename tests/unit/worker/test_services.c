/* Services that talk with the agent: time and cancelling, log, settings, HTTP, streams, events. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "model/exchange.h"
#include "rig.h"

static void test_instance_and_time(void **state)
{
    struct rig rig;
    struct rig_done done;
    struct verdict *verdict;

    rig_create(&rig, "api_call", "api_instance", NULL);
    verdict = rig_check(&rig, &done);
    assert_string_equal(rig_text(verdict, "instance"), "an_instance");
    verdict_destroy(verdict);
    rig_stop(&rig);

    rig_create(&rig, "api_call", "api_remaining", NULL);
    verdict = rig_check(&rig, &done);
    assert_in_range(rig_number(verdict, "first"), 500, 1000);
    assert_in_range(rig_number(verdict, "passed"), 20, 1000);
    verdict_destroy(verdict);
    rig_stop(&rig);
}

static void test_cancel(void **state)
{
    struct rig rig;
    struct rig_done done;

    rig_create(&rig, "api_call", "api_cancel", NULL);
    rig_call(&rig, ABILITY_CHECK, "", 3600000, NULL);
    rig_send(&rig, FRAME_CANCEL, rig.call - 1, NULL, 0); // of another call: nothing to this one
    rig_send(&rig, FRAME_CANCEL, rig.call, NULL, 0);
    rig_wait_done(&rig, &done);
    assert_int_equal(done.rc, TMON_TIMEOUT);
    rig_call(&rig, ABILITY_CHECK, "", 1, NULL); // the deadline is as good
    rig_wait_done(&rig, &done);
    assert_int_equal(done.rc, TMON_TIMEOUT);
    rig_send(&rig, FRAME_CANCEL, rig.call, NULL, 0); // crosses the end of the call
    rig_call(&rig, ABILITY_CHECK, "", 3600000, NULL);
    rig_send(&rig, FRAME_STOP, 0, NULL, 0);
    rig_wait_done(&rig, &done);
    assert_int_equal(done.rc, TMON_TIMEOUT);
    assert_int_equal(rig_wait(&rig), 0);
    rig_finish(&rig);
}

static void test_sigterm(void **state)
{
    struct rig rig;

    rig_create(&rig, "api_call", "api_cancel", NULL);
    rig_call(&rig, ABILITY_CHECK, "", 3600000, NULL);
    assert_return_code(kill(rig.pid, SIGTERM), errno);
    assert_int_equal(rig_wait(&rig), 0); // in a call or before it
    rig_finish(&rig);

    rig_create(&rig, "api_call", "api_state", NULL);
    assert_return_code(kill(rig.pid, SIGTERM), errno);
    rig_expect(&rig, FRAME_LOG); // from destroy()
    assert_int_equal(rig_wait(&rig), 0);
    rig_finish(&rig);
}

static void expect_line(struct rig *rig, tmon_level level, const char *text, size_t length)
{
    struct wire_reader reader;
    const char *got;

    rig_expect(rig, FRAME_LOG);
    wire_reader_init(&reader, rig->data, rig->len);
    assert_int_equal(wire_get_u8(&reader), level);
    got = wire_get_str(&reader, LIMIT_LOG_LINE_BYTES);
    if (text) {
        assert_string_equal(got, text);
    }
    assert_int_equal(strlen(got), length);
    assert_int_equal(wire_get_u32(&reader), 0);
    assert_true(wire_done(&reader));
}

static void test_log(void **state)
{
    struct rig rig;
    struct rig_done done;

    rig_create(&rig, "api_call", "api_log_lines", NULL);
    rig_call(&rig, ABILITY_CHECK, "", 1000, NULL);
    expect_line(&rig, TMON_DEBUG, "debug 1", 7);
    expect_line(&rig, TMON_INFO, "info\nof two lines, caf?", 23);
    expect_line(&rig, TMON_WARNING, NULL, LIMIT_LOG_LINE_BYTES - 1);
    expect_line(&rig, TMON_ERROR, "the reason", 10);
    rig_wait_done(&rig, &done);
    assert_int_equal(done.rc, TMON_RETRY);
    assert_string_equal(done.message, "the reason");
    rig_stop(&rig);
}

/* ---- settings */

static void set(struct setting *setting, const char *name, tmon_type type)
{
    setting->name = strdup(name);
    setting->type = type;
    setting->set = true;
}

static char **strings(const char *first, const char *second)
{
    char **array = calloc(2, sizeof *array);

    array[0] = strdup(first);
    array[1] = strdup(second);
    return array;
}

static struct settings *all_settings(void)
{
    struct settings *settings = settings_create(12);
    struct settings *group = settings_create(2);
    struct setting *s = settings->settings;

    set(&s[0], "a_string", TMON_STRING);
    s[0].text = strdup("text");
    set(&s[1], "a_secret", TMON_STRING);
    s[1].text = strdup("hush");
    s[1].secret = true;
    set(&s[2], "an_int", TMON_INT);
    s[2].num = -3;
    set(&s[3], "a_float", TMON_FLOAT);
    s[3].real = 0.25;
    set(&s[4], "a_bool", TMON_BOOL);
    s[4].num = 1;
    set(&s[5], "a_duration", TMON_DURATION);
    s[5].num = 1500;
    set(&s[6], "a_size", TMON_BYTES);
    s[6].num = 4096;
    set(&s[7], "a_choice", TMON_CHOICE);
    s[7].text = strdup("right");
    set(&s[8], "a_url", TMON_URL);
    s[8].set = false;
    set(&s[9], "a_list", TMON_LIST);
    s[9].count = 2;
    s[9].items = strings("one", "two");
    set(&s[10], "a_map", TMON_MAP);
    s[10].count = 2;
    s[10].items = strings("k1", "k2");
    s[10].values = strings("v1", "v2");
    set(&s[11], "some_groups", TMON_GROUPS);
    s[11].count = 1;
    s[11].groups = calloc(1, sizeof *s[11].groups);
    s[11].groups[0] = group;
    set(&group->settings[0], "name", TMON_STRING);
    group->settings[0].text = strdup("g");
    set(&group->settings[1], "weight", TMON_INT);
    group->settings[1].num = 9;
    return settings;
}

static void test_settings_of_every_type(void **state)
{
    struct rig rig;
    struct rig_done done;
    struct verdict *verdict;

    rig_create(&rig, "api_config", "api_config", all_settings());
    verdict = rig_check(&rig, &done);
    assert_string_equal(rig_text(verdict, "string"), "text");
    assert_float_equal(rig_number(verdict, "has_string"), 1, 0);
    assert_float_equal(rig_number(verdict, "has_url"), 0, 0);
    assert_float_equal(rig_number(verdict, "secret_length"), 4, 0);
    assert_float_equal(rig_number(verdict, "int"), -3, 0);
    assert_float_equal(rig_number(verdict, "float"), 0.25, 0);
    assert_float_equal(rig_number(verdict, "bool"), 1, 0);
    assert_float_equal(rig_number(verdict, "duration"), 1500, 0);
    assert_float_equal(rig_number(verdict, "size"), 4096, 0);
    assert_string_equal(rig_text(verdict, "choice"), "right");
    assert_string_equal(rig_text(verdict, "url"), "");
    assert_string_equal(rig_detail(verdict, "list")->items[1], "two");
    assert_string_equal(rig_detail(verdict, "map")->items[0], "k1=v1");
    assert_string_equal(rig_detail(verdict, "groups")->items[0], "g:9");
    verdict_destroy(verdict);
    rig_stop(&rig);
}

static void test_an_undeclared_setting_ends_the_worker(void **state)
{
    struct rig rig;
    int status;

    rig_load(&rig, &(struct rig_load){.fixture = "api_config"});
    rig_send_create(&rig, "api_config_undeclared", NULL);
    rig_expect(&rig, FRAME_LOG);
    assert_non_null(memmem(rig.data, rig.len, "never_declared", 14));
    status = rig_wait(&rig);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    rig_finish(&rig);
}

/* ---- HTTP */

static struct settings *url_settings(void)
{
    struct settings *settings = settings_create(1);

    set(&settings->settings[0], "url", TMON_URL);
    settings->settings[0].text = strdup("http://example.org/hook");
    return settings;
}

/* Answers with a body of `size` bytes. */
static void answer_http(struct rig *rig, size_t size)
{
    const struct tmon_pair header = {"server", "test"};
    char *body = malloc(size + 1);
    struct tmon_response response = {
        .size = sizeof response,
        .status = 201,
        .retry_after_ms = -1,
        .body = {body, size},
        .headers = &header,
        .nheaders = 1,
        .error = "",
    };
    struct buf buf;

    memset(body, 'b', size);
    buf_init(&buf, LIMIT_HTTP_CLIENT_BYTES);
    wire_put_u32(&buf, TMON_OK);
    assert_int_equal(exchange_encode_response(&buf, &response), 0);
    rig_send(rig, FRAME_HTTP_RESPONSE, rig->call, buf.data, buf.len);
    buf_finish(&buf);
    free(body);
}

static void http_with_body(size_t size)
{
    static const char json[] = "{\"text\":\"a \\\"quote\\\" and a\\nline\",\"bad\":\"?\"}";
    struct rig rig;
    struct rig_done done;
    struct tmon_request request;
    struct wire_reader reader;
    const struct verdict *verdict;

    rig_create(&rig, "api_http", "api_http", url_settings());
    rig_call(&rig, ABILITY_CHECK, "", 1000, NULL);
    rig_expect(&rig, FRAME_HTTP_REQUEST);
    wire_reader_init(&reader, rig.data, rig.len);
    assert_in_range(wire_get_u64(&reader), 1, 1000);
    assert_int_equal(exchange_decode_request(&reader, &request), 0);
    assert_true(wire_done(&reader));
    assert_string_equal(request.method, "POST");
    assert_string_equal(request.url, "http://example.org/hook");
    assert_string_equal((const char *)request.body.data, json);
    assert_string_equal(request.headers[0].value, "application/json");
    exchange_finish_request(&request);
    answer_http(&rig, size);
    rig_expect(&rig, FRAME_DONE); // the second request is refused where it stands
    rig_read_done(&rig, &done);
    verdict = rig.verdict;
    assert_float_equal(rig_number(verdict, "rc"), TMON_OK, 0);
    assert_float_equal(rig_number(verdict, "status"), 201, 0);
    assert_float_equal(rig_number(verdict, "length"), (double)size, 0);
    assert_string_equal(rig_text(verdict, "header"), "test");
    assert_float_equal(rig_number(verdict, "refused"), TMON_REJECTED, 0);
    assert_non_null(strstr(rig_text(verdict, "why"), "http://"));
    assert_string_equal(rig_text(verdict, "still"), rig_text(verdict, "body"));
    rig_stop(&rig);
}

static void test_http(void **state)
{
    http_with_body(0);
    http_with_body(11);
    http_with_body(1 << 20);
}

static void test_http_when_the_agent_stops(void **state)
{
    struct rig rig;
    struct rig_done done;

    rig_create(&rig, "api_http", "api_http", url_settings());
    rig_call(&rig, ABILITY_CHECK, "", 3600000, NULL);
    rig_expect(&rig, FRAME_HTTP_REQUEST);
    rig_send(&rig, FRAME_STOP, 0, NULL, 0);
    rig_wait_done(&rig, &done);
    assert_int_equal(rig_wait(&rig), 0);
    rig_finish(&rig);
}

static void test_a_wrong_answer_is_not_taken(void **state)
{
    struct rig rig;
    int status;

    rig_create(&rig, "api_http", "api_http", url_settings());
    rig_call(&rig, ABILITY_CHECK, "", 1000, NULL);
    rig_expect(&rig, FRAME_HTTP_REQUEST);
    rig_send(&rig, FRAME_REPLY, rig.call, NULL, 0);
    status = rig_wait(&rig);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 76);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instance_and_time),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_sigterm),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_settings_of_every_type),
        cmocka_unit_test(test_an_undeclared_setting_ends_the_worker),
        cmocka_unit_test(test_http),
        cmocka_unit_test(test_http_when_the_agent_stops),
        cmocka_unit_test(test_a_wrong_answer_is_not_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
