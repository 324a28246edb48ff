/*
 * event.c: a notification as an event of Sentry, in its envelope.  See sentry.h.
 *
 * The event's id comes of the notification's, so that Sentry drops one that arrives twice.  Events
 * of one alert have one fingerprint and become one issue; its end is an event of level info in it,
 * because an issue cannot be resolved this way.
 */
#include "sentry.h"

#include <nettle/sha2.h>
#include <time.h>

#include "../common/chat.h"
#include "../common/when.h"

#define BYTES_MAX ((size_t)1 << 20) /* Sentry takes events of 1 MB; ours stay far below */
#define MESSAGE_UNITS 1000          /* Sentry cuts at 8192; the first line is the title */
#define TAG_KEY_UNITS 32
#define TAG_VALUE_UNITS 200
#define TAGS_MAX 50
#define EXTRA_UNITS 4000 /* Sentry takes 16 kB of one */
#define EXTRAS_MAX 20    /* and 256 kB of all: 20 of at most 12,000 bytes are less */
#define URL_BYTES 2000

static void event_id(char id[EVENT_ID_LETTERS + 1], const char *text)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t digest[EVENT_ID_LETTERS / 2];
    struct sha256_ctx sha256;

    sha256_init(&sha256);
    sha256_update(&sha256, strlen(text), (const uint8_t *)text);
    sha256_digest(&sha256, sizeof digest, digest);
    digest[6] = (uint8_t)((digest[6] & 0x0f) | 0x40); // marks it as a random UUID
    digest[8] = (uint8_t)((digest[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof digest; i++) {
        id[2 * i] = hex[digest[i] >> 4];
        id[2 * i + 1] = hex[digest[i] & 15];
    }
    id[EVENT_ID_LETTERS] = '\0';
}

static void put_word(struct writer *json, const char *before, const char *word)
{
    writer_put(json, before, strlen(before));
    writer_literal(json, "\"");
    writer_put(json, word, strlen(word));
    writer_literal(json, "\"");
}

static int64_t now_ms(void)
{
    return (int64_t)time(NULL) * 1000;
}

/* ---- the event ---- */

/* Of an alert when it began or ended; when that is not known, and of a message, now. */
static void put_time(struct writer *json, const struct tmon_alert *alert)
{
    const int64_t ms = alert == NULL ? 0 : alert->firing ? alert->starts_ms : alert->ends_ms;
    char text[WHEN_BYTES];

    when_rfc3339(text, when_is_known(ms) ? ms : now_ms());
    put_word(json, ",\"timestamp\":", text);
}

static void put_message(struct writer *json, const struct tmon_notification *notification,
                        const struct tmon_alert *alert)
{
    struct prose text;

    writer_literal(json, ",\"message\":\"");
    prose_init(&text, json, NULL, MESSAGE_UNITS);
    if (alert == NULL) {
        (void)prose_user(&text, prose_title(notification), MESSAGE_UNITS, PROSE_LINE);
    } else {
        prose_markup(&text, alert->firing ? "" : "Resolved: ");
        (void)prose_user(&text, chat_name(alert), MESSAGE_UNITS / 2, PROSE_LINE);
        prose_between(&text, ": ", alert->summary, MESSAGE_UNITS, "");
    }
    writer_literal(json, "\"");
}

/* A tag's key is letters, digits and a few marks; anything else is an underscore. */
static void put_tag_key(struct writer *json, const char *key)
{
    char text[TAG_KEY_UNITS + 1];
    size_t len = 0;

    for (; *key != '\0' && len < TAG_KEY_UNITS; key++) {
        const char c = *key;
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || strchr("_.:-", c) != NULL;

        text[len++] = letter ? c : '_';
    }
    text[len] = '\0';
    put_word(json, "[", text);
}

/* Pairs in lists and not an object: two keys may have become one. */
static void put_tags(struct writer *json, const struct tmon_pair *labels, size_t count)
{
    size_t told = 0;

    writer_literal(json, ",\"tags\":[");
    for (size_t i = 0; i < count && told < TAGS_MAX; i++) {
        if (labels[i].key[0] != '\0' && prose_seen(labels[i].value)) {
            writer_put(json, ",", told++ > 0);
            put_tag_key(json, labels[i].key);
            writer_literal(json, ",");
            prose_string(json, labels[i].value, TAG_VALUE_UNITS, PROSE_LINE);
            writer_literal(json, "]");
        }
    }
    writer_literal(json, "]");
}

static void put_extra(struct writer *json, const char *key, const char *value, size_t *count)
{
    if (prose_seen(value)) {
        writer_put(json, ",", (*count)++ > 0);
        prose_string(json, key, TAG_VALUE_UNITS, PROSE_LINE);
        writer_literal(json, ":");
        prose_string(json, value, EXTRA_UNITS, PROSE_LINES);
    }
}

static void put_link(struct writer *json, const char *key, const char *url, size_t *count)
{
    if (prose_is_link(url, URL_BYTES)) {
        put_extra(json, key, url, count);
    }
}

/* One that is not told elsewhere, and whose name stays what it is when it is written. */
static bool is_annotation(const char *key)
{
    return prose_is_plain(key) && strlen(key) <= TAG_VALUE_UNITS && strchr(key, ' ') == NULL &&
           strcmp(key, "summary") != 0 && strcmp(key, "description") != 0;
}

/* Ours have a blank in their names, which no annotation's has: so none is there twice. */
static void put_extras(struct sentry *sentry, const struct tmon_notification *notification,
                       const struct tmon_alert *alert)
{
    struct writer *json = &sentry->json;
    size_t count = 0;

    writer_literal(json, ",\"extra\":{");
    put_link(json, "in toiletmon", notification->external_url, &count);
    if (alert == NULL) {
        put_extra(json, "the text", notification->text, &count);
    } else {
        put_link(json, "acknowledge it", alert->firing ? alert->ack_url : NULL, &count);
        put_link(json, "made by", alert->generator_url, &count);
        put_extra(json, "the episode", alert->key, &count);
        put_extra(json, "in full", chat_description(alert), &count);
        for (size_t i = 0; i < sentry->pairs.count && count < EXTRAS_MAX; i++) {
            if (is_annotation(sentry->pairs.at[i]->key)) {
                put_extra(json, sentry->pairs.at[i]->key, sentry->pairs.at[i]->value, &count);
            }
        }
    }
    writer_literal(json, "}");
}

static void put_fingerprint(struct writer *json, const struct tmon_alert *alert)
{
    if (alert != NULL && prose_seen(alert->fingerprint)) {
        writer_literal(json, ",\"fingerprint\":[\"toiletmon\",");
        prose_string(json, alert->fingerprint, TAG_VALUE_UNITS, PROSE_LINE);
        writer_literal(json, "]");
    }
}

static void put_setting(struct writer *json, const char *before, const char *value)
{
    if (prose_seen(value)) {
        writer_put(json, before, strlen(before));
        prose_string(json, value, TAG_VALUE_UNITS, PROSE_LINE);
    }
}

static void put_event(struct sentry *sentry, const struct tmon_notification *notification,
                      const char *id)
{
    static const char *const levels[] = {"fatal", "warning", "info", "info"};
    static const char *const servers[] = {"host", "hostname", "node", "instance", NULL};
    const struct tmon_alert *alert = prose_alert(notification);
    struct writer *json = &sentry->json;

    put_word(json, "{\"event_id\":", id);
    put_time(json, alert);
    put_word(json, ",\"level\":", alert == NULL ? "info" : levels[chat_rank(alert)]);
    writer_literal(json, ",\"platform\":\"other\",\"logger\":\"toiletmon\"");
    put_message(json, notification, alert);
    put_setting(json, ",\"environment\":", sentry->environment);
    put_setting(json, ",\"release\":", sentry->release);
    put_fingerprint(json, alert);
    if (alert != NULL) {
        put_setting(json,
                    ",\"server_name\":", prose_first(alert->labels, alert->nlabels, servers, NULL));
        put_tags(json, alert->labels, alert->nlabels);
    } else {
        put_tags(json, notification->group, notification->ngroup);
    }
    put_extras(sentry, notification, alert);
    writer_literal(json, "}");
}

/* ---- around it ---- */

void sentry_write(struct sentry *sentry, const struct tmon_notification *notification)
{
    const struct tmon_alert *alert = prose_alert(notification);
    struct writer *envelope = &sentry->envelope;
    char id[EVENT_ID_LETTERS + 1], text[WHEN_BYTES];

    event_id(id, notification->id);
    sentry->pairs.count = 0;
    if (alert != NULL && !pairs_sort(&sentry->pairs, alert->annotations, alert->nannotations)) {
        sentry->pairs.count = 0; // no memory for them: the rest is worth more
    }
    sentry->json.cap = envelope->cap = BYTES_MAX;
    writer_start(&sentry->json);
    put_event(sentry, notification, id);
    writer_start(envelope);
    put_word(envelope, "{\"event_id\":", id);
    when_rfc3339(text, now_ms());
    put_word(envelope, ",\"sent_at\":", text);
    writer_literal(envelope,
                   "}\n{\"type\":\"event\",\"content_type\":\"application/json\",\"length\":");
    writer_number(envelope, sentry->json.len);
    writer_literal(envelope, "}\n");
    writer_put(envelope, sentry->json.data, sentry->json.len);
    writer_literal(envelope, "\n");
    envelope->failed = envelope->failed || sentry->json.failed;
}
