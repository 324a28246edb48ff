/*
 * table.c: see table.h.
 */
#include "alert/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t sum_of(int64_t id, const void *body, size_t len, const char *uid)
{
    uint32_t sum = state_sum_bytes(state_sum_int(STATE_SUM, id), body, len);

    return uid ? state_sum_bytes(sum, uid, strlen(uid) + 1) : sum;
}

void table_write(struct state_tx *tx, const char *sql, int64_t id, const char *uid,
                 const struct buf *body)
{
    sqlite3_stmt *statement;

    if (body->failed) {
        tx->error = tx->error ? tx->error : -ENOMEM;
        return;
    }
    statement = state_prepare(tx, sql);
    if (!statement) {
        return;
    }
    (void)sqlite3_bind_int64(statement, 1, id);
    (void)sqlite3_bind_blob64(statement, 2, body->data, body->len, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 3, sum_of(id, body->data, body->len, uid));
    if (uid) {
        (void)sqlite3_bind_text(statement, 4, uid, -1, SQLITE_STATIC);
    }
    (void)state_step(tx, statement);
    (void)sqlite3_reset(statement);
}

void table_delete(struct state_tx *tx, const char *sql, int64_t id)
{
    sqlite3_stmt *statement = state_prepare(tx, sql);

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, id);
        (void)state_step(tx, statement);
        (void)sqlite3_reset(statement);
    }
}

/* ---- reading ---- */

/* NULL: the table has no such column. */
static const char *text_of(sqlite3_stmt *statement)
{
    const char *text;

    if (sqlite3_column_count(statement) < 4) {
        return NULL;
    }
    text = (const char *)sqlite3_column_text(statement, 3);
    return text ? text : "";
}

/* Numbers of rows that are to be deleted. */
struct numbers {
    int64_t *list;
    size_t n;
};

static int note(struct numbers *numbers, int64_t id)
{
    int64_t *more = realloc(numbers->list, (numbers->n + 1) * sizeof *more);

    if (!more) {
        return -ENOMEM;
    }
    numbers->list = more;
    more[numbers->n++] = id;
    return 0;
}

/* Rows that do not verify go into `bad`. */
static int take_rows(const struct load *load, const struct table *table, struct numbers *bad,
                     int64_t *ret_last)
{
    sqlite3_stmt *statement = state_prepare(load->tx, table->select);
    int r = statement ? 1 : load->tx->error;

    while (r == 1 && (r = state_step(load->tx, statement)) == 1) {
        int64_t id = sqlite3_column_int64(statement, 0);
        const void *body = sqlite3_column_blob(statement, 1);
        size_t len = body ? (size_t)sqlite3_column_bytes(statement, 1) : 0;
        const char *uid = text_of(statement);
        struct wire_reader reader;
        int taken = -EPROTO;

        *ret_last = id > *ret_last ? id : *ret_last;
        wire_reader_init(&reader, body, len);
        if (sum_of(id, body, len, uid) == (uint32_t)sqlite3_column_int64(statement, 2)) {
            taken = table->take(load, id, uid, &reader);
        }
        if (taken == -EPROTO) {
            taken = note(bad, id);
        }
        r = taken < 0 ? taken : 1;
    }
    if (statement) {
        (void)sqlite3_reset(statement);
    }
    return r;
}

int table_load(const struct load *load, const struct table *table, int64_t *ret_last)
{
    struct numbers bad = {0};
    int r = take_rows(load, table, &bad, ret_last);

    for (size_t i = 0; load->writable && r == 0 && i < bad.n; i++) {
        table_delete(load->tx, table->delete, bad.list[i]);
    }
    if (bad.n > 0) {
        state_lost(load->tx->state, table->name, bad.n);
    }
    free(bad.list);
    return r < 0 ? r : load->tx->error;
}
