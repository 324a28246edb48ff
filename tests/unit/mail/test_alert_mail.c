/* The mail of alerts: what it says of one and of many, its ids, and that nothing is too much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../sink_case.h"
#include "mail/alert_mail.h"

#define ALERTS 200

static const struct tmon_pair labels[] = {
    {"alertname", "HighMemory"}, {"instance", "web<1>"}, {"severity", "critical"}};
static const struct tmon_pair annotations[] = {{"summary", "Memory at 93 %"},
                                               {"heap", "450MB"},
                                               {"runbook_url", "https://wiki.example/r?a&b"}};

struct given {
    struct sink_case *c;
    struct alert_mail mail;
};

static struct given *start(size_t nalerts)
{
    struct given *given = calloc(1, sizeof *given);

    assert_non_null(given);
    given->c = sink_case(nalerts);
    for (size_t i = 0; i < SINK_ALERTS; i++) {
        struct tmon_alert *alert = &given->c->alerts[i];

        alert->description = "One.\n\nTwo & <three>.";
        alert->labels = labels;
        alert->nlabels = COUNT(labels);
        alert->annotations = annotations;
        alert->nannotations = COUNT(annotations);
        alert->generator_url = "";
    }
    given->c->notification.title = "[FIRING:1] HighMemory";
    given->c->notification.text = "";
    given->c->notification.receiver = "mail";
    given->c->notification.ngroup = 0;
    given->c->notification.external_url = "http://agent.example";
    assert_int_equal(alert_mail_init(&given->mail), 0);
    return given;
}

static void stop(struct given *given)
{
    alert_mail_finish(&given->mail);
    free(given->c);
    free(given);
}

static const char *html(struct given *given)
{
    assert_int_equal(alert_mail_write(&given->mail, &given->c->notification, "far.example"), 0);
    return buf_str(&given->mail.html);
}

static void has(const char *text, const char *what)
{
    if (!strstr(text, what)) {
        fail_msg("there is no [%s] in %s", what, text);
    }
}

static void one_alert(void **state)
{
    struct given *given = start(1);
    const char *text;

    given->c->alerts[0].ack_url = "https://agent.example/ack?a=1&b=2";
    text = html(given);
    has(text, ">CRITICAL</span>");
    has(text, "#b91c1c");
    has(text, ">HighMemory</h1>");
    has(text, ">Memory at 93 %</p>");
    has(text, "One.<br>Two &amp; &lt;three&gt;.<br>");
    has(text, "web&lt;1&gt;");
    has(text, "450MB");
    has(text, "2026-11-23 17:01:49 UTC");
    has(text, "href=\"https://agent.example/ack?a=1&amp;b=2\"");
    has(text, "href=\"https://wiki.example/r?a&amp;b\"");
    assert_null(strstr(text, "<h2"));
    assert_null(strstr(text, ">severity<")); // the badge says it
    assert_string_equal(buf_str(&given->mail.text),
                        "CRITICAL: HighMemory\n\nMemory at 93 %\nOne.\nTwo & <three>.\n"
                        "  Started: 2026-11-23 17:01:49 UTC\n  instance: web<1>\n  heap: 450MB\n"
                        "  Acknowledge: https://agent.example/ack?a=1&b=2\n"
                        "  Runbook: https://wiki.example/r?a&b\n\n-- \n"
                        "Sent by toiletmon (mail): http://agent.example\n");
    assert_string_equal(given->mail.subject, "[FIRING:1] HighMemory");
    stop(given);
}

static void what_is_over_needs_no_acknowledging(void **state)
{
    struct given *given = start(1);
    const char *text;

    given->c->alerts[0].ack_url = "https://agent.example/ack";
    given->c->alerts[0].firing = false;
    given->c->alerts[0].ends_ms = START_MS + 60000;
    given->c->notification.resolved = true;
    text = html(given);
    has(text, ">RESOLVED</span>");
    has(text, "2026-11-23 17:02:49 UTC");
    has(text, ">severity<");
    assert_null(strstr(text, "/ack"));
    stop(given);
}

static void colours_are_those_of_the_worst(void **state)
{
    struct given *given = start(2);

    given->c->alerts[0].severity = TMON_SEVERITY_INFO;
    given->c->alerts[1].severity = TMON_SEVERITY_WARNING;
    (void)html(given);
    has(buf_str(&given->mail.text), "WARNING: HighMemory\n2 firing\n");
    given->c->alerts[0].firing = given->c->alerts[1].firing = false;
    given->c->notification.ntruncated = 1; // which fires
    (void)html(given);
    has(buf_str(&given->mail.text), "WARNING: HighMemory\n2 resolved, 1 more\n");
    has(buf_str(&given->mail.text), "\nand 1 more\n");
    stop(given);
}

static void links_are_http_or_left_out(void **state)
{
    static const char *const bad[] = {"javascript:alert(1)", "http://", "https://a b",
                                      "https://a\"b",        "//a",     "https://a\nb",
                                      "https://\xc3\xa9/",   ""};
    struct given *given = start(1);

    for (size_t i = 0; i < COUNT(bad); i++) {
        given->c->alerts[0].generator_url = given->c->alerts[0].ack_url = bad[i];
        assert_null(strstr(html(given), "Source"));
        assert_null(strstr(buf_str(&given->mail.html), "Acknowledge"));
    }
    stop(given);
}

static void a_message_is_its_text(void **state)
{
    struct given *given = start(0);

    given->c->notification.title = "Weekly";
    given->c->notification.text = "a <b>\nc\n";
    has(html(given), "a &lt;b&gt;<br>c<br>");
    assert_string_equal(buf_str(&given->mail.text),
                        "INFO: Weekly\na <b>\nc\n\n-- \nSent by toiletmon (mail): "
                        "http://agent.example\n");
    given->c->notification.title = " \n";
    (void)html(given);
    assert_string_equal(given->mail.subject, "A message without a title");
    stop(given);
}

static void it_is_never_too_long(void **state)
{
    struct given *given = start(ALERTS);
    static struct tmon_pair many[64];
    static char link[2000];
    char *big = malloc(60001);

    assert_non_null(big);
    memset(big, '"', 60000);
    big[60000] = '\0';
    for (size_t i = 0; i < COUNT(many); i++) {
        many[i] = (struct tmon_pair){big, big};
    }
    memcpy(link, "https://a.example/", 18);
    memset(link + 18, '&', sizeof link - 19);
    for (size_t i = 0; i < ALERTS; i++) {
        given->c->alerts[i].generator_url = link;
        given->c->alerts[i].summary = given->c->alerts[i].description = given->c->alerts[i].name =
            big;
        given->c->alerts[i].labels = many;
        given->c->alerts[i].nlabels = COUNT(many);
    }
    given->c->notification.title = big;
    (void)html(given);
    assert_true(given->mail.html.len < (size_t)102 << 10);
    has(buf_str(&given->mail.html), "and 190 more");
    free(big);
    stop(given);
}

static void ids_are_safe_and_stay(void **state)
{
    struct given *given = start(2);

    given->c->alerts[1].key = "a b\r\n>";
    (void)html(given);
    assert_string_equal(given->mail.id, "<notification.n-1@far.example>");
    assert_int_equal(given->mail.nreferences, 2);
    assert_string_equal(given->mail.references[0], "<episode.b807e636403824b5-1@far.example>");
    assert_null(strpbrk(given->mail.references[1], " \r\n"));
    given->c->notification.nalerts = ALERTS;
    (void)html(given);
    assert_int_equal(given->mail.nreferences, ALERT_MAIL_REFERENCES);
    stop(given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_alert),
        cmocka_unit_test(what_is_over_needs_no_acknowledging),
        cmocka_unit_test(colours_are_those_of_the_worst),
        cmocka_unit_test(links_are_http_or_left_out),
        cmocka_unit_test(a_message_is_its_text),
        cmocka_unit_test(it_is_never_too_long),
        cmocka_unit_test(ids_are_safe_and_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
