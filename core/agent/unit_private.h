/*
 * unit_private.h: what the files of a unit share.
 *
 *   unit.c         its life; what comes of checks and collections
 *   unit_sink.c    of a sink: its pool of workers, its attempts
 *   unit_alerts.c  the alerts that are made of how it is
 */
#ifndef AGENT_UNIT_PRIVATE_H
#define AGENT_UNIT_PRIVATE_H

#include "agent/unit.h"

/* unit.c */
extern const struct instance_hooks unit_hooks;
/* Of one of its instances, with the settings (taken). */
int unit_make_worker(struct unit *unit, const struct plan_instance *from, struct settings *settings,
                     struct unit_worker *worker);
void unit_remember_error(struct unit *unit, const char *text);
/* It has a place in health from now on. */
void unit_add_verdict(struct unit *unit);
/* Ends all its instances; hooks->stopped of the last one ends the unit. */
void unit_stop_workers(struct unit *unit);

/* unit_sink.c */
/* How many instances a unit of this component has, and the first of them that delivers. */
size_t unit_sink_workers(const struct plan_instance *from, size_t *ret_first);
/* Its attempts may come. */
void unit_sink_open(struct unit *unit);
/* Lets end what is under way, then ends its instances. */
void unit_sink_drain(struct unit *unit);
void unit_sink_done(struct unit_worker *worker, const struct instance_result *result);
/* One of the pool has changed its state; the first instance's is told by unit.c. */
void unit_sink_state(struct unit_worker *worker, enum instance_state to, const char *reason);
void unit_sink_look(struct unit *unit);
/* One of its instances is another state: says in health and to those who ask for sinks whether it
 * can deliver at all.  For any unit. */
void unit_sink_health(struct unit *unit);

/* unit_alerts.c */
void unit_alerts_init(struct unit *unit);
/* The check's effective status; `verdict` says why. */
void unit_alerts_check(struct unit *unit, tmon_verdict status, const char *message);
void unit_alerts_state(struct unit *unit, enum instance_state to, const char *reason);
void unit_alerts_stop(struct unit *unit);

#endif
