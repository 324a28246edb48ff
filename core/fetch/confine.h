/*
 * confine.h: the walls around toiletmon-fetch.  It reads what strangers send, so it may do little
 * else.
 */
#ifndef FETCH_CONFINE_H
#define FETCH_CONFINE_H

/* First of all: dies with the agent, gains no rights, leaves no core, has limits.  -errno. */
int confine_begin(void);
/* Before the first request: no programs, no processes, no writing to files.  -errno; a layer that
 * this kernel does not have is left out. */
int confine_finish(void);

#endif
