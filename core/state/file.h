/*
 * file.h: the SQLite file: where it is, how it is opened and told to behave, whose it is, and the
 * steps that bring it up to date.  The state's thread.
 */
#ifndef STATE_FILE_H
#define STATE_FILE_H

#include <sqlite3.h>

#include "base/buf.h"
#include "state/mark.h"

struct state_paths {
    char *directory;
    char *db;       /* state.db */
    char *wal;      /* state.db-wal */
    char *journal;  /* state.db-journal, while the file is made */
    char *mark;     /* state.mark */
    char *reserve;  /* state.reserve */
    char *fresh;    /* state.db.new, salvage.h */
    char *salvaged; /* state.db.salvaged, aside.h */
};

int paths_init(struct state_paths *paths, const char *directory);
void paths_finish(struct state_paths *paths);

/* Says why the directory is of no use, if so.  -errno. */
int file_check_directory(const struct state_paths *paths, struct buf *why);
/* Opens the file, makes it where there is none, brings it to the newest version; `marker` is told
 * of that beforehand.  -EUCLEAN: it is damaged, -EPROTONOSUPPORT: newer than this program,
 * -EMEDIUMTYPE: somebody else's.  A sentence is appended to `why`. */
int file_open(const struct state_paths *paths, const char *vfs, struct marker *marker,
              struct buf *why, sqlite3 **ret_db);
/* An empty database of this version, without a log, to be filled in one transaction. */
int file_create(const char *path, const char *vfs, size_t version, sqlite3 **ret_db);
void file_close(sqlite3 *db);
/* As state_error(), and knows from errno when an I/O error was want of space. */
int file_error(sqlite3 *db, int sqlite_result);
/* PRAGMAs and the like: statements without rows that matter.  -errno. */
int file_run(sqlite3 *db, const char *sql);
/* The first column of the first row.  -ENODATA: there is none. */
int file_number(sqlite3 *db, const char *sql, int64_t *ret_number);

#endif
