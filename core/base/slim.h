/*
 * slim.h: gives back to the kernel what lies in memory of files that are only read: code,
 * constants.
 *
 * Reading YAML, opening the state, loading plugins or TLS touch megabytes of libraries that a
 * process never uses again.  Their pages stay in the page cache, and are mapped again, a few at
 * a time, when somebody does use them.  Smaller is thus the process, not the page cache.
 */
#ifndef BASE_SLIM_H
#define BASE_SLIM_H

/* How many bytes of mappings were given back; -errno.  Reads /proc/self/smaps: a millisecond or
 * two.  Any thread. */
long slim_now(void);

#endif
