/*
 * damage.h: a state with rows in it, its files as bytes, and the opening of what was done to them.
 */
#ifndef TEST_STATE_DAMAGE_H
#define TEST_STATE_DAMAGE_H

#include "kit.h"

#define ROWS 150 /* of `alert`, through the kit */

struct bytes {
    unsigned char *data; /* owned; NULL: there is no such file */
    size_t len;
};

/* What a state directory holds. */
struct files {
    struct bytes db, wal, mark;
};

/* What must be there. */
struct expected {
    int64_t ids[ROWS];
    size_t n;
    int64_t last; /* the largest number ever given */
};

struct bytes damage_slurp(const char *path);
void damage_spill(const char *path, const struct bytes *bytes);
struct files damage_take(struct kit *kit);
void damage_put(struct kit *kit, const struct files *files);
void damage_drop(struct files *files);
/* Removes everything from the directory. */
void damage_clear(struct kit *kit);

/* Opens the state and fills it; with `others` the tables that the kit does not use as well. */
void damage_fill(struct kit *kit, struct expected *expected, bool others);
/* How many of them memory does not have. */
int damage_missing(struct kit *kit, const struct expected *expected);
/* Opens what stands there, and closes it; how many rows are gone.  Fails where it does not open,
 * where that was not told, where a number is given twice, and where it is damaged afterwards. */
int damage_open(struct kit *kit, const struct expected *expected, bool others, const char *what,
                size_t at);

#endif
