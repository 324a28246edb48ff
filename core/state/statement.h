/*
 * statement.h: prepared statements, found by the address of their text.  The state's thread.
 *
 * What a transaction touched is known, so that it can be reset before COMMIT: a SELECT that was
 * left at a row would keep the log from being copied into the database.
 */
#ifndef STATE_STATEMENT_H
#define STATE_STATEMENT_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

struct statement {
    const char *sql;
    sqlite3_stmt *prepared;
    struct statement *next_touched;
    bool touched;
};

struct statements {
    struct statement **slots; /* open addressing */
    size_t size, used;        /* size: 0 or a power of two */
    struct statement *touched;
};

/* Resets what was used since the last call, and forgets its bindings. */
void statements_reset(struct statements *statements);
/* Ends them all, before the database is closed. */
void statements_finish(struct statements *statements);

#endif
