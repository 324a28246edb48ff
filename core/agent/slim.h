/*
 * slim.h: the pages of code and constants that only a start or a reload needed are given back.
 *
 * Reading YAML, opening the state and loading plugins touch a megabyte or two of libraries that an
 * idle agent never runs again.  Their pages stay in the page cache, and are mapped again one by one
 * when somebody does run them.
 */
#ifndef AGENT_SLIM_H
#define AGENT_SLIM_H

#include "base/loop.h"

struct slim {
    struct loop *loop;
    struct loop_timer timer;
};

void slim_init(struct slim *slim, struct loop *loop);
/* Something rare has just been done: gives back in a while.  Main thread. */
void slim_soon(struct slim *slim);
void slim_stop(struct slim *slim);
/* At once.  How many bytes of mappings were given back; -errno.  Any thread. */
long slim_now(void);

#endif
