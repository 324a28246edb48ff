/*
 * deadman.h: the outgoing heartbeat of the configuration, a dead man's switch: a URL that is called
 * while rules are evaluated and notifications are delivered, so that somebody else tells people
 * when it is not called any more.  (heartbeat.h is something else: what /api/health/live asks.)
 *
 * Before each call a question goes the way of an alert: from the main loop to the rules' thread,
 * from there to the state's thread, whose transaction writes, and back.  Whoever of them stalls or
 * fails keeps it from coming back, and then there is no call, though HTTP lives.
 *
 * Main thread, but for what the two others do on the question's way.
 */
#ifndef AGENT_DEADMAN_H
#define AGENT_DEADMAN_H

#include <stdatomic.h>

#include <jansson.h>

#include "agent/desk.h"
#include "config/config.h"

struct agent;
struct store_metric;

struct deadman {
    struct agent *agent;
    struct settings *settings; /* owned: the URL; NULL: there is no heartbeat */
    int64_t interval_ms, timeout_ms;
    struct loop_timer timer;

    /* The question, one at a time. */
    struct desk_call call;
    atomic_bool asked; /* it is on its way */
    atomic_int stage;  /* who has it */
    const char *why;   /* static: what it found; NULL: all is well */
    bool early;        /* `why` is that the agent has just begun */

    bool calling; /* the far end is called */
    uint32_t ticket;
    bool troubled; /* the last one was withheld or not taken: said once */
    char reason[256];
    int64_t success_ms; /* Unix time of the last call that was taken; 0: none */
    struct store_metric *last, *taken, *failed, *withheld; /* NULL: there was none yet */
};

void deadman_init(struct deadman *deadman, struct agent *agent);
/* What the plan in force says; what is the same goes on undisturbed. */
void deadman_plan(struct deadman *deadman, const struct config_heartbeat *config);
/* No further calls: the agent ends. */
void deadman_stop(struct deadman *deadman);
/* Once no other thread runs. */
void deadman_finish(struct deadman *deadman);
/* For the API; null when there is none. */
json_t *deadman_report(const struct deadman *deadman);

#endif
