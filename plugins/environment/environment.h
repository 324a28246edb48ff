/*
 * environment.h: what the files of the `environment` component share.
 */
#ifndef ENVIRONMENT_ENVIRONMENT_H
#define ENVIRONMENT_ENVIRONMENT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ENVIRONMENT_NAMES 1024       /* as many as a list setting may have */
#define ENVIRONMENT_BYTES (1u << 20) /* of an env file or a process' environment that is read */
#define ENVIRONMENT_CHUNK 16384      /* read at a time */

/* The names to look for, and which of them were seen with a value.  Values are looked at, never
 * kept. */
struct wanted {
    size_t count;
    const char *names[ENVIRONMENT_NAMES]; /* borrowed from the settings */
    bool seen[ENVIRONMENT_NAMES];
};

/* Forgets what was seen. */
void wanted_reset(struct wanted *wanted);
/* A variable was met: `len` bytes of name, and whether its value has at least one character.  The
 * last of several with one name counts, as it does where they are used. */
void wanted_meet(struct wanted *wanted, const char *name, size_t len, bool filled);

/* Each returns 0, or -errno: -ENOENT no such file or process, -EACCES not allowed, -EINVAL not a
 * regular file, -EFBIG more than ENVIRONMENT_BYTES. */
void environment_own(struct wanted *wanted);
int environment_file(struct wanted *wanted, const char *path);
/* `pid` in the folder `procfs`. */
int environment_process(struct wanted *wanted, int procfs, pid_t pid);

/* The process of that number or (the lowest pid of) that name.  -ESRCH when there is none. */
int environment_find(int procfs, const char *name_or_pid, pid_t *ret_pid);
/* When the process started, in ticks since boot: pid and this name a process for good.  0 or
 * -errno. */
int environment_started(int procfs, pid_t pid, uint64_t *ret_ticks);

#endif
