/*
 * mark.h: state.mark, what the file looked like when it was last written: the version of its
 * schema, and how many pages of its log are committed.
 *
 * SQLite takes a damaged page of the log for the end of the log, as after a crash, and says nothing
 * of the commits behind it.  The mark tells the two apart.  It is written after each commit and
 * before anybody is told of it, and not synced: it survives the death of the process; after a crash
 * of the machine it may be older than the log, which then counts as no proof of a loss.
 */
#ifndef STATE_MARK_H
#define STATE_MARK_H

#include <stdbool.h>
#include <stdint.h>

struct mark {
    bool valid;
    uint32_t version; /* of the schema; 0: the file is being made */
    uint32_t salt[2]; /* of the log's generation */
    uint32_t pages;   /* committed in it; 0: none, or all are in the database */
};

struct marker {
    int fd; /* -1: there is none, which costs certainty only */
    struct mark last;
};

/* What is in the file; not valid where it is missing or damaged. */
struct mark mark_read(const char *path);
/* Opens it for writing.  -errno. */
int marker_open(struct marker *marker, const char *path);
void marker_write(struct marker *marker, const struct mark *mark);
int marker_sync(struct marker *marker); /* -errno */
/* The log is gone: a mark of the same version without one, synced.  -errno. */
int mark_reset(const char *path, const struct mark *mark);
void marker_close(struct marker *marker);

#endif
