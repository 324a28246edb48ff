/*
 * lock.h: one agent a state directory.
 */
#ifndef AGENT_LOCK_H
#define AGENT_LOCK_H

#include "base/buf.h"

/*
 * Makes the directory where it is missing (0700, its parents too) and locks it for the life of the
 * process.  0 with the descriptor that holds the lock (owned); -EBUSY when another agent has it, or
 * another -errno; a sentence for the operator is appended to `why`.
 */
int lock_state_dir(const char *path, struct buf *why, int *ret_fd);

#endif
