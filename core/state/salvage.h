/*
 * salvage.h: makes a new file out of what can be read of a damaged one.  SQLite must have closed
 * it.
 */
#ifndef STATE_SALVAGE_H
#define STATE_SALVAGE_H

#include "state/file.h"
#include "state/mark.h"

#define SALVAGE_TABLES 16

struct salvage {
    struct {
        const char *name; /* one of state_tables */
        uint64_t rows, lost;
        bool damaged; /* there may be losses that nobody can count */
    } table[SALVAGE_TABLES];
    size_t ntables;
    uint32_t log_pages_lost; /* that were committed and are not there at all */
    char kept[64]; /* the name under which the damaged file is kept, "" if it could not be */
};

/* Copies rows into a new file and puts it in the place of the damaged one, which is kept aside.
 * -errno with a sentence appended to `why`; then nothing has changed. */
int salvage_run(const struct state_paths *paths, const char *vfs, const struct mark *mark,
                struct buf *why, struct salvage *ret_salvage);

#endif
