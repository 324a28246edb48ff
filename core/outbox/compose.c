/*
 * compose.c: see compose.h.  What does not fit is cut at a code point: a sink that wants all of it
 * has the alerts themselves.
 */
#include "outbox/compose.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "model/notification.h"

#define NAMES_SHOWN 3 /* of alerts in a title */
#define KEPT_BYTES LIMIT_FRAME_BYTES
#define HEAD_BYTES 64   /* of a CALL, in front of it */
#define LINK_BYTES 2048 /* of where people reach the agent: a longer one makes no links */

void compose_init(struct compose *compose)
{
    buf_init(&compose->title, LIMIT_TITLE_BYTES);
    buf_init(&compose->text, LIMIT_PLAIN_BYTES);
    buf_init(&compose->out, LIMIT_CALL_BYTES - HEAD_BYTES);
    buf_init(&compose->links, LIMIT_CALL_BYTES);
    compose->ack_key = (struct ack_key){0};
}

void compose_finish(struct compose *compose)
{
    buf_finish(&compose->title);
    buf_finish(&compose->text);
    buf_finish(&compose->out);
    buf_finish(&compose->links);
}

/* Appends as much as there is room for. */
static void put(struct buf *buf, const char *text)
{
    size_t len = strlen(text), room = buf->cap - buf->len;

    buf_append(buf, text, len <= room ? len : utf8_cut(text, len, room));
}

/* The same on one line. */
static void put_line(struct buf *buf, const char *text)
{
    size_t before = buf->len;

    put(buf, text);
    for (size_t i = before; i < buf->len; i++) {
        if ((unsigned char)buf->data[i] < ' ' || buf->data[i] == 0x7f) {
            buf->data[i] = ' ';
        }
    }
}

static void put_label(struct buf *buf, const struct tmon_pair *label, bool first)
{
    put(buf, first ? "" : ", ");
    put_line(buf, label->key);
    put(buf, "=\"");
    put_line(buf, label->value);
    put(buf, "\"");
}

/* ---- the title ---- */

/* Whether the title need not say it: it stands there already, or is for the colour. */
static bool is_said(const struct tmon_pair *label)
{
    return strcmp(label->key, "alertname") == 0 || strcmp(label->key, "severity") == 0;
}

static bool has_label(const struct tmon_alert *alert, const struct tmon_pair *label)
{
    for (size_t i = 0; i < alert->nlabels; i++) {
        if (strcmp(alert->labels[i].key, label->key) == 0) {
            return strcmp(alert->labels[i].value, label->value) == 0;
        }
    }
    return false;
}

static bool all_have(const struct tmon_notification *notification, const struct tmon_pair *label)
{
    for (size_t i = 1; i < notification->nalerts; i++) {
        if (!has_label(notification->alerts[i], label)) {
            return false;
        }
    }
    return true;
}

static void put_shared_labels(struct buf *buf, const struct tmon_notification *notification)
{
    const struct tmon_alert *first = notification->alerts[0];
    bool any = false;

    for (size_t i = 0; i < first->nlabels; i++) {
        if (!is_said(&first->labels[i]) && all_have(notification, &first->labels[i])) {
            put(buf, any ? "" : " (");
            put_label(buf, &first->labels[i], !any);
            any = true;
        }
    }
    put(buf, any ? ")" : "");
}

static void put_names(struct buf *buf, const struct tmon_notification *notification)
{
    const char *shown[NAMES_SHOWN];
    size_t n = 0;

    for (size_t i = 0; i < notification->nalerts; i++) {
        const char *name = notification->alerts[i]->name;
        bool known = false;

        for (size_t j = 0; j < n && !known; j++) {
            known = strcmp(shown[j], name) == 0;
        }
        if (known) {
            continue;
        }
        if (n == NAMES_SHOWN) {
            put(buf, ", ...");
            return;
        }
        put(buf, n > 0 ? ", " : "");
        put_line(buf, name);
        shown[n++] = name;
    }
}

/* Then it is of one alert, which was told before. */
static bool tells_ack(const struct tmon_notification *notification)
{
    return notification->nalerts == 1 && notification->alerts[0]->acked_by;
}

void compose_title(struct buf *buf, const struct tmon_notification *notification)
{
    size_t firing = 0;

    for (size_t i = 0; i < notification->nalerts; i++) {
        firing += notification->alerts[i]->firing;
    }
    if (tells_ack(notification)) {
        put(buf, "[ACKNOWLEDGED] ");
    } else if (firing > 0) {
        buf_printf(buf, "[FIRING:%zu] ", firing + notification->ntruncated);
    } else {
        put(buf, "[RESOLVED] ");
    }
    if (notification->nalerts > 0) {
        put_names(buf, notification);
        put_shared_labels(buf, notification);
    }
}

/* ---- the text ---- */

static void put_time(struct buf *buf, const char *what, int64_t ms)
{
    char text[CLOCK_RFC3339_SIZE];

    if (ms > 0) {
        put(buf, what);
        put(buf, clock_rfc3339(ms, text));
    }
}

static void put_alert(struct buf *buf, const struct tmon_alert *alert)
{
    static const char *const severities[] = {"info", "warning", "critical"};

    put(buf, alert->firing ? "\nFIRING " : "\nRESOLVED ");
    put_line(buf, alert->name);
    put(buf, " (");
    put(buf, alert->severity >= 0 && alert->severity <= 2 ? severities[alert->severity] : "");
    put_time(buf, ") since ", alert->starts_ms);
    put_time(buf, " until ", alert->firing ? 0 : alert->ends_ms);
    put(buf, "\n");
    if (alert->acked_by) {
        put(buf, "Acknowledged");
        put(buf, *alert->acked_by ? " by " : "");
        put_line(buf, alert->acked_by);
        put(buf, "\n");
    }
    if (*alert->summary) {
        put(buf, alert->summary);
        put(buf, "\n");
    }
    if (*alert->description && strcmp(alert->description, alert->summary) != 0) {
        put(buf, alert->description);
        put(buf, "\n");
    }
    for (size_t i = 0; i < alert->nlabels; i++) {
        put_label(buf, &alert->labels[i], i == 0);
    }
    put(buf, alert->nlabels > 0 ? "\n" : "");
    if (*alert->generator_url) {
        put(buf, alert->generator_url);
        put(buf, "\n");
    }
}

void compose_text(struct buf *buf, const struct tmon_notification *notification)
{
    put(buf, notification->title);
    put(buf, "\n");
    for (size_t i = 0; i < notification->nalerts && buf->len < buf->cap; i++) {
        put_alert(buf, notification->alerts[i]);
    }
    if (notification->ntruncated > 0) {
        buf_printf(buf, "\nand %zu more\n", notification->ntruncated);
    }
}

/* ---- links ---- */

/* Writes it at `at`, where there is room.  The same for each attempt: far ends compare them. */
static bool write_link(const struct compose *compose, const struct tmon_alert *alert,
                       int64_t created_ms, const char *url, size_t len, char *at)
{
    static const char path[] = "/ack/";

    memcpy(at, url, len);
    memcpy(at + len, path, sizeof path - 1);
    return ack_token_make(&compose->ack_key, alert->key, created_ms + ACK_LINK_MS,
                          at + len + sizeof path - 1) == 0;
}

static void add_links(struct compose *compose, struct tmon_notification *notification,
                      int64_t created_ms)
{
    const char *url = notification->external_url;
    size_t len = strlen(url), each;
    char *at;

    while (len > 0 && url[len - 1] == '/') {
        len--;
    }
    each = len + 5 + ACK_TOKEN_SIZE;
    buf_clear(&compose->links);
    if (!compose->ack_key.set || len == 0 || len > LINK_BYTES || created_ms <= 0) {
        return;
    }
    at = buf_reserve(&compose->links, each * notification->nalerts); /* NULL: then without */
    for (size_t i = 0; at && i < notification->nalerts; i++, at += each) {
        struct tmon_alert *alert = (struct tmon_alert *)notification->alerts[i]; /* ours */

        if (alert->firing && write_link(compose, alert, created_ms, url, len, at)) {
            alert->ack_url = at;
        }
    }
}

static void drop_links(struct tmon_notification *notification)
{
    for (size_t i = 0; i < notification->nalerts; i++) {
        ((struct tmon_alert *)notification->alerts[i])->ack_url = NULL;
    }
}

/* ---- the whole ---- */

static int encode(struct compose *compose, struct tmon_notification *notification)
{
    int r;

    buf_clear(&compose->out);
    r = notification_encode(&compose->out, notification);
    if (r == -ENOBUFS && compose->links.size > 0) { // the text matters more
        drop_links(notification);
        r = notification_encode(&compose->out, notification);
    }
    if (r == -ENOBUFS && *notification->text) { // the alerts matter more
        notification->text = "";
        r = notification_encode(&compose->out, notification);
    }
    return r;
}

int compose_notification(struct compose *compose, const struct outbox_attempt *attempt,
                         const char *external_url)
{
    struct tmon_notification *notification;
    struct wire_reader reader;
    int r;

    if (compose->out.size > KEPT_BYTES) { // a large one is rare
        buf_finish(&compose->out);
        buf_init(&compose->out, LIMIT_CALL_BYTES - HEAD_BYTES);
    }
    wire_reader_init(&reader, attempt->body, attempt->len);
    r = notification_decode(&reader, &notification);
    if (r < 0) {
        return r;
    }
    notification->attempt = attempt->attempt;
    notification->receiver = attempt->sink;
    notification->external_url = external_url;
    if (!*notification->title) {
        buf_clear(&compose->title);
        compose_title(&compose->title, notification);
        notification->title = buf_str(&compose->title);
    }
    if (!*notification->text) {
        buf_clear(&compose->text);
        compose_text(&compose->text, notification);
        notification->text = buf_str(&compose->text);
    }
    add_links(compose, notification, attempt->created_ms);
    r = wire_done(&reader) ? encode(compose, notification) : -EPROTO;
    notification_destroy(notification);
    return r;
}
