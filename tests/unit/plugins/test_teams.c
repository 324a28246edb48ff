/* plugins/teams: the cards that it posts, and what it makes of answers. */
#include "sink_kit.h"

#include "sink_check_more.h"

#define URL "https://logic.example/workflows/0123abcd/invoke?sig=s1gnature0123456789"
#define SETTINGS "webhook_url: " URL "\n"
#define CIRCLE "\xf0\x9f\x94\xb4 "
#define DOT " \xc2\xb7 "
#define FAILED "Webhook message delivery failed with error: Microsoft Teams endpoint returned "

static json_t *format(struct mock_host *mock, const struct sink_case *c)
{
    return sink_format(mock, c, URL, check_teams);
}

static const json_t *card(const json_t *root)
{
    return json_object_get(json_array_get(json_object_get(root, "attachments"), 0), "content");
}

static const json_t *run(const json_t *root, size_t block, size_t i)
{
    return json_array_get(
        json_object_get(json_array_get(json_object_get(card(root), "body"), block), "inlines"), i);
}

static const json_t *action(const json_t *root, size_t i)
{
    return json_array_get(json_object_get(card(root), "actions"), i);
}

static void an_alert(void **state)
{
    struct mock_host *mock = kit_start("teams", SETTINGS);
    struct sink_case *c = sink_case(1);
    json_t *root;

    c->alerts[0].ack_url = "https://agent.example/ack?t=1&u=2";
    root = format(mock, c);
    assert_string_equal(sink_text(run(root, 0, 0), "text"), CIRCLE "HighMemory on web-1");
    assert_string_equal(sink_text(run(root, 0, 0), "color"), "Attention");
    assert_string_equal(sink_text(run(root, 1, 0), "text"), CIRCLE "HighMemory");
    assert_string_equal(sink_text(run(root, 1, 1), "text"),
                        DOT "critical" DOT "since 2026-11-23 17:01:49 UTC");
    assert_string_equal(sink_text(run(root, 2, 0), "text"), "Memory at 93 %");
    assert_string_equal(sink_text(run(root, 3, 0), "text"), "It has been rising for an hour.");
    assert_string_equal(sink_text(run(root, 4, 0), "text"), "instance: ");
    assert_string_equal(sink_text(run(root, 4, 1), "text"), "web-1");
    assert_string_equal(sink_text(action(root, 0), "title"), "Acknowledge");
    assert_string_equal(sink_text(action(root, 0), "url"), "https://agent.example/ack?t=1&u=2");
    assert_string_equal(sink_text(action(root, 1), "title"), "Source");
    assert_string_equal(sink_text(action(root, 2), "title"), "toiletmon");
    json_decref(root);

    sink_resolve(c, 0);
    c->notification.resolved = true;
    root = format(mock, c);
    assert_string_equal(sink_text(run(root, 0, 0), "color"), "Good");
    assert_string_equal(sink_text(action(root, 0), "title"), "Source"); // nothing to acknowledge
    json_decref(root);
    free(c);
    kit_stop(mock);
}

/* What is too large is written shorter, and what is left out then is counted. */
static void a_large_group_fits(void **state)
{
    static const struct {
        const char *character;
        size_t labels;
    } kinds[] = {{"x", 3}, {"\"", 64}, {"\xe2\x82\xac", 64}, {"\\", 0}};
    struct mock_host *mock = kit_start("teams", SETTINGS);
    struct sink_case *c = sink_case(200);

    for (size_t k = 0; k < COUNT(kinds); k++) {
        char *text = sink_repeat(kinds[k].character, 4000), url[1000];
        struct tmon_pair pairs[64];

        memset(url, '&', sizeof url - 1);
        memcpy(url, "http://x/", 9);
        url[sizeof url - 1] = '\0';
        for (size_t i = 0; i < COUNT(pairs); i++) {
            pairs[i] = (struct tmon_pair){text, text};
        }
        for (size_t i = 0; i < 200; i++) {
            c->alerts[i].name = c->alerts[i].summary = text;
            c->alerts[i].labels = pairs;
            c->alerts[i].nlabels = kinds[k].labels;
            c->alerts[i].generator_url = c->alerts[i].ack_url = url;
        }
        c->notification.title = text;
        c->notification.external_url = url;
        for (c->notification.nalerts = 0; c->notification.nalerts < 22; c->notification.nalerts++) {
            json_t *root = format(mock, c);

            assert_non_null(run(root, 0, 0));
            json_decref(root);
        }
        free(text);
    }
    free(c);
    kit_stop(mock);
}

static void only_the_web_is_opened(void **state)
{
    static const char *const urls[] = {"javascript:alert(1)", "",
                                       "https://x/\"",        "https://x/\\",
                                       "https://x/ y",        "http://x/\xc3\xa9"};
    struct mock_host *mock = kit_start("teams", SETTINGS);
    struct sink_case *c = sink_case(1);

    c->notification.external_url = "";
    for (size_t i = 0; i < COUNT(urls); i++) {
        json_t *root;

        c->alerts[0].generator_url = c->alerts[0].ack_url = urls[i];
        root = format(mock, c);
        assert_null(json_object_get(card(root), "actions"));
        json_decref(root);
    }
    free(c);
    kit_stop(mock);
}

static void hostile_content_stays_within_the_limits(void **state)
{
    struct mock_host *mock = kit_start("teams", SETTINGS);

    sink_try_hostile(mock, check_teams);
    kit_stop(mock);
}

static void judges_answers(void **state)
{
    static const struct sink_verdict cases[] = {
        {202, "", -1, TMON_OK, -1, NULL},
        {200, "1", -1, TMON_OK, -1, NULL},
        {200, FAILED "HTTP error 429", 4000, TMON_RETRY, 4000,
         "Teams answered 200: " FAILED "HTTP error 429"},
        {200, FAILED "HTTP error 413", -1, TMON_REJECTED, -1,
         "Teams answered 200: " FAILED "HTTP error 413"},
        {200, FAILED "nothing", -1, TMON_RETRY, -1, "Teams answered 200: " FAILED "nothing"},
        {200, "12", -1, TMON_AMBIGUOUS, -1, "Teams answered 200: 12"},
        {200, "<html>", -1, TMON_AMBIGUOUS, -1, "Teams answered 200"},
        {400, "no sig=s1gnature0123456789", -1, TMON_REJECTED, -1,
         "Teams answered 400: no sig=***"},
        {413, "", 1000, TMON_REJECTED, -1, "Teams answered 413"},
        {429, "", 1000, TMON_RETRY, 1000, "Teams answered 429"},
        {502, "", -1, TMON_RETRY, -1, "Teams answered 502"},
    };
    struct mock_host *mock = kit_start("teams", SETTINGS);

    sink_try_verdicts(mock, cases, COUNT(cases));
    kit_stop(mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alert),
        cmocka_unit_test(a_large_group_fits),
        cmocka_unit_test(only_the_web_is_opened),
        cmocka_unit_test(hostile_content_stays_within_the_limits),
        cmocka_unit_test(judges_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
