/*
 * routing.h: who is told of an alert: the tree of routes, and the sinks as far as alerts care.
 *
 * Made by the agent from a configuration, immutable, then handed to the alerts (alerts_route()),
 * which own it.  As in Alertmanager: the first child that matches takes the alert, further siblings
 * only after `continue`; a node none of whose children match takes it itself; what a child does not
 * say it inherits.
 */
#ifndef ALERT_ROUTING_H
#define ALERT_ROUTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/matcher.h"

struct maintenance;

#define ROUTING_FALLBACK "log" /* the sink for what has no live one */

struct routing_sink {
    char *name;     /* owned */
    bool live;      /* it is configured, enabled, and its plugin is good */
    bool one_alert; /* TMON_ONE_ALERT */
};

struct route {
    size_t nmatchers;
    struct matcher *matchers; /* owned */
    size_t nto;
    uint32_t *to;                    /* owned; indices of routing.sinks, live or not */
    bool to_set;                     /* `to` stands here, is not inherited */
    bool go_on;                      /* `continue` */
    bool group_by_set, group_by_all; /* all: every label, '...' */
    size_t ngroup_by;
    char **group_by;                                              /* owned, sorted */
    int64_t group_wait_ms, group_interval_ms, repeat_interval_ms; /* -1: inherited */
    struct maintenance *maintenance; /* NULL: none; inherited unless `maintenance_set` */
    bool maintenance_set;            /* it stands here, and is owned */
    bool without_sink; /* it names sinks, and none is live: it leads to the fallback */
    char *key;         /* made by routing_finish_up(): the path of matchers, unique in the tree */
    size_t nroutes;
    struct route *routes; /* owned */
};

/* While an alert fires that fits `source`, nobody is told of those that fit `target` and have the
 * same values of all labels in `equal`.  One that fits both is not inhibited by another such. */
struct inhibit_rule {
    size_t nsource, ntarget, nequal;
    struct matcher *source, *target; /* owned */
    char **equal;                    /* owned; a label that is not there has the value "" */
};

struct routing {
    struct route root; /* without matchers */
    size_t nsinks;
    struct routing_sink *sinks; /* owned; the fallback is always there and live */
    size_t flap_changes;        /* what changes so often within the window flaps; 0: nothing does */
    int64_t flap_window_ms;
    size_t ninhibit;
    struct inhibit_rule *inhibit; /* owned */
};

#define ROUTING_FLAP_CHANGES_MOST 32
#define ROUTING_GROUP_WAIT_MS 30000
#define ROUTING_GROUP_INTERVAL_MS 300000
#define ROUTING_REPEAT_INTERVAL_MS 14400000

/* Zeroed, durations of the routes -1 by route_init().  NULL: out of memory. */
struct routing *routing_create(void);
void route_init(struct route *route);
void routing_destroy(struct routing *routing);
/* Adds the sink, or returns the index of the one of that name; -ENOMEM. */
long routing_sink(struct routing *routing, const char *name);
/* Completes a tree whose routes are all there: inherits, makes keys, adds the fallback, and
 * replaces targets that are not live: a route none of whose sinks is live leads to the fallback.
 * -ENOMEM. */
int routing_finish_up(struct routing *routing);
/* Whether some route that names sinks has no live one; for the warning in health.  The first such
 * route's key; NULL: none. */
const char *routing_without_sink(const struct routing *routing);

/* Calls fn for each route that takes the alert, in order.  Never none: the root takes the rest. */
void routing_match(const struct routing *routing, const struct tmon_pair *labels, size_t nlabels,
                   void (*fn)(void *arg, const struct route *route), void *arg);

#endif
