/*
 * desk_plan.h: the desk is told of a plan that was put in force: the routing, the sinks, and which
 * instances there are, so that alerts about those that are gone end.
 *
 * Main thread.
 */
#ifndef AGENT_DESK_PLAN_H
#define AGENT_DESK_PLAN_H

#include "agent/desk.h"
#include "agent/plan.h"
#include "agent/unit.h"

struct desk_plan;

/* Takes plan->routing and copies the rest.  `units` are those of the plan; the fresh ones count as
 * changed.  -ENOMEM. */
int desk_plan_create(struct plan *plan, struct unit *units, struct desk_plan **ret_plan);
void desk_plan_destroy(struct desk_plan *plan);
/* `done` is called on the loop, with 0 when it is durable; else it may be submitted again.  Leave
 * it alone from a submit that returned 0 to then.  -errno as desk_submit(). */
int desk_plan_submit(struct desk_plan *plan, struct desk *desk, struct loop *loop,
                     void (*done)(void *owner, struct desk_plan *plan, int result), void *owner);

#endif
