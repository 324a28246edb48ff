/*
 * verify.h: whether the file is whole, as far as that can be known at the start.
 */
#ifndef STATE_VERIFY_H
#define STATE_VERIFY_H

#include "state/file.h"
#include "state/wal.h"

/* Before SQLite opens it: whose it is, the header, and the log.  *ret_wal says what the log has;
 * its pages are not kept.  -EUCLEAN, -EMEDIUMTYPE, -EPROTONOSUPPORT, with a sentence. */
int verify_files(const struct state_paths *paths, const struct mark *mark, struct buf *why,
                 struct wal *ret_wal);
/* Of which version it is; 0: it is empty.  -EUCLEAN, -EPROTONOSUPPORT. */
int verify_version(sqlite3 *db, const char *path, const struct mark *mark, struct buf *why,
                   size_t *ret_version);
/* The schema, the numbers given so far, and, of a file that is not large, everything. */
int verify_content(sqlite3 *db, const char *path, size_t version, struct buf *why);

#endif
