/*
 * rules_life.h: the rules' thread from its start to its end, between the store's history and the
 * desk.
 *
 * Main thread.
 */
#ifndef AGENT_RULES_LIFE_H
#define AGENT_RULES_LIFE_H

#include <stdatomic.h>

#include "base/loop.h"

struct agent;
struct history;
struct rules_engine;

struct rules_life {
    struct history *history;
    struct rules_engine *engine; /* NULL: not begun, or it could not be */
    atomic_bool sources_ran;     /* every instance that collects has run, or failed, once */
    struct loop_timer look;      /* until then */
    bool swept;                  /* alerts about groups that went while the agent was down */
};

/* Once there is a store.  -ENOMEM. */
int rules_life_init(struct agent *agent);
/* The desk is open. */
void rules_life_begin(struct agent *agent);
/* A plan was put in force: takes its rules. */
void rules_life_plan(struct agent *agent);
/* The agent stops: nothing is evaluated any more.  Before its instances end, whose series would be
 * missed. */
void rules_life_stop(struct agent *agent);
/* After the desk was closed, before the store goes. */
void rules_life_finish(struct agent *agent);

#endif
