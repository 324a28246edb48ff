/* plugins/pagerduty: the events that it sends, and what it makes of answers. */
#include "sink_kit.h"

#define KEY "R0UT1NGK3Y0000000000000000000000"
#define SETTINGS "routing_key: " KEY "\n"
#define ELLIPSIS "\xe2\x80\xa6"

static json_t *format(struct mock_host *mock, const struct sink_case *c)
{
    return sink_format(mock, c, "https://events.pagerduty.com/v2/enqueue", check_pagerduty);
}

static const char *payload(const json_t *root, const char *key)
{
    return json_string_value(json_object_get(json_object_get(root, "payload"), key));
}

static const json_t *details(const json_t *root)
{
    return json_object_get(json_object_get(root, "payload"), "custom_details");
}

static const char *link_at(const json_t *root, size_t i, const char *key)
{
    return json_string_value(
        json_object_get(json_array_get(json_object_get(root, "links"), i), key));
}

static void a_firing_alert_triggers(void **state)
{
    static const struct tmon_pair annotations[] = {{"summary", "Memory at 93 %"},
                                                   {"runbook_url", "https://wiki.example/r?a&b"},
                                                   {"value", "93"}};
    struct mock_host *mock = kit_start("pagerduty", SETTINGS);
    struct sink_case *c = sink_case(1);
    json_t *root;

    c->alerts[0].annotations = annotations;
    c->alerts[0].nannotations = COUNT(annotations);
    c->alerts[0].ack_url = "https://agent.example/ack?t=1";
    root = format(mock, c);
    assert_string_equal(sink_text(root, "routing_key"), KEY);
    assert_string_equal(sink_text(root, "event_action"), "trigger");
    assert_string_equal(sink_text(root, "dedup_key"), "b807e636403824b5-1");
    assert_string_equal(sink_text(root, "client"), "toiletmon");
    assert_string_equal(sink_text(root, "client_url"), "http://agent.example:9909");
    assert_string_equal(payload(root, "summary"), "HighMemory: Memory at 93 %");
    assert_string_equal(payload(root, "source"), "web-1");
    assert_string_equal(payload(root, "severity"), "critical");
    assert_string_equal(payload(root, "class"), "HighMemory");
    assert_string_equal(payload(root, "timestamp"), "2026-11-23T17:01:49.719Z");
    assert_string_equal(sink_text(details(root), "description"), "It has been rising for an hour.");
    assert_string_equal(sink_text(json_object_get(details(root), "labels"), "instance"), "web-1");
    assert_string_equal(sink_text(json_object_get(details(root), "annotations"), "value"), "93");
    assert_null(sink_text(json_object_get(details(root), "annotations"), "summary"));
    assert_string_equal(link_at(root, 0, "href"), "https://agent.example/ack?t=1");
    assert_string_equal(link_at(root, 1, "href"), "https://wiki.example/r?a&b");
    assert_string_equal(link_at(root, 1, "text"), "Runbook");
    assert_string_equal(link_at(root, 2, "href"), "http://prom.example/graph?g0.expr=up&g0.tab=1");
    json_decref(root);
    free(c);
    kit_stop(mock);
}

static void its_end_resolves_with_the_same_key(void **state)
{
    struct mock_host *mock = kit_start("pagerduty", SETTINGS);
    struct sink_case *c = sink_case(1);
    json_t *root;

    sink_resolve(c, 0);
    c->notification.resolved = true;
    root = format(mock, c);
    assert_string_equal(sink_text(root, "event_action"), "resolve");
    assert_string_equal(sink_text(root, "dedup_key"), "b807e636403824b5-1");
    assert_int_equal(json_object_size(root), 3);
    json_decref(root);
    free(c);
    kit_stop(mock);
}

static void who_sees_to_it_acknowledges_with_the_same_key(void **state)
{
    struct mock_host *mock = kit_start("pagerduty", SETTINGS);
    struct sink_case *c = sink_case(1);
    json_t *root;

    c->alerts[0].acked_by = "";
    root = format(mock, c);
    assert_string_equal(sink_text(root, "event_action"), "acknowledge");
    assert_string_equal(sink_text(root, "dedup_key"), "b807e636403824b5-1");
    assert_int_equal(json_object_size(root), 3);
    json_decref(root);
    free(c);
    kit_stop(mock);
}

static void severities_are_pagerdutys(void **state)
{
    static const struct {
        tmon_severity severity;
        const char *label, *word;
    } cases[] = {
        {TMON_SEVERITY_CRITICAL, "page", "critical"},
        {TMON_SEVERITY_CRITICAL, "error", "error"},
        {TMON_SEVERITY_WARNING, "", "warning"},
        {TMON_SEVERITY_WARNING, "Error", "warning"},
        {TMON_SEVERITY_INFO, "none", "info"},
        {-1, "none", "info"},
        {99, "none", "critical"},
    };
    struct mock_host *mock = kit_start("pagerduty", SETTINGS);
    struct sink_case *c = sink_case(1);

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct tmon_pair label = {"severity", cases[i].label};
        json_t *root;

        c->alerts[0].severity = cases[i].severity;
        c->alerts[0].labels = &label;
        c->alerts[0].nlabels = 1;
        root = format(mock, c);
        assert_string_equal(payload(root, "severity"), cases[i].word);
        assert_string_equal(payload(root, "source"), "toiletmon"); // nothing says where
        json_decref(root);
    }
    free(c);
    kit_stop(mock);
}

static void summaries_are_cut_between_characters(void **state)
{
    static const char *const characters[] = {"x", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x9a\xbd"};
    struct mock_host *mock = kit_start("pagerduty", SETTINGS);
    struct sink_case *c = sink_case(1);

    c->alerts[0].name = "";
    for (size_t i = 0; i < COUNT(characters); i++) {
        const unsigned units = strlen(characters[i]) == 4 ? 2 : 1;

        for (size_t n = 1020 / units; n < 1030 / units; n++) {
            const bool fits = n * units <= 1024;
            char *summary = sink_repeat(characters[i], n);
            char *expected = sink_repeat(characters[i], fits ? n : 1023 / units);
            json_t *root;

            c->alerts[0].summary = summary;
            root = format(mock, c);
            assert_memory_equal(payload(root, "summary"), expected, strlen(expected));
            assert_string_equal(payload(root, "summary") + strlen(expected), fits ? "" : ELLIPSIS);
            json_decref(root);
            free(expected);
            free(summary);
        }
    }
    free(c);
    kit_stop(mock);
}

static void details_that_are_too_large_are_cut_then_left_out(void **state)
{
    static const size_t lengths[] = {30000, 200000};
    struct mock_host *mock = kit_start("pagerduty", SETTINGS);
    struct sink_case *c = sink_case(1);
    struct tmon_pair *pairs = calloc(20000, sizeof *pairs);
    json_t *root;

    for (size_t i = 0; i < 20000; i++) {
        char *key = malloc(16);

        (void)snprintf(key, 16, "key_%zu", i);
        pairs[i].key = key;
    }
    for (size_t k = 0; k < COUNT(lengths); k++) { // 2,048 characters of each fit
        char *text = sink_repeat("\xe2\x82\xac", lengths[k]);

        for (size_t i = 0; i < 64; i++) {
            pairs[i].value = text;
        }
        c->alerts[0].annotations = pairs;
        c->alerts[0].nannotations = 64;
        root = format(mock, c);
        assert_int_equal(json_object_size(json_object_get(details(root), "annotations")), 64);
        assert_null(sink_text(details(root), "note"));
        json_decref(root);
        free(text);
    }
    for (size_t i = 0; i < 20000; i++) {
        pairs[i].value = "a text that alone is short enough for any event";
    }
    c->alerts[0].nannotations = 20000;
    root = format(mock, c);
    assert_non_null(strstr(sink_text(details(root), "note"), "too large"));
    assert_string_equal(payload(root, "summary"), "HighMemory: Memory at 93 %");
    json_decref(root);
    for (size_t i = 0; i < 20000; i++) {
        free((char *)(uintptr_t)pairs[i].key);
    }
    free(pairs);
    free(c);
    kit_stop(mock);
}

static void only_the_web_is_linked(void **state)
{
    static const char *const urls[] = {"",
                                       "javascript:alert(1)",
                                       "http://",
                                       "https:///x",
                                       "ftp://x/",
                                       "//x",
                                       "https://x/a b",
                                       "https://x\"",
                                       "https://x/\xe2\x80\xae"};
    struct mock_host *mock = kit_start("pagerduty", SETTINGS);
    struct sink_case *c = sink_case(1);

    for (size_t i = 0; i < COUNT(urls); i++) {
        json_t *root;

        c->alerts[0].generator_url = c->notification.external_url = urls[i];
        root = format(mock, c);
        assert_null(json_object_get(root, "links"));
        assert_null(json_object_get(root, "client_url"));
        json_decref(root);
    }
    free(c);
    kit_stop(mock);
}

static void a_message_is_an_incident_of_its_own(void **state)
{
    struct mock_host *mock = kit_start("pagerduty", SETTINGS);
    struct sink_case *c = sink_case(0);
    json_t *root = format(mock, c);

    assert_string_equal(sink_text(root, "dedup_key"), "n-1");
    assert_string_equal(sink_text(root, "event_action"), "trigger");
    assert_string_equal(payload(root, "summary"), "HighMemory on web-1");
    assert_string_equal(payload(root, "severity"), "warning");
    assert_string_equal(sink_text(details(root), "text"), "Memory at 93 %");
    json_decref(root);
    free(c);
    kit_stop(mock);
}

static void hostile_content_stays_within_the_limits(void **state)
{
    struct mock_host *mock = kit_start("pagerduty", SETTINGS);

    sink_try_hostile(mock, check_pagerduty);
    kit_stop(mock);
}

static void judges_answers(void **state)
{
    static const struct sink_verdict cases[] = {
        {202, "{\"status\":\"success\"}", -1, TMON_OK, -1, NULL},
        {200, "<html>log in</html>", -1, TMON_AMBIGUOUS, -1, "PagerDuty answered 200"},
        {400, "{\"status\":\"invalid event\"}", 5, TMON_REJECTED, -1,
         "PagerDuty answered 400: {\"status\":\"invalid event\"}"},
        {400, "no such key: " KEY, -1, TMON_REJECTED, -1,
         "PagerDuty answered 400: no such key: ***"},
        {403, "", -1, TMON_REJECTED, -1, "PagerDuty answered 403"},
        {429, "{\"status\":\"throttle exceeded\"}", -1, TMON_RETRY, 120000,
         "PagerDuty answered 429: {\"status\":\"throttle exceeded\"}"},
        {429, "", 3000, TMON_RETRY, 3000, "PagerDuty answered 429"},
        {500, "", -1, TMON_RETRY, -1, "PagerDuty answered 500"},
        {502, "", 1000, TMON_RETRY, 1000, "PagerDuty answered 502"},
    };
    struct mock_host *mock = kit_start("pagerduty", SETTINGS);

    sink_try_verdicts(mock, cases, COUNT(cases));
    kit_stop(mock);
}

static void keys_that_are_none_are_refused_without_showing_them(void **state)
{
    static const char *const keys[] = {"s3cr3t", KEY "0", "R0UT1NGK3Y00000000-0000000000000"};

    for (size_t i = 0; i < COUNT(keys); i++) {
        char settings[128];
        struct mock_host *mock;

        (void)snprintf(settings, sizeof settings, "routing_key: %s\n", keys[i]);
        mock = mock_open(kit_plugin("pagerduty"), "pagerduty", settings);
        assert_int_equal(mock_create(mock, 1000), TMON_REJECTED);
        assert_true(mock_said(mock, "32 letters and digits"));
        assert_false(mock_said(mock, keys[i]));
        mock_close(mock);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_firing_alert_triggers),
        cmocka_unit_test(its_end_resolves_with_the_same_key),
        cmocka_unit_test(who_sees_to_it_acknowledges_with_the_same_key),
        cmocka_unit_test(severities_are_pagerdutys),
        cmocka_unit_test(summaries_are_cut_between_characters),
        cmocka_unit_test(details_that_are_too_large_are_cut_then_left_out),
        cmocka_unit_test(only_the_web_is_linked),
        cmocka_unit_test(a_message_is_an_incident_of_its_own),
        cmocka_unit_test(hostile_content_stays_within_the_limits),
        cmocka_unit_test(judges_answers),
        cmocka_unit_test(keys_that_are_none_are_refused_without_showing_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
