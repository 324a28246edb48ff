/*
 * state_watch.h: how the durable state is, told to people: the check `state`, the alert `state
 * failing`.
 *
 * The alert is as durable as any other while the file can be written at all: there is a reserve for
 * that.  Where it cannot be written the alert goes out all the same, once, directly and marked as
 * undurable.  Main thread, except state_watch_condition().
 */
#ifndef AGENT_STATE_WATCH_H
#define AGENT_STATE_WATCH_H

#include "agent/own_alerts.h"
#include "outbox/delivery.h"
#include "store/verdicts.h"

struct state_watch {
    struct loop *loop;
    struct verdicts *verdicts;
    struct own_alerts *own_alerts;
    struct delivery *delivery;
    struct verdicts_entry *check; /* NULL: all is well */
    enum state_condition condition;
    char text[OWN_SUMMARY_SIZE];
    size_t ntargets;
    char **targets; /* owned: the sinks that the alert's route leads to */
    bool said;      /* undurably, of this condition */
    int64_t since_ms;
    struct undurable *sends; /* under way */
    size_t ntold;
    char **told; /* owned: the sinks that took it */
};

void state_watch_init(struct state_watch *watch, struct loop *loop, struct verdicts *verdicts,
                      struct own_alerts *own_alerts, struct delivery *delivery);
void state_watch_finish(struct state_watch *watch);
/* Takes the names of the sinks that the alert is for; those of the plan in force. */
void state_watch_targets(struct state_watch *watch, char **targets, size_t n);
/* The state's thread says how it is. */
void state_watch_condition(struct state_watch *watch, enum state_condition condition,
                           const char *text);
/* The alert could not be made durable. */
void state_watch_undurable(struct state_watch *watch);

#endif
