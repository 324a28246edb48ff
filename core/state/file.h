/*
 * file.h: the SQLite file: where it is, how it is opened and told to behave, whose it is, and the
 * steps that bring it up to date.  The state's thread.
 */
#ifndef STATE_FILE_H
#define STATE_FILE_H

#include <sqlite3.h>

#include "base/buf.h"

struct state_paths {
    char *directory;
    char *db;      /* state.db */
    char *wal;     /* state.db-wal */
    char *reserve; /* state.reserve */
};

int paths_init(struct state_paths *paths, const char *directory);
void paths_finish(struct state_paths *paths);

/* Says why the directory is of no use, if so.  -errno. */
int file_check_directory(const struct state_paths *paths, struct buf *why);
/* Opens the file, makes it where there is none, brings it to the newest version.  -EUCLEAN: it is
 * damaged, -EPROTONOSUPPORT: newer than this program, -EMEDIUMTYPE: somebody else's.  A sentence is
 * appended to `why`. */
int file_open(const struct state_paths *paths, const char *vfs, struct buf *why, sqlite3 **ret_db);
void file_close(sqlite3 *db);
/* As state_error(), and knows from errno when an I/O error was want of space. */
int file_error(sqlite3 *db, int sqlite_result);

#endif
