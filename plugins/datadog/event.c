/*
 * event.c: a notification as an event of Datadog.  See datadog.h.
 *
 * Firing and resolve of an episode have one aggregation key, under which Datadog shows them
 * together.  The text is Markdown, between the marks that say so, for its links; what an alert says
 * is escaped, the per cent sign too, three of which would end the Markdown.
 */
#include "datadog.h"

#include <time.h>

#include "../common/chat.h"
#include "../common/markdown.h"
#include "../common/when.h"

#define BYTES_MAX ((size_t)1 << 20) /* far above what the limits allow */
#define TITLE_UNITS 100             /* what Datadog once named as its limit */
#define TEXT_UNITS 3980             /* Datadog takes 4000, with the marks around it */
#define KEY_BYTES 101               /* 100 of an aggregation key, and the NUL */
#define LABEL_UNITS 200
#define OLDEST_S (17 * 3600) /* Datadog refuses events of more than 18 hours */

static const char *escape(uint32_t code)
{
    return code == '%' ? "\\%" : markdown_escape(code);
}

/* One of Datadog's words. */
static const char *type_of(const struct tmon_alert *alert)
{
    static const char *const words[] = {"error", "warning", "info", "success"};

    return alert == NULL ? "info" : words[chat_rank(alert)];
}

/* When it happened, if Datadog takes events from then; else it is when it arrives. */
static void put_time(struct writer *json, const struct tmon_alert *alert)
{
    const int64_t ms = alert == NULL ? 0 : alert->firing ? alert->starts_ms : alert->ends_ms;
    const int64_t now = (int64_t)time(NULL);

    if (when_is_known(ms) && ms / 1000 <= now && ms / 1000 >= now - OLDEST_S) {
        writer_literal(json, ",\"date_happened\":");
        writer_number(json, (uint64_t)(ms / 1000));
    }
}

static void put_links(struct prose *text, const struct tmon_notification *notification,
                      const struct tmon_alert *alert)
{
    const unsigned before = text->used;
    const struct {
        const char *label, *url;
    } links[] = {
        {"Acknowledge", alert->firing ? alert->ack_url : NULL},
        {"Runbook", chat_runbook(alert)},
        {"Source", alert->generator_url},
        {"toiletmon", notification->external_url},
    };

    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        markdown_link(text, text->used == before ? "\n\n" : " \xc2\xb7 ", links[i].label,
                      links[i].url);
    }
}

static void put_alert(struct prose *text, const struct tmon_notification *notification,
                      const struct tmon_alert *alert)
{
    const char *description = chat_description(alert);

    prose_between(text, "", alert->summary, TEXT_UNITS / 4, "");
    put_links(text, notification, alert);
    if (description != NULL) {
        prose_markup(text, "\n\n");
        (void)prose_user(text, description, TEXT_UNITS / 2, PROSE_LINES);
    }
    for (size_t i = 0; i < alert->nlabels && prose_room(text) > LABEL_UNITS; i++) {
        if (prose_seen(alert->labels[i].value)) {
            prose_between(text, "\n\n", alert->labels[i].key, LABEL_UNITS / 2, " = ");
            (void)prose_user(text, alert->labels[i].value, LABEL_UNITS, PROSE_LINE);
        }
    }
}

static void put_text(struct writer *json, const struct tmon_notification *notification)
{
    const struct tmon_alert *alert = prose_alert(notification);
    struct prose text;

    writer_literal(json, ",\"text\":\"%%% \\n");
    prose_init(&text, json, escape, TEXT_UNITS);
    if (alert != NULL) {
        put_alert(&text, notification, alert);
    } else if (notification->text != NULL) {
        (void)prose_user(&text, notification->text, TEXT_UNITS, PROSE_LINES);
    }
    writer_literal(json, "\\n %%%\"");
}

void datadog_event(struct tmon_call *call, struct datadog *datadog,
                   const struct tmon_notification *notification)
{
    struct writer *json = &datadog->json;
    const struct tmon_alert *alert = prose_alert(notification);
    const char *type = type_of(alert);
    const char *host = datadog_host(notification, "");
    char key[KEY_BYTES];

    json->cap = BYTES_MAX;
    writer_start(json);
    writer_literal(json, "{\"title\":");
    prose_headline(json, notification, TITLE_UNITS);
    put_text(json, notification);
    writer_literal(json, ",\"alert_type\":\"");
    writer_put(json, type, strlen(type));
    writer_literal(json, "\",\"priority\":\"normal\",\"aggregation_key\":");
    prose_key(key, sizeof key, notification);
    datadog_line(json, key, KEY_BYTES);
    if (prose_seen(host)) {
        writer_literal(json, ",\"host\":");
        datadog_line(json, host, HOST_BYTES - 1);
    }
    put_time(json, alert);
    writer_literal(json, ",\"tags\":");
    datadog_tags(call, datadog, notification);
    writer_literal(json, "}");
}
