/* plugins/discord: the messages that it posts, and what it makes of answers. */
#include "sink_kit.h"

#include "sink_check_more.h"

#define URL "https://discord.example/api/webhooks/123456789012/tOkEn-0123456789"
#define SETTINGS "webhook_url: " URL "\n"
#define CIRCLE "\xf0\x9f\x94\xb4 "
#define DOT " \xc2\xb7 "

static json_t *format(struct mock_host *mock, const struct sink_case *c)
{
    return sink_format(mock, c, URL "?wait=true", check_discord);
}

static const json_t *embed(const json_t *root, size_t i)
{
    return json_array_get(json_object_get(root, "embeds"), i);
}

static void an_alert(void **state)
{
    static const struct tmon_pair annotations[] = {{"runbook_url", "https://wiki.example/r?(a)"}};
    struct mock_host *mock = kit_start("discord", SETTINGS);
    struct sink_case *c = sink_case(1);
    const json_t *field;
    json_t *root;

    c->alerts[0].annotations = annotations;
    c->alerts[0].ack_url = "https://agent.example/ack?t=1";
    root = format(mock, c);
    assert_string_equal(sink_text(root, "content"), CIRCLE "HighMemory on web-1\nMemory at 93 %");
    assert_string_equal(sink_text(embed(root, 0), "title"), CIRCLE "HighMemory");
    assert_string_equal(sink_text(embed(root, 0), "timestamp"), "2026-11-23T17:01:49.719Z");
    assert_string_equal(
        sink_text(embed(root, 0), "description"),
        "critical" DOT "[Acknowledge](https://agent.example/ack?t=1)" DOT
        "[Runbook](https://wiki.example/r?%28a%29)" DOT
        "[Source](http://prom.example/graph?g0.expr=up&g0.tab=1)" DOT
        "[toiletmon](http://agent.example:9909)\nMemory at 93 %\nIt has been rising for an hour.");
    field = json_array_get(json_object_get(embed(root, 0), "fields"), 0);
    assert_string_equal(sink_text(field, "name"), "instance");
    assert_string_equal(sink_text(field, "value"), "web-1");
    assert_null(embed(root, 1));
    json_decref(root);
    free(c);
    kit_stop(mock);
}

static void many_are_counted(void **state)
{
    struct mock_host *mock = kit_start("discord", SETTINGS);
    struct sink_case *c = sink_case(200);
    json_t *root;

    for (size_t i = 0; i < 199; i++) {
        c->alerts[i].severity = TMON_SEVERITY_INFO;
    }
    c->alerts[199].name = "TheWorst";
    c->notification.ntruncated = 1000;
    root = format(mock, c);
    assert_string_equal(sink_text(embed(root, 0), "title"), CIRCLE "TheWorst");
    assert_string_equal(sink_text(json_object_get(embed(root, 9), "footer"), "text"),
                        "and 1190 more");
    assert_string_equal(sink_text(root, "content"), CIRCLE
                        "HighMemory on web-1\n200 firing, 1000 more" DOT "alertname=HighMemory");
    json_decref(root);
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

    cut->c->alerts[0].name = text;
    root = format(cut->mock, cut->c);
    *ret_made = sink_text(embed(root, 0), "title") + strlen(CIRCLE);
    return root;
}

static void texts_are_cut_between_characters(void **state)
{
    static const struct sink_kind kinds[] = {
        {"x", 1, "x"},
        {"\xc3\xa9", 1, "\xc3\xa9"},
        {"*", 2, "\\*"},
        {"\\", 2, "\\\\"},
        {"\xf0\x9f\x9a\xbd", 2, "\xf0\x9f\x9a\xbd"},
        {"\xff", 1, "\xef\xbf\xbd"},
        {"\"", 1, "\""},
    };
    struct mock_host *mock = kit_start("discord", SETTINGS);
    struct cut cut = {mock, sink_case(1)};

    sink_try_cuts(kinds, COUNT(kinds), 100, 260, 256 - 3, made, &cut); // 3: the sign before it
    free(cut.c);
    kit_stop(mock);
}

static void one_of_many_is_not_longer_than_an_embed(void **state)
{
    struct mock_host *mock = kit_start("discord", SETTINGS);
    struct sink_case *c = sink_case(1);
    char *text = sink_repeat("x", 10000);

    c->alerts[0].description = text;
    for (c->notification.nalerts = 1; c->notification.nalerts < 5; c->notification.nalerts++) {
        c->notification.ntruncated = 3;
        json_decref(format(mock, c));
    }
    free(text);
    free(c);
    kit_stop(mock);
}

static void hostile_content_stays_within_the_limits(void **state)
{
    struct mock_host *mock = kit_start("discord", SETTINGS);

    sink_try_hostile(mock, check_discord);
    kit_stop(mock);
}

static void judges_answers(void **state)
{
    static const struct sink_verdict cases[] = {
        {204, "", -1, TMON_OK, -1, NULL},
        {200, "{\"id\":\"1\"}", -1, TMON_OK, -1, NULL},
        {200, "<html>", -1, TMON_AMBIGUOUS, -1, "Discord answered 200"},
        {400, "{\"code\":50035}", 1000, TMON_REJECTED, -1,
         "Discord answered 400: {\"code\":50035}"},
        {404, "no /webhooks/123456789012/tOkEn-0123456789", -1, TMON_REJECTED, -1,
         "Discord answered 404: no /webhooks/***/***"},
        {429, "{\"retry_after\": 0.0351}", 1000, TMON_RETRY, 36,
         "Discord answered 429: "
         "{\"retry_after\": 0.0351}"},
        {429, "{\"retry_after\" :\t12}", -1, TMON_RETRY, 12000,
         "Discord answered 429: {\"retry_after\" : 12}"},
        {429, "x", 7000, TMON_RETRY, 7000, "Discord answered 429: x"},
        {429, "{\"retry_after\"", 7000, TMON_RETRY, 7000,
         "Discord answered 429: "
         "{\"retry_after\""},
        {502, "", -1, TMON_RETRY, -1, "Discord answered 502"},
    };
    struct mock_host *mock = kit_start("discord", SETTINGS);

    sink_try_verdicts(mock, cases, COUNT(cases));
    kit_stop(mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alert),
        cmocka_unit_test(many_are_counted),
        cmocka_unit_test(texts_are_cut_between_characters),
        cmocka_unit_test(one_of_many_is_not_longer_than_an_embed),
        cmocka_unit_test(hostile_content_stays_within_the_limits),
        cmocka_unit_test(judges_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
