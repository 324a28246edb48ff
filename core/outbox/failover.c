/*
 * failover.c: what waits for a sink that is down goes to the one that the configuration names.
 *
 * Ordering by ordering.  What moves is what the sink would learn anew: firings, and the ends of
 * those; the end of what it was told of itself stays with it and waits.  A notification that has
 * both becomes two.  The alerts are told, so that later ends go the same way.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outbox/private.h"

#define ORDERINGS_MOST 64 /* at a time: the state's thread has others to serve */
#define AGAIN_MS 5000     /* between two looks */

struct move {
    struct outbox *outbox;
    struct state_tx *tx;
    struct sink *from, *to;
    struct alerts_time now;
    char reason[REASON_SIZE];
    int64_t *episodes; /* whose firing goes, in this ordering */
    size_t n;
    bool staying; /* what keep() wants: what goes, or what stays */
};

int64_t sink_failover_due(const struct outbox *outbox, const struct sink *sink)
{
    int64_t due = sink->down_since + outbox->times.failover_ms;

    if (!sink->failover || sink->down_since == 0 || sink->pending <= sink->under_way) {
        return INT64_MAX;
    }
    return due > sink->failover_at ? due : sink->failover_at;
}

static bool goes(const struct move *move, const struct content_item *item)
{
    if (item->firing) {
        return true;
    }
    for (size_t i = 0; i < move->n; i++) {
        if (move->episodes[i] == item->episode) {
            return true;
        }
    }
    return false;
}

static bool keep(const void *arg, const struct content_item *item)
{
    const struct move *move = arg;

    return goes(move, item) != move->staying;
}

/* Notes the firings that go, and counts the news of both kinds. */
static int look(struct move *move, const struct row *row, size_t *ret_going, size_t *ret_staying)
{
    struct content_item *items = NULL;
    size_t n = 0, going = 0, staying = 0;
    int r = content_items(row->body, row->len, &items, &n);

    for (size_t i = 0; r == 0 && i < n; i++) {
        if (!items[i].news) {
            continue;
        }
        going += goes(move, &items[i]);
        staying += !goes(move, &items[i]);
        if (items[i].firing) {
            int64_t *episodes = realloc(move->episodes, (move->n + 1) * sizeof *episodes);

            if (!episodes) {
                r = -ENOMEM;
                break;
            }
            move->episodes = episodes;
            episodes[move->n++] = items[i].episode;
            alerts_moved(move->outbox->alerts, move->from->name, move->to->name, row->id,
                         items[i].episode);
        }
    }
    free(items);
    *ret_going = going;
    *ret_staying = staying;
    return r;
}

/* What stays of a mixed one becomes a notification of its own. */
static int leave_behind(struct move *move, const struct row *row)
{
    struct row rest = *row;
    struct buf body;
    char uid[UID_SIZE];
    int r;

    buf_init(&body, LIMIT_CALL_BYTES);
    make_uid(move->outbox, uid);
    rest.uid = uid;
    rest.attempts = 0;
    rest.next_ms = 0;
    move->staying = true;
    r = content_filter(row->body, row->len, keep, move, &body);
    move->staying = false;
    rest.body = body.data;
    rest.len = body.len;
    if (r >= 0) {
        r = queue_insert(move->outbox, move->tx, move->from, &rest, move->now);
    }
    buf_finish(&body);
    return r < 0 ? r : 0;
}

static int move_row(struct move *move, int64_t id)
{
    struct draft draft;
    size_t going = 0, staying = 0;
    struct row *row = &draft.row;
    struct buf body;
    bool was_head;
    int r = draft_init(&draft, move->tx, move->from, id);

    buf_init(&body, LIMIT_CALL_BYTES);
    if (r == 1) {
        r = look(move, row, &going, &staying);
    }
    if (r < 0 || going == 0) {
        goto out;
    }
    was_head = row->head;
    if (staying > 0) {
        r = content_filter(row->body, row->len, keep, move, &body);
        r = r < 0 ? r : leave_behind(move, row);
        if (r < 0) {
            goto out;
        }
        row->body = body.data;
        row->len = body.len;
        row->body_sum = row_body_sum(body.data, body.len);
    }
    r = queue_has_pending(move->tx, move->to, row->ordering);
    if (r < 0) {
        goto out;
    }
    row->head = r == 0;
    row->sink = move->to->name;
    row->reason = move->reason;
    row->next_ms = 0;
    row_update(move->tx, row, staying > 0);
    if (row->head) {
        (void)item_add(move->to, row, move->now.mono_ms);
    }
    move->from->pending--;
    move->to->pending++;
    r = 0;
    if (draft.item) {
        item_drop(draft.item);
        draft.item = NULL;
    }
    if (was_head) {
        promote(move->outbox, move->tx, move->from, row->ordering, id, move->now);
    }
out:
    buf_finish(&body);
    draft_finish(&draft);
    return r;
}

static int move_ordering(struct move *move, uint64_t ordering, int64_t head)
{
    int64_t *ids = NULL;
    size_t n = 0;
    int r = row_followers(move->tx, move->from, ordering, head, &ids, &n);

    move->n = 0;
    if (r == 0) {
        r = move_row(move, head);
    }
    for (size_t i = 0; i < n && r == 0; i++) {
        r = move_row(move, ids[i]);
    }
    free(ids);
    return r;
}

struct head {
    int64_t id;
    uint64_t ordering;
};

static size_t heads(struct state_tx *tx, const struct sink *sink, struct head *ret_heads)
{
    static const char sql[] =
        "SELECT id, ordering FROM outbox WHERE sink = ?1 AND state = 0 AND head = 1 "
        "ORDER BY next_ms, id LIMIT ?2";
    sqlite3_stmt *statement = state_prepare(tx, sql);
    size_t n = 0;

    if (!statement) {
        return 0;
    }
    (void)sqlite3_bind_text(statement, 1, sink->name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 2, ORDERINGS_MOST);
    while (n < ORDERINGS_MOST && state_step(tx, statement) == 1) {
        ret_heads[n++] = (struct head){sqlite3_column_int64(statement, 0),
                                       (uint64_t)sqlite3_column_int64(statement, 1)};
    }
    (void)sqlite3_reset(statement);
    return n;
}

void sink_fail_over(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                    struct alerts_time now)
{
    struct sink *to = sink->failover ? sink_find(outbox, sink->failover) : NULL;
    struct head first[ORDERINGS_MOST];
    struct move move = {outbox, tx, sink, to, now, "", NULL, 0, false};
    size_t n, moved = 0;

    if (sink_failover_due(outbox, sink) > now.mono_ms || !to) {
        return;
    }
    sink->failover_at = now.mono_ms + AGAIN_MS;
    if (!to->configured || to->down_since != 0) {
        return;
    }
    (void)snprintf(move.reason, sizeof move.reason, "taken over from %.100s: %.100s", sink->name,
                   sink->reason);
    digest_save(outbox, tx, sink, true, now);
    n = heads(tx, sink, first);
    for (size_t i = 0; i < n && tx->error == 0; i++) {
        const struct item *item = item_find(sink, first[i].id);
        uint64_t before = to->pending;

        if (item && item->under_way) {
            continue;
        }
        if (move_ordering(&move, first[i].ordering, first[i].id) < 0 && tx->error == 0) {
            tx->error = -ENOMEM;
        }
        moved += to->pending != before;
    }
    if (moved > 0 && n == ORDERINGS_MOST) {
        sink->failover_at = now.mono_ms; /* there are more */
    }
    free(move.episodes);
}
