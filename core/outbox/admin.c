/*
 * admin.c: looking at the outbox, and mending it by hand.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outbox/private.h"

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
        .ended_ms = row->ended_ms,
        .reason = row->reason,
        .title = row->title,
    };
}

int outbox_list(struct outbox *outbox, struct state_tx *tx, const struct outbox_filter *filter,
                bool (*fn)(void *arg, const struct outbox_row *row), void *arg)
{
    static const char sql[] =
        "SELECT " ROW_COLUMNS " FROM outbox WHERE id < ?1 AND (?2 IS NULL OR sink = ?2) AND "
        "(?3 < 0 OR state = ?3) ORDER BY id DESC LIMIT ?4";
    sqlite3_stmt *statement = state_prepare(tx, sql);
    size_t limit =
        filter->limit && filter->limit < LIMIT_OUTBOX_LIST ? filter->limit : LIMIT_OUTBOX_LIST;
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
            continue; /* it is told when it is due */
        }
        shown = public_row(outbox, &row);
        if (!fn(arg, &shown)) {
            break;
        }
    }
    (void)sqlite3_reset(statement);
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
    int r = row_find(tx, id, show_row, &show);

    return r == 0 ? -ENOENT : r < 0 ? r : 0;
}

/* ---- mending ---- */

struct found {
    char sink[LIMIT_NAME_BYTES + 1];
    enum outbox_state state;
    uint64_t ordering;
};

static void note_row(void *arg, const struct row *row)
{
    struct found *found = arg;

    (void)strncpy(found->sink, row->sink, sizeof found->sink - 1);
    found->state = row->state;
    found->ordering = row->ordering;
}

static int revive(struct outbox *outbox, struct state_tx *tx, struct sink *sink, int64_t id,
                  struct alerts_time now)
{
    struct draft draft;
    int r = draft_init(&draft, tx, sink, id), behind;

    if (r == 1) {
        behind = queue_has_pending(tx, sink, draft.row.ordering);
        if (behind < 0) {
            r = behind;
        } else {
            outbox->ended[draft.row.state]--;
            sink->dead -= draft.row.state == OUTBOX_DEAD;
            sink->pending++;
            draft.row.head = behind == 0;
            draft.row.state = OUTBOX_PENDING;
            draft.row.ended_ms = 0;
            draft.row.next_ms = 0;
            draft.row.created_ms = now.real_ms; /* or it would be given up at once */
            row_update(tx, &draft.row, false);
            if (draft.row.head) {
                (void)item_add(sink, &draft.row, now.mono_ms);
            }
            r = 0;
        }
    }
    draft_finish(&draft);
    return r;
}

int outbox_retry(struct outbox *outbox, struct state_tx *tx, int64_t id, struct alerts_time now)
{
    struct found found = {0};
    int r = row_find(tx, id, note_row, &found);
    struct sink *sink = r == 1 ? sink_get(outbox, found.sink) : NULL;
    struct item *item;

    if (r <= 0) {
        return r < 0 ? r : -ENOENT;
    }
    if (!sink) {
        return -ENOMEM;
    }
    if (found.state == OUTBOX_DEAD || found.state == OUTBOX_DROPPED) {
        return revive(outbox, tx, sink, id, now);
    }
    if (found.state != OUTBOX_PENDING) {
        return -EINVAL;
    }
    item = item_find(sink, id);
    if (item && !item->under_way) {
        item->next_ms = 0;
        (void)heap_set(&sink->ready, &item->ready, now.mono_ms);
    }
    sink->not_before = 0;
    return 0;
}

int outbox_drop(struct outbox *outbox, struct state_tx *tx, int64_t id, struct alerts_time now)
{
    static const char why[] = "dropped by an operator";
    struct found found = {0};
    int r = row_find(tx, id, note_row, &found);
    struct sink *sink = r == 1 ? sink_get(outbox, found.sink) : NULL;
    struct item *item = sink ? item_find(sink, id) : NULL;
    struct draft draft;

    if (r <= 0) {
        return r < 0 ? r : -ENOENT;
    }
    if (!sink) {
        return -ENOMEM;
    }
    if (found.state != OUTBOX_PENDING && found.state != OUTBOX_DEAD) {
        return -EINVAL;
    }
    if (item && item->under_way) {
        return -EBUSY;
    }
    if (item) {
        digest_save(outbox, tx, sink, true, now);
        item = item_find(sink, id);
        if (item) {
            item_end(outbox, tx, item, OUTBOX_DROPPED, why, now);
        }
        return tx->error;
    }
    r = draft_init(&draft, tx, sink, id);
    if (r == 1) {
        bool head = draft.row.head && draft.row.state == OUTBOX_PENDING;

        if (draft.row.state == OUTBOX_DEAD) {
            sink->dead--;
            outbox->ended[OUTBOX_DEAD]--;
        } else {
            sink->pending--;
        }
        outbox->ended[OUTBOX_DROPPED]++;
        draft.row.head = false;
        draft.row.state = OUTBOX_DROPPED;
        draft.row.ended_ms = now.real_ms;
        draft.row.reason = why;
        row_update(tx, &draft.row, false);
        if (head) {
            promote(outbox, tx, sink, draft.row.ordering, id, now);
        }
        r = 0;
    }
    draft_finish(&draft);
    return r;
}

int outbox_resume(struct outbox *outbox, const char *name, struct alerts_time now)
{
    struct sink *sink = sink_find(outbox, name);

    if (!sink || !sink->configured) {
        return -ENOENT;
    }
    sink_well(sink, &outbox->times);
    (void)now;
    return 0;
}

static int64_t oldest(const struct sink *sink, struct state_tx *tx)
{
    static const char sql[] =
        "SELECT created_ms FROM outbox NOT INDEXED WHERE sink = ?1 AND state = 0 "
        "ORDER BY id LIMIT 1";
    sqlite3_stmt *statement;
    int64_t ms = 0;

    if (sink->pending == 0 || !(statement = state_prepare(tx, sql))) {
        return 0;
    }
    (void)sqlite3_bind_text(statement, 1, sink->name, -1, SQLITE_STATIC);
    if (state_step(tx, statement) == 1) {
        ms = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_reset(statement);
    return ms;
}

void outbox_sinks(struct outbox *outbox, struct state_tx *tx,
                  bool (*fn)(void *arg, const struct outbox_sink_view *view), void *arg,
                  struct alerts_time now)
{
    for (size_t i = 0; i < outbox->nsinks; i++) {
        const struct sink *sink = outbox->sinks[i];
        struct outbox_sink_view view = {
            .name = sink->name,
            .configured = sink->configured,
            .paused = sink->paused,
            .resting = !sink->paused && sink->not_before > now.mono_ms,
            .reason = sink->reason,
            .pending = sink->pending,
            .under_way = sink->under_way,
            .dead = sink->dead,
            .oldest_ms = oldest(sink, tx),
            .delivered_ms = sink->delivered_ms,
            .not_before_ms =
                sink->not_before > now.mono_ms ? now.real_ms + (sink->not_before - now.mono_ms) : 0,
        };

        memcpy(view.outcomes, sink->outcomes, sizeof view.outcomes);
        if (!fn(arg, &view)) {
            return;
        }
    }
}
