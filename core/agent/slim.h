/*
 * slim.h: when the agent gives back what only a start or a reload needed (see base/slim.h): at
 * once, so that it does not stand beside the first load, and when all checks have run.
 */
#ifndef AGENT_SLIM_H
#define AGENT_SLIM_H

#include <stdbool.h>

#include "base/loop.h"

struct slim {
    struct loop *loop;
    struct loop_timer timer;
    bool again;
};

void slim_init(struct slim *slim, struct loop *loop);
/* Something rare has just been done: gives back in a while.  Main thread. */
void slim_soon(struct slim *slim);
void slim_stop(struct slim *slim);

#endif
