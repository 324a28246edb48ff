/*
 * unit_metrics.h: the agent's own metrics about one instance, toiletmon_instance_*{name="..."}.
 *
 * A metric that the store has no room for is left out; nothing fails for that.  Main thread.
 */
#ifndef AGENT_UNIT_METRICS_H
#define AGENT_UNIT_METRICS_H

#include "agent/unit.h"

void unit_metrics_init(struct unit *unit);
void unit_metrics_finish(struct unit *unit);
void unit_metrics_count(struct unit *unit, const struct instance_result *result, bool failed);
void unit_metrics_late(struct unit *unit, int64_t late_ns);
void unit_metrics_attempt(struct unit *unit, const struct outbox_outcome *outcome);
void unit_metrics_state(struct unit *unit, enum instance_state from, enum instance_state to);

#endif
