/*
 * transaction.c: one transaction, and the copying of the log into the database.
 *
 * BEGIN is deferred: a batch that only reads writes and syncs nothing.  The log is copied by
 * ourselves after the batch was answered, not by SQLite within COMMIT: nobody waits for it, and its
 * errors are seen, which SQLite's own way swallows.
 */
#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "state/bytes.h"
#include "state/private.h"

#define SALT_OFFSET 16 /* in the log's header */

/* The generation of the log changes with the first commit after it was copied. */
static bool read_salt(sqlite3 *db, uint32_t ret_salt[2])
{
    sqlite3_file *log = NULL;
    unsigned char bytes[8];

    if (sqlite3_file_control(db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK || !log ||
        !log->pMethods ||
        log->pMethods->xRead(log, bytes, sizeof bytes, SALT_OFFSET) != SQLITE_OK) {
        return false;
    }
    ret_salt[0] = bytes_get32(bytes);
    ret_salt[1] = bytes_get32(bytes + 4);
    return true;
}

static void mark_commit(struct state *state)
{
    struct mark mark = state->marker.last;

    if (!state->salt_known && state->wal_pages > 0) {
        state->salt_known = read_salt(state->db, mark.salt);
    }
    mark.pages = state->salt_known ? (uint32_t)state->wal_pages : 0;
    marker_write(&state->marker, &mark);
}

static void commit(struct state_tx *tx)
{
    struct state *state = tx->state;
    bool wrote = sqlite3_txn_state(tx->db, NULL) == SQLITE_TXN_WRITE;
    int64_t began = wrote ? clock_mono_ns() : 0;

    if (state_exec(tx, "COMMIT") == 0 && wrote) {
        atomic_fetch_add_explicit(&state->stats.commit_ns, (uint_fast64_t)(clock_mono_ns() - began),
                                  memory_order_relaxed);
        mark_commit(state);
    }
}

int transaction_run(struct state *state, void (*body)(struct state_tx *, void *), void *arg)
{
    struct state_tx tx = {.state = state, .db = state->db};

    if (!state->db) {
        return -EUCLEAN; // it could not be salvaged yet
    }
    if (state_exec(&tx, "BEGIN") == 0) {
        body(&tx, arg);
    }
    statements_reset(&state->statements);
    if (tx.error == 0) {
        commit(&tx);
        statements_reset(&state->statements);
    }
    if (tx.error < 0 && !sqlite3_get_autocommit(state->db)) {
        // SQLite has ended it already after some errors
        (void)sqlite3_exec(state->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return tx.error;
}

static int on_log_grown(void *arg, sqlite3 *db, const char *name, int pages)
{
    struct state *state = arg;

    state->wal_pages = pages;
    return SQLITE_OK;
}

void transaction_watch(struct state *state)
{
    (void)sqlite3_wal_hook(state->db, on_log_grown, state);
}

int transaction_checkpoint(struct state *state, bool always)
{
    int limit = state->options.wal_pages ? (int)state->options.wal_pages : LIMIT_STATE_WAL_PAGES;
    int rc;

    if (!state->db || (!always && state->wal_pages < limit)) {
        return 0;
    }
    rc = sqlite3_wal_checkpoint_v2(state->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (rc != SQLITE_OK) {
        (void)snprintf(state->last_error, sizeof state->last_error, "%s",
                       sqlite3_errmsg(state->db));
        return file_error(state->db, rc);
    }
    state->wal_pages = 0;
    state->salt_known = false;
    return 0;
}
