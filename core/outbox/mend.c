/*
 * mend.c: counts of the table, and what is done after some of it was lost.
 *
 * A row that does not verify is deleted when it is read.  If it was the first of its ordering,
 * those behind it would wait for ever; which ordering that was, the row cannot say any more.  So
 * orderings without a first one are looked for, in all of the sink's.
 */
#include <errno.h>
#include <stdlib.h>

#include "outbox/private.h"

/* ---- counting ---- */

static void take_pending(void *arg, sqlite3_stmt *statement)
{
    struct outbox *outbox = arg;
    struct sink *sink = sink_get(outbox, (const char *)sqlite3_column_text(statement, 0));

    if (sink) {
        sink->pending = (uint64_t)sqlite3_column_int64(statement, 1);
        sink->more = sink->pending > 0;
    }
}

static void take_dead(void *arg, sqlite3_stmt *statement)
{
    struct outbox *outbox = arg;
    struct sink *sink = sink_get(outbox, (const char *)sqlite3_column_text(statement, 0));

    if (sink) {
        sink->dead = (uint64_t)sqlite3_column_int64(statement, 1);
    }
}

static void take_ended(void *arg, sqlite3_stmt *statement)
{
    struct outbox *outbox = arg;
    int64_t state = sqlite3_column_int64(statement, 0);

    if (state > 0 && state < OUTBOX_STATES) {
        outbox->ended[state] = (uint64_t)sqlite3_column_int64(statement, 1);
    }
}

static void each(struct outbox *outbox, struct state_tx *tx, const char *sql,
                 void (*fn)(void *arg, sqlite3_stmt *statement))
{
    sqlite3_stmt *statement = state_prepare(tx, sql);

    while (statement && state_step(tx, statement) == 1) {
        fn(outbox, statement);
    }
    if (statement) {
        (void)sqlite3_reset(statement);
    }
}

int count_dead(struct outbox *outbox, struct state_tx *tx)
{
    /* `state > 0` is what makes SQLite see that the index has all of them. */
    static const char sql[] =
        "SELECT sink, count(*) FROM outbox WHERE state > 0 AND state = 2 GROUP BY sink";

    for (size_t i = 0; i < outbox->nsinks; i++) {
        outbox->sinks[i]->dead = 0;
    }
    each(outbox, tx, sql, take_dead);
    return tx->error;
}

int count_rows(struct outbox *outbox, struct state_tx *tx)
{
    static const char pending[] = "SELECT sink, count(*) FROM outbox WHERE state = 0 GROUP BY sink";
    static const char ended[] = "SELECT state, count(*) FROM outbox WHERE state > 0 GROUP BY state";

    for (size_t i = 0; i < outbox->nsinks; i++) {
        outbox->sinks[i]->pending = 0;
    }
    for (int state = 0; state < OUTBOX_STATES; state++) {
        outbox->ended[state] = 0;
    }
    each(outbox, tx, pending, take_pending);
    each(outbox, tx, ended, take_ended);
    return count_dead(outbox, tx);
}

/* ---- orderings without a first one ---- */

static int strays(struct state_tx *tx, const struct sink *sink, uint64_t **ret_orderings,
                  size_t *ret_n)
{
    static const char sql[] =
        "SELECT ordering FROM outbox WHERE sink = ?1 AND state = 0 EXCEPT "
        "SELECT ordering FROM outbox WHERE sink = ?1 AND state = 0 AND head = 1";
    sqlite3_stmt *statement = state_prepare(tx, sql);
    uint64_t *orderings = NULL;
    size_t n = 0, size = 0;
    int r = statement ? 1 : tx->error;

    if (statement) {
        (void)sqlite3_bind_text(statement, 1, sink->name, -1, SQLITE_STATIC);
    }
    while (r == 1 && (r = state_step(tx, statement)) == 1) {
        if (n == size) {
            uint64_t *more = realloc(orderings, (size + 64) * 2 * sizeof *more);

            if (!more) {
                r = -ENOMEM;
                break;
            }
            orderings = more;
            size = (size + 64) * 2;
        }
        orderings[n++] = (uint64_t)sqlite3_column_int64(statement, 0);
    }
    if (statement) {
        (void)sqlite3_reset(statement);
    }
    *ret_orderings = orderings;
    *ret_n = n;
    return r;
}

void outbox_mend(struct outbox *outbox, struct state_tx *tx, struct alerts_time now)
{
    outbox->damaged = false;
    for (size_t i = 0; i < outbox->nsinks && tx->error == 0; i++) {
        struct sink *sink = outbox->sinks[i];
        uint64_t *orderings = NULL;
        size_t n = 0;

        if (strays(tx, sink, &orderings, &n) < 0) {
            outbox->damaged = true; /* no memory: another time */
        }
        for (size_t j = 0; j < n && tx->error == 0; j++) {
            promote(outbox, tx, sink, orderings[j], now);
        }
        free(orderings);
    }
    if (tx->error == 0) {
        (void)count_rows(outbox, tx);
    }
    for (size_t i = 0; i < outbox->nsinks; i++) {
        outbox->sinks[i]->mended = outbox->sinks[i]->pending;
    }
}
