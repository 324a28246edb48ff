/* plugins/webhook with a body of the operator's: what templates make, and which are refused. */
#include "sink_kit.h"

#define URL "url: http://hooks.example:8080/in\n"

static struct mock_host *start(const char *more, const char *body)
{
    static char settings[8192];

    (void)snprintf(settings, sizeof settings, URL "%sbody: '%s'\n", more, body);
    return kit_start("webhook", settings);
}

/* The body that is made of it; valid until the next call. */
static const char *made(struct mock_host *mock, const struct sink_case *c)
{
    static char text[1 << 20];
    const struct tmon_request *request;

    assert_int_equal(mock_format(mock, &c->notification, &request), TMON_OK);
    assert_true(request->body.len < sizeof text);
    memcpy(text, request->body.data, request->body.len);
    text[request->body.len] = '\0';
    return text;
}

static void makes(const struct sink_case *c, const char *body, const char *expected)
{
    struct mock_host *mock = start("headers: {Content-Type: text/plain}\n", body);

    assert_string_equal(made(mock, c), expected);
    kit_stop(mock);
}

static void the_names_are_alertmanagers(void **state)
{
    struct sink_case *c = sink_case(2);

    sink_resolve(c, 1);
    c->notification.ntruncated = 3;
    c->alerts[0].ack_url = "https://agent.example/ack?t=1";
    makes(c, "{{receiver}} {{status}} {{version}} {{truncatedAlerts}} {{externalURL}} {{groupKey}}",
          "hook firing 4 3 http://agent.example:9909 "
          "{}/{severity=\"critical\"}:{alertname=\"HighMemory\"}");
    makes(c, "{{groupLabels.alertname}} {{commonLabels.instance}} {{commonAnnotations.summary}}",
          "HighMemory web-1 Memory at 93 %");
    makes(c,
          "{{#alerts}}{{status}} {{labels.instance}} {{annotations.summary}} {{startsAt}} "
          "{{endsAt}} {{fingerprint}};{{/alerts}}",
          "firing web-1 Memory at 93 % 2026-11-23T17:01:49.719Z 0001-01-01T00:00:00Z "
          "b807e636403824b5;resolved web-1 Memory at 93 % 2026-11-23T17:01:49.719Z "
          "2026-11-23T17:02:49.719Z b807e636403824b5;");
    makes(c,
          "{{title}}|{{text}}|{{id}}|{{attempt}}|{{numFiring}}|{{numResolved}}|{{#firing}}yes"
          "{{/firing}}",
          "HighMemory on web-1|Memory at 93 %|n-1|1|1|1|yes");
    makes(c,
          "{{#alerts}}{{name}}, {{severity}}, {{summary}}, {{description}}, {{key}}, "
          "{{^firing}}over{{/firing}}{{#ackURL}}{{ackURL}}{{/ackURL}}{{^last}} and {{/last}}"
          "{{/alerts}}",
          "HighMemory, critical, Memory at 93 %, It has been rising for an hour., "
          "b807e636403824b5-1, https://agent.example/ack?t=1 and HighMemory, critical, "
          "Memory at 93 %, It has been rising for an hour., b807e636403824b5-1, over");
    makes(c,
          "{{#groupLabelList}}{{name}}={{value}}{{^last}},{{/last}}{{/groupLabelList}} "
          "{{#alerts}}{{#labelList}}{{name}}={{value}}{{^last}},{{/last}}{{/labelList}};"
          "{{/alerts}}",
          "alertname=HighMemory alertname=HighMemory,instance=web-1,severity=critical;"
          "alertname=HighMemory,instance=web-1,severity=critical;");
    free(c);
}

static void json_is_escaped_whatever_an_alert_says(void **state)
{
    struct mock_host *mock =
        start("", "{\"text\": \"{{title}}\", \"all\": [{{#alerts}}{\"{{name}}\": \"{{summary}} "
                  "{{labels.instance}}\"}{{^last}}, {{/last}}{{/alerts}}]}");
    struct sink_case *c = sink_case(3);

    for (size_t i = 0; i < COUNT(sink_hostile); i++) {
        json_t *root;

        c->notification.title = sink_hostile[i];
        for (size_t k = 0; k < 3; k++) {
            c->alerts[k].name = c->alerts[k].summary = sink_hostile[i];
        }
        root = json_loads(made(mock, c), 0, NULL);
        assert_non_null(root);
        assert_int_equal(json_array_size(json_object_get(root, "all")), 3);
        json_decref(root);
    }
    c->notification.title = "a \"b\" \\ c\nd";
    c->notification.nalerts = 0;
    assert_string_equal(made(mock, c), "{\"text\": \"a \\\"b\\\" \\\\ c\\u000ad\", \"all\": []}");
    free(c);
    kit_stop(mock);
}

static void the_type_says_how_it_is_escaped(void **state)
{
    static const struct {
        const char *type, *made;
    } cases[] = {
        {"text/plain", "<a> & \"b\""},
        {"text/html; charset=utf-8", "&lt;a&gt; &amp; &quot;b&quot;"},
        {"application/xml", "&lt;a&gt; &amp; &quot;b&quot;"},
    };
    struct sink_case *c = sink_case(1);

    c->notification.title = "<a> & \"b\"";
    for (size_t i = 0; i < COUNT(cases); i++) {
        char headers[128];
        struct mock_host *mock;

        (void)snprintf(headers, sizeof headers, "headers: {content-type: \"%s\"}\n", cases[i].type);
        mock = start(headers, "{{title}}");
        assert_string_equal(made(mock, c), cases[i].made);
        kit_stop(mock);
    }
    free(c);
}

static void what_makes_no_json_is_refused_at_the_start(void **state)
{
    static const struct {
        const char *headers, *body, *said;
    } cases[] = {
        {"", "{\"text\": \"{{{title}}}\"}", "it makes no JSON"},
        {"", "{\"text\": {{title}}}", "it makes no JSON"},
        {"", "[{{#alerts}}\"{{name}}\",{{/alerts}}]", "of 1 alerts"},
        {"", "[{{#alerts}}\"{{name}}\"{{/alerts}}]", "of 2 alerts"},
        {"", "{{#alerts}}{{#last}}1{{/last}}{{/alerts}}", "of 0 alerts"},
        {"headers: {Content-Type: application/cloudevents+json}\n", "text", "it makes no JSON"},
        {"headers: {Content-Type: application/x-www-form-urlencoded}\n", "a={{title}}", "a form"},
        {"", "{{#alerts}}", "body: 1:"},
        {"", "\"{{title\"", "body: 1:"},
        {"", "{\"a\": \"{{titel}}\"}",
         "body: 1:10: there is no 'titel' here; did you mean 'title'?"},
        {"", "{\"a\": \"{{summary}}\"}", "body: 1:10: 'summary' is a name in 'alerts'"},
        {"", "{\"a\": \"{{#alerts}}{{lables.a}}{{/alerts}}\"}", "did you mean 'labels'?"},
        {"", "{\"a\": \"{{title.b}}\"}", "body: 1:10: this is a text"},
        {"", "{\"a\": \"{{#nothing}}{{/nothing}}\"}", "body: 1:11: there is no 'nothing'"},
        {"", "{\"a\": \"{{^nothing}}{{/nothing}}\"}", "body: 1:11: there is no 'nothing'"},
        {"", "{\"a\": \"{{#commonLabels.a}}{{.}}{{titel}}{{/commonLabels.a}}\"}",
         "there is no 'titel'"},
        {"", "{\"a\": \"{{>head}}\"}", "body: 1:11: {{> }} puts in another template"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char settings[1024];
        struct mock_host *mock;

        (void)snprintf(settings, sizeof settings, URL "%sbody: '%s'\n", cases[i].headers,
                       cases[i].body);
        mock = mock_open(kit_plugin("webhook"), "webhook", settings);
        assert_string_equal(mock_error(mock), "");
        assert_int_equal(mock_create(mock, 1000), TMON_REJECTED);
        if (!mock_said(mock, cases[i].said)) {
            fail_msg("%s: %s", cases[i].body, mock_log_at(mock, 0)->text);
        }
        mock_close(mock);
    }
}

static void what_makes_no_json_of_one_alert_is_not_sent(void **state)
{
    struct mock_host *mock =
        start("", "{\"a\": {{numFiring}}{{#commonLabels.odd}}!{{/commonLabels.odd}}}");
    static const struct tmon_pair odd = {"odd", "s3cr3t"};
    const struct tmon_request *request;
    struct sink_case *c = sink_case(1);

    assert_string_equal(made(mock, c), "{\"a\": 1}");
    c->alerts[0].labels = &odd;
    c->alerts[0].nlabels = 1;
    assert_int_equal(mock_format(mock, &c->notification, &request), TMON_REJECTED);
    assert_true(mock_said(mock, "line 1, column 8"));
    assert_false(mock_said(mock, "s3cr3t"));
    free(c);
    kit_stop(mock);
}

static void storms_are_made_to_fit(void **state)
{
    struct mock_host *mock =
        start("", "{\"cut\": {{truncatedAlerts}}, \"all\": [{{#alerts}}\"{{description}}\""
                  "{{^last}},{{/last}}{{/alerts}}]}");
    struct sink_case *c = sink_case(200);
    char *text = sink_repeat("\xf0\x9f\x9a\xbd", 200000);
    const struct tmon_request *request;
    json_t *root;

    for (size_t i = 0; i < 200; i++) {
        c->alerts[i].description = text;
    }
    assert_int_equal(mock_format(mock, &c->notification, &request), TMON_OK);
    assert_true(request->body.len <= CHECK_BODY_BYTES);
    root = json_loadb(request->body.data, request->body.len, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(root, "all")) +
                         (size_t)json_integer_value(json_object_get(root, "cut")),
                     200);
    assert_int_equal(json_array_size(json_object_get(root, "all")), 200); // their texts are cut
    json_decref(root);
    free(text);
    free(c);
    kit_stop(mock);
}

static void the_rest_of_the_request_is_as_ever(void **state)
{
    struct mock_host *mock = start("secret: hush\n", "{}");
    struct sink_case *c = sink_case(1);
    const struct tmon_request *request;

    assert_int_equal(mock_format(mock, &c->notification, &request), TMON_OK);
    assert_int_equal(request->nheaders, 4);
    assert_string_equal(request->headers[0].value, "application/json");
    assert_string_equal(request->headers[3].key, "X-Toiletmon-Signature");
    free(c);
    kit_stop(mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_names_are_alertmanagers),
        cmocka_unit_test(json_is_escaped_whatever_an_alert_says),
        cmocka_unit_test(the_type_says_how_it_is_escaped),
        cmocka_unit_test(what_makes_no_json_is_refused_at_the_start),
        cmocka_unit_test(what_makes_no_json_of_one_alert_is_not_sent),
        cmocka_unit_test(storms_are_made_to_fit),
        cmocka_unit_test(the_rest_of_the_request_is_as_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
