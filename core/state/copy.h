/*
 * copy.h: one table on its way out of a damaged file into a new one.
 */
#ifndef STATE_COPY_H
#define STATE_COPY_H

#include <sqlite3.h>

#include "state/tree.h"

/* The new file. */
struct copy_target {
    sqlite3 *db;
    int error; /* the first, -errno; nothing is written after it */
};

struct copy {
    struct copy_target *target;
    const char *name;
    struct shape shape;
    struct tree tree;
    uint32_t root;         /* in the old file */
    uint32_t default_root; /* in a new one */
    sqlite3_stmt *take;    /* INSERT OR IGNORE of all columns */
    sqlite3_stmt *prefer;  /* INSERT OR REPLACE */
    int64_t last;          /* the largest number */
    bool numbers;          /* AUTOINCREMENT: they are never given twice */
};

/* Learns from the new file what the table is like.  -ENOENT: it has no such table. */
int copy_init(struct copy *copy, struct copy_target *target, struct pages *pages, const char *name);
void copy_finish(struct copy *copy);
/* Copies the rows that its tree leads to. */
void copy_table(struct copy *copy);

/* Notes a result of SQLite's if it is an error. */
void copy_note(struct copy_target *target, int rc);
/* `format` as sqlite3_mprintf() has it, with the name for its only argument. */
sqlite3_stmt *copy_prepare(struct copy_target *target, const char *format, const char *name);
/* Where the new file has the tree of a table, 0: it has none. */
uint32_t copy_root(struct copy_target *target, const char *name, bool *ret_numbers);

#endif
