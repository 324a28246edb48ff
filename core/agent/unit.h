/*
 * unit.h: an instance with all that the agent keeps about it: its place in the schedule, its
 * series, its verdict, its metrics.  A unit is there for every instance of the configuration, the
 * disabled and the refused ones too.
 *
 * Main thread only.
 */
#ifndef AGENT_UNIT_H
#define AGENT_UNIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/own_alerts.h"
#include "agent/plan.h"
#include "agent/sink_faults.h"
#include "base/log.h"
#include "outbox/delivery.h"
#include "plugin/instance.h"
#include "schedule/schedule.h"
#include "store/store.h"
#include "store/verdicts.h"

/* What units share; owned by the agent and outliving them. */
struct unit_world {
    struct loop *loop;
    struct spawner *spawner;
    struct local *local;
    struct schedule *schedule;
    struct store *store;
    struct verdicts *verdicts;
    const struct broker *broker;
    struct delivery *delivery;
    struct own_alerts *own_alerts;
    struct sink_faults *sink_faults;
    struct store_metric *lateness; /* histogram over all instances */
    uint32_t series;               /* how many one instance may have */
    int64_t stale_ms;              /* how long one that stopped stays, at least */
};

struct unit_metrics {
    struct store_metric *runs[2], *failures[2]; /* check, collect */
    struct store_metric *duration, *lateness, *restarts, *missed, *timeouts, *up, *refused_samples,
        *held_back;
    struct store_metric *states[INSTANCE_STATES]; /* made when first entered */
    struct store_metric *attempts[OUTBOX_UNREADY + 1], *attempt_duration; /* of a sink */
};

/* One of a unit's instances. */
struct unit_worker {
    struct unit *unit;
    size_t number;
    struct instance *instance;
};

struct unit {
    struct unit *next; /* in the agent's list, in the order of the configuration */
    const struct unit_world *world;
    char *name;
    char *component;
    const struct config_instance *config; /* of the plan in force */
    struct file_identity file;
    char *path;     /* of the plugin; NULL: unknown */
    char *plugin;   /* its file's name; NULL: unknown */
    bool is_sink;   /* also while it is disabled */
    char *disabled; /* why; NULL: enabled */
    char *refused;  /* why; NULL: its plugin is good */
    uint32_t abilities;
    uint32_t flags;  /* of the component */
    bool own_thread; /* runs on the component thread */
    bool ready;      /* named in agent.ready */
    bool implied;    /* the `log` that nobody wrote: listed, not counted */

    struct instance *instance; /* the first of its workers'; NULL: disabled or refused */
    size_t nworkers;
    struct unit_worker *workers; /* more than one: of a sink */
    size_t nended;               /* that have been stopped */
    size_t pool_first;           /* the first worker that delivers */
    struct delivery_sink *sink;  /* NULL: it is none, or takes nothing (any more) */
    bool leaving;                /* it has been stopped; what is under way ends */
    bool fresh;                  /* the desk has not been told of it */
    struct loop_timer unhealthy; /* runs while it is degraded */
    struct schedule_entry entry;
    struct store_owner *owner;
    struct verdicts_entry *verdict;
    struct unit_metrics metrics;
    enum ability running; /* 0: none */
    int64_t called_ms;    /* Unix time of the last collection's start, which its samples get */
    bool due;             /* became due while it was starting */
    bool failed;          /* the check has failed in this round already */
    tmon_verdict status;  /* of the check, effective */
    bool scheduled;
    char last_error[256];
    int64_t last_error_ms; /* Unix time; 0: never */
    uint64_t runs, failures;
    uint32_t refused_seen; /* reasons (enum store_refusal) already told in the log */

    struct unit *successor;   /* started when this one has ended; in the agent's list */
    struct unit *predecessor; /* waited for before this one starts */
    void (*ended)(struct unit *unit, void *owner);
    void *ended_owner;
};

/* Takes the settings of `from` where it needs them.  Returns owned.  -ENOMEM. */
int unit_create(const struct unit_world *world, struct plan_instance *from, struct unit **ret_unit);
void unit_destroy(struct unit *unit);
/* Starts its worker and puts it into the schedule.  Nothing for a disabled one. */
void unit_start(struct unit *unit);
/* Takes it out of schedule, store and health at once, ends its worker, then calls `ended` (maybe at
 * once). */
void unit_stop(struct unit *unit, void (*ended)(struct unit *unit, void *owner), void *owner);

/* An attempt of this sink has ended. */
void unit_attempt(struct unit *unit, const struct outbox_outcome *outcome);
/* "delivered", "retry", ... */
const char *unit_outcome_name(enum outbox_result result);

/* Whether `to` describes the same unit, so that it may go on as it is. */
bool unit_is(const struct unit *unit, const struct plan_instance *to);
/* Goes on under the new configuration, which unit_is() has found the same. */
void unit_keep(struct unit *unit, const struct plan_instance *to);

/* The unit of that name in a list; NULL: there is none. */
struct unit *unit_find(struct unit *first, const char *name);

/* Ends the pauses and quarantines of its workers; false: there was none. */
bool unit_retry(struct unit *unit);

/* "ready", "disabled", "refused", "quarantined", ... */
const char *unit_state(const struct unit *unit);
const char *unit_reason(const struct unit *unit);
json_t *unit_json(const struct unit *unit);

#endif
