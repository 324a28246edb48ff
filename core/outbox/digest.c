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

struct digest_item {
    struct content_item item;
    size_t place; /* in digest->items */
    void *alert;  /* as it stands in the notification; NULL: it is only counted */
    size_t len;
};

struct digest {
    int64_t id;
    bool dirty;
    char uid[UID_SIZE];
    struct digest_item **items; /* in order; NULL: taken out */
    size_t len, size;           /* of the array */
    struct map by_episode;      /* of items: an episode is in it once */
    size_t nalerts, bytes;      /* of those that are there whole */
};

static void item_destroy(struct digest_item *item)
{
    if (item) {
        free(item->alert);
        free(item);
    }
}

void digest_free(struct digest *digest)
{
    if (digest) {
        for (size_t i = 0; i < digest->len; i++) {
            item_destroy(digest->items[i]);
        }
        map_finish(&digest->by_episode);
        free(digest->items);
        free(digest);
    }
}

bool digest_is(const struct sink *sink, int64_t id)
{
    return sink->digest && sink->digest->id == id;
}

int digest_wanted(struct state_tx *tx, struct sink *sink, uint64_t ordering, struct alerts_time now)
{
    int r;

    if (sink->budget == 0 || !sink->configured) {
        return 0;
    }
    if (now.mono_ms - sink->window_start >= sink->budget_ms) {
        sink->window_start = now.mono_ms;
        sink->window_count = 0;
    }
    if (sink->window_count < sink->budget) {
        sink->window_count++;
        return 0;
    }
    /* What waits must not be overtaken by what follows it. */
    r = ordering == ORDERING ? 0 : queue_has_pending(tx, sink, ordering);
    return r < 0 ? r : r == 0;
}

/* ---- what it says ---- */

/* Closes the gaps. */
static void compact(struct digest *digest)
{
    size_t kept = 0;

    for (size_t i = 0; i < digest->len; i++) {
        if (digest->items[i]) {
            digest->items[i]->place = kept;
            digest->items[kept++] = digest->items[i];
        }
    }
    digest->len = kept;
}

/* The items as they stand in the body: first those whose alerts are there. */
static struct content_item *list(const struct digest *digest)
{
    struct content_item *items = calloc(digest->len + 1, sizeof *items);
    size_t whole = 0, counted = digest->nalerts;

    for (size_t i = 0; items && i < digest->len; i++) {
        const struct digest_item *item = digest->items[i];

        items[item->alert ? whole++ : counted++] = item->item;
    }
    return items;
}

/* Put together from what was encoded when it came.  Without gaps. */
static int encode(const struct digest *digest, struct buf *title, struct buf *body)
{
    struct tmon_notification whole = {.size = sizeof whole,
                                      .attempt = 1,
                                      .id = digest->uid,
                                      .resolved = true,
                                      .ntruncated = digest->len - digest->nalerts,
                                      .group_key = "digest"};
    struct content_item *items = list(digest);
    int r = -ENOMEM;

    if (items) {
        for (size_t i = 0; i < digest->len; i++) {
            whole.resolved = whole.resolved && !items[i].firing;
        }
        content_digest_title(items, digest->len, title);
        whole.title = buf_str(title);
        content_put_items(body, items, digest->len);
        r = content_begin(body, &whole, digest->nalerts);
    }
    for (size_t i = 0; i < digest->len && r == 0; i++) {
        if (digest->items[i]->alert) {
            buf_append(body, digest->items[i]->alert, digest->items[i]->len);
        }
    }
    free(items);
    return r == 0 && body->failed ? -ENOMEM : r;
}

static int rewrite(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                   const struct digest *digest, struct alerts_time now)
{
    struct buf *title = &outbox->other, body;
    struct draft draft;
    int r = draft_init(&draft, outbox, tx, sink, digest->id);

    buf_init(&body, 2 * LIMIT_CALL_BYTES);
    buf_clear(title);
    if (r == 1 && digest->len == 0) {
        draft_end(&draft, outbox, tx, OUTBOX_CANCELLED, "resolved before it was attempted", now);
    } else if (r == 1) {
        r = encode(digest, title, &body);
        r = r < 0 ? r : draft_rewrite(&draft, tx, &body, buf_str(title));
    }
    buf_finish(&body);
    draft_finish(&draft);
    return r;
}

void digest_save(struct outbox *outbox, struct state_tx *tx, struct sink *sink, bool close,
                 struct alerts_time now)
{
    struct digest *digest = sink->digest;
    int r;

    if (!digest) {
        return;
    }
    if (digest->dirty) {
        compact(digest);
        r = rewrite(outbox, tx, sink, digest, now);
        if (r < 0 && tx->error == 0) {
            tx->error = r;
        }
        digest->dirty = false;
    }
    if (close || digest->len == 0) {
        sink->digest = NULL;
        digest_free(digest);
    }
}

void digest_yield(struct outbox *outbox, struct state_tx *tx, struct sink *sink, uint64_t ordering,
                  struct alerts_time now)
{
    if (ordering == ORDERING) {
        digest_save(outbox, tx, sink, true, now);
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
                      .flags = ITEM_DIGEST,
                      .created_ms = now.real_ms};
    struct buf body;
    int r;

    if (!digest) {
        return -ENOMEM;
    }
    map_init(&digest->by_episode);
    make_uid(outbox, digest->uid);
    row.uid = digest->uid;
    row.next_ms = now.real_ms + (sink->window_start + sink->budget_ms - now.mono_ms);
    buf_init(&body, LIMIT_CALL_BYTES);
    buf_clear(&outbox->other);
    r = encode(digest, &outbox->other, &body);
    row.title = buf_str(&outbox->other);
    row.body = body.data;
    row.len = body.len;
    if (r == 0) {
        r = queue_insert(outbox, tx, sink, &row, now);
    }
    buf_finish(&body);
    if (r < 0) {
        digest_free(digest);
        return r;
    }
    digest->id = row.id;
    sink->digest = digest;
    return 0;
}

/* The alert itself, if there is room for it. */
static int keep_alert(struct outbox *outbox, struct digest *digest, struct digest_item *kept,
                      const struct alerts_item *item)
{
    struct buf alert;
    int r;

    if (digest->nalerts == LIMIT_ALERTS || digest->bytes > LIMIT_CALL_BYTES / 2) {
        return 0;
    }
    buf_init(&alert, LIMIT_CALL_BYTES / LIMIT_ALERTS * 4);
    r = content_encode_alert(&alert, item, &outbox->scratch);
    if (r < 0) {
        buf_finish(&alert);
        return r;
    }
    kept->alert = alert.data;
    kept->len = alert.len;
    digest->nalerts++;
    digest->bytes += alert.len;
    return 0;
}

static void take_out(struct digest *digest, struct digest_item *item)
{
    (void)map_remove(&digest->by_episode, (const char *)&item->item.episode,
                     sizeof item->item.episode);
    digest->items[item->place] = NULL;
    if (item->alert) {
        digest->nalerts--;
        digest->bytes -= item->len;
    }
    item_destroy(item);
    digest->dirty = true;
}

static struct digest_item *find(const struct digest *digest, int64_t episode)
{
    return map_get(&digest->by_episode, (const char *)&episode, sizeof episode);
}

static int append(struct digest *digest, struct digest_item *item)
{
    if (digest->len == digest->size) {
        size_t size = digest->size ? 2 * digest->size : 64;
        struct digest_item **items = realloc(digest->items, size * sizeof(struct digest_item *));

        if (!items) {
            return -ENOMEM;
        }
        digest->items = items;
        digest->size = size;
    }
    if (map_put(&digest->by_episode, (const char *)&item->item.episode, sizeof item->item.episode,
                item) < 0) {
        return -ENOMEM;
    }
    item->place = digest->len;
    digest->items[digest->len++] = item;
    digest->dirty = true;
    return 0;
}

static int add(struct outbox *outbox, struct digest *digest, const struct alerts_item *item)
{
    struct digest_item *old = find(digest, alert_episode(item->alert)), *made;

    if (old && item->firing) {
        return 0; /* a repeat of what it says already */
    }
    if (old) {
        take_out(digest, old); /* a repeat of what was told before, and has ended now */
    }
    made = calloc(1, sizeof *made);
    if (!made) {
        return -ENOMEM;
    }
    made->item =
        (struct content_item){alert_episode(item->alert), item->firing, true, item->repeat, false};
    if (keep_alert(outbox, digest, made, item) < 0 || append(digest, made) < 0) {
        item_destroy(made);
        return -ENOMEM;
    }
    return 0;
}

int digest_take(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                const struct alerts_notice *notice, struct alerts_time now, int64_t *ret_id,
                uint64_t *ret_ordering)
{
    int r = 0;

    if (sink->digest && sink->digest->len + notice->nitems > ITEMS_MOST) {
        digest_save(outbox, tx, sink, true, now);
    }
    if (!sink->digest) {
        r = begin(outbox, tx, sink, now);
    }
    for (size_t i = 0; r == 0 && i < notice->nitems; i++) {
        if (notice->items[i].news) {
            r = add(outbox, sink->digest, &notice->items[i]);
        }
    }
    if (r == 0) {
        *ret_id = sink->digest->id;
        *ret_ordering = ORDERING;
    }
    return r;
}

int digest_withdraw(struct sink *sink, int64_t episode)
{
    struct digest_item *item = find(sink->digest, episode);

    if (!item || !item->item.firing) {
        return 0;
    }
    take_out(sink->digest, item);
    return 1;
}
