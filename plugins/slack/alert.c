/*
 * alert.c: one alert as a section of a Slack message.  See slack.h.
 */
#include "slack.h"

#define NAME_UNITS 200
#define LABEL_UNITS 600 /* of a field: Slack takes 2000, but not ten of them in one message */
#define FIELDS_MAX 10
#define TIME_UNITS 400 /* in texts with less room there are more important things than its time */

static void put_heading(struct prose *text, const struct tmon_alert *alert)
{
    const char *runbook = chat_runbook(alert);
    const unsigned third = text->most / 3; // a link takes half at most, and the rest must fit, too

    prose_markup(text, chat_sign(chat_rank(alert)));
    prose_markup(text, "*");
    text_link(text, alert->generator_url, chat_name(alert),
              third < NAME_UNITS ? third : NAME_UNITS);
    prose_markup(text, "* \xc2\xb7 ");
    prose_markup(text, chat_word(chat_rank(alert)));
    if (prose_room(text) >= TIME_UNITS) {
        text_time(text, alert->firing ? " \xc2\xb7 since " : " \xc2\xb7 ",
                  alert->firing ? alert->starts_ms : alert->ends_ms);
        if (runbook != NULL) {
            prose_markup(text, " \xc2\xb7 ");
            text_link(text, runbook, "Runbook", NAME_UNITS);
        }
        if (alert->firing && prose_is_web(alert->ack_url)) {
            prose_markup(text, " \xc2\xb7 ");
            text_link(text, alert->ack_url, "Acknowledge", NAME_UNITS);
        }
    }
}

static void put_text(struct writer *json, const struct tmon_notification *notification,
                     const struct tmon_alert *alert, unsigned most, bool alone)
{
    const char *description = chat_description(alert);
    struct prose text;

    text_open(&text, json, most);
    put_heading(&text, alert);
    prose_between(&text, "\n", alert->summary, most, "");
    if (!alone) {
        chat_labels(&text, notification, alert, "\n");
    }
    if (description != NULL && prose_room(&text) > 1) {
        prose_markup(&text, "\n");
        (void)prose_user(&text, description, most, PROSE_LINES);
    }
    text_close(&text);
}

static void put_fields(struct writer *json, const struct tmon_notification *notification,
                       const struct tmon_alert *alert)
{
    const struct tmon_pair *label;
    size_t count = 0, at = 0;

    while (count < FIELDS_MAX && (label = chat_field(notification, alert, &at)) != NULL) {
        struct prose text;

        if (count++ == 0) {
            writer_literal(json, ",\"fields\":[");
        } else {
            writer_literal(json, ",");
        }
        text_open(&text, json, LABEL_UNITS);
        prose_between(&text, "*", label->key, LABEL_UNITS / 2, "*\n");
        (void)prose_user(&text, label->value, LABEL_UNITS, PROSE_LINE);
        text_close(&text);
    }
    if (count > 0) {
        writer_literal(json, "]");
    }
}

void alert_write(struct writer *json, const struct tmon_notification *notification,
                 const struct tmon_alert *alert, unsigned most, bool alone)
{
    writer_literal(json, "{\"type\":\"section\",\"text\":");
    put_text(json, notification, alert, most, alone);
    if (alone) {
        put_fields(json, notification, alert);
    }
    writer_literal(json, "}");
}
