/*
 * notification.c: see notification.h.  The decoded object is one allocation per array: the sink
 * sees plain structs of plugin_api.h, whose strings lie in the frame.
 */
#include "model/notification.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "model/pairs.h"

static void encode_alert(struct buf *buf, const struct tmon_alert *alert)
{
    wire_put_u8(buf, (uint8_t)alert->severity);
    wire_put_u8(buf, alert->firing);
    wire_put_str(buf, alert->key);
    wire_put_str(buf, alert->name);
    wire_put_str(buf, alert->summary);
    wire_put_str(buf, alert->description);
    wire_put_i64(buf, alert->starts_ms);
    wire_put_i64(buf, alert->ends_ms);
    wire_put_str(buf, alert->fingerprint);
    wire_put_str(buf, alert->generator_url);
    pairs_encode(buf, alert->labels, alert->nlabels);
    pairs_encode(buf, alert->annotations, alert->nannotations);
}

/* After all the alerts, and only where there is one: rows that were queued before there were any
 * are notifications still, and parts of rows can be put together as they are. */
static void encode_acks(struct buf *buf, const struct tmon_notification *notification, size_t n)
{
    bool links = false, acked = false;

    for (size_t i = 0; i < n; i++) {
        links = links || notification->alerts[i]->ack_url;
        acked = acked || notification->alerts[i]->acked_by;
    }
    for (size_t i = 0; (links || acked) && i < n; i++) {
        wire_put_str(buf, notification->alerts[i]->ack_url);
    }
    for (size_t i = 0; acked && i < n; i++) {
        wire_put_u8(buf, notification->alerts[i]->acked_by != NULL);
        wire_put_str(buf, notification->alerts[i]->acked_by);
    }
}

int notification_encode(struct buf *buf, const struct tmon_notification *notification)
{
    size_t before = buf->len;
    size_t n = notification->nalerts < LIMIT_ALERTS ? notification->nalerts : LIMIT_ALERTS;

    wire_put_u32(buf, notification->attempt);
    wire_put_u8(buf, notification->resolved);
    wire_put_u64(buf, notification->ntruncated + (notification->nalerts - n));
    wire_put_str(buf, notification->id);
    wire_put_str(buf, notification->group_key);
    wire_put_str(buf, notification->receiver);
    wire_put_str(buf, notification->external_url);
    wire_put_str(buf, notification->title);
    wire_put_str(buf, notification->text);
    wire_put_u8(buf, notification->html != NULL);
    wire_put_str(buf, notification->html);
    pairs_encode(buf, notification->group, notification->ngroup);
    pairs_encode(buf, notification->headers, notification->nheaders);
    wire_put_u32(buf, (uint32_t)n);
    for (size_t i = 0; i < n && !buf->failed; i++) {
        encode_alert(buf, notification->alerts[i]);
    }
    encode_acks(buf, notification, n);
    if (buf->failed) {
        buf->failed = false;
        buf->len = before;
        return -ENOBUFS;
    }
    return 0;
}

/* Leaves in `alert` whatever is owned, also when the reader has become bad. */
static void decode_alert(struct wire_reader *reader, struct tmon_alert *alert)
{
    alert->size = sizeof *alert;
    alert->severity = wire_get_u8(reader);
    alert->firing = wire_get_u8(reader) != 0;
    alert->key = wire_get_str(reader, LIMIT_CURSOR_BYTES);
    alert->name = wire_get_str(reader, LIMIT_LABEL_VALUE_BYTES);
    alert->summary = wire_get_str(reader, LIMIT_ALERT_TEXT_BYTES);
    alert->description = wire_get_str(reader, LIMIT_ALERT_TEXT_BYTES);
    alert->starts_ms = wire_get_i64(reader);
    alert->ends_ms = wire_get_i64(reader);
    alert->fingerprint = wire_get_str(reader, LIMIT_FINGERPRINT_BYTES);
    alert->generator_url = wire_get_str(reader, LIMIT_HTTP_URL_BYTES);
    alert->labels = pairs_decode(reader, LIMIT_PAIRS, LIMIT_LABEL_VALUE_BYTES, &alert->nlabels);
    alert->annotations =
        pairs_decode(reader, LIMIT_PAIRS, LIMIT_ALERT_TEXT_BYTES, &alert->nannotations);
    if (alert->severity > TMON_SEVERITY_CRITICAL) {
        reader->bad = true;
    }
}

static int decode_alerts(struct wire_reader *reader, struct tmon_notification *notification)
{
    uint32_t n = wire_get_count(reader, LIMIT_ALERTS, 52);
    const struct tmon_alert **alerts;

    if (n == 0) {
        return 0;
    }
    alerts = calloc(n, sizeof *alerts);
    notification->alerts = alerts;
    for (uint32_t i = 0; alerts && i < n && !reader->bad; i++) {
        struct tmon_alert *alert = calloc(1, sizeof *alert);

        if (!alert) {
            return -ENOMEM;
        }
        alerts[i] = alert;
        notification->nalerts = i + 1;
        decode_alert(reader, alert);
    }
    return alerts ? 0 : -ENOMEM;
}

static void decode_acks(struct wire_reader *reader, struct tmon_notification *notification)
{
    if (reader->bad || reader->pos == reader->len) {
        return;
    }
    for (size_t i = 0; i < notification->nalerts; i++) {
        struct tmon_alert *alert = (struct tmon_alert *)notification->alerts[i]; /* ours */
        const char *url = wire_get_str(reader, LIMIT_HTTP_URL_BYTES);

        alert->ack_url = *url ? url : NULL;
    }
    for (size_t i = 0; i < notification->nalerts && reader->pos < reader->len; i++) {
        struct tmon_alert *alert = (struct tmon_alert *)notification->alerts[i];
        bool acked = wire_get_u8(reader) != 0;
        const char *by = wire_get_str(reader, LIMIT_ACK_BY_BYTES);

        alert->acked_by = acked ? by : NULL;
    }
}

static void decode_texts(struct wire_reader *reader, struct tmon_notification *notification)
{
    bool has_html;

    notification->size = sizeof *notification;
    notification->attempt = wire_get_u32(reader);
    notification->resolved = wire_get_u8(reader) != 0;
    notification->ntruncated = wire_get_u64(reader);
    notification->id = wire_get_str(reader, LIMIT_CURSOR_BYTES);
    notification->group_key = wire_get_str(reader, LIMIT_ALERT_TEXT_BYTES);
    notification->receiver = wire_get_str(reader, LIMIT_NAME_BYTES);
    notification->external_url = wire_get_str(reader, LIMIT_HTTP_URL_BYTES);
    notification->title = wire_get_str(reader, LIMIT_ALERT_TEXT_BYTES);
    notification->text = wire_get_str(reader, LIMIT_RENDERED_BYTES);
    has_html = wire_get_u8(reader) != 0;
    notification->html = wire_get_str(reader, LIMIT_RENDERED_BYTES);
    if (!has_html) {
        notification->html = NULL;
    }
    notification->group =
        pairs_decode(reader, LIMIT_PAIRS, LIMIT_LABEL_VALUE_BYTES, &notification->ngroup);
    notification->headers =
        pairs_decode(reader, LIMIT_PAIRS, LIMIT_HTTP_HEADER_BYTES, &notification->nheaders);
}

int notification_decode(struct wire_reader *reader, struct tmon_notification **ret_notification)
{
    struct tmon_notification *notification = calloc(1, sizeof *notification);
    int r;

    if (!notification) {
        return -ENOMEM;
    }
    decode_texts(reader, notification);
    r = decode_alerts(reader, notification);
    decode_acks(reader, notification);
    if (r == 0 && reader->bad) {
        r = -EPROTO;
    }
    if (r < 0) {
        notification_destroy(notification);
        return r;
    }
    *ret_notification = notification;
    return 0;
}

void notification_destroy(struct tmon_notification *notification)
{
    if (!notification) {
        return;
    }
    for (size_t i = 0; i < notification->nalerts; i++) {
        free((void *)notification->alerts[i]->labels);
        free((void *)notification->alerts[i]->annotations);
        free((void *)notification->alerts[i]);
    }
    free((void *)notification->alerts);
    free((void *)notification->group);
    free((void *)notification->headers);
    free(notification);
}
