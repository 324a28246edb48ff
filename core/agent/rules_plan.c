/*
 * rules_plan.c: see rules_plan.h.
 */
#include "agent/rules_plan.h"

#include <errno.h>

#include "rules/rule.h"

int rules_plan(struct plan *plan, struct config_errors *errors)
{
    int r = rules_compile(&plan->config->rules, RULES_INTERVAL_MS, errors, &plan->rules);

    return r == -EINVAL ? 0 : r;
}
