/*
 * fault_vfs.h: a shim over SQLite's default VFS that fails and crashes on demand.
 *
 *     fault_install();
 *     options.vfs = FAULT_VFS;
 *     fault_arm(&(struct fault){.kind = FAULT_FULL, .first = 7, .times = 1});
 *     ... work ...
 *     fault_disarm();
 *
 * Operations that change a file (writes, syncs, truncations, deletions; reads too where they are
 * asked for) are counted from fault_arm() on, over all files.  FAULT_CRASH freezes everything at
 * the n-th: it and all later operations fail and reach no file.  When the state is closed,
 * fault_crash() leaves the files as the crash would have: what was synced is there, of the rest
 * what `survives` says.  A crash is armed before the state is opened.  One state at a time uses the
 * shim.
 */
#ifndef TEST_FAULT_VFS_H
#define TEST_FAULT_VFS_H

#include <stdbool.h>
#include <stdint.h>

#define FAULT_VFS "tmon-fault"

enum fault_kind { FAULT_NONE, FAULT_FULL, FAULT_IOERR, FAULT_CRASH };

enum {
    FAULT_WRITE = 1,
    FAULT_SYNC = 2,
    FAULT_TRUNCATE = 4,
    FAULT_DELETE = 8,
    FAULT_ALL = 15,
    FAULT_READ = 16
};

struct fault {
    enum fault_kind kind;
    unsigned ops; /* which operations count; 0: FAULT_ALL */
    int first;    /* the first that fails, from 1 */
    int times;    /* how many fail from there on; 0: all, until disarmed */
};

enum fault_survives {
    FAULT_KEEP_ALL, /* the process was killed, the kernel lives: all writes are there */
    FAULT_LOSE_ALL, /* the power went: only what was synced */
    FAULT_MIX,      /* the power went: some of the rest, in any order, some torn in the middle */
};

void fault_install(void);
void fault_arm(const struct fault *fault);
void fault_disarm(void);
/* Operations counted since fault_arm(). */
int fault_seen(void);
/* Whether one has failed since then. */
bool fault_hit(void);
/* After a crash, with every file closed.  `seed` picks for FAULT_MIX. */
void fault_crash(enum fault_survives survives, uint64_t seed);

#endif
