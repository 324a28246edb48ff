/*
 * rows.c: the table of notifications.  The checksum covers every column; the body's own checksum is
 * kept, so that a change of state does not go over the body again.
 */
#include <errno.h>
#include <string.h>

#include "outbox/private.h"

uint32_t row_body_sum(const void *body, size_t len)
{
    return state_sum_bytes(STATE_SUM, body, len);
}

static uint32_t sum_of(const struct row *row)
{
    const int64_t numbers[] = {
        row->id,      (int64_t)row->ordering, row->head,     row->state, row->attempts,
        row->next_ms, row->created_ms,        row->ended_ms, row->flags, row->body_sum};
    unsigned char bytes[sizeof numbers];
    uint32_t sum;

    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)((uint64_t)numbers[i / 8] >> (8 * (i % 8)));
    }
    sum = state_sum_bytes(STATE_SUM, bytes, sizeof bytes);
    sum = state_sum_bytes(sum, row->uid, strlen(row->uid) + 1);
    sum = state_sum_bytes(sum, row->sink, strlen(row->sink) + 1);
    sum = state_sum_bytes(sum, row->reason, strlen(row->reason) + 1);
    return state_sum_bytes(sum, row->title, strlen(row->title) + 1);
}

static const char *text(sqlite3_stmt *statement, int column)
{
    const char *value = (const char *)sqlite3_column_text(statement, column);

    return value ? value : "";
}

bool row_read(sqlite3_stmt *statement, struct row *ret_row)
{
    struct row row = {
        .id = sqlite3_column_int64(statement, 0),
        .uid = text(statement, 1),
        .sink = text(statement, 2),
        .ordering = (uint64_t)sqlite3_column_int64(statement, 3),
        .head = sqlite3_column_int(statement, 4) != 0,
        .state = (enum outbox_state)sqlite3_column_int(statement, 5),
        .attempts = (uint32_t)sqlite3_column_int64(statement, 6),
        .next_ms = sqlite3_column_int64(statement, 7),
        .created_ms = sqlite3_column_int64(statement, 8),
        .ended_ms = sqlite3_column_int64(statement, 9),
        .flags = (uint32_t)sqlite3_column_int64(statement, 10),
        .reason = text(statement, 11),
        .title = text(statement, 12),
        .body = sqlite3_column_blob(statement, 13),
        .len = (size_t)sqlite3_column_bytes(statement, 13),
    };

    row.body_sum = row_body_sum(row.body, row.len);
    *ret_row = row;
    return row.state < OUTBOX_STATES && strlen(row.uid) < UID_SIZE &&
           strlen(row.sink) <= LIMIT_NAME_BYTES && content_offset(row.body, row.len) > 0 &&
           sum_of(&row) == (uint32_t)sqlite3_column_int64(statement, 14);
}

static void bind_text(sqlite3_stmt *statement, int i, const char *value)
{
    (void)sqlite3_bind_text(statement, i, value, (int)strlen(value), SQLITE_STATIC);
}

/* What both statements take, by the same numbers. */
static void bind_changing(sqlite3_stmt *statement, const struct row *row)
{
    (void)sqlite3_bind_int64(statement, 1, row->id);
    (void)sqlite3_bind_int(statement, 2, row->head);
    (void)sqlite3_bind_int(statement, 3, (int)row->state);
    (void)sqlite3_bind_int64(statement, 4, row->attempts);
    (void)sqlite3_bind_int64(statement, 5, row->next_ms);
    (void)sqlite3_bind_int64(statement, 6, row->created_ms);
    (void)sqlite3_bind_int64(statement, 7, row->ended_ms);
    (void)sqlite3_bind_int64(statement, 8, row->flags);
    bind_text(statement, 9, row->reason);
    (void)sqlite3_bind_int64(statement, 10, sum_of(row));
}

static void bind_content(sqlite3_stmt *statement, const struct row *row)
{
    bind_text(statement, 11, row->title);
    (void)sqlite3_bind_blob64(statement, 12, row->body, row->len, SQLITE_STATIC);
}

static int64_t next_id(struct outbox *outbox)
{
    return ++outbox->last_id;
}

void row_insert(struct outbox *outbox, struct state_tx *tx, struct row *row)
{
    static const char sql[] =
        "INSERT INTO outbox (id, head, state, attempts, next_ms, created_ms, ended_ms, flags, "
        "reason, sum, title, body, uid, sink, ordering) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    sqlite3_stmt *statement = state_prepare(tx, sql);

    if (!statement) {
        return;
    }
    row->id = next_id(outbox);
    bind_changing(statement, row);
    bind_content(statement, row);
    bind_text(statement, 13, row->uid);
    bind_text(statement, 14, row->sink);
    (void)sqlite3_bind_int64(statement, 15, (int64_t)row->ordering);
    (void)state_step(tx, statement);
    (void)sqlite3_reset(statement);
}

void row_update(struct state_tx *tx, const struct row *row, bool body_too)
{
    static const char state_only[] =
        "UPDATE outbox SET head = ?2, state = ?3, attempts = ?4, next_ms = ?5, created_ms = ?6, "
        "ended_ms = ?7, flags = ?8, reason = ?9, sum = ?10 WHERE id = ?1";
    static const char with_body[] =
        "UPDATE outbox SET head = ?2, state = ?3, attempts = ?4, next_ms = ?5, created_ms = ?6, "
        "ended_ms = ?7, flags = ?8, reason = ?9, sum = ?10, title = ?11, body = ?12 WHERE id = ?1";
    sqlite3_stmt *statement = state_prepare(tx, body_too ? with_body : state_only);

    if (!statement) {
        return;
    }
    bind_changing(statement, row);
    if (body_too) {
        bind_content(statement, row);
    }
    (void)state_step(tx, statement);
    (void)sqlite3_reset(statement);
}

void row_lost(struct outbox *outbox, struct state_tx *tx, int64_t id)
{
    static const char sql[] = "DELETE FROM outbox WHERE id = ?1";
    sqlite3_stmt *statement = state_prepare(tx, sql);

    state_lost(tx->state, "outbox", 1);
    outbox->damaged = true;
    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, id);
        (void)state_step(tx, statement);
        (void)sqlite3_reset(statement);
    }
}

int row_get(struct state_tx *tx, int64_t id, void (*fn)(void *arg, const struct row *row),
            void *arg)
{
    static const char sql[] = "SELECT " ROW_COLUMNS " FROM outbox WHERE id = ?1";
    sqlite3_stmt *statement = state_prepare(tx, sql);
    bool good = true;
    struct row row;
    int r;

    if (!statement) {
        return tx->error;
    }
    (void)sqlite3_bind_int64(statement, 1, id);
    r = state_step(tx, statement);
    if (r == 1) {
        good = row_read(statement, &row);
        if (good) {
            fn(arg, &row);
        }
    }
    (void)sqlite3_reset(statement);
    return good ? r : -EUCLEAN;
}

int row_find(struct outbox *outbox, struct state_tx *tx, int64_t id,
             void (*fn)(void *arg, const struct row *row), void *arg)
{
    int r = row_get(tx, id, fn, arg);

    if (r == -EUCLEAN && tx->error == 0) {
        row_lost(outbox, tx, id);
        return 0;
    }
    return r;
}

int64_t row_since(const struct row *row)
{
    return row->state == OUTBOX_PENDING && row->ended_ms > row->created_ms ? row->ended_ms
                                                                           : row->created_ms;
}

void row_of(const struct item *item, struct row *ret_row)
{
    *ret_row = (struct row){
        .id = item->id,
        .uid = item->uid,
        .sink = item->sink->name,
        .reason = item->reason ? item->reason : "",
        .title = item->title,
        .ordering = item->ordering,
        .head = true,
        .state = OUTBOX_PENDING,
        .attempts = item->attempts,
        .flags = item->flags,
        .next_ms = item->next_ms,
        .created_ms = item->created_ms,
        .ended_ms = item->again_ms,
        .body = item->body,
        .len = item->len,
        .body_sum = item->body_sum,
    };
}
