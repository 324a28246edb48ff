/*
 * heartbeat.h: do the agent's threads still turn?  Asked by the HTTP thread for /api/health/live,
 * without any tick: a question posts a beat to the main loop, and the next question sees whether it
 * came back.
 */
#ifndef AGENT_HEARTBEAT_H
#define AGENT_HEARTBEAT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/loop.h"
#include "plugin/local.h"

struct heartbeat {
    struct loop *loop;
    const struct local *local;
    atomic_int_fast64_t asked_ns; /* a beat is on its way since then; 0: none */
    atomic_int_fast64_t last_ns;  /* the last one that came back */
};

void heartbeat_init(struct heartbeat *heartbeat, struct loop *loop, const struct local *local);
/* Any thread.  False with a reason appended. */
bool heartbeat_alive(struct heartbeat *heartbeat, struct buf *reason);
/* Whether the component thread is well; what the main thread asks before it calms the watchdog. */
bool heartbeat_component_thread_well(const struct heartbeat *heartbeat);

#endif
