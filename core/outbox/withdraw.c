/*
 * withdraw.c: an alert resolved before anybody was told that it fired: it is taken out of what
 * waits, and a notification with no news left is cancelled.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "outbox/private.h"

#define FOLLOWERS_MOST 4096 /* of one ordering that are looked through */

void draft_finish(struct draft *draft)
{
    free(draft->uid);
    free(draft->title);
    free(draft->reason);
    free(draft->body);
}

static void copy_row(void *arg, const struct row *row)
{
    struct draft *draft = arg;

    draft->row = *row;
    draft->uid = strdup(row->uid);
    draft->title = strdup(row->title);
    draft->reason = strdup(row->reason);
    draft->body = malloc(row->len ? row->len : 1);
    if (draft->body) {
        memcpy(draft->body, row->body, row->len);
    }
    draft->row.uid = draft->uid;
    draft->row.title = draft->title;
    draft->row.reason = draft->reason;
    draft->row.body = draft->body;
}

int draft_init(struct draft *draft, struct state_tx *tx, struct sink *sink, int64_t id)
{
    int r;

    *draft = (struct draft){.item = item_find(sink, id)};
    if (draft->item) {
        row_of(draft->item, &draft->row);
        return 1;
    }
    r = row_find(tx, id, copy_row, draft);
    if (r == 1 && (!draft->uid || !draft->title || !draft->reason || !draft->body)) {
        return -ENOMEM;
    }
    draft->row.sink = sink->name;
    return r;
}

static bool tells_of(const struct row *row, int64_t episode)
{
    struct content_item *items = NULL;
    size_t n = 0;
    bool found = false;

    if (content_items(row->body, row->len, &items, &n) < 0) {
        return false;
    }
    for (size_t i = 0; i < n && !found; i++) {
        found = items[i].episode == episode && items[i].firing;
    }
    free(items);
    return found;
}

static void cancel(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                   struct draft *draft, const char *why, struct alerts_time now)
{
    struct row *row = &draft->row;
    bool head = row->head;

    if (draft->item) {
        item_end(outbox, tx, draft->item, OUTBOX_CANCELLED, why, now);
        return;
    }
    row->head = false;
    row->state = OUTBOX_CANCELLED;
    row->ended_ms = now.real_ms;
    row->reason = why;
    row_update(tx, row, false);
    sink->pending--;
    outbox->ended[OUTBOX_CANCELLED]++;
    if (head) {
        promote(outbox, tx, sink, row->ordering, row->id, now);
    }
}

static int rewrite(struct state_tx *tx, struct sink *sink, struct draft *draft, struct buf *body)
{
    struct row *row = &draft->row;

    row->body = body->data;
    row->len = body->len;
    row->body_sum = row_body_sum(body->data, body->len);
    row_update(tx, row, true);
    if (draft->item) {
        void *copy = malloc(body->len);

        if (!copy) {
            return -ENOMEM;
        }
        memcpy(copy, body->data, body->len);
        sink->bytes += body->len - draft->item->len;
        free(draft->item->body);
        draft->item->body = copy;
        draft->item->len = body->len;
        draft->item->body_sum = row->body_sum;
    }
    return 0;
}

/* 1: it is out of the row; 0: it was not in it, or the row was attempted; -errno. */
static int take_out(struct outbox *outbox, struct state_tx *tx, struct sink *sink, int64_t id,
                    int64_t episode, const char *why, struct alerts_time now)
{
    struct buf *body = &outbox->scratch;
    struct draft draft;
    int r = draft_init(&draft, tx, sink, id), news;

    if (r <= 0 || draft.row.state != OUTBOX_PENDING || draft.row.attempts > 0 ||
        !tells_of(&draft.row, episode)) {
        draft_finish(&draft);
        return r < 0 ? r : 0;
    }
    buf_clear(body);
    news = content_without(draft.row.body, draft.row.len, episode, body);
    if (news < 0) {
        r = news;
    } else if (news == 0) {
        cancel(outbox, tx, sink, &draft, why, now);
        r = 1;
    } else {
        r = rewrite(tx, sink, &draft, body);
        r = r < 0 ? r : 1;
    }
    draft_finish(&draft);
    return r < 0 ? r : tx->error < 0 ? tx->error : 1;
}

int row_followers(struct state_tx *tx, const struct sink *sink, uint64_t ordering, int64_t id,
                  int64_t **ret_ids, size_t *ret_n)
{
    static const char sql[] = "SELECT id FROM outbox WHERE sink = ?1 AND ordering = ?2 AND "
                              "state = 0 AND id > ?3 ORDER BY id LIMIT ?4";
    sqlite3_stmt *statement = state_prepare(tx, sql);
    int64_t *ids = NULL;
    size_t n = 0;

    if (!statement) {
        return tx->error;
    }
    (void)sqlite3_bind_text(statement, 1, sink->name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)ordering);
    (void)sqlite3_bind_int64(statement, 3, id);
    (void)sqlite3_bind_int64(statement, 4, FOLLOWERS_MOST);
    while (state_step(tx, statement) == 1) {
        int64_t *more = realloc(ids, (n + 1) * sizeof *ids);

        if (!more) {
            break;
        }
        ids = more;
        ids[n++] = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_reset(statement);
    *ret_ids = ids;
    *ret_n = n;
    return tx->error;
}

int queue_withdraw(void *owner, struct state_tx *tx, const char *name, uint64_t ordering,
                   int64_t id, int64_t episode, struct alerts_time now)
{
    static const char why[] = "resolved before it was attempted";
    struct outbox *outbox = owner;
    struct sink *sink = sink_find(outbox, name);
    const struct item *item = sink ? item_find(sink, id) : NULL;
    bool alone = item && !item->followers;
    int64_t *ids = NULL;
    size_t n = 0;
    int r;

    if (!sink || (item && item->attempts > 0)) {
        return 0;
    }
    if (digest_withdraw(sink, id, episode)) {
        return 1;
    }
    if (!alone) {
        r = row_followers(tx, sink, ordering, id, &ids, &n);
        if (r < 0) {
            free(ids);
            return r;
        }
    }
    r = take_out(outbox, tx, sink, id, episode, why, now);
    for (size_t i = 0; i < n && r == 1; i++) {
        int also = take_out(outbox, tx, sink, ids[i], episode, why, now);

        r = also < 0 ? also : 1;
    }
    free(ids);
    return r;
}

/* ---- after a rejection ---- */

void withdraw_resolve(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                      uint64_t ordering, int64_t id, int64_t episode, struct alerts_time now)
{
    static const char why[] = "what it would end was rejected";
    int64_t *ids = NULL;
    size_t n = 0;

    if (row_followers(tx, sink, ordering, id, &ids, &n) < 0) {
        free(ids);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct draft draft;
        int news = -1;

        if (draft_init(&draft, tx, sink, ids[i]) == 1 && draft.row.attempts == 0) {
            buf_clear(&outbox->scratch);
            news = content_without(draft.row.body, draft.row.len, episode, &outbox->scratch);
        }
        if (news == 0) {
            cancel(outbox, tx, sink, &draft, why, now);
        } else if (news > 0 && (draft.row.len != outbox->scratch.len)) {
            (void)rewrite(tx, sink, &draft, &outbox->scratch);
        }
        draft_finish(&draft);
    }
    free(ids);
}
