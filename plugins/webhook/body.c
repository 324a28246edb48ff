/*
 * body.c: a notification as version 4 of Alertmanager's webhook document.  See webhook.h.
 *
 * Key by key what Alertmanager writes, so that its receivers work with ours.  A document that would
 * pass BODY_BYTES is written again with its texts cut, then with fewer alerts, which are counted in
 * truncatedAlerts: the agent takes no larger request, and an alert that is cut is better than none.
 */
#include "webhook.h"

#include "../common/when.h"

#define BODY_BYTES ((size_t)7 << 20) /* the agent takes 8 MiB, URL and headers included */

static const size_t cuts[] = {SIZE_MAX, 16384, 2048, 256}; /* of one text */

struct write {
    struct body *body;
    const struct tmon_notification *notification;
    size_t nalerts; /* how many are written */
    size_t most;    /* bytes of one text */
};

static void put_pairs(const struct write *write, const struct pairs *pairs)
{
    struct writer *json = &write->body->json;

    writer_literal(json, "{");
    for (size_t i = 0; i < pairs->count && !json->failed; i++) {
        if (i > 0) {
            writer_literal(json, ",");
        }
        writer_string(json, pairs->at[i]->key, SIZE_MAX); // two that are cut may become one
        writer_literal(json, ":");
        writer_string(json, pairs->at[i]->value, write->most);
    }
    writer_literal(json, "}");
}

static void put_text(const struct write *write, const char *text)
{
    writer_string(&write->body->json, text == NULL ? "" : text, SIZE_MAX);
}

static void put_time(struct writer *json, int64_t ms)
{
    char text[WHEN_BYTES];

    when_rfc3339(text, ms);
    writer_literal(json, "\"");
    writer_put(json, text, strlen(text));
    writer_literal(json, "\"");
}

bool body_look_at(struct body *body, const struct tmon_alert *alert, bool first)
{
    if (!pairs_sort(&body->labels, alert->labels, alert->nlabels) ||
        !pairs_sort(&body->annotations, alert->annotations, alert->nannotations)) {
        return false;
    }
    if (first) {
        return pairs_sort(&body->common_labels, alert->labels, alert->nlabels) &&
               pairs_sort(&body->common_annotations, alert->annotations, alert->nannotations);
    }
    pairs_keep_common(&body->common_labels, &body->labels);
    pairs_keep_common(&body->common_annotations, &body->annotations);
    return true;
}

static bool put_alert(const struct write *write, const struct tmon_alert *alert, bool first)
{
    struct body *body = write->body;
    struct writer *json = &body->json;

    if (!body_look_at(body, alert, first)) {
        return false;
    }
    if (!first) {
        writer_literal(json, ",");
    }
    if (alert->firing) {
        writer_literal(json, "{\"status\":\"firing\",\"labels\":");
    } else {
        writer_literal(json, "{\"status\":\"resolved\",\"labels\":");
    }
    put_pairs(write, &body->labels);
    writer_literal(json, ",\"annotations\":");
    put_pairs(write, &body->annotations);
    writer_literal(json, ",\"startsAt\":");
    put_time(json, alert->starts_ms);
    writer_literal(json, ",\"endsAt\":");
    if (alert->firing || alert->ends_ms == 0) {
        writer_literal(json, "\"" WEBHOOK_NEVER "\"");
    } else {
        put_time(json, alert->ends_ms);
    }
    writer_literal(json, ",\"generatorURL\":");
    put_text(write, alert->generator_url);
    writer_literal(json, ",\"fingerprint\":");
    put_text(write, alert->fingerprint);
    writer_literal(json, "}");
    return true;
}

bool body_is_firing(const struct tmon_notification *notification)
{
    for (size_t i = 0; i < notification->nalerts; i++) {
        if (notification->alerts[i]->firing) {
            return true;
        }
    }
    return !notification->resolved;
}

/* A message has no alerts; Alertmanager sends none, so its text goes where text of alerts goes. */
static bool put_message(const struct write *write)
{
    const struct tmon_notification *message = write->notification;
    const struct tmon_pair pairs[] = {
        {"description", message->text == NULL ? "" : message->text},
        {"summary", message->title == NULL ? "" : message->title},
    };
    struct pairs *annotations = &write->body->common_annotations;

    if (!pairs_sort(annotations, pairs, 2)) {
        return false;
    }
    put_pairs(write, annotations);
    return true;
}

/* False when there is no memory for other things than the text. */
static bool put_document(const struct write *write)
{
    const struct tmon_notification *notification = write->notification;
    struct body *body = write->body;
    struct writer *json = &body->json;

    writer_start(json);
    body->common_labels.count = body->common_annotations.count = 0;
    writer_literal(json, "{\"receiver\":");
    put_text(write, notification->receiver);
    if (body_is_firing(notification)) {
        writer_literal(json, ",\"status\":\"firing\",\"alerts\":[");
    } else {
        writer_literal(json, ",\"status\":\"resolved\",\"alerts\":[");
    }
    for (size_t i = 0; i < write->nalerts && !json->failed; i++) {
        if (!put_alert(write, notification->alerts[i], i == 0)) {
            return false;
        }
    }
    writer_literal(json, "],\"groupLabels\":");
    if (!pairs_sort(&body->labels, notification->group, notification->ngroup)) {
        return false;
    }
    put_pairs(write, &body->labels);
    writer_literal(json, ",\"commonLabels\":");
    put_pairs(write, &body->common_labels);
    writer_literal(json, ",\"commonAnnotations\":");
    if (notification->nalerts > 0) {
        put_pairs(write, &body->common_annotations);
    } else if (!put_message(write)) {
        return false;
    }
    writer_literal(json, ",\"externalURL\":");
    put_text(write, notification->external_url);
    writer_literal(json, ",\"version\":\"4\",\"groupKey\":");
    put_text(write, notification->group_key);
    writer_literal(json, ",\"truncatedAlerts\":");
    writer_number(json, notification->ntruncated + (notification->nalerts - write->nalerts));
    writer_literal(json, "}\n");
    return true;
}

static bool put_all(const struct write *write)
{
    return write->body->template != NULL
               ? template_put(write->body, write->notification, write->nalerts, write->most)
               : put_document(write);
}

/* What a template makes of it may still be no JSON. */
static tmon_rc look(struct tmon_call *call, const struct body *body)
{
    int line = 0, column = 0;

    if (body->template == NULL || template_check(body, &line, &column)) {
        return TMON_OK;
    }
    tmon_log(call, TMON_ERROR,
             "body: of this notification it makes no JSON: see line %d, column %d of what it makes",
             line, column);
    return TMON_REJECTED;
}

void body_init(struct body *body)
{
    writer_init(&body->json, BODY_BYTES);
}

void body_finish(struct body *body)
{
    writer_finish(&body->json);
    template_close(body);
    pairs_finish(&body->labels);
    pairs_finish(&body->annotations);
    pairs_finish(&body->common_labels);
    pairs_finish(&body->common_annotations);
}

tmon_rc body_write(struct tmon_call *call, struct body *body,
                   const struct tmon_notification *notification)
{
    const size_t levels = sizeof cuts / sizeof cuts[0];
    struct write write = {body, notification, notification->nalerts, 0};

    for (size_t level = 0;; level++) {
        write.most = cuts[level < levels ? level : levels - 1];
        if (level >= levels) {
            write.nalerts /= 2;
        }
        if (!put_all(&write) || body->json.no_memory) {
            tmon_log(call, TMON_ERROR, "there is no memory for the document");
            return TMON_RETRY;
        }
        if (!body->json.failed) {
            if (level > 0) {
                tmon_log(call, TMON_WARNING,
                         "a notification passes %zu MiB: its texts are cut at %zu bytes, and %zu "
                         "of %zu alerts are sent",
                         BODY_BYTES >> 20, write.most, write.nalerts, notification->nalerts);
            }
            return look(call, body);
        }
        if (level >= levels && write.nalerts == 0) {
            tmon_log(call, TMON_ERROR, "the notification passes %zu MiB even without alerts",
                     BODY_BYTES >> 20);
            return TMON_REJECTED;
        }
    }
}
