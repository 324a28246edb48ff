/*
 * spawner.h: the one thread that starts processes.
 *
 * A worker's parent-death signal follows the thread that spawned it, so that thread lives as long
 * as the agent.  The programs are opened once, at the start: an upgrade of the files on disk does
 * not mix versions under a running agent.
 */
#ifndef PLUGIN_SPAWNER_H
#define PLUGIN_SPAWNER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/loop.h"

struct spawner;

enum program { PROGRAM_WORKER, PROGRAM_FETCH, PROGRAMS };

struct spawned {
    pid_t pid;
    int pidfd;  /* owned by the caller; readable when the process has ended; close-on-exec */
    int socket; /* our end of a SEQPACKET pair; owned by the caller; non-blocking, close-on-exec */
};

/* Finds the programs beside the agent's own executable, else where they are installed.  -errno,
 * with a sentence for the operator appended to `why`. */
int spawner_create(struct buf *why, struct spawner **ret_spawner);
/* The same with the programs of this folder (tests, the command line). */
int spawner_create_in(const char *directory, bool build_tree, struct buf *why,
                      struct spawner **ret_spawner);
/* Ends the thread.  Every process that it started gets SIGKILL from the kernel by that.  Nothing
 * may be under way. */
void spawner_destroy(struct spawner *spawner);

/* Starts a program; about a millisecond.  Any thread; waits for the spawning thread, which never
 * waits for anybody.  -errno. */
int spawner_spawn(struct spawner *spawner, enum program program, struct spawned *ret_spawned);

/* A start that is under way. */
struct spawn;
/*
 * The same without waiting: `done` is called on the loop's thread, with 0 and the process (its
 * descriptors are the callee's from then on) or with -errno.  0 with a handle that is good until
 * `done` or spawner_cancel(); -ENOMEM.
 */
int spawner_begin(struct spawner *spawner, enum program program, struct loop *loop,
                  void (*done)(void *owner, int error, const struct spawned *spawned), void *owner,
                  struct spawn **ret_spawn);
/* `done` will not be called.  What was started all the same is killed; waits for that, some
 * milliseconds.  The loop's thread. */
void spawner_cancel(struct spawn *spawn);

/* SIGKILL, waits for the end (milliseconds, unless it is stuck in the kernel), closes the
 * descriptors.  Takes {0, -1, -1}. */
void spawned_finish(struct spawned *spawned, int64_t wait_ms);
#define SPAWNED_FINISH_MS 2000

/* The folder that the programs were found in, and whether that is a build tree. */
const char *spawner_directory(const struct spawner *spawner);
bool spawner_build_tree(const struct spawner *spawner);

#endif
