/* plugins/datadog: the events and checks that it posts, and what it makes of answers. */
#include "sink_kit.h"

#include "sink_check_more.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define SETTINGS "api_key: " KEY "\n"
#define EVENTS "https://api.datadoghq.com/api/v1/events"
#define CHECKS "https://api.datadoghq.com/api/v1/check_run"
#define DOT " \xc2\xb7 "

static struct mock_host *start(const char *component, const char *settings)
{
    struct mock_host *mock = mock_open(kit_plugin("datadog"), component, settings);

    assert_string_equal(mock_error(mock), "");
    assert_int_equal(mock_create(mock, 1000), TMON_OK);
    return mock;
}

static const char *tag(const json_t *object, size_t i)
{
    return json_string_value(json_array_get(json_object_get(object, "tags"), i));
}

static void an_event(void **state)
{
    static const char *const types[] = {"info", "warning", "error"};
    struct mock_host *mock = start("datadog", SETTINGS "tags: [env:prod]\n");
    struct sink_case *c = sink_case(1);
    const struct tmon_request *request;
    json_t *root;

    c->alerts[0].ack_url = "https://agent.example/ack?t=1";
    root = sink_format(mock, c, EVENTS, check_datadog_event);
    assert_string_equal(sink_text(root, "title"), "HighMemory: Memory at 93 %");
    assert_string_equal(sink_text(root, "text"),
                        "%%% \nMemory at 93 \\%\n\n[Acknowledge](https://agent.example/ack?t=1)" DOT
                        "[Source](http://prom.example/graph?g0.expr=up&g0.tab=1)" DOT
                        "[toiletmon](http://agent.example:9909)\n\nIt has been rising for an "
                        "hour.\n\nalertname = HighMemory\n\ninstance = web-1\n\nseverity = "
                        "critical\n %%%");
    assert_string_equal(sink_text(root, "aggregation_key"), "b807e636403824b5-1");
    assert_string_equal(sink_text(root, "host"), "web-1");
    assert_string_equal(sink_text(root, "priority"), "normal");
    assert_string_equal(tag(root, 0), "source:toiletmon");
    assert_string_equal(tag(root, 1), "env:prod");
    assert_string_equal(tag(root, 2), "alertname:highmemory");
    json_decref(root);
    assert_int_equal(mock_format(mock, &c->notification, &request), TMON_OK);
    assert_string_equal(request->headers[1].key, "DD-API-KEY");
    assert_string_equal(request->headers[1].value, KEY);
    for (int severity = 0; severity < 3; severity++) {
        c->alerts[0].severity = severity;
        root = sink_format(mock, c, EVENTS, check_datadog_event);
        assert_string_equal(sink_text(root, "alert_type"), types[severity]);
        json_decref(root);
    }
    sink_resolve(c, 0);
    root = sink_format(mock, c, EVENTS, check_datadog_event);
    assert_string_equal(sink_text(root, "alert_type"), "success");
    assert_string_equal(sink_text(root, "aggregation_key"), "b807e636403824b5-1");
    json_decref(root);
    free(c);
    kit_stop(mock);
}

static void a_check(void **state)
{
    static const int statuses[] = {0, 1, 2};
    struct mock_host *mock = start("datadog_check", SETTINGS "check: facility.alert\nhost: here\n");
    struct sink_case *c = sink_case(1);
    json_t *root;

    for (int severity = 0; severity < 3; severity++) {
        c->alerts[0].severity = severity;
        root = sink_format(mock, c, CHECKS, check_datadog_check);
        assert_int_equal(json_integer_value(json_object_get(json_array_get(root, 0), "status")),
                         statuses[severity]);
        assert_string_equal(sink_text(json_array_get(root, 0), "check"), "facility.alert");
        assert_string_equal(sink_text(json_array_get(root, 0), "host_name"), "web-1");
        json_decref(root);
    }
    sink_resolve(c, 0);
    c->alerts[0].nlabels = 1; // no instance
    root = sink_format(mock, c, CHECKS, check_datadog_check);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(root, 0), "status")), 0);
    assert_string_equal(sink_text(json_array_get(root, 0), "host_name"), "here");
    json_decref(root);
    free(c);
    kit_stop(mock);
}

static void labels_become_tags(void **state)
{
    static const struct {
        const char *key, *value, *tag; /* NULL: none */
    } cases[] = {
        {"Zone", "EU West-1", "zone:eu_west-1"},
        {"9lives", "x", "lives:x"},
        {"_", "x", NULL},
        {"\xc3\xa9t\xc3\xa9", "x", "t_:x"},
        {"path", "/a/b:c", "path:/a/b:c"},
        {"end", "a:", "end:a"},
        {"blank", " ", NULL},
        {"all_bad", "\xff\xff", "all_bad"},
        {"run", "a   b", "run:a_b"},
    };
    struct mock_host *mock = start("datadog", SETTINGS);
    struct sink_case *c = sink_case(1);
    char *text = sink_repeat("v", 300);
    struct tmon_pair label = {"long", text};
    json_t *root;

    c->alerts[0].labels = &label;
    c->alerts[0].nlabels = 1;
    root = sink_format(mock, c, EVENTS, check_datadog_event);
    assert_int_equal(strlen(tag(root, 1)), 200);
    json_decref(root);
    for (size_t i = 0; i < COUNT(cases); i++) {
        label = (struct tmon_pair){cases[i].key, cases[i].value};
        root = sink_format(mock, c, EVENTS, check_datadog_event);
        if (cases[i].tag == NULL) {
            assert_null(tag(root, 1));
        } else {
            assert_string_equal(tag(root, 1), cases[i].tag);
        }
        json_decref(root);
    }
    free(text);
    free(c);
    kit_stop(mock);
}

static void hostile_content_stays_within_the_limits(void **state)
{
    struct mock_host *mock = start("datadog", SETTINGS);

    sink_try_hostile(mock, check_datadog_event);
    kit_stop(mock);
    mock = start("datadog_check", SETTINGS);
    sink_try_hostile(mock, check_datadog_check);
    kit_stop(mock);
}

static void judges_answers(void **state)
{
    static const struct sink_verdict cases[] = {
        {202, "{\"status\":\"ok\"}", -1, TMON_OK, -1, NULL},
        {200, "<html>", -1, TMON_AMBIGUOUS, -1, "Datadog answered 200"},
        {400, "{}", 1000, TMON_REJECTED, -1, "Datadog answered 400: {}"},
        {403, "you sent " KEY, -1, TMON_REJECTED, -1, "Datadog answered 403: you sent ***"},
        {413, "", -1, TMON_REJECTED, -1, "Datadog answered 413"},
        {429, "", 5000, TMON_RETRY, 5000, "Datadog answered 429"},
        {500, "", -1, TMON_RETRY, -1, "Datadog answered 500"},
    };
    struct tmon_pair reset = {"x-ratelimit-reset", "17"};
    struct tmon_response limited = sink_answer(429, "", 5000);
    struct mock_host *mock = start("datadog", SETTINGS);

    sink_try_verdicts(mock, cases, COUNT(cases));
    limited.headers = &reset;
    limited.nheaders = 1;
    assert_int_equal(mock_judge(mock, &limited), TMON_RETRY);
    assert_int_equal(mock_retry_after(mock), 17000);
    kit_stop(mock);
}

static void wrong_settings_are_refused(void **state)
{
    static const struct {
        const char *settings, *said;
    } cases[] = {
        {"api_key: \"a key\"\n", "api_key: a key has neither"},
        {SETTINGS "site: https://datadoghq.eu\n", "https://api.datadoghq.eu"},
        {SETTINGS "site: https://app.datadoghq.com\n", "https://api.datadoghq.eu"},
        {SETTINGS "site: https://us3.datadoghq.com/\n", "https://api.datadoghq.eu"},
        {SETTINGS "site: https://api.datadoghq.eu/?a=b\n", "no query"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mock_host *mock = mock_open(kit_plugin("datadog"), "datadog", cases[i].settings);

        assert_string_equal(mock_error(mock), "");
        assert_int_equal(mock_create(mock, 1000), TMON_REJECTED);
        assert_true(mock_said(mock, cases[i].said));
        assert_false(mock_said(mock, "a key\""));
        mock_close(mock);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event),
        cmocka_unit_test(a_check),
        cmocka_unit_test(labels_become_tags),
        cmocka_unit_test(hostile_content_stays_within_the_limits),
        cmocka_unit_test(judges_answers),
        cmocka_unit_test(wrong_settings_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
