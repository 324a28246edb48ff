/*
 * seccomp.h: the system calls that a worker may not make.
 */
#ifndef WORKER_SECCOMP_H
#define WORKER_SECCOMP_H

#include <stdbool.h>

/* From here on.  Needs no_new_privs, and must be called while there is one thread.  False where the
 * kernel has no seccomp filters or this architecture is not known here. */
bool seccomp_apply(bool spawns);

#endif
