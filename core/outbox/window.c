/*
 * window.c: what of a sink's queue is in memory: rows that are the first of their ordering, up to a
 * bound.  While sink->more is false these are all that there are, and memory knows which orderings
 * have something pending; else the file is asked.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "outbox/private.h"

int64_t mono_of(int64_t real_ms, struct alerts_time now)
{
    return real_ms > now.real_ms ? now.mono_ms + (real_ms - now.real_ms) : now.mono_ms;
}

/* ---- sinks ---- */

struct sink *sink_find(const struct outbox *outbox, const char *name)
{
    for (size_t i = 0; i < outbox->nsinks; i++) {
        if (strcmp(outbox->sinks[i]->name, name) == 0) {
            return outbox->sinks[i];
        }
    }
    return NULL;
}

struct sink *sink_get(struct outbox *outbox, const char *name)
{
    struct sink *sink = sink_find(outbox, name);
    struct sink **sinks;

    if (sink || outbox->nsinks == LIMIT_OUTBOX_SINKS) {
        return sink;
    }
    sinks = realloc(outbox->sinks, (outbox->nsinks + 1) * sizeof(struct sink *));
    sink = calloc(1, sizeof *sink);
    if (sinks) {
        outbox->sinks = sinks;
    }
    if (!sinks || !sink || !(sink->name = strdup(name))) {
        free(sink);
        return NULL;
    }
    sink->concurrency = 1;
    map_init(&sink->by_id);
    map_init(&sink->by_ordering);
    heap_init(&sink->ready);
    sink_well(sink, &outbox->times);
    sinks[outbox->nsinks++] = sink;
    return sink;
}

void sink_forget_items(struct sink *sink)
{
    struct item *item;
    size_t pos = 0;

    while ((item = map_next(&sink->by_id, &pos))) {
        item_free(item);
    }
    map_finish(&sink->by_id);
    map_finish(&sink->by_ordering);
    heap_finish(&sink->ready);
    digest_free(sink->digest);
    sink->digest = NULL;
    sink->bytes = 0;
    sink->pending = sink->dead = 0;
    sink->under_way = 0;
    sink->more = false;
}

void sink_free(struct sink *sink)
{
    sink_forget_items(sink);
    free(sink->name);
    free(sink->failover);
    free(sink);
}

/* ---- items ---- */

struct item *item_find(const struct sink *sink, int64_t id)
{
    return map_get(&sink->by_id, (const char *)&id, sizeof id);
}

struct item *item_of_ordering(const struct sink *sink, uint64_t ordering)
{
    return map_get(&sink->by_ordering, (const char *)&ordering, sizeof ordering);
}

void item_free(struct item *item)
{
    if (item) {
        free(item->title);
        free(item->reason);
        free(item->body);
        free(item);
    }
}

static struct item *item_create(struct sink *sink, const struct row *row)
{
    struct item *item = calloc(1, sizeof *item);

    if (!item) {
        return NULL;
    }
    *item = (struct item){
        .id = row->id,
        .sink = sink,
        .ordering = row->ordering,
        .attempts = row->attempts,
        .flags = row->flags,
        .created_ms = row->created_ms,
        .next_ms = row->next_ms,
        .followers = true,
        .title = strdup(row->title),
        .reason = *row->reason ? strdup(row->reason) : NULL,
        .body = malloc(row->len ? row->len : 1),
        .len = row->len,
        .body_sum = row->body_sum,
    };
    (void)strncpy(item->uid, row->uid, sizeof item->uid - 1);
    if (!item->title || !item->body || (*row->reason && !item->reason)) {
        item_free(item);
        return NULL;
    }
    memcpy(item->body, row->body, row->len);
    return item;
}

static bool has_room(const struct sink *sink, size_t len)
{
    return sink->by_id.used < LIMIT_OUTBOX_WINDOW + sink->under_way &&
           (sink->by_id.used == 0 || sink->bytes + len <= LIMIT_OUTBOX_WINDOW_BYTES);
}

struct item *item_add(struct sink *sink, const struct row *row, int64_t at_mono)
{
    struct item *item = has_room(sink, row->len) ? item_create(sink, row) : NULL;

    if (!item) {
        sink->more = true;
        return NULL;
    }
    if (map_put(&sink->by_id, (const char *)&item->id, sizeof item->id, item) < 0) {
        goto out;
    }
    if (map_put(&sink->by_ordering, (const char *)&item->ordering, sizeof item->ordering, item) <
        0) {
        (void)map_remove(&sink->by_id, (const char *)&item->id, sizeof item->id);
        goto out;
    }
    if (heap_set(&sink->ready, &item->ready, at_mono) < 0) {
        (void)map_remove(&sink->by_id, (const char *)&item->id, sizeof item->id);
        (void)map_remove(&sink->by_ordering, (const char *)&item->ordering, sizeof item->ordering);
        goto out;
    }
    sink->bytes += item->len;
    return item;
out:
    sink->more = true;
    item_free(item);
    return NULL;
}

void item_drop(struct item *item)
{
    struct sink *sink = item->sink;

    (void)map_remove(&sink->by_id, (const char *)&item->id, sizeof item->id);
    (void)map_remove(&sink->by_ordering, (const char *)&item->ordering, sizeof item->ordering);
    heap_remove(&sink->ready, &item->ready);
    sink->bytes -= item->len;
    if (item->under_way) {
        sink->under_way--;
    }
    item_free(item);
}

/* ---- one after the other ---- */

void promote(struct outbox *outbox, struct state_tx *tx, struct sink *sink, uint64_t ordering,
             int64_t id, struct alerts_time now)
{
    static const char sql[] =
        "SELECT " ROW_COLUMNS " FROM outbox WHERE sink = ?1 AND ordering = ?2 AND state = 0 "
        "AND id > ?3 ORDER BY id LIMIT 1";
    sqlite3_stmt *statement = state_prepare(tx, sql);
    int64_t lost = 0;
    struct row row;
    int r;

    if (!statement) {
        return;
    }
    (void)sqlite3_bind_text(statement, 1, sink->name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)ordering);
    (void)sqlite3_bind_int64(statement, 3, id);
    r = state_step(tx, statement);
    if (r == 1 && !row_read(statement, &row)) {
        lost = row.id;
    } else if (r == 1) {
        row.head = true;
        row_update(tx, &row, false);
        if (!item_find(sink, row.id)) {
            (void)item_add(sink, &row, mono_of(row.next_ms, now));
        }
    }
    (void)sqlite3_reset(statement);
    if (lost) {
        row_lost(tx, lost);
        sink->pending--;
        promote(outbox, tx, sink, ordering, id, now); /* the one behind it */
    }
}

void item_end(struct outbox *outbox, struct state_tx *tx, struct item *item,
              enum outbox_state state, const char *reason, struct alerts_time now)
{
    struct sink *sink = item->sink;
    uint64_t ordering = item->ordering;
    bool followers = item->followers;
    int64_t id = item->id;
    struct row row;

    row_of(item, &row);
    row.head = false;
    row.state = state;
    row.ended_ms = now.real_ms;
    row.next_ms = 0;
    row.reason = reason;
    row_update(tx, &row, false);
    sink->pending--;
    sink->dead += state == OUTBOX_DEAD;
    outbox->ended[state]++;
    item_drop(item);
    if (followers) {
        promote(outbox, tx, sink, ordering, id, now);
    }
}

/* What is due first, of those that are not in memory yet. */
void window_fill(struct outbox *outbox, struct state_tx *tx, struct sink *sink,
                 struct alerts_time now)
{
    static const char sql[] =
        "SELECT " ROW_COLUMNS " FROM outbox WHERE sink = ?1 AND state = 0 AND head = 1 "
        "ORDER BY next_ms, id LIMIT ?2";
    sqlite3_stmt *statement;
    int64_t lost[16];
    size_t nlost = 0, seen = 0;
    size_t want = LIMIT_OUTBOX_WINDOW + sink->by_id.used;
    struct row row;

    if (!sink->more || sink->by_id.used > LIMIT_OUTBOX_WINDOW / 4 + sink->under_way ||
        !(statement = state_prepare(tx, sql))) {
        return;
    }
    sink->more = false;
    (void)sqlite3_bind_text(statement, 1, sink->name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)want);
    while (state_step(tx, statement) == 1) {
        seen++;
        if (!row_read(statement, &row)) {
            if (nlost < sizeof lost / sizeof lost[0]) {
                lost[nlost++] = row.id;
            }
        } else if (!item_find(sink, row.id) && !item_add(sink, &row, mono_of(row.next_ms, now))) {
            break;
        }
    }
    (void)sqlite3_reset(statement);
    sink->more = sink->more || seen == want || nlost > 0;
    for (size_t i = 0; i < nlost; i++) {
        row_lost(tx, lost[i]);
        sink->pending--;
    }
}
