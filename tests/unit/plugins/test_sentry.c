/* plugins/sentry: the events that it sends, and what it makes of answers. */
#include "sink_kit.h"

#include "sink_check_more.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define SETTINGS "dsn: https://" KEY "@sentry.example/42\nenvironment: prod\n"
#define URL "https://sentry.example/api/42/envelope/"

static json_t *format(struct mock_host *mock, const struct sink_case *c)
{
    const struct tmon_request *request;
    const char *why;
    json_t *event;

    assert_int_equal(mock_format(mock, &c->notification, &request), TMON_OK);
    assert_string_equal(request->url, URL);
    assert_string_equal(request->headers[0].value, "application/x-sentry-envelope");
    assert_string_equal(request->headers[1].key, "X-Sentry-Auth");
    why = check_sentry(request->body.data, request->body.len, &event);
    if (why != NULL) {
        fail_msg("%s: %.*s", why, (int)request->body.len, (const char *)request->body.data);
    }
    return event;
}

static void an_alert(void **state)
{
    static const struct tmon_pair annotations[] = {
        {"summary", "s"}, {"team", "ops"}, {"a b", "c"}, {"team", "db"}};
    struct mock_host *mock = kit_start("sentry", SETTINGS);
    struct sink_case *c = sink_case(1);
    json_t *event, *again;

    c->alerts[0].annotations = annotations;
    c->alerts[0].nannotations = COUNT(annotations);
    c->alerts[0].ack_url = "https://agent.example/ack?t=1";
    event = format(mock, c);
    assert_string_equal(sink_text(event, "message"), "HighMemory: Memory at 93 %");
    assert_string_equal(sink_text(event, "level"), "fatal");
    assert_string_equal(sink_text(event, "timestamp"), "2026-11-23T17:01:49.719Z");
    assert_string_equal(sink_text(event, "environment"), "prod");
    assert_string_equal(sink_text(event, "server_name"), "web-1");
    assert_string_equal(sink_text(json_object_get(event, "extra"), "team"), "db"); // the later one
    assert_null(sink_text(json_object_get(event, "extra"), "a b"));
    assert_string_equal(sink_text(json_object_get(event, "extra"), "acknowledge it"),
                        "https://agent.example/ack?t=1");
    // the same notification has the same id, another one has another
    again = format(mock, c);
    assert_string_equal(sink_text(again, "event_id"), sink_text(event, "event_id"));
    json_decref(again);
    c->notification.id = "n-2";
    sink_resolve(c, 0);
    again = format(mock, c);
    assert_string_not_equal(sink_text(again, "event_id"), sink_text(event, "event_id"));
    assert_string_equal(sink_text(again, "message"), "Resolved: HighMemory: Memory at 93 %");
    assert_string_equal(sink_text(again, "level"), "info");
    assert_true(
        json_equal(json_object_get(again, "fingerprint"), json_object_get(event, "fingerprint")));
    json_decref(again);
    json_decref(event);
    free(c);
    kit_stop(mock);
}

static void a_dsn_is_taken_apart(void **state)
{
    static const struct {
        const char *dsn, *url, *authorization; /* NULL: what is said */
    } cases[] = {
        {"https://k@h.example/42", "https://h.example/api/42/envelope/", "sentry_key=k"},
        {"http://k:s3@h.example:9000/p/q/7", "http://h.example:9000/p/q/api/7/envelope/",
         "sentry_key=k, sentry_secret=s3"},
        {"https://k@[::1]:9000/42/", "https://[::1]:9000/api/42/envelope/", "sentry_key=k"},
        {"https://k:@h.example/x-1_y", "https://h.example/api/x-1_y/envelope/", "sentry_key=k"},
        {"https://h.example/42", "there is no key in it", NULL},
        {"https://@h.example/42", "its key is not", NULL},
        {"https://k%20k@h.example/42", "its key is not", NULL},
        {"https://k:a,b@h.example/42", "its key is not", NULL},
        {"https://k@h.example", "there is no project", NULL},
        {"https://k@h.example/", "there is no project", NULL},
        {"https://k@h.example/42?a=b", "there is no project", NULL},
        {"https://k@h.example/a%2f", "there is no project", NULL},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sink_case *c = sink_case(1);
        const struct tmon_request *request;
        struct mock_host *mock;
        char settings[256];

        (void)snprintf(settings, sizeof settings, "dsn: \"%s\"\n", cases[i].dsn);
        mock = mock_open(kit_plugin("sentry"), "sentry", settings);
        assert_string_equal(mock_error(mock), "");
        if (cases[i].authorization == NULL) {
            assert_int_equal(mock_create(mock, 1000), TMON_REJECTED);
            assert_true(mock_said(mock, cases[i].url));
            assert_false(mock_said(mock, "h.example"));
        } else {
            char expected[256];

            assert_int_equal(mock_create(mock, 1000), TMON_OK);
            assert_int_equal(mock_format(mock, &c->notification, &request), TMON_OK);
            assert_string_equal(request->url, cases[i].url);
            (void)snprintf(expected, sizeof expected,
                           "Sentry sentry_version=7, sentry_client=toiletmon/0.1.0, %s",
                           cases[i].authorization);
            assert_string_equal(request->headers[1].value, expected);
        }
        free(c);
        mock_close(mock);
    }
}

static void hostile_content_stays_within_the_limits(void **state)
{
    struct mock_host *mock = kit_start("sentry", SETTINGS);

    sink_try_hostile(mock, check_sentry);
    kit_stop(mock);
}

static void judges_answers(void **state)
{
    static const struct sink_verdict cases[] = {
        {200, "{\"id\":\"1\"}", -1, TMON_OK, -1, NULL},
        {200, "<html>", -1, TMON_AMBIGUOUS, -1, "Sentry answered 200"},
        {401, "sentry_key=" KEY, -1, TMON_REJECTED, -1, "Sentry answered 401: sentry_key=***"},
        {413, "", 1000, TMON_REJECTED, -1, "Sentry answered 413"},
        {429, "", -1, TMON_RETRY, 60000, "Sentry answered 429"},
        {429, "", 30000, TMON_RETRY, 30000, "Sentry answered 429"},
        {503, "", -1, TMON_RETRY, -1, "Sentry answered 503"},
    };
    struct mock_host *mock = kit_start("sentry", SETTINGS);

    sink_try_verdicts(mock, cases, COUNT(cases));
    kit_stop(mock);
}

static void obeys_limits_of_its_category(void **state)
{
    static const struct {
        const char *limits;
        int64_t ms; /* after a 200; after a 429 it is a minute where this is -1 */
    } cases[] = {
        {"60:error:organization:quota, 2700:transaction;profile:key", 60000},
        {"2700:transaction;profile:key", -1},
        {"2700:errors;terror:key", -1},
        {"10::organization", 10000},
        {"10:default;error:key,90:error", 90000},
        {" 10:error:a ,\t90::b", 90000},
        {"0:error:key", 0},
        {"-5:error:key", -1},
        {"1e3:error:key", -1},
        {"99999999999999999999999:error:key", 86400000},
        {"2:", 2000},
        {"2", -1},
        {",,:::;;,error,:error:", -1},
        {"", -1},
    };
    struct mock_host *mock = kit_start("sentry", SETTINGS);

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct tmon_pair header = {"x-sentry-rate-limits", cases[i].limits};
        struct tmon_response response = sink_answer(200, "{}", -1);

        response.headers = &header;
        response.nheaders = 1;
        assert_int_equal(mock_judge(mock, &response), TMON_OK);
        assert_int_equal(mock_retry_after(mock), cases[i].ms > 0 ? cases[i].ms : -1);
        response.status = 429;
        assert_int_equal(mock_judge(mock, &response), TMON_RETRY);
        assert_int_equal(mock_retry_after(mock), cases[i].ms >= 0 ? cases[i].ms : 60000);
    }
    kit_stop(mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alert),
        cmocka_unit_test(a_dsn_is_taken_apart),
        cmocka_unit_test(hostile_content_stays_within_the_limits),
        cmocka_unit_test(judges_answers),
        cmocka_unit_test(obeys_limits_of_its_category),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
