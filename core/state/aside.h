/*
 * aside.h: damaged files are kept for people to look at, the newest LIMIT_STATE_ASIDE of them; and
 * a new file takes the place of a damaged one so that a crash in between loses neither.
 */
#ifndef STATE_ASIDE_H
#define STATE_ASIDE_H

#include <stddef.h>

#include "state/file.h"

/* The new file (paths->fresh) is complete and synced: puts it in the place of the database, and the
 * old one aside.  `ret_kept`: its name.  -errno. */
int aside_swap(const struct state_paths *paths, char *ret_kept, size_t size);
/* There is no database, but maybe a log of one: puts that aside, SQLite would remove it.  -errno.
 */
int aside_log(const struct state_paths *paths);
/* At the start: ends a swap that a crash broke off, and removes a new file that never was complete.
 * -errno. */
int aside_resume(const struct state_paths *paths);

#endif
