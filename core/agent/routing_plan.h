/*
 * routing_plan.h: of the routes in a configuration, the routing that the alerts work by.
 *
 * Runs where plans are made.
 */
#ifndef AGENT_ROUTING_PLAN_H
#define AGENT_ROUTING_PLAN_H

#include "agent/plan.h"

/* Makes plan->routing and what belongs to it; the instances are there already.  What is wrong with
 * targets (they are no sinks) goes into `errors`.  -ENOMEM. */
int routing_plan(struct plan *plan, struct config_errors *errors);
/* Whether the instance takes notifications: its plugin is there and it is enabled. */
bool routing_plan_is_live(const struct plan_instance *instance);

#endif
