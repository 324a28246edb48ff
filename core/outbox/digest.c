/*
 * digest.c: a storm.  What exceeds a sink's budget in a window is folded into one notification that
 * tells of all of it: the first LIMIT_ALERTS alerts whole, the others as a number.  It waits until
 * the window has passed, and is the delivery of every alert in it.
 *
 * While it is open it is kept in memory and written once a batch.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outbox/private.h"

#define ORDERING UINT64_C(0x64696765737400) /* of all digests of a sink */
#define ITEMS_MOST 100000                   /* of one: LIMIT_ALERTS_ACTIVE; then another is begun */

struct digest {
    int64_t id;
    bool dirty;
    char uid[UID_SIZE];
    size_t nitems, items_size;
    struct content_item *items;
    /* The alerts of the first items, encoded with their own marks of where each begins. */
    size_t nalerts;
    struct digest_alert {
        int64_t episode;
        void *body; /* a notification of that one alert, as content_encode() made it */
        size_t len;
    } alerts[LIMIT_ALERTS];
    size_t bytes; /* of these */
};

void digest_free(struct digest *digest)
{
    if (digest) {
        for (size_t i = 0; i < digest->nalerts; i++) {
            free(digest->alerts[i].body);
        }
        free(digest->items);
        free(digest);
    }
}

bool digest_is(const struct sink *sink, int64_t id)
{
    return sink->digest && sink->digest->id == id;
}

bool digest_wanted(struct sink *sink, struct alerts_time now)
{
    if (sink->budget == 0 || !sink->configured) {
        return false;
    }
    if (now.mono_ms - sink->window_start >= sink->budget_ms) {
        sink->window_start = now.mono_ms;
        sink->window_count = 0;
    }
    if (sink->window_count < sink->budget) {
        sink->window_count++;
        return false;
    }
    return true;
}

/* ---- what it says ---- */

static void title_of(const struct digest *digest, struct buf *buf)
{
    size_t firing = 0;

    for (size_t i = 0; i < digest->nitems; i++) {
        firing += digest->items[i].firing;
    }
    buf_printf(buf, "Many alerts at once: %zu firing, %zu resolved", firing,
               digest->nitems - firing);
}

/* Its alerts are out of several notifications: decoded, put together, encoded. */
static int encode(const struct digest *digest, struct buf *title, struct buf *body)
{
    struct tmon_notification *parts[LIMIT_ALERTS] = {NULL};
    const struct tmon_alert *alerts[LIMIT_ALERTS];
    struct tmon_notification whole = {
        .size = sizeof whole, .attempt = 1, .id = digest->uid, .resolved = true};
    size_t n = 0;
    int r = 0;

    for (size_t i = 0; i < digest->nalerts && r == 0; i++) {
        const struct digest_alert *part = &digest->alerts[i];
        struct wire_reader reader;

        wire_reader_init(&reader, part->body, part->len);
        reader.pos = content_offset(part->body, part->len);
        r = notification_decode(&reader, &parts[i]);
        if (r == 0 && parts[i]->nalerts == 1) {
            alerts[n++] = parts[i]->alerts[0];
        }
    }
    for (size_t i = 0; i < digest->nitems; i++) {
        whole.resolved = whole.resolved && !digest->items[i].firing;
    }
    title_of(digest, title);
    whole.alerts = alerts;
    whole.nalerts = n;
    whole.ntruncated = digest->nitems - n;
    whole.group_key = "digest";
    whole.title = buf_str(title);
    if (r == 0) {
        content_put_items(body, digest->items, digest->nitems);
        r = notification_encode(body, &whole);
    }
    for (size_t i = 0; i < digest->nalerts; i++) {
        notification_destroy(parts[i]);
    }
    return r == 0 && body->failed ? -ENOMEM : r;
}

void digest_save(struct outbox *outbox, struct state_tx *tx, struct sink *sink, bool close,
                 struct alerts_time now)
{
    struct digest *digest = sink->digest;
    struct item *item = digest ? item_find(sink, digest->id) : NULL;
    struct buf body;

    if (!digest) {
        return;
    }
    buf_init(&body, 2 * LIMIT_CALL_BYTES);
    buf_clear(&outbox->other);
    if (item && digest->nitems == 0) {
        item_end(outbox, tx, item, OUTBOX_CANCELLED, "resolved before it was attempted", now);
        close = true;
    } else if (item && digest->dirty && encode(digest, &outbox->other, &body) == 0) {
        struct row row;
        void *copy = malloc(body.len);
        char *title = strdup(buf_str(&outbox->other));

        if (copy && title) {
            memcpy(copy, body.data, body.len);
            sink->bytes += body.len - item->len;
            free(item->body);
            free(item->title);
            item->body = copy;
            item->title = title;
            item->len = body.len;
            item->body_sum = row_body_sum(copy, body.len);
            row_of(item, &row);
            row_update(tx, &row, true);
        } else {
            free(copy);
            free(title);
            tx->error = tx->error ? tx->error : -ENOMEM;
        }
    } else if (digest->dirty && item) {
        tx->error = tx->error ? tx->error : -ENOMEM;
    }
    buf_finish(&body);
    digest->dirty = false;
    if (close || !item) {
        sink->digest = NULL;
        digest_free(digest);
    }
}

/* ---- what goes into it ---- */

static int begin(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                 struct alerts_time now)
{
    struct digest *digest = calloc(1, sizeof *digest);
    struct row row = {.sink = sink->name,
                      .ordering = ORDERING,
                      .reason = "",
                      .title = "Many alerts at once",
                      .flags = ITEM_DIGEST,
                      .created_ms = now.real_ms};
    struct buf body;
    int r;

    if (!digest) {
        return -ENOMEM;
    }
    make_uid(outbox, digest->uid);
    row.uid = digest->uid;
    row.next_ms = now.real_ms + (sink->window_start + sink->budget_ms - now.mono_ms);
    buf_init(&body, LIMIT_CALL_BYTES);
    buf_clear(&outbox->other);
    r = encode(digest, &outbox->other, &body);
    row.body = body.data;
    row.len = body.len;
    if (r == 0) {
        r = queue_insert(outbox, tx, sink, &row, now);
    }
    buf_finish(&body);
    digest->id = row.id;
    if (r == 0 && !item_find(sink, row.id)) {
        r = -ENOBUFS; /* no room in memory for it: cannot be, a storm's sink has few rows */
    }
    if (r < 0) {
        digest_free(digest);
        return r;
    }
    sink->digest = digest;
    return 0;
}

/* One alert by itself, encoded. */
static int keep_alert(struct digest *digest, const struct alerts_notice *notice,
                      const struct alerts_item *item)
{
    struct alerts_notice one = *notice;
    struct buf body;
    int r;

    if (digest->nalerts == LIMIT_ALERTS || digest->bytes > LIMIT_CALL_BYTES / 2) {
        return 0;
    }
    one.items = item;
    one.nitems = 1;
    one.ntruncated = 0;
    one.group_key = "";
    one.ngroup = 0;
    buf_init(&body, LIMIT_CALL_BYTES / LIMIT_ALERTS * 4);
    r = content_encode(&body, &one, "", NULL);
    if (r == 0) {
        digest->alerts[digest->nalerts++] =
            (struct digest_alert){alert_episode(item->alert), body.data, body.len};
        digest->bytes += body.len;
        return 0;
    }
    buf_finish(&body);
    return r == -ENOBUFS ? 0 : r; /* one that is too large is only counted */
}

static int add(struct digest *digest, const struct alerts_notice *notice,
               const struct alerts_item *item)
{
    if (digest->nitems == digest->items_size) {
        size_t size = digest->items_size ? 2 * digest->items_size : 64;
        struct content_item *items = realloc(digest->items, size * sizeof *items);

        if (!items) {
            return -ENOMEM;
        }
        digest->items = items;
        digest->items_size = size;
    }
    digest->items[digest->nitems++] =
        (struct content_item){alert_episode(item->alert), item->firing, true};
    digest->dirty = true;
    return keep_alert(digest, notice, item);
}

int digest_take(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                const struct alerts_notice *notice, struct alerts_time now, int64_t *ret_id,
                uint64_t *ret_ordering)
{
    int r = 0;

    if (sink->digest && sink->digest->nitems + notice->nitems > ITEMS_MOST) {
        digest_save(outbox, tx, sink, true, now);
    }
    if (!sink->digest) {
        r = begin(outbox, tx, sink, now);
    }
    for (size_t i = 0; r == 0 && i < notice->nitems; i++) {
        if (notice->items[i].news) {
            r = add(sink->digest, notice, &notice->items[i]);
        }
    }
    if (r == 0) {
        *ret_id = sink->digest->id;
        *ret_ordering = ORDERING;
    }
    return r;
}

int digest_withdraw(struct sink *sink, int64_t id, int64_t episode)
{
    struct digest *digest = sink->digest;
    size_t kept = 0;

    if (!digest || digest->id != id) {
        return 0;
    }
    for (size_t i = 0; i < digest->nitems; i++) {
        if (digest->items[i].episode != episode || !digest->items[i].firing) {
            digest->items[kept++] = digest->items[i];
        }
    }
    if (kept == digest->nitems) {
        return 0;
    }
    digest->nitems = kept;
    digest->dirty = true;
    kept = 0;
    for (size_t i = 0; i < digest->nalerts; i++) {
        if (digest->alerts[i].episode == episode) {
            digest->bytes -= digest->alerts[i].len;
            free(digest->alerts[i].body);
        } else {
            digest->alerts[kept++] = digest->alerts[i];
        }
    }
    digest->nalerts = kept;
    return 1;
}
