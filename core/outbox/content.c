/*
 * content.c: the body of a row: which episodes the notification tells of, then the notification as
 * model/notification.h encodes it, whole, so that every attempt says the same under the same id.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/labels.h"
#include "outbox/private.h"

#define ITEM_BYTES 9
#define ITEMS_MOST 1000000 /* of a digest */
#define CALL_ROOM 131072   /* of a call's bytes, for all but the alerts */

enum { CONTENT_FIRING = 1, CONTENT_NEWS = 2, CONTENT_REPEAT = 4, CONTENT_ACK = 8 };

void content_put_items(struct buf *buf, const struct content_item *items, size_t n)
{
    wire_put_u32(buf, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        wire_put_i64(buf, items[i].episode);
        wire_put_u8(
            buf,
            (uint8_t)((items[i].firing ? CONTENT_FIRING : 0) | (items[i].news ? CONTENT_NEWS : 0) |
                      (items[i].repeat ? CONTENT_REPEAT : 0) | (items[i].ack ? CONTENT_ACK : 0)));
    }
}

int content_items(const void *body, size_t len, struct content_item **ret_items, size_t *ret_n)
{
    struct wire_reader reader;
    struct content_item *items;
    uint32_t n;

    wire_reader_init(&reader, body, len);
    n = wire_get_count(&reader, ITEMS_MOST, ITEM_BYTES);
    if (reader.bad) {
        return -EPROTO;
    }
    items = calloc(n ? n : 1, sizeof *items);
    if (!items) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint8_t flags;

        items[i].episode = wire_get_i64(&reader);
        flags = wire_get_u8(&reader);
        items[i].firing = flags & CONTENT_FIRING;
        items[i].news = flags & CONTENT_NEWS;
        items[i].repeat = flags & CONTENT_REPEAT;
        items[i].ack = flags & CONTENT_ACK;
    }
    *ret_items = items;
    *ret_n = n;
    return 0;
}

size_t content_offset(const void *body, size_t len)
{
    struct wire_reader reader;
    uint32_t n;

    wire_reader_init(&reader, body, len);
    n = wire_get_count(&reader, ITEMS_MOST, ITEM_BYTES);
    return reader.bad ? 0 : reader.pos + (size_t)n * ITEM_BYTES;
}

/* ---- texts that do not fit ---- */

static size_t pairs_bytes(const struct tmon_pair *pairs, size_t n)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++) {
        bytes += strlen(pairs[i].key) + strlen(pairs[i].value) + 10;
    }
    return bytes;
}

/* A copy of the annotations, each cut to what is its part of `most`.  NULL: out of memory. */
static struct tmon_pair *cut_annotations(const struct tmon_alert *alert, size_t most)
{
    struct tmon_pair *cut = NULL;
    size_t each = most / (alert->nannotations + 1);

    if (labels_copy(alert->annotations, alert->nannotations, &cut) < 0) {
        return NULL;
    }
    for (size_t i = 0; i < alert->nannotations; i++) {
        size_t len = strlen(cut[i].value);

        if (len > each) {
            ((char *)cut[i].value)[utf8_cut(cut[i].value, len, each)] = '\0';
        }
    }
    return cut;
}

/* Makes an alert of a notification of n fit its part of a call.  The returned array is owned and
 * may be NULL. */
static struct tmon_pair *fit(struct tmon_alert *alert, size_t n)
{
    size_t most = (LIMIT_CALL_BYTES - CALL_ROOM) / n;
    size_t labels = pairs_bytes(alert->labels, alert->nlabels) + strlen(alert->name) + 256;
    size_t fixed = labels + strlen(alert->generator_url);
    /* Summary and description stand in the annotations, and are encoded once more each. */
    size_t texts = strlen(alert->summary) + strlen(alert->description) +
                   pairs_bytes(alert->annotations, alert->nannotations);
    struct tmon_pair *cut;

    if (fixed + texts <= most) {
        return NULL;
    }
    if (fixed > most) { /* labels alone always fit: LIMIT_ALERT_LABELS_BYTES */
        alert->generator_url = "";
        fixed = labels;
    }
    cut = cut_annotations(alert, most > fixed ? (most - fixed) / 2 : 0);
    for (size_t i = 0; cut && i < alert->nannotations; i++) {
        if (alert->annotations[i].value == alert->summary) {
            alert->summary = cut[i].value;
        }
        if (alert->annotations[i].value == alert->description) {
            alert->description = cut[i].value;
        }
    }
    if (cut) {
        alert->annotations = cut;
    }
    return cut;
}

/* ---- encoding ---- */

int content_encode(struct buf *buf, const struct alerts_notice *notice, const char *uid,
                   const char *title)
{
    struct content_item items[LIMIT_ALERTS];
    struct tmon_alert alerts[LIMIT_ALERTS];
    const struct tmon_alert *pointers[LIMIT_ALERTS];
    struct tmon_pair *cuts[LIMIT_ALERTS];
    struct tmon_notification notification = {
        .size = sizeof notification,
        .attempt = 1,
        .id = uid,
        .resolved = notice->ntruncated == 0,
        .alerts = pointers,
        .nalerts = notice->nitems,
        .ntruncated = notice->ntruncated,
        .group = notice->group,
        .ngroup = notice->ngroup,
        .group_key = notice->group_key,
        .title = title,
    };
    int r;

    for (size_t i = 0; i < notice->nitems; i++) {
        const struct alerts_item *item = &notice->items[i];

        items[i] = (struct content_item){alert_episode(item->alert), item->firing, item->news,
                                         item->repeat, item->ack};
        alert_describe(item->alert, item->firing, &alerts[i]);
        alerts[i].acked_by = item->ack ? alert_acked_by(item->alert) : NULL;
        cuts[i] = fit(&alerts[i], notice->nitems);
        pointers[i] = &alerts[i];
        notification.resolved = notification.resolved && !item->firing;
    }
    content_put_items(buf, items, notice->nitems);
    r = notification_encode(buf, &notification);
    for (size_t i = 0; i < notice->nitems; i++) {
        free(cuts[i]);
    }
    return buf->failed ? -ENOMEM : r;
}

int content_encode_alert(struct buf *buf, const struct alerts_item *item, struct buf *scratch)
{
    struct tmon_alert alert;
    const struct tmon_alert *const pointers[] = {&alert};
    struct tmon_notification notification = {.size = sizeof notification};
    struct tmon_pair *cut;
    size_t before;
    int r;

    alert_describe(item->alert, item->firing, &alert);
    cut = fit(&alert, LIMIT_ALERTS / 4);
    buf_clear(scratch);
    r = notification_encode(scratch, &notification);
    before = scratch->len;
    if (r == 0) {
        buf_clear(scratch);
        notification.alerts = pointers;
        notification.nalerts = 1;
        r = notification_encode(scratch, &notification);
    }
    if (r == 0) { /* they come last */
        buf_append(buf, scratch->data + before, scratch->len - before);
    }
    free(cut);
    return r < 0 ? r : buf->failed ? -ENOMEM : 0;
}

int content_begin(struct buf *buf, const struct tmon_notification *notification, size_t nalerts)
{
    int r = notification_encode(buf, notification);

    if (r == 0) {
        wire_set_u32(buf, buf->len - 4, (uint32_t)nalerts); /* it ends with their number */
    }
    return r;
}

void content_digest_title(const struct content_item *items, size_t n, struct buf *buf)
{
    size_t firing = 0;

    for (size_t i = 0; i < n; i++) {
        firing += items[i].firing;
    }
    buf_printf(buf, "Many alerts at once: %zu firing, %zu resolved", firing, n - firing);
}

/* A notification that is being put together out of parts of another. */
struct filtered {
    struct tmon_notification notification;
    size_t nalerts;
    struct tmon_alert alerts[LIMIT_ALERTS];
    const struct tmon_alert *pointers[LIMIT_ALERTS];
};

static void keep_alert(struct filtered *filtered, const struct tmon_alert *alert,
                       int64_t resolve_ms)
{
    struct tmon_alert *copy = &filtered->alerts[filtered->nalerts];

    *copy = *alert;
    if (resolve_ms > 0) {
        copy->firing = false;
        copy->ends_ms = resolve_ms;
        copy->acked_by = NULL;
    }
    filtered->pointers[filtered->nalerts++] = copy;
}

/* Which items stay, moved to the front; their alerts go into `filtered`. */
static size_t sift(const struct content_filter *filter, const struct tmon_notification *old,
                   struct content_item *items, size_t n, struct filtered *filtered)
{
    struct tmon_notification *changed = &filtered->notification;
    size_t kept = 0;

    /* What has no item here is of the group, and fires. */
    changed->resolved = old->nalerts + old->ntruncated == n;
    for (size_t i = 0; i < n; i++) {
        const struct tmon_alert *alert = i < old->nalerts ? old->alerts[i] : NULL;

        if (!filter->keep(filter->arg, i, &items[i])) {
            changed->ntruncated -= !alert && changed->ntruncated > 0;
            continue;
        }
        items[kept] = items[i];
        if (filter->resolve_ms > 0) {
            items[kept] = (struct content_item){.episode = items[i].episode, .news = true};
        }
        changed->resolved = changed->resolved && !items[kept].firing;
        kept++;
        if (alert) {
            keep_alert(filtered, alert, filter->resolve_ms);
        }
    }
    return kept;
}

int content_filter(const void *body, size_t len, const struct content_filter *filter,
                   struct buf *buf)
{
    struct filtered *filtered = calloc(1, sizeof *filtered);
    struct content_item *items = NULL;
    struct tmon_notification *old = NULL;
    struct wire_reader reader;
    struct buf title;
    size_t n = 0;
    int r = filtered ? content_items(body, len, &items, &n) : -ENOMEM, news = 0;

    buf_init(&title, 256);
    if (r == 0) {
        wire_reader_init(&reader, body, len);
        reader.pos = content_offset(body, len);
        r = notification_decode(&reader, &old);
    }
    if (r < 0) {
        goto out;
    }
    filtered->notification = *old;
    n = sift(filter, old, items, n, filtered);
    filtered->notification.alerts = filtered->pointers;
    filtered->notification.nalerts = filtered->nalerts;
    if (filter->uid) {
        filtered->notification.id = filter->uid;
    }
    if (*old->title) {
        content_digest_title(items, n, &title);
        filtered->notification.title = buf_str(&title);
    }
    content_put_items(buf, items, n);
    r = notification_encode(buf, &filtered->notification);
    for (size_t i = 0; i < n; i++) {
        news += items[i].news;
    }
out:
    buf_finish(&title);
    notification_destroy(old);
    free(items);
    free(filtered);
    return r < 0 ? r : buf->failed ? -ENOMEM : news;
}

void content_title(const struct alerts_notice *notice, struct buf *buf)
{
    size_t firing = notice->ntruncated, resolved = 0;
    struct tmon_alert first;

    for (size_t i = 0; i < notice->nitems; i++) {
        firing += notice->items[i].firing;
        resolved += !notice->items[i].firing;
    }
    alert_describe(notice->items[0].alert, notice->items[0].firing, &first);
    if (firing + resolved == 1) {
        buf_printf(buf, "%s: %.200s",
                   notice->items[0].ack ? "acknowledged"
                   : firing             ? "firing"
                                        : "resolved",
                   first.name);
    } else {
        buf_printf(buf, "%zu firing, %zu resolved: ", firing, resolved);
        labels_show(notice->group, notice->ngroup, buf);
    }
    if (buf->len > 256) {
        buf->len = utf8_cut(buf->data, buf->len, 256);
        buf->data[buf->len] = '\0';
    }
}
