/* plugins/opsgenie: the alerts that it opens and closes, and what it makes of answers. */
#include "sink_kit.h"

#define KEY "eb243592-faa2-4ba2-a551q-1afdf565c889"
#define SETTINGS "api_key: " KEY "\n"
#define CREATE "https://api.opsgenie.com/v2/alerts"

static json_t *format(struct mock_host *mock, const struct sink_case *c)
{
    return sink_format(mock, c, CREATE, check_opsgenie);
}

static const char *detail(const json_t *root, const char *key)
{
    return sink_text(json_object_get(root, "details"), key);
}

static void a_firing_alert_is_opened(void **state)
{
    struct mock_host *mock =
        kit_start("opsgenie", SETTINGS "teams: [ops, \"db \\\" team\"]\ntags: [prod, web]\n");
    struct sink_case *c = sink_case(1);
    const struct tmon_request *request;
    const json_t *teams;
    json_t *root;

    c->alerts[0].ack_url = "https://agent.example/ack?t=1";
    root = format(mock, c);
    assert_string_equal(sink_text(root, "message"), "HighMemory: Memory at 93 %");
    assert_string_equal(sink_text(root, "alias"), "b807e636403824b5-1");
    assert_string_equal(sink_text(root, "description"),
                        "Memory at 93 %\n\nIt has been rising for an hour.");
    assert_string_equal(sink_text(root, "entity"), "web-1");
    assert_string_equal(sink_text(root, "source"), "toiletmon");
    assert_string_equal(sink_text(root, "priority"), "P1");
    assert_string_equal(detail(root, "instance"), "web-1");
    assert_string_equal(detail(root, "severity"), "critical");
    assert_string_equal(detail(root, "told by"), "http://agent.example:9909");
    assert_string_equal(detail(root, "fires since"), "2026-11-23 17:01:49 UTC");
    assert_string_equal(detail(root, "acknowledge in toiletmon"), "https://agent.example/ack?t=1");
    teams = json_object_get(root, "responders");
    assert_int_equal(json_array_size(teams), 2);
    assert_string_equal(sink_text(json_array_get(teams, 0), "type"), "team");
    assert_string_equal(sink_text(json_array_get(teams, 1), "name"), "db \" team");
    assert_int_equal(json_array_size(json_object_get(root, "tags")), 2);
    json_decref(root);
    assert_int_equal(mock_format(mock, &c->notification, &request), TMON_OK);
    assert_string_equal(request->headers[1].key, "Authorization");
    assert_string_equal(request->headers[1].value, "GenieKey " KEY);
    free(c);
    kit_stop(mock);
}

static void its_end_is_closed_by_alias(void **state)
{
    static const struct {
        const char *base, *key, *url;
    } cases[] = {
        {"https://api.opsgenie.com", "b8-1",
         "https://api.opsgenie.com/v2/alerts/b8-1/close?identifierType=alias"},
        {"https://api.eu.opsgenie.com/", "b8-1",
         "https://api.eu.opsgenie.com/v2/alerts/b8-1/close?identifierType=alias"},
        {"http://proxy.example/ops//", "../a/?b#\xc3\xa9%",
         "http://proxy.example/ops/v2/alerts/..%2Fa%2F%3Fb%23%C3%A9%25/close?identifierType=alias"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct tmon_request *request;
        struct sink_case *c = sink_case(1);
        struct mock_host *mock;
        char settings[256];
        json_t *root;

        (void)snprintf(settings, sizeof settings, SETTINGS "api_url: %s\n", cases[i].base);
        mock = kit_start("opsgenie", settings);
        sink_resolve(c, 0);
        c->alerts[0].key = cases[i].key;
        assert_int_equal(mock_format(mock, &c->notification, &request), TMON_OK);
        assert_string_equal(request->method, "POST");
        assert_string_equal(request->url, cases[i].url);
        root = json_loadb(request->body.data, request->body.len, 0, NULL);
        assert_string_equal(sink_text(root, "source"), "toiletmon");
        assert_string_equal(sink_text(root, "note"), "It ended at 2026-11-23 17:02:49 UTC.");
        json_decref(root);
        free(c);
        kit_stop(mock);
    }
}

static void who_sees_to_it_acknowledges_by_alias(void **state)
{
    static const char *const names[] = {"", "ada"};
    struct mock_host *mock = kit_start("opsgenie", SETTINGS);
    struct sink_case *c = sink_case(1);

    for (size_t i = 0; i < COUNT(names); i++) {
        const struct tmon_request *request;
        json_t *root;

        c->alerts[0].acked_by = names[i];
        assert_int_equal(mock_format(mock, &c->notification, &request), TMON_OK);
        assert_string_equal(request->url,
                            CREATE "/b807e636403824b5-1/acknowledge?identifierType=alias");
        root = json_loadb(request->body.data, request->body.len, 0, NULL);
        assert_string_equal(sink_text(root, "source"), "toiletmon");
        if (*names[i]) {
            assert_string_equal(sink_text(root, "user"), names[i]);
        } else {
            assert_null(sink_text(root, "user"));
        }
        json_decref(root);
    }
    free(c);
    kit_stop(mock);
}

static void a_long_key_is_the_same_alias_in_both(void **state)
{
    struct mock_host *mock = kit_start("opsgenie", SETTINGS);
    struct sink_case *c = sink_case(1);
    const struct tmon_request *request;
    char *key = sink_repeat("\xc3\xa9", 400);
    char *escaped = sink_repeat("%C3%A9", 254); // 512 bytes have room for these and the dots
    json_t *root;

    c->alerts[0].key = key;
    root = format(mock, c);
    assert_int_equal(strlen(sink_text(root, "alias")), 511);
    json_decref(root);
    sink_resolve(c, 0);
    assert_int_equal(mock_format(mock, &c->notification, &request), TMON_OK);
    assert_memory_equal(request->url + strlen(CREATE "/"), escaped, strlen(escaped));
    assert_string_equal(request->url + strlen(CREATE "/") + strlen(escaped),
                        ".../close?identifierType=alias");
    free(escaped);
    free(key);
    free(c);
    kit_stop(mock);
}

static void priorities_say_how_bad_it_is(void **state)
{
    static const char *const priorities[] = {"P5", "P3", "P1"};
    struct mock_host *mock = kit_start("opsgenie", SETTINGS);
    struct sink_case *c = sink_case(1);
    json_t *root;

    for (int i = TMON_SEVERITY_INFO; i <= TMON_SEVERITY_CRITICAL; i++) {
        c->alerts[0].severity = i;
        root = format(mock, c);
        assert_string_equal(sink_text(root, "priority"), priorities[i]);
        json_decref(root);
    }
    c->notification.nalerts = 0; // a message
    root = format(mock, c);
    assert_string_equal(sink_text(root, "priority"), "P3");
    assert_string_equal(sink_text(root, "alias"), "n-1");
    assert_string_equal(sink_text(root, "message"), "HighMemory on web-1");
    assert_string_equal(sink_text(root, "description"), "Memory at 93 %");
    json_decref(root);
    free(c);
    kit_stop(mock);
}

static void details_are_bounded_together(void **state)
{
    struct mock_host *mock = kit_start("opsgenie", SETTINGS);
    struct sink_case *c = sink_case(1);
    char *text = sink_repeat("\xf0\x9f\x9a\xbd", 2000);
    struct tmon_pair pairs[64];
    char keys[64][16];
    json_t *root;

    for (size_t i = 0; i < 64; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "key_%02zu", i);
        pairs[i] = (struct tmon_pair){keys[i], text};
    }
    c->alerts[0].labels = pairs;
    c->alerts[0].nlabels = 64;
    root = format(mock, c); // the checker counts
    assert_non_null(detail(root, "key_00"));
    assert_null(detail(root, "key_63"));
    json_decref(root);
    free(text);
    free(c);
    kit_stop(mock);
}

static void hostile_content_stays_within_the_limits(void **state)
{
    struct mock_host *mock = kit_start("opsgenie", SETTINGS);

    sink_try_hostile(mock, check_opsgenie);
    kit_stop(mock);
}

static void judges_answers(void **state)
{
    static const struct sink_verdict cases[] = {
        {202, "{\"result\":\"Request will be processed\"}", -1, TMON_OK, -1, NULL},
        {200, "<html>log in</html>", -1, TMON_AMBIGUOUS, -1, "Opsgenie answered 200"},
        {401, "GenieKey " KEY " is not valid", -1, TMON_REJECTED, -1,
         "Opsgenie answered 401: GenieKey *** is not valid"},
        {402, "", -1, TMON_REJECTED, -1, "Opsgenie answered 402"},
        {422, "message is too long", -1, TMON_REJECTED, -1,
         "Opsgenie answered 422: message is too long"},
        {429, "", -1, TMON_RETRY, -1, "Opsgenie answered 429"},
        {429, "", 3000, TMON_RETRY, 3000, "Opsgenie answered 429"},
        {503, "", -1, TMON_RETRY, -1, "Opsgenie answered 503"},
    };
    static const struct {
        const char *seconds;
        int64_t retry;
    } periods[] = {{"60", 60000}, {"0.5", 1000}, {"1.0", 2000}, {"", -1},
                   {"soon", -1},  {"-5", -1},    {"5s", -1},    {"99999999999999999999", 86400000}};
    struct mock_host *mock = kit_start("opsgenie", SETTINGS);

    sink_try_verdicts(mock, cases, COUNT(cases));
    for (size_t i = 0; i < COUNT(periods); i++) {
        const struct tmon_pair headers[] = {{"x-ratelimit-state", "THROTTLED"},
                                            {"x-ratelimit-period-in-sec", periods[i].seconds}};
        struct tmon_response response = sink_answer(429, "", -1);

        response.headers = headers;
        response.nheaders = COUNT(headers);
        assert_int_equal(mock_judge(mock, &response), TMON_RETRY);
        assert_int_equal(mock_retry_after(mock), periods[i].retry);
    }
    kit_stop(mock);
}

static void settings_that_cannot_be_are_refused(void **state)
{
    static const struct {
        const char *settings, *said;
    } cases[] = {
        {"api_key: \"a b\"\n", "api_key: a key has neither blanks"},
        {"api_key: k\napi_url: https://x.example/?a=1\n", "api_url: there is no query"},
        {"api_key: k\ntags: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21]\n",
         "tags: Opsgenie takes 20"},
        {"api_key: k\ntags: [a, \" \"]\n", "tags: one is empty"},
        {"api_key: k\nteams: [\"\"]\n", "teams: one has no name"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mock_host *mock = mock_open(kit_plugin("opsgenie"), "opsgenie", cases[i].settings);

        assert_string_equal(mock_error(mock), "");
        assert_int_equal(mock_create(mock, 1000), TMON_REJECTED);
        assert_true(mock_said(mock, cases[i].said));
        mock_close(mock);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_firing_alert_is_opened),
        cmocka_unit_test(its_end_is_closed_by_alias),
        cmocka_unit_test(who_sees_to_it_acknowledges_by_alias),
        cmocka_unit_test(a_long_key_is_the_same_alias_in_both),
        cmocka_unit_test(priorities_say_how_bad_it_is),
        cmocka_unit_test(details_are_bounded_together),
        cmocka_unit_test(hostile_content_stays_within_the_limits),
        cmocka_unit_test(judges_answers),
        cmocka_unit_test(settings_that_cannot_be_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
