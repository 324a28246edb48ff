/*
 * spawner.h: the one thread that starts processes.
 *
 * A worker's parent-death signal follows the thread that spawned it, so that thread lives as long
 * as the agent.  The programs are opened once, at the start: an upgrade of the files on disk does
 * not mix versions under a running agent.
 */
#ifndef PLUGIN_SPAWNER_H
#define PLUGIN_SPAWNER_H

#include <sys/types.h>

#include "base/buf.h"

struct spawner;

enum program { PROGRAM_WORKER, PROGRAM_FETCH, PROGRAMS };

struct spawned {
    pid_t pid;
    int pidfd;  /* owned by the caller; readable when the process has ended; non-blocking,
                   close-on-exec */
    int socket; /* our end of a SEQPACKET pair; owned by the caller; non-blocking, close-on-exec */
};

/* Finds the programs beside the agent's own executable, else where they are installed.  -errno,
 * with a sentence for the operator appended to `why`. */
int spawner_create(struct buf *why, struct spawner **ret_spawner);
/* Ends the thread.  Every process that it started gets SIGKILL from the kernel by that. */
void spawner_destroy(struct spawner *spawner);

/* Starts a program; about a millisecond.  Any thread; waits for the spawning thread, which never
 * waits.  -errno. */
int spawner_spawn(struct spawner *spawner, enum program program, struct spawned *ret_spawned);

/* The folder that the programs were found in, and whether that is a build tree. */
const char *spawner_directory(const struct spawner *spawner);

#endif
