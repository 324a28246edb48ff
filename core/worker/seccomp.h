/*
 * seccomp.h: the system calls that a worker may not make.
 */
#ifndef WORKER_SECCOMP_H
#define WORKER_SECCOMP_H

#include <stdbool.h>

/* Stands in the generated filters for the worker's own process id.  Above any that Linux gives. */
#define SECCOMP_OWN_PID 0x7e57ca11u

/* From here on.  Needs no_new_privs, and must be called while there is one thread.  False where the
 * kernel has no seccomp filters. */
bool seccomp_apply(bool spawns);

#endif
