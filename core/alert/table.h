/*
 * table.h: the tables of this room: how a row is written, verified and read; nobody else includes
 * it.
 *
 * A row is a number, an encoded body and a checksum; where rows have names, a text of its own
 * column besides.  One that does not verify or decode is left out and told, and deleted where one
 * can write; the others are not concerned.
 */
#ifndef ALERT_TABLE_H
#define ALERT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "alert/alerts.h"
#include "base/buf.h"
#include "base/wire.h"
#include "state/state.h"

struct load {
    struct alerts *alerts;
    struct state_tx *tx;
    bool writable;
    struct alerts_time now;
};

struct table {
    const char *name;
    const char *select; /* id, body, sum, and the text where there is one */
    const char *delete; /* by id */
    /* -EPROTO: it is no such thing; -ENOMEM.  `uid` NULL: the table has no texts. */
    int (*take)(const struct load *load, int64_t id, const char *uid, struct wire_reader *reader);
};

/* Parameters of `sql`: 1 id, 2 body, 3 sum, 4 uid where that is not NULL.  Errors are in the tx. */
void table_write(struct state_tx *tx, const char *sql, int64_t id, const char *uid,
                 const struct buf *body);
/* Its parameter is the id. */
void table_delete(struct state_tx *tx, const char *sql, int64_t id);
/* Every row; the highest number of all into ret_last, if it is higher.  0, -errno. */
int table_load(const struct load *load, const struct table *table, int64_t *ret_last);

#endif
