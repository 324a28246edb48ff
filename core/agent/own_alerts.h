/*
 * own_alerts.h: alerts that the agent makes itself: of checks, of plugins, of sinks, of its state.
 *
 * Whoever knows how things are says so as often as he likes; what the desk has been told, durably,
 * is kept here, and only a difference is submitted, one call at a time and until it is durable.  At
 * the start it is read what fires from before, so that the first word about it ends it or goes on
 * with it.
 *
 * Main thread.
 */
#ifndef AGENT_OWN_ALERTS_H
#define AGENT_OWN_ALERTS_H

#include <stdbool.h>

#include "agent/desk.h"
#include "base/map.h"

enum own_kind {
    OWN_CHECK_FAILING,    /* label name: the instance */
    OWN_PLUGIN_UNHEALTHY, /* label name: the instance */
    OWN_SINK_PAUSED,      /* label sink: the instance */
    OWN_STATE_FAILING,    /* no such label */
    OWN_RULES_FAILING,    /* label group: the group's key */
    OWN_KINDS
};

#define OWN_SUMMARY_SIZE 512

struct own_entry;

struct own_alerts {
    struct loop *loop;
    struct desk *desk;  /* NULL: not open */
    struct map entries; /* by kind and subject */
    struct own_entry *first;
    bool known; /* what fires from before was read */
    struct loop_timer again;
    char host[256]; /* of this machine, for the summaries */
    /* A call that was to be durable failed with this -errno; may be NULL. */
    void (*failed)(void *owner, enum own_kind kind, int error);
    void *owner;
};

/* "check failing", ...: the label alertname. */
const char *own_kind_name(enum own_kind kind);

void own_alerts_init(struct own_alerts *own, struct loop *loop);
/* Once there is a desk. */
void own_alerts_open(struct own_alerts *own, struct desk *desk);
/* Before the desk closes: nothing is submitted any more. */
void own_alerts_close(struct own_alerts *own);
/* After the desk was closed. */
void own_alerts_finish(struct own_alerts *own);

/* How it is.  `subject` is the value of the kind's label; the summary is one sentence for people,
 * and a change of it alone is told once a minute at most. */
void own_alerts_set(struct own_alerts *own, enum own_kind kind, const char *subject, bool firing,
                    tmon_severity severity, const char *summary);
/* Forgets what is about instances that are not wanted any more; that it ends is for the desk to be
 * told by alerts_prune(), submitted afterwards. */
void own_alerts_prune(struct own_alerts *own, bool (*keep)(void *arg, const char *subject),
                      void *arg);

/* Says of each that fires, of one kind and not wanted any more, that it is over.  Once own->known.
 */
void own_alerts_end(struct own_alerts *own, enum own_kind kind,
                    bool (*keep)(void *arg, const char *subject), void *arg);

#endif
