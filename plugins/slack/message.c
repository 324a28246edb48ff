/*
 * message.c: a notification as a Slack message.  See slack.h.
 *
 * The title is a header above the coloured attachment that holds the rest: a message with blocks of
 * its own shows `text` in notifications only, one without would show the title twice.  All texts
 * together stay below TOTAL_UNITS, because Slack refuses messages of somewhat more
 * (msg_blocks_too_long) though each text of it is short enough.
 */
#include "slack.h"

#define BYTES_MAX ((size_t)1 << 20) /* far above what the limits allow */
#define TOTAL_UNITS 12000
#define HEADER_UNITS 150
#define SECTION_UNITS 3000
#define CONTEXT_UNITS 500
#define LINK_UNITS 1000
#define FALLBACK_UNITS 1000
#define MENTION_UNITS 200
#define ALERTS_MAX 45 /* 50 blocks without header, mention, group, "and more" and the last line */
#define SHARE_UNITS (TOTAL_UNITS - HEADER_UNITS - MENTION_UNITS - 2 * CONTEXT_UNITS - LINK_UNITS)
#define ALONE_UNITS 3000 /* leaves room for ten labels */
#define TEXT_SECTIONS 3  /* of a message without alerts */

static const char *colour(enum chat_rank rank)
{
    static const char *const colours[] = {"danger", "warning", "#439FE0", "good"};

    return colours[rank];
}

/* What a telephone shows, in quotes: title, and what it is about. */
static void put_fallback(struct writer *json, const struct tmon_notification *notification,
                         const char *mention)
{
    struct prose text;

    writer_literal(json, "\"");
    prose_init(&text, json, text_entity, FALLBACK_UNITS);
    if (mention[0] != '\0') {
        prose_markup(&text, mention);
        prose_markup(&text, " ");
    }
    chat_brief(&text, notification);
    writer_literal(json, "\"");
}

static void put_head(struct writer *json, const struct tmon_notification *notification,
                     const char *mention)
{
    struct prose text;

    writer_literal(json, ",\"blocks\":[{\"type\":\"header\",\"text\":{\"type\":\"plain_text\","
                         "\"emoji\":false,\"text\":\"");
    prose_init(&text, json, text_entity, HEADER_UNITS);
    prose_markup(&text, chat_sign(chat_worst(notification)));
    (void)prose_user(&text, prose_title(notification), HEADER_UNITS, PROSE_LINE);
    writer_literal(json, "\"}}");
    if (mention[0] != '\0') {
        writer_literal(json, ",{\"type\":\"section\",\"text\":");
        text_open(&text, json, MENTION_UNITS);
        prose_markup(&text, mention);
        text_close(&text);
        writer_literal(json, "}");
    }
    writer_literal(json, "]");
}

/* What a group has in common, and how many are in it. */
static void put_group(struct writer *json, const struct tmon_notification *notification)
{
    struct prose text;

    writer_literal(json, "{\"type\":\"context\",\"elements\":[");
    text_open(&text, json, CONTEXT_UNITS);
    chat_group(&text, notification);
    text_close(&text);
    writer_literal(json, "]},");
}

static void put_more(struct writer *json, const struct tmon_notification *notification,
                     uint64_t more)
{
    struct prose text;

    writer_literal(json, "{\"type\":\"section\",\"text\":");
    text_open(&text, json, CONTEXT_UNITS);
    prose_markup(&text, "and ");
    prose_number(&text, more);
    prose_markup(&text, " more");
    text_close(&text);
    writer_literal(json, "},");
}

/* The last line: when, and where it comes from. */
static void put_foot(struct writer *json, const struct tmon_notification *notification)
{
    const struct tmon_alert *alone = notification->nalerts == 1 ? notification->alerts[0] : NULL;
    struct prose text;

    writer_literal(json, "{\"type\":\"context\",\"elements\":[");
    text_open(&text, json, LINK_UNITS);
    text_link(&text, notification->external_url, "toiletmon", 20);
    if (alone != NULL) {
        text_time(&text, " \xc2\xb7 started ", alone->starts_ms);
        text_time(&text, " \xc2\xb7 ended ", alone->firing ? 0 : alone->ends_ms);
    }
    text_close(&text);
    writer_literal(json, "]}");
}

static void put_alerts(struct writer *json, const struct tmon_notification *notification)
{
    const struct tmon_alert *alerts[ALERTS_MAX];
    const size_t count = chat_first(notification, alerts, ALERTS_MAX);
    const bool alone = count == 1 && notification->ntruncated == 0;
    const unsigned share = alone ? ALONE_UNITS : SHARE_UNITS / (unsigned)count;
    const unsigned most = share < SECTION_UNITS ? share : SECTION_UNITS;
    const uint64_t more = chat_more(notification, count);

    if (!alone) {
        put_group(json, notification);
    }
    for (size_t i = 0; i < count; i++) {
        alert_write(json, notification, alerts[i], most, alone);
        writer_literal(json, ",");
    }
    if (more > 0) {
        put_more(json, notification, more);
    }
}

static void put_message(struct writer *json, const struct tmon_notification *notification)
{
    const char *rest = notification->text == NULL ? "" : notification->text;

    for (int i = 0; i < TEXT_SECTIONS && prose_seen(rest); i++) {
        struct prose text;

        writer_literal(json, "{\"type\":\"section\",\"text\":");
        text_open(&text, json, SECTION_UNITS);
        rest = prose_user(&text, rest, SECTION_UNITS, PROSE_LINES);
        text_close(&text);
        writer_literal(json, "},");
    }
}

void message_write(struct slack *slack, const struct tmon_notification *notification)
{
    struct writer *json = &slack->json;
    const enum chat_rank rank = chat_worst(notification);
    const char *mention = rank == CHAT_CRITICAL ? slack->mention : "";

    json->cap = BYTES_MAX;
    writer_start(json);
    writer_literal(json, "{\"text\":");
    put_fallback(json, notification, mention);
    put_head(json, notification, mention);
    writer_literal(json, ",\"attachments\":[{\"color\":\"");
    writer_put(json, colour(rank), strlen(colour(rank)));
    writer_literal(json, "\",\"fallback\":");
    put_fallback(json, notification, "");
    writer_literal(json, ",\"blocks\":[");
    if (notification->nalerts > 0) {
        put_alerts(json, notification);
    } else {
        put_message(json, notification);
    }
    put_foot(json, notification);
    writer_literal(json, "]}]}");
}
