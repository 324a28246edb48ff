/*
 * reserve.h: state.reserve, a file of nothing that is given back when the disk is full, so that
 * what must still be written then has room.  The state's thread.
 */
#ifndef STATE_RESERVE_H
#define STATE_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

struct reserve {
    const char *path; /* borrowed */
    uint64_t bytes;
    bool held;
    bool possible; /* what it lacks is space; else there is nothing to wait for */
};

/* Not held; the file of an earlier run, if any, can be released. */
void reserve_init(struct reserve *reserve, const char *path, uint64_t bytes);
/* Takes over what an earlier run left, or makes it.  -errno: it is not held; -ENOSPC for quotas
 * too. */
int reserve_open(struct reserve *reserve);
/* Tries to make it anew, where there is room for twice as much: else the first byte that somebody
 * writes would take it away again. */
int reserve_make(struct reserve *reserve);
void reserve_release(struct reserve *reserve);

#endif
