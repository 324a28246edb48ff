/*
 * landlock.h: the Landlock layer of a worker, by system call.
 */
#ifndef WORKER_LANDLOCK_H
#define WORKER_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* From here on no file can be written, made, moved or removed, and none executed unless `spawns`;
 * /dev/null may be written to.  Reading stays free.  Needs no_new_privs.  Returns what is in force
 * (FRAME_LAYER_LANDLOCK, FRAME_LAYER_SCOPE), 0 where the kernel has none of it. */
uint32_t landlock_apply(bool spawns);

#endif
