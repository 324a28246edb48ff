/*
 * state.h: everything that the agent is made of.  Only agent.c and the files of core/agent/ see it.
 */
#ifndef AGENT_STATE_H
#define AGENT_STATE_H

#include <stdatomic.h>

#include "agent.h"
#include "agent/api.h"
#include "agent/deadman.h"
#include "agent/desk.h"
#include "agent/desk_metrics.h"
#include "agent/desk_plan.h"
#include "agent/fetch_metrics.h"
#include "agent/heartbeat.h"
#include "agent/notify.h"
#include "agent/plan.h"
#include "agent/process_metrics.h"
#include "agent/rules_life.h"
#include "agent/sink_faults.h"
#include "agent/sink_watch.h"
#include "agent/slim.h"
#include "agent/state_watch.h"
#include "agent/unit.h"
#include "fetch/broker.h"
#include "http/http.h"

/* How the last reload went; for status and metrics. */
struct reload_outcome {
    int64_t at_ms; /* Unix time; 0: there was none */
    bool ok;
    char *errors; /* owned; lines; NULL: none */
    char *notes;  /* owned; lines: what is worth saying of one that went well; NULL: nothing */
    uint64_t kept, changed, added, removed;
};

#define AGENT_OUTCOMES 32 /* of attempts, that are told to the desk together */
#define RELOAD_TICKETS 16 /* clients that wait for one reload */

struct agent {
    const struct agent_options *options;
    int64_t started_ns;
    struct config *loaded; /* before the first plan: what the building thread takes */
    struct plan *plan;     /* in force; NULL until the first one is */
    int lock_fd;
    char *state_dir; /* owned */
    bool begun;      /* the desk is open, the first plan in force */

    struct loop *loop;
    struct store *store;
    struct verdicts *verdicts;
    struct http *http;
    struct spawner *spawner;
    struct local *local;
    struct fetch_broker *fetch;
    struct delivery *delivery;
    struct ack_key ack_key; /* read before the first plan is put in force */
    struct desk desk;       /* opened by the first build, before its plan is put in force */
    struct own_alerts own_alerts;
    struct rules_life rules;
    struct sink_faults sink_faults;
    struct sink_watch sink_watch;
    struct state_watch state_watch;
    struct deadman deadman;
    struct verdicts_entry *routes_check; /* a route without a live sink; NULL: there is none */
    struct desk_plan *untold;            /* a plan that the desk could not be told of yet */
    struct loop_timer tell_again;
    struct outbox_outcome outcomes[AGENT_OUTCOMES]; /* on their way to the desk, together */
    size_t noutcomes;
    struct loop_timer outcomes_timer;
    struct schedule *schedule;
    struct unit_world world;
    struct unit *units;    /* in the order of the configuration */
    struct unit *retiring; /* being ended */

    struct notify notify;
    struct heartbeat heartbeat;
    struct slim slim;
    struct process_metrics process;
    struct fetch_metrics fetch_metrics;
    struct desk_metrics desk_metrics;
    struct api api;
    struct loop_fd signals;
    int signal_fd;
    struct loop_timer watchdog, stop_timer;

    atomic_bool running; /* the first plan is in force */
    atomic_bool stopping;
    atomic_bool touched; /* a post about attempts is on its way */
    atomic_bool ready;   /* the desk has routes and sinks, so that whoever is ready takes alerts */
    atomic_bool first_round; /* every check has run once since the start */
    int exit_code;

    bool building, build_again;
    struct build *build; /* while building */
    pthread_t builder;
    uint64_t tickets[RELOAD_TICKETS];
    size_t ntickets;
    size_t nanswered; /* the first so many, by the build that is under way */
    struct reload_outcome reload;

    struct store_metric *reload_ok, *reload_time, *reloads[2], *clock_steps, *suspends;
};

/* report.c: documents for the API. */
json_t *report_status(const struct agent *agent);
json_t *report_plugins(const struct agent *agent);
json_t *report_reload(const struct agent *agent);

/* reload.c: builds a plan on a thread of its own, then puts it in force on the main thread. */
int reload_start(struct agent *agent);
/* A build that is under way ends soon; nobody waits for its plan. */
void reload_cancel(struct agent *agent);
/* The same, waits for it and throws its plan away. */
void reload_finish(struct agent *agent);

/* Ends a unit that has left the list; `successor` (may be NULL) starts afterwards. */
void reload_retire(struct agent *agent, struct unit *unit, struct unit *successor);

/* desk_life.c: the desk from its opening to its end, and what the agent hears from it. */
int desk_life_open(struct agent *agent, struct buf *why); /* blocks: the builder's thread */
/* The first plan is there: questions may come. */
void desk_life_begin(struct agent *agent);
/* The desk is told of the plan in force, health of its routes. */
void desk_life_plan(struct agent *agent);
/* No further attempts. */
void desk_life_hold(struct agent *agent);
void desk_life_finish(struct agent *agent);
int desk_life_init(struct agent *agent);

/* agent.c: what `listen` and its like come to. */
struct http_options agent_http_options(struct agent *agent, const struct config *config,
                                       const char **listen);
int agent_refuse_own_listeners(struct agent *agent, const struct config *config);
void agent_stop(struct agent *agent, int exit_code);
/* The first plan is in force. */
void agent_started(struct agent *agent);
/* While stopping: ends the loop when no unit is left. */
void agent_look_if_ended(struct agent *agent);

#endif
