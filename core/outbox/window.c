/*
 * window.c: what of a sink's queue is in memory: rows that are the first of their ordering, up to a
 * bound.  While sink->more is false these are all that there are, and memory knows which orderings
 * have something pending; else the file is asked, and what comes new waits there for its turn.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "outbox/private.h"

#define LOST_AT_A_TIME                                                                             \
    16                    /* rows that do not verify; further ones are found when it reads again   \
                           */
#define NO_MEMORY_MS 1000 /* then it is tried again */

/* Nothing waits for longer than a day, whatever has happened to the wall clock meanwhile. */
int64_t mono_of(int64_t real_ms, struct alerts_time now)
{
    int64_t ms = real_ms > now.real_ms ? real_ms - now.real_ms : 0;

    return now.mono_ms + (ms < LIMIT_HTTP_RETRY_AFTER_MS ? ms : LIMIT_HTTP_RETRY_AFTER_MS);
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
    sink->window = outbox->times.window;
    map_init(&sink->by_id);
    map_init(&sink->by_ordering);
    heap_init(&sink->ready);
    log_limit_init(&sink->log_limit, 10, 0.2);
    sink_well(sink, &outbox->times, (struct alerts_time){0});
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
    sink->more = sink->full = false;
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

static struct item *item_create(struct sink *sink, const struct row *row, struct alerts_time now)
{
    struct item *item = calloc(1, sizeof *item);
    int64_t age = now.real_ms - row_since(row);

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
        .again_ms = row->ended_ms,
        .since_mono = now.mono_ms - (age > 0 ? age : 0),
        .next_ms = row->next_ms,
        .followers = true,
        .title = strdup(row->title),
        .reason = *row->reason ? strdup(row->reason) : NULL,
        .body = malloc(row->len ? row->len : 1),
        .len = row->len,
        .body_sum = row->body_sum,
    };
    utf8_copy(item->uid, sizeof item->uid, row->uid);
    if (!item->title || !item->body || (*row->reason && !item->reason)) {
        item_free(item);
        return NULL;
    }
    memcpy(item->body, row->body, row->len);
    return item;
}

static bool has_place(const struct sink *sink)
{
    return sink->by_id.used < sink->window + sink->under_way;
}

static bool has_room(const struct sink *sink, size_t len)
{
    return has_place(sink) &&
           (sink->by_id.used == 0 || sink->bytes + len <= LIMIT_OUTBOX_WINDOW_BYTES);
}

/* A heap knows no order among equals: the lower part of its keys is the number. */
#define NUMBER_BITS 20

int item_due(struct item *item, int64_t mono_ms)
{
    int64_t number = item->id & ((1 << NUMBER_BITS) - 1);

    return heap_set(&item->sink->ready, &item->ready,
                    (int64_t)((uint64_t)mono_ms << NUMBER_BITS) | number);
}

struct item *item_first(const struct sink *sink, int64_t *ret_mono_ms)
{
    struct heap_node *node = heap_top(&sink->ready);

    *ret_mono_ms = node ? node->at >> NUMBER_BITS : INT64_MAX;
    return node ? (struct item *)(void *)((char *)node - offsetof(struct item, ready)) : NULL;
}

/* NULL: no memory. */
static struct item *enter(struct sink *sink, const struct row *row, struct alerts_time now)
{
    struct item *item = item_create(sink, row, now);

    if (!item) {
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
    if (item_due(item, mono_of(row->next_ms, now)) < 0) {
        (void)map_remove(&sink->by_id, (const char *)&item->id, sizeof item->id);
        (void)map_remove(&sink->by_ordering, (const char *)&item->ordering, sizeof item->ordering);
        goto out;
    }
    sink->bytes += item->len;
    return item;
out:
    item_free(item);
    return NULL;
}

struct item *item_add(struct sink *sink, const struct row *row, struct alerts_time now)
{
    struct item *item = has_room(sink, row->len) ? enter(sink, row, now) : NULL;

    sink->more = sink->more || !item;
    return item;
}

struct item *item_add_flying(struct sink *sink, const struct row *row, struct alerts_time now)
{
    struct item *item = enter(sink, row, now);

    if (item) {
        item->under_way = true;
        sink->under_way++;
        heap_remove(&sink->ready, &item->ready);
    }
    return item;
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
    sink->full = false;
    item_free(item);
}

/* ---- one after the other ---- */

void promote(struct outbox *outbox, struct state_tx *tx, struct sink *sink, uint64_t ordering,
             struct alerts_time now)
{
    static const char sql[] =
        "SELECT " ROW_COLUMNS " FROM outbox WHERE sink = ?1 AND ordering = ?2 AND state = 0 "
        "ORDER BY id LIMIT 1";
    struct row row = {0};
    int r = 1;

    while (r == 1) { /* once, but for rows that are lost */
        sqlite3_stmt *statement = state_prepare(tx, sql);

        if (!statement) {
            return;
        }
        (void)sqlite3_bind_text(statement, 1, sink->name, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(statement, 2, (int64_t)ordering);
        r = state_step(tx, statement);
        if (r == 1 && row_read(statement, &row)) {
            row.head = true;
            row_update(tx, &row, false);
            if (!item_of_ordering(sink, ordering)) {
                (void)item_add(sink, &row, now);
            }
            r = 0;
        }
        (void)sqlite3_reset(statement);
        if (r == 1) {
            row_lost(outbox, tx, row.id);
        }
    }
}

void item_end(struct outbox *outbox, struct state_tx *tx, struct item *item,
              enum outbox_state state, const char *reason, struct alerts_time now)
{
    struct sink *sink = item->sink;
    uint64_t ordering = item->ordering;
    bool followers = item->followers;
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
        promote(outbox, tx, sink, ordering, now);
    }
}

static void no_room(struct sink *sink, struct alerts_time now)
{
    if (sink->by_id.used > 0) {
        sink->full = true;
    } else if (sink->not_before < now.mono_ms + NO_MEMORY_MS) {
        sink->not_before = now.mono_ms + NO_MEMORY_MS;
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
    int64_t lost[LOST_AT_A_TIME];
    size_t nlost = 0, seen = 0, want = sink->window + sink->by_id.used;
    struct row row;

    if (!sink->more || sink->full || sink->by_id.used > sink->window / 4 + sink->under_way ||
        !(statement = state_prepare(tx, sql))) {
        return;
    }
    sink->more = false;
    (void)sqlite3_bind_text(statement, 1, sink->name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)want);
    while (nlost < LOST_AT_A_TIME && state_step(tx, statement) == 1) {
        if (!has_place(sink)) {
            sink->more = true;
            break;
        }
        seen++;
        if (!row_read(statement, &row)) {
            lost[nlost++] = row.id;
        } else if (!item_of_ordering(sink, row.ordering) && !item_add(sink, &row, now)) {
            no_room(sink, now);
            break;
        }
    }
    (void)sqlite3_reset(statement);
    sink->more = sink->more || seen == want || nlost > 0;
    for (size_t i = 0; i < nlost; i++) {
        row_lost(outbox, tx, lost[i]);
    }
}
