/*
 * failover.c: what waits for a sink that is down goes to the one that the configuration names.
 *
 * What goes is what an alert that is not over has to tell for the first time, if the other sink
 * does not know of it by itself; the alerts are told, so that its end follows there.  Everything
 * else stays and waits: the end of what the sink was told of, a repeat, what is over by now.  The
 * other sink gets a notification of its own; where the first one may have been heard, both are told
 * of the end.
 *
 * Ordering by ordering, some at a time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "outbox/private.h"

#define ORDERINGS_MOST 64 /* at a time: the state's thread has others to serve */
#define AGAIN_MS 5000     /* between two looks at all */
#define ON_MS 100         /* until it looks further, where there was nothing to move */

enum fork { STAYS, GOES, LEAVES, NOW }; /* leaves: it only repeats or shows what goes */

struct move {
    struct outbox *outbox;
    struct state_tx *tx;
    struct sink *from, *to;
    struct alerts_time now;
    char reason[REASON_SIZE];
    int64_t *episodes; /* that have gone, in this ordering; sorted */
    size_t n;
};

int64_t sink_failover_due(const struct outbox *outbox, const struct sink *sink)
{
    int64_t due = sink->down_since + outbox->times.failover_ms;

    if (!sink->failover || !sink->configured || sink->down_since == 0 ||
        sink->pending <= sink->under_way) {
        return INT64_MAX;
    }
    return due > sink->failover_at ? due : sink->failover_at;
}

/* ---- one notification ---- */

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static bool has_gone(const struct move *move, int64_t episode)
{
    return move->n > 0 &&
           bsearch(&episode, move->episodes, move->n, sizeof episode, by_number) != NULL;
}

struct way {
    const uint8_t *forks; /* of enum fork, for each item */
    enum fork wanted;
};

static bool keep(const void *arg, size_t i, const struct content_item *item)
{
    const struct way *way = arg;

    return way->forks[i] == way->wanted;
}

static size_t look(const struct move *move, const struct row *row, const struct content_item *items,
                   size_t n, uint8_t *forks)
{
    size_t moving = 0;

    for (size_t i = 0; i < n; i++) {
        const struct content_item *item = &items[i];

        forks[i] = STAYS;
        if (has_gone(move, item->episode)) {
            forks[i] = LEAVES;
        } else if (item->firing && item->news && !item->repeat &&
                   alerts_can_move(move->outbox->alerts, move->from->name, move->to->name, row->id,
                                   item->episode)) {
            forks[i] = GOES;
        }
        moving += forks[i] != STAYS;
    }
    return moving;
}

/* A notification for the other sink, of what goes `that` way.  Its number; -errno. */
static int64_t send(struct move *move, const struct row *row, uint64_t ordering,
                    const uint8_t *forks, enum fork that)
{
    const struct way way = {forks, that};
    char uid[UID_SIZE];
    const struct content_filter filter = {.keep = keep, .arg = &way, .uid = uid};
    struct row made = {.uid = uid,
                       .sink = move->to->name,
                       .ordering = ordering,
                       .flags = row->flags & ITEM_DIGEST,
                       .created_ms = row->created_ms,
                       .ended_ms = row->ended_ms,
                       .reason = move->reason,
                       .title = row->title};
    struct buf body;
    int r;

    digest_yield(move->outbox, move->tx, move->to, ordering, move->now);
    make_uid(move->outbox, uid);
    buf_init(&body, 2 * LIMIT_CALL_BYTES);
    r = content_filter(row->body, row->len, &filter, &body);
    if (r > 0) {
        made.body = body.data;
        made.len = body.len;
        r = queue_insert(move->outbox, move->tx, move->to, &made, move->now);
    }
    buf_finish(&body);
    return r < 0 ? r : made.id;
}

/* The alert learns where its end has to go. */
static int note(struct move *move, const struct row *row, const struct content_item *item,
                int64_t id, uint64_t ordering)
{
    const struct alerts_move moved = {.from = move->from->name,
                                      .to = move->to->name,
                                      .heard = row->flags & ITEM_MAYBE_HEARD,
                                      .ordering = ordering};

    if (!moved.heard) {
        move->episodes[move->n++] = item->episode;
    }
    return alerts_moved(move->outbox->alerts, move->tx, &moved, item->episode, id, move->now);
}

/* What goes, goes: as one notification, or to a sink that takes one alert each, as several.  How
 * many; -errno. */
static int send_all(struct move *move, const struct row *row, const struct content_item *items,
                    size_t n, uint8_t *forks)
{
    bool each = move->to->one_alert && !(row->flags & ITEM_DIGEST);
    int64_t *episodes = realloc(move->episodes, (move->n + n) * sizeof *episodes);
    int64_t id = 0;
    int r = 0, sent = 0;

    if (!episodes) {
        return -ENOMEM;
    }
    move->episodes = episodes;
    for (size_t i = 0; i < n && r >= 0; i++) {
        uint64_t ordering = each ? (uint64_t)items[i].episode : row->ordering;

        if (forks[i] != GOES) {
            continue;
        }
        forks[i] = each ? NOW : GOES;
        if (each || id == 0) {
            id = send(move, row, ordering, forks, each ? NOW : GOES);
        }
        forks[i] = GOES;
        r = id < 0 ? (int)id : note(move, row, &items[i], id, ordering);
        sent++;
    }
    qsort(move->episodes, move->n, sizeof *episodes, by_number);
    return r < 0 ? r : sent;
}

/* What stays is said under the old name; where nothing does, that is over. */
static int leave(struct move *move, struct draft *draft, const uint8_t *forks)
{
    const struct way way = {forks, STAYS};
    const struct content_filter filter = {.keep = keep, .arg = &way};
    struct buf *body = &move->outbox->scratch;
    char why[REASON_SIZE];
    int r;

    buf_clear(body);
    r = content_filter(draft->row.body, draft->row.len, &filter, body);
    if (r > 0) {
        return draft_rewrite(draft, move->tx, body, NULL);
    }
    if (r == 0) {
        (void)snprintf(why, sizeof why, "taken over by %s", move->to->name);
        draft_end(draft, move->outbox, move->tx, OUTBOX_CANCELLED, why, move->now);
    }
    return r;
}

static int move_row(struct move *move, int64_t row_id)
{
    struct content_item *items = NULL;
    uint8_t *forks = NULL;
    struct draft draft;
    size_t n = 0;
    int sent = 0;
    int r = draft_init(&draft, move->outbox, move->tx, move->from, row_id);

    if (r == 1 && draft.row.state == OUTBOX_PENDING) {
        r = content_items(draft.row.body, draft.row.len, &items, &n);
        forks = r == 0 ? malloc(n + 1) : NULL;
        r = r < 0 ? r : forks ? 1 : -ENOMEM;
    }
    if (r == 1 && forks && look(move, &draft.row, items, n, forks) > 0) {
        r = sent = send_all(move, &draft.row, items, n, forks);
        if (r >= 0) {
            r = leave(move, &draft, forks);
        }
    }
    draft_finish(&draft);
    free(forks);
    free(items);
    return r < 0 ? r : sent;
}

/* ---- all that waits ---- */

/* How many went, or -errno. */
static int move_ordering(struct move *move, uint64_t ordering, int64_t head)
{
    int64_t *ids = NULL;
    size_t n = 0;
    int r = row_followers(move->tx, move->from, ordering, head, &ids, &n), moved = 0;

    move->n = 0;
    if (r == 0) {
        r = moved = move_row(move, head);
    }
    for (size_t i = 0; i < n && r >= 0; i++) {
        r = move_row(move, ids[i]);
        moved += r > 0;
    }
    free(ids);
    return r < 0 ? r : moved;
}

struct head {
    int64_t id, next_ms;
    uint64_t ordering;
};

static size_t heads(struct state_tx *tx, const struct sink *sink, struct head *ret_heads)
{
    static const char sql[] =
        "SELECT id, next_ms, ordering FROM outbox WHERE sink = ?1 AND state = 0 AND head = 1 AND "
        "(next_ms, id) > (?2, ?3) ORDER BY next_ms, id LIMIT ?4";
    sqlite3_stmt *statement = state_prepare(tx, sql);
    size_t n = 0;

    if (!statement) {
        return 0;
    }
    (void)sqlite3_bind_text(statement, 1, sink->name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 2, sink->failover_next_ms);
    (void)sqlite3_bind_int64(statement, 3, sink->failover_id);
    (void)sqlite3_bind_int64(statement, 4, ORDERINGS_MOST);
    while (n < ORDERINGS_MOST && state_step(tx, statement) == 1) {
        ret_heads[n++] =
            (struct head){sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1),
                          (uint64_t)sqlite3_column_int64(statement, 2)};
    }
    (void)sqlite3_reset(statement);
    return n;
}

/* The next look goes on where this one ended; after the last it begins anew. */
static void plan_next(struct sink *sink, const struct head *heads, size_t n, bool moved,
                      struct alerts_time now)
{
    bool over = n < ORDERINGS_MOST;

    sink->failover_next_ms = over ? 0 : heads[n - 1].next_ms;
    sink->failover_id = over ? 0 : heads[n - 1].id;
    sink->failover_at = now.mono_ms + (over ? AGAIN_MS : moved ? 0 : ON_MS);
}

void sink_fail_over(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                    struct alerts_time now)
{
    struct sink *to;
    struct head first[ORDERINGS_MOST];
    struct move move = {.outbox = outbox, .tx = tx, .from = sink, .now = now};
    size_t n, moved = 0;
    char reason[2 * REASON_SIZE];
    int r = 0;

    if (sink_failover_due(outbox, sink) > now.mono_ms) {
        return;
    }
    sink->failover_at = now.mono_ms + AGAIN_MS;
    to = sink_find(outbox, sink->failover);
    if (!to || to == sink || !to->configured || to->down_since != 0) {
        return;
    }
    move.to = to;
    (void)snprintf(reason, sizeof reason, "taken over from %s: %s", sink->name, sink->reason);
    utf8_copy(move.reason, sizeof move.reason, reason);
    digest_save(outbox, tx, sink, true, now);
    n = heads(tx, sink, first);
    for (size_t i = 0; i < n && tx->error == 0; i++) {
        const struct item *item = item_find(sink, first[i].id);

        if (item && item->under_way) {
            continue;
        }
        r = move_ordering(&move, first[i].ordering, first[i].id);
        if (r < 0 && tx->error == 0 && r != -EPROTO) {
            tx->error = r;
        }
        moved += r > 0;
    }
    plan_next(sink, first, n, moved > 0, now);
    free(move.episodes);
}
