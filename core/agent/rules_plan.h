/*
 * rules_plan.h: the rules of a configuration, compiled: the same for `check` and `run`.
 */
#ifndef AGENT_RULES_PLAN_H
#define AGENT_RULES_PLAN_H

#include "agent/plan.h"

/* Sets plan->rules.  What is wrong is in `errors`; -ENOMEM. */
int rules_plan(struct plan *plan, struct config_errors *errors);

#endif
