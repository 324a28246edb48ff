/*
 * embed.c: a notification as a message of Discord.  See discord.h.
 *
 * Each alert is an embed with a bar of its colour.  Discord counts the texts of all embeds together
 * and refuses the whole message when one is too long, empty, or an address that it does not like:
 * so addresses stand in the text, where nothing is refused.
 */
#include "discord.h"

#include "../common/markdown.h"
#include "../common/when.h"

#define BYTES_MAX ((size_t)1 << 20) /* far above what the limits allow */
#define CONTENT_UNITS 1200          /* Discord takes 2000 */
#define TOTAL_UNITS 5900            /* of all embeds; Discord takes 6000 */
#define TITLE_UNITS 256
#define DESCRIPTION_UNITS 4096
#define FOOTER_UNITS 100
#define ALERTS_MAX 10
#define FIELDS_MAX 12
#define KEY_UNITS 60 /* of a field; Discord takes 256 and 1024, but not twelve of them */
#define VALUE_UNITS 180
#define ALONE_UNITS (TOTAL_UNITS - FIELDS_MAX * (KEY_UNITS + VALUE_UNITS) - FOOTER_UNITS)

static void open_text(struct prose *text, struct writer *json, const char *before, unsigned most)
{
    writer_put(json, before, strlen(before));
    prose_init(text, json, markdown_escape, most);
}

/* What one sees without a look at the embeds, as a telephone shows it. */
static void put_content(struct writer *json, const struct tmon_notification *notification)
{
    const bool alone = notification->nalerts == 1 && notification->ntruncated == 0;
    struct prose text;

    open_text(&text, json, "{\"content\":\"", CONTENT_UNITS);
    if (alone || notification->nalerts == 0) {
        chat_brief(&text, notification);
    } else {
        prose_markup(&text, chat_sign(chat_worst(notification)));
        (void)prose_user(&text, prose_title(notification), CONTENT_UNITS / 4, PROSE_LINE);
        prose_markup(&text, "\n");
        chat_group(&text, notification);
    }
    writer_literal(json, "\"");
}

static void put_colour(struct writer *json, enum chat_rank rank)
{
    static const uint32_t colours[] = {0xd92d20, 0xf79009, 0x439fe0, 0x2eb67d};

    writer_literal(json, ",\"color\":");
    writer_number(json, colours[rank]);
}

static void put_description(struct writer *json, const struct tmon_notification *notification,
                            const struct tmon_alert *alert, unsigned most, bool alone)
{
    const char *description = chat_description(alert);
    struct prose text;

    open_text(&text, json, ",\"description\":\"", most);
    prose_markup(&text, chat_word(chat_rank(alert)));
    if (alert->firing) {
        markdown_link(&text, " \xc2\xb7 ", "Acknowledge", alert->ack_url);
    }
    markdown_link(&text, " \xc2\xb7 ", "Runbook", chat_runbook(alert));
    markdown_link(&text, " \xc2\xb7 ", "Source", alert->generator_url);
    if (alone) {
        markdown_link(&text, " \xc2\xb7 ", "toiletmon", notification->external_url);
    }
    prose_between(&text, "\n", alert->summary, most, "");
    if (!alone) {
        chat_labels(&text, notification, alert, "\n");
    }
    if (description != NULL && prose_room(&text) > 1) {
        prose_markup(&text, "\n");
        (void)prose_user(&text, description, most, PROSE_LINES);
    }
    writer_literal(json, "\"");
}

static void put_fields(struct writer *json, const struct tmon_notification *notification,
                       const struct tmon_alert *alert)
{
    const struct tmon_pair *label;
    size_t count = 0, at = 0;

    while (count < FIELDS_MAX && (label = chat_field(notification, alert, &at)) != NULL) {
        struct prose text;

        open_text(&text, json, count++ == 0 ? ",\"fields\":[{\"name\":\"" : ",{\"name\":\"",
                  KEY_UNITS);
        (void)prose_user(&text, label->key, KEY_UNITS, PROSE_LINE);
        open_text(&text, json, "\",\"value\":\"", VALUE_UNITS);
        (void)prose_user(&text, label->value, VALUE_UNITS, PROSE_LINE);
        writer_literal(json, "\",\"inline\":true}");
    }
    if (count > 0) {
        writer_literal(json, "]");
    }
}

static void put_time(struct writer *json, int64_t ms)
{
    char text[WHEN_BYTES];

    if (when_is_known(ms)) {
        when_rfc3339(text, ms);
        writer_literal(json, ",\"timestamp\":\"");
        writer_put(json, text, strlen(text));
        writer_literal(json, "\"");
    }
}

static void put_alert(struct writer *json, const struct tmon_notification *notification,
                      const struct tmon_alert *alert, unsigned most, bool alone)
{
    const unsigned title = most / 3 < TITLE_UNITS ? most / 3 : TITLE_UNITS;
    const unsigned rest = most - title < DESCRIPTION_UNITS ? most - title : DESCRIPTION_UNITS;
    struct prose text;

    open_text(&text, json, "{\"title\":\"", title);
    prose_markup(&text, chat_sign(chat_rank(alert)));
    (void)prose_user(&text, chat_name(alert), title, PROSE_LINE);
    writer_literal(json, "\"");
    put_colour(json, chat_rank(alert));
    put_description(json, notification, alert, rest, alone);
    if (alone) {
        put_fields(json, notification, alert);
    }
    put_time(json, alert->firing ? alert->starts_ms : alert->ends_ms);
}

static void put_alerts(struct writer *json, const struct tmon_notification *notification)
{
    const struct tmon_alert *alerts[ALERTS_MAX];
    const size_t count = chat_first(notification, alerts, ALERTS_MAX);
    const bool alone = count == 1 && notification->ntruncated == 0;
    const unsigned share = alone ? ALONE_UNITS : (TOTAL_UNITS - FOOTER_UNITS) / (unsigned)count;
    const uint64_t more = chat_more(notification, count);

    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            writer_literal(json, "},");
        }
        put_alert(json, notification, alerts[i], share, alone);
    }
    if (more > 0) { // behind the last, which is still open
        writer_literal(json, ",\"footer\":{\"text\":\"and ");
        writer_number(json, more);
        writer_literal(json, " more\"}");
    }
    writer_literal(json, "}");
}

static void put_message(struct writer *json, const struct tmon_notification *notification)
{
    struct prose text;

    if (prose_seen(notification->text)) {
        open_text(&text, json, "{\"description\":\"", DESCRIPTION_UNITS);
        (void)prose_user(&text, notification->text, DESCRIPTION_UNITS, PROSE_LINES);
        writer_literal(json, "\"");
        put_colour(json, chat_worst(notification));
        writer_literal(json, "}");
    }
}

void discord_write(struct discord *discord, const struct tmon_notification *notification)
{
    struct writer *json = &discord->json;

    json->cap = BYTES_MAX;
    writer_start(json);
    put_content(json, notification);
    writer_literal(json, ",\"embeds\":[");
    if (notification->nalerts > 0) {
        put_alerts(json, notification);
    } else {
        put_message(json, notification);
    }
    // nobody is called, whatever an alert says
    writer_literal(json, "],\"allowed_mentions\":{\"parse\":[]}}");
}
