/*
 * withdraw.c: what nobody was told of is taken back.
 *
 * An alert that resolved before anybody was told that it fired is taken out of what waits, and a
 * notification with no news left is cancelled.  The same way goes what would end an episode whose
 * beginning will never be heard.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "outbox/private.h"

#define FOLLOWERS_MOST 4096 /* of one ordering that are looked through */

static bool tells_of(const struct row *row, int64_t episode, bool firing_only)
{
    struct content_item *items = NULL;
    size_t n = 0;
    bool found = false;

    if (content_items(row->body, row->len, &items, &n) < 0) {
        return false;
    }
    for (size_t i = 0; i < n && !found; i++) {
        found = items[i].episode == episode && (items[i].firing || !firing_only);
    }
    free(items);
    return found;
}

/* 1: it is out of the row; 0: it was not in it, or the row was attempted; -errno. */
static int take_out(struct outbox *outbox, struct state_tx *tx, struct sink *sink, int64_t id,
                    int64_t episode, bool firing_only, const char *why, struct alerts_time now)
{
    struct buf *body = &outbox->scratch;
    struct draft draft;
    int r, news;

    if (digest_is(sink, id)) {
        return digest_withdraw(sink, episode); /* the file does not have all of it yet */
    }
    r = draft_init(&draft, outbox, tx, sink, id);
    if (r <= 0 || draft.row.state != OUTBOX_PENDING || draft.row.attempts > 0 ||
        !tells_of(&draft.row, episode, firing_only)) {
        draft_finish(&draft);
        return r < 0 ? r : 0;
    }
    buf_clear(body);
    news = content_without(draft.row.body, draft.row.len, episode, body);
    r = 1;
    if (news == 0) {
        draft_end(&draft, outbox, tx, OUTBOX_CANCELLED, why, now);
    } else if (news > 0) {
        (void)draft_rewrite(&draft, tx, body, NULL);
    } else {
        r = news == -EPROTO ? 0 : news; /* what cannot be read cannot be changed */
    }
    draft_finish(&draft);
    return tx->error < 0 ? tx->error : r;
}

int row_followers(struct state_tx *tx, const struct sink *sink, uint64_t ordering, int64_t id,
                  int64_t **ret_ids, size_t *ret_n)
{
    static const char sql[] = "SELECT id FROM outbox WHERE sink = ?1 AND ordering = ?2 AND "
                              "state = 0 AND id > ?3 ORDER BY id LIMIT ?4";
    sqlite3_stmt *statement = state_prepare(tx, sql);
    int64_t *ids = NULL;
    size_t n = 0, size = 0;
    int r = 1;

    *ret_ids = NULL;
    *ret_n = 0;
    if (!statement) {
        return tx->error;
    }
    (void)sqlite3_bind_text(statement, 1, sink->name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)ordering);
    (void)sqlite3_bind_int64(statement, 3, id);
    (void)sqlite3_bind_int64(statement, 4, FOLLOWERS_MOST);
    while (r == 1 && (r = state_step(tx, statement)) == 1) {
        if (n == size) {
            int64_t *more = realloc(ids, (size + 8) * 2 * sizeof *ids);

            r = more ? 1 : -ENOMEM;
            if (!more) {
                break;
            }
            ids = more;
            size = (size + 8) * 2;
        }
        ids[n++] = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_reset(statement);
    *ret_ids = ids;
    *ret_n = n;
    return r;
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
    if (!item && !sink->more && !item_of_ordering(sink, ordering)) {
        return 0; /* nothing of it waits */
    }
    if (!alone) {
        r = row_followers(tx, sink, ordering, id, &ids, &n);
        if (r < 0) {
            free(ids);
            return r;
        }
    }
    r = take_out(outbox, tx, sink, id, episode, true, why, now);
    for (size_t i = 0; i < n && r == 1; i++) {
        int also = take_out(outbox, tx, sink, ids[i], episode, true, why, now);

        r = also < 0 ? also : 1;
    }
    free(ids);
    return r;
}

/* ---- what will never be heard ---- */

void withdraw_unheard(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                      const struct row *row, struct alerts_time now)
{
    static const char why[] = "what it would end was never heard of";
    struct content_item *items = NULL;
    int64_t *ids = NULL;
    size_t n = 0, nids = 0;
    int r = content_items(row->body, row->len, &items, &n);

    digest_save(outbox, tx, sink, true, now); /* it may be one of those behind */
    if (r == 0) {
        r = row_followers(tx, sink, row->ordering, row->id, &ids, &nids);
    }
    for (size_t i = 0; i < n && r >= 0; i++) {
        if (!items[i].firing || !items[i].news || items[i].repeat) {
            continue;
        }
        alerts_rejected(outbox->alerts, sink->name, row->id, items[i].episode);
        for (size_t j = 0; j < nids && r >= 0; j++) {
            r = take_out(outbox, tx, sink, ids[j], items[i].episode, false, why, now);
        }
    }
    if (r < 0 && r != -EPROTO && tx->error == 0) {
        tx->error = r;
    }
    free(ids);
    free(items);
}
