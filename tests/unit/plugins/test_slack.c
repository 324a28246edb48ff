/* plugins/slack: the messages that it posts, and what it makes of answers. */
#include "sink_kit.h"

#define URL "https://hooks.slack.example/services/T00000000/B00000000/XXXXXXXXXXXXXXXX"
#define SETTINGS "webhook_url: " URL "\n"
#define CIRCLE "\xf0\x9f\x94\xb4 "
#define CHECKED "\xe2\x9c\x85 "
#define DOT " \xc2\xb7 "

static json_t *format(struct mock_host *mock, const struct sink_case *c)
{
    return sink_format(mock, c, URL, check_slack);
}

static const char *text_of(const json_t *object)
{
    return json_string_value(json_object_get(object, "text"));
}

static const json_t *attachment(const json_t *root)
{
    return json_array_get(json_object_get(root, "attachments"), 0);
}

/* The i-th block of the attachment. */
static const json_t *block(const json_t *root, size_t i)
{
    return json_array_get(json_object_get(attachment(root), "blocks"), i);
}

static const char *section(const json_t *root, size_t i)
{
    return text_of(json_object_get(block(root, i), "text"));
}

static const char *context(const json_t *root, size_t i)
{
    return text_of(json_array_get(json_object_get(block(root, i), "elements"), 0));
}

static const char *head(const json_t *root)
{
    return text_of(json_object_get(json_array_get(json_object_get(root, "blocks"), 0), "text"));
}

static const char *colour(const json_t *root)
{
    return json_string_value(json_object_get(attachment(root), "color"));
}

static void an_alert(void **state)
{
    static const struct tmon_pair annotations[] = {{"runbook_url", "https://wiki.example/r?a&b"}};
    struct mock_host *mock = kit_start("slack", SETTINGS);
    struct sink_case *c = sink_case(1);
    const json_t *fields;
    json_t *root;

    c->alerts[0].annotations = annotations;
    root = format(mock, c);
    assert_string_equal(text_of(root), CIRCLE "HighMemory on web-1\nMemory at 93 %");
    assert_string_equal(head(root), CIRCLE "HighMemory on web-1");
    assert_string_equal(colour(root), "danger");
    assert_string_equal(
        section(root, 0),
        CIRCLE "*<http://prom.example/graph?g0.expr=up&amp;g0.tab=1|HighMemory>*" DOT "critical" DOT
               "since <!date^1795453309^{date_num} {time_secs}|2026-11-23 17:01:49 UTC>" DOT
               "<https://wiki.example/r?a&amp;b|Runbook>\nMemory at 93 %\n"
               "It has been rising for an hour.");
    fields = json_object_get(block(root, 0), "fields");
    assert_int_equal(json_array_size(fields), 1);
    assert_string_equal(text_of(json_array_get(fields, 0)), "*instance*\nweb-1");
    assert_non_null(
        strstr(context(root, 1), "<http://agent.example:9909|toiletmon>" DOT "started "));
    assert_null(block(root, 2));
    json_decref(root);
    c->alerts[0].ack_url = "https://agent.example/ack?t=1";
    root = format(mock, c);
    assert_non_null(strstr(section(root, 0), DOT "<https://agent.example/ack?t=1|Acknowledge>\n"));
    json_decref(root);
    sink_resolve(c, 0);
    root = format(mock, c);
    assert_null(strstr(section(root, 0), "Acknowledge"));
    json_decref(root);
    free(c);
    kit_stop(mock);
}

static void times_that_cannot_be_are_left_out(void **state)
{
    static const int64_t times[] = {0, -1, INT64_MIN, INT64_MAX};
    struct mock_host *mock = kit_start("slack", SETTINGS);
    struct sink_case *c = sink_case(1);

    for (size_t i = 0; i < COUNT(times); i++) {
        json_t *root;

        c->alerts[0].starts_ms = times[i];
        root = format(mock, c);
        assert_null(strstr(section(root, 0), "since"));
        assert_null(strstr(context(root, 1), "started"));
        json_decref(root);
    }
    free(c);
    kit_stop(mock);
}

static void colours_say_how_bad_it_is(void **state)
{
    static const struct {
        tmon_severity severity;
        bool firing;
        const char *colour, *word;
    } cases[] = {
        {TMON_SEVERITY_CRITICAL, true, "danger", "critical"},
        {TMON_SEVERITY_WARNING, true, "warning", "warning"},
        {TMON_SEVERITY_INFO, true, "#439FE0", "info"},
        {TMON_SEVERITY_CRITICAL, false, "good", "resolved"},
    };
    struct mock_host *mock = kit_start("slack", SETTINGS);
    struct sink_case *c = sink_case(2);

    sink_resolve(c, 1);
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *root;

        c->alerts[0].severity = cases[i].severity;
        c->alerts[0].firing = cases[i].firing;
        c->notification.resolved = !cases[i].firing;
        root = format(mock, c);
        assert_string_equal(colour(root), cases[i].colour);
        assert_non_null(strstr(section(root, 1), cases[i].word));
        json_decref(root);
    }
    assert_int_equal(c->notification.resolved, true);
    c->notification.resolved = false; // what fires was cut off
    c->notification.ntruncated = 1;
    json_t *root = format(mock, c);
    assert_string_equal(colour(root), "warning");
    json_decref(root);
    free(c);
    kit_stop(mock);
}

static void a_group_tells_the_worst_first(void **state)
{
    struct mock_host *mock = kit_start("slack", SETTINGS);
    struct sink_case *c = sink_case(3);
    json_t *root;

    sink_resolve(c, 0);
    c->alerts[1].severity = TMON_SEVERITY_INFO;
    root = format(mock, c);
    assert_string_equal(text_of(root), CIRCLE "HighMemory on web-1\n2 firing, 1 resolved");
    assert_string_equal(context(root, 0), "2 firing, 1 resolved" DOT "alertname=HighMemory");
    assert_non_null(strstr(section(root, 1), DOT "critical"));
    assert_non_null(strstr(section(root, 1), "\nMemory at 93 %\ninstance=web-1\nIt has been"));
    assert_non_null(strstr(section(root, 2), DOT "info"));
    assert_non_null(strstr(section(root, 3), CHECKED));
    assert_non_null(strstr(section(root, 3), DOT "resolved"));
    assert_non_null(context(root, 4));
    assert_null(block(root, 5));
    json_decref(root);
    free(c);
    kit_stop(mock);
}

static void what_does_not_fit_is_counted(void **state)
{
    struct mock_host *mock = kit_start("slack", SETTINGS "mention_critical: <!here>\n");
    struct sink_case *c = sink_case(200);
    json_t *root;

    for (size_t i = 0; i < 200; i++) {
        c->alerts[i].severity = i == 199 ? TMON_SEVERITY_CRITICAL : TMON_SEVERITY_INFO;
    }
    c->alerts[199].name = "TheWorst";
    c->notification.ntruncated = 1000;
    root = format(mock, c);
    assert_int_equal(json_array_size(json_object_get(root, "blocks")), 2);
    assert_int_equal(json_array_size(json_object_get(attachment(root), "blocks")), 48);
    assert_non_null(strstr(section(root, 1), "TheWorst"));
    assert_string_equal(section(root, 46), "and 1155 more"); // of 1200, 45 are told
    json_decref(root);

    c->notification.nalerts = 1;
    c->notification.ntruncated = 4;
    root = format(mock, c);
    assert_string_equal(section(root, 2), "and 4 more");
    json_decref(root);

    c->notification.nalerts = 45;
    c->notification.ntruncated = 0;
    root = format(mock, c);
    assert_int_equal(json_array_size(json_object_get(attachment(root), "blocks")), 47);
    json_decref(root);
    free(c);
    kit_stop(mock);
}

static void calls_people_for_critical_alerts(void **state)
{
    struct mock_host *mock = kit_start("slack", SETTINGS "mention_critical: <!here>\n");
    struct sink_case *c = sink_case(1);
    json_t *root = format(mock, c);

    assert_int_equal(json_array_size(json_object_get(root, "blocks")), 2);
    assert_memory_equal(text_of(root), "<!here> ", 8);
    assert_string_equal(
        text_of(json_object_get(json_array_get(json_object_get(root, "blocks"), 1), "text")),
        "<!here>");
    json_decref(root);
    c->alerts[0].severity = TMON_SEVERITY_WARNING;
    root = format(mock, c);
    assert_int_equal(json_array_size(json_object_get(root, "blocks")), 1);
    assert_null(strstr(text_of(root), "here"));
    json_decref(root);
    c->alerts[0].severity = TMON_SEVERITY_CRITICAL;
    sink_resolve(c, 0);
    c->notification.resolved = true;
    root = format(mock, c);
    assert_int_equal(json_array_size(json_object_get(root, "blocks")), 1);
    json_decref(root);
    free(c);
    kit_stop(mock);
}

static void a_message_is_its_text(void **state)
{
    char *text = sink_repeat("A line of text & more.\n\n", 1000);
    struct mock_host *mock = kit_start("slack", SETTINGS);
    struct sink_case *c = sink_case(0);
    json_t *root;

    c->notification.title = "A <digest>";
    root = format(mock, c);
    assert_string_equal(head(root), "\xf0\x9f\x94\xb5 A &lt;digest&gt;");
    assert_string_equal(section(root, 0), "Memory at 93 %");
    json_decref(root);
    c->notification.text = text; // in as many sections as there may be, none of it twice
    root = format(mock, c);
    assert_memory_equal(section(root, 0), "A line of text &amp; more.\nA line", 33);
    assert_non_null(section(root, 2));
    assert_null(section(root, 3));
    json_decref(root);
    c->notification.text = " \n";
    root = format(mock, c);
    assert_null(section(root, 0));
    json_decref(root);
    free(text);
    free(c);
    kit_stop(mock);
}

static void escapes_once_and_in_order(void **state)
{
    struct mock_host *mock = kit_start("slack", SETTINGS);
    struct sink_case *c = sink_case(1);
    json_t *root;

    c->notification.title = "<!channel> &amp; \"q\" \\ >";
    c->alerts[0].name = "a|b>c\nd";
    c->alerts[0].summary = "<https://evil.example|click>";
    c->alerts[0].generator_url = "https://p.example/a b|c>d?x=<1>&y=\"\xc3\xa9\n";
    root = format(mock, c);
    assert_string_equal(head(root), CIRCLE "&lt;!channel&gt; &amp;amp; \"q\" \\ &gt;");
    assert_non_null(strstr(section(root, 0), "*<https://p.example/a%20b%7Cc%3Ed?x=%3C1%3E&amp;y="
                                             "%22%C3%A9%0A|a|b&gt;c d>*"));
    assert_non_null(strstr(section(root, 0), "\n&lt;https://evil.example|click&gt;\n"));
    json_decref(root);
    free(c);
    kit_stop(mock);
}

static void only_the_web_is_linked(void **state)
{
    static const char *const urls[] = {"",           "javascript:alert(1)", "ftp://x/",  "//x",
                                       " http://x/", "slack://open",        "mailto:a@b"};
    char *path = sink_repeat("p", 4000);
    struct mock_host *mock = kit_start("slack", SETTINGS);
    struct sink_case *c = sink_case(1);
    json_t *root;
    char url[4100];

    for (size_t i = 0; i < COUNT(urls); i++) {
        c->alerts[0].generator_url = c->notification.external_url = urls[i];
        root = format(mock, c);
        assert_non_null(strstr(section(root, 0), "*HighMemory*"));
        assert_memory_equal(context(root, 1), "toiletmon" DOT, 13);
        json_decref(root);
    }
    (void)snprintf(url, sizeof url, "HTTPS://x/%.1000s", path);
    c->alerts[0].generator_url = url;
    root = format(mock, c);
    assert_non_null(strstr(section(root, 0), "|HighMemory>*"));
    json_decref(root);
    (void)snprintf(url, sizeof url, "https://x/%s", path); // too long to be one
    root = format(mock, c);
    assert_non_null(strstr(section(root, 0), "*HighMemory*"));
    json_decref(root);
    free(path);
    free(c);
    kit_stop(mock);
}

struct cut {
    struct mock_host *mock;
    struct sink_case *c;
};

static json_t *made(void *owner, const char *text, const char **ret_made)
{
    const struct cut *cut = owner;
    json_t *root;

    cut->c->notification.title = text;
    root = format(cut->mock, cut->c);
    *ret_made = head(root) + strlen(CIRCLE);
    return root;
}

static void titles_are_cut_between_characters(void **state)
{
    static const struct sink_kind kinds[] = {
        {"x", 1, "x"},
        {"\xc3\xa9", 1, "\xc3\xa9"},
        {"&", 5, "&amp;"},
        {"<", 4, "&lt;"},
        {"\xf0\x9f\x9a\xbd", 2, "\xf0\x9f\x9a\xbd"},
        {"\xff", 1, "\xef\xbf\xbd"},
        {"\"", 1, "\""},
    };
    struct mock_host *mock = kit_start("slack", SETTINGS);
    struct cut cut = {mock, sink_case(1)};

    sink_try_cuts(kinds, COUNT(kinds), 20, 155, 150 - 3, made, &cut); // 3: the sign before it
    free(cut.c);
    kit_stop(mock);
}

static void text_cannot_turn_others_around(void **state)
{
    struct mock_host *mock = kit_start("slack", SETTINGS);
    struct sink_case *c = sink_case(1);
    json_t *root;

    c->notification.title = "a\xe2\x80\xae"
                            "b\xe2\x81\xa7"
                            "c \xd7\xa9\xd7\x9c\xe2\x80\x8f!";
    root = format(mock, c);
    assert_string_equal(head(root), CIRCLE "abc \xd7\xa9\xd7\x9c\xe2\x80\x8f!"); // letters stay
    json_decref(root);
    c->notification.title = "\xe2\x80\xae\n\t";
    root = format(mock, c);
    assert_string_equal(head(root), CIRCLE "HighMemory");
    json_decref(root);
    c->alerts[0].name = "\x01";
    root = format(mock, c);
    assert_string_equal(head(root), CIRCLE "A message without a title");
    assert_non_null(strstr(section(root, 0), "|(without a name)>"));
    json_decref(root);
    free(c);
    kit_stop(mock);
}

static void set_all(struct sink_case *c, const char *text, const struct tmon_pair *pairs, size_t n)
{
    for (size_t i = 0; i < SINK_ALERTS; i++) {
        struct tmon_alert *alert = &c->alerts[i];

        alert->name = alert->summary = alert->description = text;
        alert->generator_url = alert->fingerprint = text;
        alert->labels = alert->annotations = pairs;
        alert->nlabels = alert->nannotations = n;
        alert->severity = (tmon_severity)(i % 5) - 1;
        alert->firing = i % 3 != 0;
        alert->starts_ms = alert->ends_ms = i % 2 ? INT64_MAX : START_MS;
    }
    c->notification.group = pairs;
    c->notification.ngroup = n;
    c->notification.title = c->notification.text = c->notification.external_url = text;
}

static void hostile_content_stays_within_the_limits(void **state)
{
    static const size_t counts[] = {0, 1, 2, 3, 20, 45, 46, 200, 512};
    static const size_t lengths[] = {1, 7, 100, 2000, 1 << 16};
    struct mock_host *mock = kit_start("slack", SETTINGS "mention_critical: <!here>\n");
    struct sink_case *c = sink_case(1);

    for (size_t i = 0; i < COUNT(sink_hostile); i++) {
        for (size_t k = 0; k < COUNT(lengths); k++) {
            char *text = sink_repeat(sink_hostile[i], lengths[k]);
            struct tmon_pair pairs[64];

            for (size_t p = 0; p < 64; p++) {
                pairs[p].key = p == 5 ? "runbook_url" : text;
                pairs[p].value = text;
            }
            for (size_t n = 0; n < COUNT(counts); n++) {
                set_all(c, text, pairs, k > 3 ? 3 : 64);
                c->notification.nalerts = counts[n];
                c->notification.ntruncated = n % 2 ? SIZE_MAX / 2 : 0;
                json_decref(format(mock, c));
            }
            free(text);
        }
    }
    free(c);
    kit_stop(mock);
}

static void long_links_leave_room_for_the_text(void **state)
{
    struct mock_host *mock = kit_start("slack", SETTINGS);
    struct sink_case *c = sink_case(1);
    char url[2600];

    for (size_t n = 10; n < sizeof url; n += 7) {
        const struct tmon_pair runbook = {"runbook_url", url};

        memset(url, n % 3 ? 'u' : '&', n);
        memcpy(url, "http://x", 8);
        url[n] = '\0';
        set_all(c, "&&", &runbook, 1);
        for (size_t i = 0; i < SINK_ALERTS; i++) {
            c->alerts[i].generator_url = url;
            c->alerts[i].name = c->alerts[i].summary = "A name that is not short & not long";
        }
        c->notification.external_url = url;
        for (c->notification.nalerts = 1; c->notification.nalerts < 50;
             c->notification.nalerts += 8) {
            json_t *root = format(mock, c);
            assert_non_null(strstr(section(root, c->notification.nalerts > 1), "A name that is"));
            json_decref(root);
        }
    }
    free(c);
    kit_stop(mock);
}

static void judges_answers(void **state)
{
    static const struct sink_verdict cases[] = {
        {200, "ok", -1, TMON_OK, -1, NULL},
        {200, "ok\n", -1, TMON_OK, -1, NULL},
        {200, "<html>log in</html>", -1, TMON_AMBIGUOUS, -1, "Slack answered 200"},
        {200, "", -1, TMON_AMBIGUOUS, -1, "Slack answered 200"},
        {400, "invalid_payload", 1000, TMON_REJECTED, -1, "Slack answered 400: invalid_payload"},
        {403, "action_prohibited", -1, TMON_REJECTED, -1, "Slack answered 403: action_prohibited"},
        {404, "no_service", -1, TMON_REJECTED, -1, "Slack answered 404: no_service"},
        {410, "channel_is_archived", -1, TMON_REJECTED, -1,
         "Slack answered 410: channel_is_archived"},
        {429, "rate_limited", 1000, TMON_RETRY, 1000, "Slack answered 429: rate_limited"},
        {500, "rollup_error", -1, TMON_RETRY, -1, "Slack answered 500: rollup_error"},
        {404, "no \x1b[1m\n\x01/services/T00000000/B00000000/XXXXXXXXXXXXXXXX", -1, TMON_REJECTED,
         -1, "Slack answered 404: no [1m /services/***/***/***"},
    };
    struct mock_host *mock = kit_start("slack", SETTINGS);

    sink_try_verdicts(mock, cases, COUNT(cases));
    kit_stop(mock);
}

static void a_long_mention_is_refused(void **state)
{
    char *mention = sink_repeat("<@U1>", 50), settings[1024];
    struct mock_host *mock;

    (void)snprintf(settings, sizeof settings, SETTINGS "mention_critical: %s\n", mention);
    mock = mock_open(kit_plugin("slack"), "slack", settings);
    assert_int_equal(mock_create(mock, 1000), TMON_REJECTED);
    assert_true(mock_said(mock, "200 bytes"));
    mock_close(mock);
    free(mention);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alert),
        cmocka_unit_test(times_that_cannot_be_are_left_out),
        cmocka_unit_test(colours_say_how_bad_it_is),
        cmocka_unit_test(a_group_tells_the_worst_first),
        cmocka_unit_test(what_does_not_fit_is_counted),
        cmocka_unit_test(calls_people_for_critical_alerts),
        cmocka_unit_test(a_message_is_its_text),
        cmocka_unit_test(escapes_once_and_in_order),
        cmocka_unit_test(only_the_web_is_linked),
        cmocka_unit_test(titles_are_cut_between_characters),
        cmocka_unit_test(text_cannot_turn_others_around),
        cmocka_unit_test(hostile_content_stays_within_the_limits),
        cmocka_unit_test(long_links_leave_room_for_the_text),
        cmocka_unit_test(judges_answers),
        cmocka_unit_test(a_long_mention_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
