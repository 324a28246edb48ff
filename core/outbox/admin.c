/*
 * admin.c: looking at the outbox, and mending it by hand.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "outbox/private.h"

#define FEW_PENDING 10000 /* of a sink: so many numbers are sorted in no time */

static struct outbox_row public_row(const struct outbox *outbox, const struct row *row)
{
    const struct sink *sink = sink_find(outbox, row->sink);
    const struct item *item = sink ? item_find(sink, row->id) : NULL;

    return (struct outbox_row){
        .id = row->id,
        .uid = row->uid,
        .sink = row->sink,
        .state = row->state,
        .parked = row->state == OUTBOX_PENDING && (!sink || !sink->configured),
        .digest = row->flags & ITEM_DIGEST,
        .under_way = item && item->under_way,
        .attempts = row->attempts,
        .next_ms = row->state == OUTBOX_PENDING ? row->next_ms : 0,
        .created_ms = row->created_ms,
        .ended_ms = row->state == OUTBOX_PENDING ? 0 : row->ended_ms,
        .reason = row->reason,
        .title = row->title,
    };
}

/* Which way to them is short: by number from the newest, or by an index to their numbers first. */
static const char *select_rows(const struct outbox *outbox, const struct outbox_filter *filter)
{
    static const char all[] =
        "SELECT " ROW_COLUMNS " FROM outbox WHERE id < ?1 AND (?2 IS NULL OR sink = ?2) AND "
        "(?3 < 0 OR state = ?3) ORDER BY id DESC LIMIT ?4";
    static const char ended[] =
        "SELECT " ROW_COLUMNS " FROM outbox WHERE id IN (SELECT id FROM outbox WHERE "
        "state > 0 AND state = ?3 AND id < ?1 AND (?2 IS NULL OR sink = ?2) "
        "ORDER BY id DESC LIMIT ?4) ORDER BY id DESC";
    static const char pending[] =
        "SELECT " ROW_COLUMNS " FROM outbox WHERE id IN (SELECT id FROM outbox WHERE "
        "state = 0 AND sink = ?2 AND id < ?1 ORDER BY id DESC LIMIT ?4) AND ?3 = 0 "
        "ORDER BY id DESC";
    const struct sink *sink = filter->sink ? sink_find(outbox, filter->sink) : NULL;

    if (filter->state > 0) {
        return ended;
    }
    return filter->state == 0 && sink && sink->pending < FEW_PENDING ? pending : all;
}

int outbox_list(struct outbox *outbox, struct state_tx *tx, const struct outbox_filter *filter,
                bool (*fn)(void *arg, const struct outbox_row *row), void *arg)
{
    sqlite3_stmt *statement = state_prepare(tx, select_rows(outbox, filter));
    size_t limit =
        filter->limit && filter->limit < LIMIT_OUTBOX_LIST ? filter->limit : LIMIT_OUTBOX_LIST;
    int64_t lost[LOST_AT_A_TIME];
    size_t nlost = 0;
    struct row row;

    if (!statement) {
        return tx->error;
    }
    (void)sqlite3_bind_int64(statement, 1, filter->before > 0 ? filter->before : INT64_MAX);
    if (filter->sink) {
        (void)sqlite3_bind_text(statement, 2, filter->sink, -1, SQLITE_STATIC);
    }
    (void)sqlite3_bind_int(statement, 3, filter->state);
    (void)sqlite3_bind_int64(statement, 4, (int64_t)limit);
    while (state_step(tx, statement) == 1) {
        struct outbox_row shown;

        if (!row_read(statement, &row)) {
            if (nlost < LOST_AT_A_TIME) {
                lost[nlost++] = row.id;
            }
            continue;
        }
        shown = public_row(outbox, &row);
        if (!fn(arg, &shown)) {
            break;
        }
    }
    (void)sqlite3_reset(statement);
    for (size_t i = 0; i < nlost; i++) {
        row_lost(outbox, tx, lost[i]);
    }
    return tx->error;
}

struct show {
    struct outbox *outbox;
    void (*fn)(void *arg, const struct outbox_row *row);
    void *arg;
};

static void show_row(void *arg, const struct row *row)
{
    struct show *show = arg;
    struct outbox_row shown = public_row(show->outbox, row);
    size_t offset = content_offset(row->body, row->len);

    shown.body = (const char *)row->body + offset;
    shown.len = row->len - offset;
    show->fn(show->arg, &shown);
}

int outbox_show(struct outbox *outbox, struct state_tx *tx, int64_t id,
                void (*fn)(void *arg, const struct outbox_row *row), void *arg)
{
    struct show show = {outbox, fn, arg};
    int r = row_find(outbox, tx, id, show_row, &show);

    return r == 0 ? -ENOENT : r < 0 ? r : 0;
}

/* ---- mending ---- */

struct found {
    char sink[LIMIT_NAME_BYTES + 1];
    enum outbox_state state;
};

static void note_row(void *arg, const struct row *row)
{
    struct found *found = arg;

    utf8_copy(found->sink, sizeof found->sink, row->sink);
    found->state = row->state;
}

/* The sink of a row, and the row itself, to be changed.  -ENOENT; draft_finish() in any case. */
static int find(struct outbox *outbox, struct state_tx *tx, int64_t id, struct sink **ret_sink,
                struct draft *draft)
{
    struct found found = {0};
    int r = row_find(outbox, tx, id, note_row, &found);

    *draft = (struct draft){0};
    if (r <= 0) {
        return r < 0 ? r : -ENOENT;
    }
    *ret_sink = sink_get(outbox, found.sink);
    if (!*ret_sink) {
        return -ENOMEM;
    }
    if (digest_is(*ret_sink, id)) {
        return -EAGAIN; /* it is still open */
    }
    r = draft_init(draft, outbox, tx, *ret_sink, id);
    return r == 0 ? -ENOENT : r;
}

static bool is_chosen(const void *arg, size_t i, const struct content_item *item)
{
    return ((const bool *)arg)[i];
}

/* The ends of what the notification tells of as firing, for those of its alerts that are chosen. */
static int queue_ends(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                      const struct row *of, const bool *chosen, struct alerts_time now)
{
    char uid[UID_SIZE];
    const struct content_filter filter = {
        .keep = is_chosen, .arg = chosen, .uid = uid, .resolve_ms = now.real_ms};
    struct row row = {.uid = uid,
                      .sink = sink->name,
                      .ordering = of->ordering,
                      .flags = of->flags & ITEM_DIGEST,
                      .created_ms = now.real_ms,
                      .reason = ""};
    struct buf title, body;
    int r;

    digest_yield(outbox, tx, sink, of->ordering, now);
    make_uid(outbox, uid);
    buf_init(&title, 512);
    buf_init(&body, 2 * LIMIT_CALL_BYTES);
    buf_printf(&title, "the end of: %s", of->title);
    r = content_filter(of->body, of->len, &filter, &body);
    if (r > 0) {
        row.title = buf_str(&title);
        row.body = body.data;
        row.len = body.len;
        r = queue_insert(outbox, tx, sink, &row, now);
    }
    buf_finish(&title);
    buf_finish(&body);
    return r < 0 ? r : 0;
}

/* What is told of again has to have an end: by its alert, or where that has none any more, here. */
static int promise_ends(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                        const struct row *row, struct alerts_time now)
{
    struct content_item *items = NULL;
    bool *chosen = NULL, some = false;
    size_t n = 0;
    int r = content_items(row->body, row->len, &items, &n);

    if (r == 0) {
        chosen = calloc(n ? n : 1, sizeof *chosen);
        r = chosen ? 0 : -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < n; i++) {
        chosen[i] = items[i].firing &&
                    !alerts_revived(outbox->alerts, tx, sink->name, row->id, items[i].episode, now);
        some = some || chosen[i];
    }
    if (some) {
        r = queue_ends(outbox, tx, sink, row, chosen, now);
    }
    free(chosen);
    free(items);
    return r;
}

static int revive(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                  struct draft *draft, struct alerts_time now)
{
    struct row *row = &draft->row;
    int behind = queue_has_pending(tx, sink, row->ordering);
    struct item *first = item_of_ordering(sink, row->ordering);

    if (behind < 0) {
        return behind;
    }
    if (first) {
        first->followers = true;
    }
    outbox->ended[row->state]--;
    sink->dead -= row->state == OUTBOX_DEAD;
    sink->pending++;
    row->head = behind == 0;
    row->state = OUTBOX_PENDING;
    row->ended_ms = now.real_ms; /* it is tried for as long again from now on */
    row->next_ms = 0;
    row_update(tx, row, false);
    if (row->head) {
        (void)item_add(sink, row, now);
    }
    return promise_ends(outbox, tx, sink, row, now);
}

/* It waits: its next attempt is due now. */
static void hurry(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                  struct draft *draft, struct alerts_time now)
{
    struct item *item = draft->item;

    sink->not_before = sink->asked_until = 0;
    if (item && item->under_way) {
        return;
    }
    draft->row.next_ms = 0;
    row_update(tx, &draft->row, false);
    if (item) {
        item->next_ms = 0;
        (void)item_due(item, now.mono_ms);
    } else if (draft->row.head && !item_of_ordering(sink, draft->row.ordering)) {
        (void)item_add(sink, &draft->row, now);
    }
}

int outbox_retry(struct outbox *outbox, struct state_tx *tx, int64_t id, struct alerts_time now)
{
    struct sink *sink;
    struct draft draft;
    int r = find(outbox, tx, id, &sink, &draft);

    if (r < 0) {
        draft_finish(&draft);
        return r == -EAGAIN ? 0 : r; /* what is still open goes out when its window has passed */
    }
    switch (draft.row.state) {
    case OUTBOX_DEAD:
    case OUTBOX_DROPPED:
        r = revive(outbox, tx, sink, &draft, now);
        break;
    case OUTBOX_PENDING:
        hurry(outbox, tx, sink, &draft, now);
        r = 0;
        break;
    default:
        r = -EINVAL;
    }
    draft_finish(&draft);
    if (r < 0 && r != -EINVAL && tx->error == 0) {
        tx->error = r;
    }
    return tx->error < 0 ? tx->error : r;
}

static void drop_dead(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                      struct draft *draft, const char *why, struct alerts_time now)
{
    struct row *row = &draft->row;

    sink->dead--;
    outbox->ended[OUTBOX_DEAD]--;
    outbox->ended[OUTBOX_DROPPED]++;
    row->state = OUTBOX_DROPPED;
    row->ended_ms = now.real_ms;
    row->reason = why;
    row_update(tx, row, false);
}

int outbox_drop(struct outbox *outbox, struct state_tx *tx, int64_t id, struct alerts_time now)
{
    static const char why[] = "dropped by an operator";
    struct sink *sink;
    struct draft draft;
    int r = find(outbox, tx, id, &sink, &draft);

    if (r == -EAGAIN) {
        digest_save(outbox, tx, sink, true, now);
        r = find(outbox, tx, id, &sink, &draft);
    }
    if (r < 0) {
        /* nothing to undo */
    } else if (draft.row.state == OUTBOX_DEAD) {
        drop_dead(outbox, tx, sink, &draft, why, now);
    } else if (draft.row.state != OUTBOX_PENDING) {
        r = -EINVAL;
    } else if (draft.item && draft.item->under_way) {
        r = -EBUSY;
    } else {
        /* As with what is rejected: what nobody has heard of needs no end. */
        if (!(draft.row.flags & ITEM_MAYBE_HEARD)) {
            withdraw_unheard(outbox, tx, sink, &draft.row, now);
        }
        draft_end(&draft, outbox, tx, OUTBOX_DROPPED, why, now);
    }
    draft_finish(&draft);
    return r < 0 ? r : tx->error;
}

int outbox_resume(struct outbox *outbox, const char *name, struct alerts_time now)
{
    struct sink *sink = sink_find(outbox, name);

    if (!sink || !sink->configured) {
        return -ENOENT;
    }
    sink_mended(sink, &outbox->times, now);
    return 0;
}

/* Of what is in memory, and of the first that are not: in a long queue, nearly the oldest. */
static int64_t oldest(const struct sink *sink, struct state_tx *tx)
{
    static const char sql[] =
        "SELECT min(created_ms) FROM (SELECT created_ms FROM outbox WHERE sink = ?1 AND state = 0 "
        "AND head = 1 ORDER BY next_ms, id LIMIT 256)";
    sqlite3_stmt *statement = sink->more ? state_prepare(tx, sql) : NULL;
    const struct item *item;
    int64_t oldest = INT64_MAX;
    size_t pos = 0;

    while ((item = map_next(&sink->by_id, &pos))) {
        oldest = item->created_ms < oldest ? item->created_ms : oldest;
    }
    if (statement) {
        (void)sqlite3_bind_text(statement, 1, sink->name, -1, SQLITE_STATIC);
        if (state_step(tx, statement) == 1 && sqlite3_column_type(statement, 0) == SQLITE_INTEGER &&
            sqlite3_column_int64(statement, 0) < oldest) {
            oldest = sqlite3_column_int64(statement, 0);
        }
        (void)sqlite3_reset(statement);
    }
    return oldest == INT64_MAX ? 0 : oldest;
}

bool outbox_has_sink(const struct outbox *outbox, const char *name)
{
    return sink_find(outbox, name) != NULL;
}

void outbox_sinks(struct outbox *outbox, struct state_tx *tx,
                  bool (*fn)(void *arg, const struct outbox_sink_view *view), void *arg,
                  struct alerts_time now)
{
    for (size_t i = 0; i < outbox->nsinks; i++) {
        const struct sink *sink = outbox->sinks[i];
        int64_t until = sink->not_before > sink->asked_until ? sink->not_before : sink->asked_until;
        struct outbox_sink_view view = {
            .name = sink->name,
            .configured = sink->configured,
            .paused = sink->paused,
            .resting = !sink->paused && until > now.mono_ms,
            .reason = sink->reason,
            .pending = sink->pending,
            .under_way = sink->under_way,
            .dead = sink->dead,
            .oldest_ms = oldest(sink, tx),
            .delivered_ms = sink->delivered_ms,
            .not_before_ms = until > now.mono_ms ? now.real_ms + (until - now.mono_ms) : 0,
        };

        memcpy(view.outcomes, sink->outcomes, sizeof view.outcomes);
        if (!fn(arg, &view)) {
            return;
        }
    }
}
