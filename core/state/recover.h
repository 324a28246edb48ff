/*
 * recover.h: opens the file whatever it is like: whole, new, damaged, half made.
 */
#ifndef STATE_RECOVER_H
#define STATE_RECOVER_H

#include "state/private.h"

/* Sets state->db and the marker.  A damaged file is salvaged, unless that was done a moment ago.
 * -errno with a sentence appended to `why`. */
int recover_open(struct state *state, struct buf *why);
/* SQLite found damage while it was running: closes the file, salvages it, opens the new one. */
int recover_damaged(struct state *state, struct buf *why);
/* Closes the file; `in_order`: and the log goes into it, if that is possible. */
void recover_close(struct state *state, bool in_order);

#endif
