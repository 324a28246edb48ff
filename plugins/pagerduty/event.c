/*
 * event.c: a notification as an event of PagerDuty's Events API, version 2.  See pagerduty.h.
 *
 * What wakes people is short and always fits; what they read then, the details, is written once
 * more, cut shorter, when the event would become too large, and is left out at last: PagerDuty
 * refuses larger events, and a page without details is better than none.
 */
#include "pagerduty.h"

#include "../common/when.h"

#define EVENT_BYTES 512000 /* "512 KB", in the smaller of its two readings */
#define SUMMARY_UNITS 1024
#define KEY_BYTES 256   /* 255 of a dedup_key, and the NUL */
#define FIELD_UNITS 255 /* of the short fields, of which PagerDuty names no limit */
#define URL_BYTES 2000

static const unsigned cuts[] = {32768, 2048, 256, 0}; /* of one text in the details; 0: none */

static void put_field(struct writer *json, const char *before, const char *text)
{
    if (prose_seen(text)) {
        writer_put(json, before, strlen(before));
        prose_string(json, text, FIELD_UNITS, PROSE_LINE);
    }
}

/* ---- what wakes people ---- */

/* One of PagerDuty's words: the alert's own if it is one, else by what the alert is. */
static const char *severity_of(const struct tmon_notification *notification)
{
    static const char *const words[] = {"critical", "error", "warning", "info"};
    const struct tmon_alert *alert = prose_alert(notification);
    const char *own = alert == NULL ? NULL : prose_find(alert->labels, alert->nlabels, "severity");

    for (size_t i = 0; own != NULL && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(own, words[i]) == 0) {
            return words[i];
        }
    }
    if (alert == NULL) {
        return notification->resolved ? "info" : "warning";
    }
    return alert->severity >= TMON_SEVERITY_CRITICAL  ? "critical"
           : alert->severity == TMON_SEVERITY_WARNING ? "warning"
                                                      : "info";
}

static void put_place(struct writer *json, const struct tmon_alert *alert)
{
    static const char *const sources[] = {"instance", "host", "hostname", "node", NULL};
    static const char *const parts[] = {"component", "service", "job", NULL};
    static const char *const groups[] = {"group", "cluster", "namespace", NULL};

    if (alert == NULL) {
        writer_literal(json, ",\"source\":\"toiletmon\"");
        return;
    }
    put_field(json,
              ",\"source\":", prose_first(alert->labels, alert->nlabels, sources, "toiletmon"));
    put_field(json, ",\"component\":", prose_first(alert->labels, alert->nlabels, parts, NULL));
    put_field(json, ",\"group\":", prose_first(alert->labels, alert->nlabels, groups, NULL));
    put_field(json, ",\"class\":", alert->name);
}

static void put_time(struct writer *json, const char *before, int64_t ms)
{
    char text[WHEN_BYTES];

    if (when_is_known(ms)) {
        when_rfc3339(text, ms);
        writer_put(json, before, strlen(before));
        writer_literal(json, "\"");
        writer_put(json, text, strlen(text));
        writer_literal(json, "\"");
    }
}

/* ---- what they read then ---- */

/* A map, without the keys in `told`, which stand elsewhere already. */
static void put_map(struct pagerduty *pagerduty, const char *before, const struct tmon_pair *from,
                    size_t count, const char *const *told, unsigned most)
{
    struct writer *json = &pagerduty->json;
    bool first = true;

    if (!pairs_sort(&pagerduty->pairs, from, count)) {
        json->failed = json->no_memory = true;
        return;
    }
    writer_put(json, before, strlen(before));
    for (size_t i = 0; i < pagerduty->pairs.count && !json->failed; i++) {
        const struct tmon_pair *pair = pagerduty->pairs.at[i];
        bool known = !prose_is_plain(pair->key); // no label's name, whoever sent it

        for (const char *const *key = told; *key != NULL; key++) {
            known = known || strcmp(*key, pair->key) == 0;
        }
        if (!known) {
            writer_put(json, ",", first ? 0 : 1);
            first = false;
            writer_string(json, pair->key, SIZE_MAX); // two that are cut may become one
            writer_literal(json, ":");
            prose_string(json, pair->value, most, PROSE_LINES);
        }
    }
    writer_literal(json, "}");
}

static void put_details(struct pagerduty *pagerduty, const struct tmon_notification *notification,
                        unsigned most)
{
    static const char *const none[] = {NULL};
    static const char *const told[] = {"summary", "description", "message", NULL};
    const struct tmon_alert *alert = prose_alert(notification);
    struct writer *json = &pagerduty->json;

    writer_literal(json, ",\"custom_details\":{\"told_by\":");
    prose_string(json, notification->receiver, FIELD_UNITS, PROSE_LINE);
    if (most == 0) {
        writer_literal(json, ",\"note\":\"The details are too large for an event.\"}");
        return;
    }
    if (alert == NULL) {
        writer_literal(json, ",\"text\":");
        prose_string(json, notification->text, most, PROSE_LINES);
    } else {
        if (prose_seen(alert->description)) {
            writer_literal(json, ",\"description\":");
            prose_string(json, alert->description, most, PROSE_LINES);
        }
        put_map(pagerduty, ",\"labels\":{", alert->labels, alert->nlabels, none, most);
        put_map(pagerduty, ",\"annotations\":{", alert->annotations, alert->nannotations, told,
                most);
    }
    writer_literal(json, "}");
}

static void put_link(struct writer *json, const char *url, const char *text, size_t *count)
{
    if (!prose_is_link(url, URL_BYTES)) {
        return;
    }
    if ((*count)++ == 0) {
        writer_literal(json, ",\"links\":[{\"href\":");
    } else {
        writer_literal(json, ",{\"href\":");
    }
    writer_string(json, url, SIZE_MAX);
    writer_literal(json, ",\"text\":");
    writer_string(json, text, SIZE_MAX);
    writer_literal(json, "}");
}

static void put_links(struct writer *json, const struct tmon_notification *notification)
{
    const struct tmon_alert *alert = prose_alert(notification);
    size_t count = 0;

    if (prose_is_link(notification->external_url, URL_BYTES)) {
        writer_literal(json, ",\"client_url\":");
        writer_string(json, notification->external_url, SIZE_MAX);
    }
    if (alert != NULL) {
        if (alert->firing) {
            put_link(json, alert->ack_url, "Acknowledge in toiletmon", &count);
        }
        put_link(json, prose_find(alert->annotations, alert->nannotations, "runbook_url"),
                 "Runbook", &count);
        put_link(json, alert->generator_url, "Where it was found", &count);
    }
    if (count > 0) {
        writer_literal(json, "]");
    }
}

/* ---- the whole ---- */

static void put_trigger(struct pagerduty *pagerduty, const struct tmon_notification *notification,
                        unsigned most)
{
    const struct tmon_alert *alert = prose_alert(notification);
    struct writer *json = &pagerduty->json;

    writer_literal(json, ",\"client\":\"toiletmon\"");
    put_links(json, notification);
    writer_literal(json, ",\"payload\":{");
    writer_literal(json, "\"summary\":");
    prose_headline(json, notification, SUMMARY_UNITS);
    put_place(json, alert);
    put_field(json, ",\"severity\":", severity_of(notification));
    put_time(json, ",\"timestamp\":", alert == NULL ? 0 : alert->starts_ms);
    put_details(pagerduty, notification, most);
    writer_literal(json, "}");
}

static void put_all(struct pagerduty *pagerduty, const struct tmon_notification *notification,
                    unsigned most)
{
    const struct tmon_alert *alert = prose_alert(notification);
    struct writer *json = &pagerduty->json;
    char key[KEY_BYTES];

    writer_start(json);
    writer_literal(json, "{\"routing_key\":");
    writer_string(json, pagerduty->routing_key, SIZE_MAX);
    prose_key(key, sizeof key, notification);
    writer_literal(json, ",\"dedup_key\":");
    writer_string(json, key, SIZE_MAX);
    if (alert != NULL && !alert->firing) {
        writer_literal(json, ",\"event_action\":\"resolve\"");
    } else if (alert != NULL && alert->acked_by != NULL) {
        writer_literal(json, ",\"event_action\":\"acknowledge\"");
    } else {
        writer_literal(json, ",\"event_action\":\"trigger\"");
        put_trigger(pagerduty, notification, most);
    }
    writer_literal(json, "}");
}

void event_write(struct pagerduty *pagerduty, const struct tmon_notification *notification)
{
    size_t i = 0;

    pagerduty->json.cap = EVENT_BYTES;
    do {
        put_all(pagerduty, notification, cuts[i++]);
    } while (pagerduty->json.failed && !pagerduty->json.no_memory &&
             i < sizeof cuts / sizeof cuts[0]);
}
