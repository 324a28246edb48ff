/*
 * statement.c: see statement.h, and "in a transaction" of state.h.  Looking up by address costs a
 * few nanoseconds; by the text, a hash of some hundred bytes.
 */
#include "state/statement.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "state/private.h"

#define FIRST_SLOTS 64

static size_t slot_of(const struct statements *statements, const char *sql)
{
    size_t mask = statements->size - 1;
    size_t i = (size_t)(((uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & mask;

    while (statements->slots[i] && statements->slots[i]->sql != sql) {
        i = (i + 1) & mask;
    }
    return i;
}

static int grow(struct statements *statements)
{
    struct statements larger = {.size = statements->size ? 2 * statements->size : FIRST_SLOTS};

    larger.slots = calloc(larger.size, sizeof(struct statement *));
    if (!larger.slots) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < statements->size; i++) {
        struct statement *statement = statements->slots[i];

        if (statement) {
            larger.slots[slot_of(&larger, statement->sql)] = statement;
        }
    }
    free(statements->slots);
    statements->slots = larger.slots;
    statements->size = larger.size;
    return 0;
}

static int fail(struct state_tx *tx, int error)
{
    if (tx->error == 0) {
        tx->error = error;
        (void)snprintf(tx->state->last_error, sizeof tx->state->last_error, "%s",
                       sqlite3_errmsg(tx->db));
    }
    return tx->error;
}

static struct statement *add(struct state_tx *tx, const char *sql)
{
    struct statements *statements = &tx->state->statements;
    struct statement *statement;
    int rc;

    if (statements->used >= LIMIT_STATE_STATEMENTS ||
        (2 * (statements->used + 1) > statements->size && grow(statements) < 0)) {
        (void)fail(tx, -ENOMEM);
        return NULL;
    }
    statement = calloc(1, sizeof *statement);
    if (!statement) {
        (void)fail(tx, -ENOMEM);
        return NULL;
    }
    rc = sqlite3_prepare_v3(tx->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement->prepared, NULL);
    if (rc != SQLITE_OK) {
        (void)fail(tx, file_error(tx->db, rc));
        free(statement);
        return NULL;
    }
    statement->sql = sql;
    statements->slots[slot_of(statements, sql)] = statement;
    statements->used++;
    return statement;
}

sqlite3_stmt *state_prepare(struct state_tx *tx, const char *sql)
{
    struct statements *statements = &tx->state->statements;
    struct statement *statement = NULL;

    if (tx->error < 0) {
        return NULL;
    }
    if (statements->size > 0) {
        statement = statements->slots[slot_of(statements, sql)];
    }
    if (!statement) {
        statement = add(tx, sql);
        if (!statement) {
            return NULL;
        }
    }
    if (statement->touched) {
        (void)sqlite3_reset(statement->prepared);
        (void)sqlite3_clear_bindings(statement->prepared);
    } else {
        statement->touched = true;
        statement->next_touched = statements->touched;
        statements->touched = statement;
    }
    return statement->prepared;
}

int state_step(struct state_tx *tx, sqlite3_stmt *statement)
{
    int rc;

    if (!statement || tx->error < 0) {
        return fail(tx, -EINVAL);
    }
    rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW) {
        return 1;
    }
    if (rc == SQLITE_DONE) {
        return 0;
    }
    return fail(tx, file_error(tx->db, rc));
}

int state_exec(struct state_tx *tx, const char *sql)
{
    return state_step(tx, state_prepare(tx, sql));
}

void statements_reset(struct statements *statements)
{
    while (statements->touched) {
        struct statement *statement = statements->touched;

        statements->touched = statement->next_touched;
        statement->touched = false;
        (void)sqlite3_reset(statement->prepared);
        (void)sqlite3_clear_bindings(statement->prepared);
    }
}

void statements_finish(struct statements *statements)
{
    for (size_t i = 0; i < statements->size; i++) {
        if (statements->slots[i]) {
            (void)sqlite3_finalize(statements->slots[i]->prepared);
            free(statements->slots[i]);
        }
    }
    free(statements->slots);
    *statements = (struct statements){0};
}
