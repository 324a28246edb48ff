/*
 * plan.h: a configuration that was checked against the plugins that are there: all that is needed
 * to start from.
 *
 * Made by `check`, at the start and for a reload, the same way; that is why `check` accepts what
 * `run` starts.  Blocks (it probes plugins), so it belongs on a thread that may.
 */
#ifndef AGENT_PLAN_H
#define AGENT_PLAN_H

#include "config/config.h"
#include "plugin/registry.h"
#include "plugin/spawner.h"

struct routing;
struct rules_set;

/* What one instance of the configuration comes to. */
struct plan_instance {
    const struct config_instance *config;
    const struct registry_file *file;           /* NULL: disabled and no plugin offers it */
    const struct manifest_component *component; /* NULL: refused or disabled */
    struct settings *settings; /* owned until the plan's user takes it (and sets NULL) */
    char *refused;             /* owned: why its plugin cannot be loaded; NULL: it can */
    bool ready;                /* named in agent.ready */
};

struct plan {
    struct config *config;       /* owned */
    struct registry *registry;   /* owned */
    struct config_instance *log; /* owned: the one that is written nowhere; NULL: it is */
    size_t n;
    struct plan_instance *instances;
    struct routing *routing; /* owned until the plan's user takes it (and sets NULL) */
    char *without_sink;      /* owned: a route that leads to no live sink; NULL: there is none */
    struct rules_set *rules; /* owned until the plan's user takes it (and sets NULL) */
    size_t nstate_sinks;
    char **state_sinks; /* owned until taken: who is told when the state itself fails */
};

/*
 * Takes `config`, also on failure.  One with mistakes (of config_read(), with `errors` of it) makes
 * no plan, but what else is wrong is told.  `previous` may be NULL.  0 with an owned plan; -EINVAL
 * with what is wrong in `errors`; -ENOMEM; -ECANCELED soon after `cancel_fd`
 * (-1: none; borrowed) became readable.  A plugin that is refused is a warning: the agent runs
 * without it and says so.
 */
int plan_create(struct config *config, struct spawner *spawner, const struct registry *previous,
                int cancel_fd, struct config_errors *errors, struct plan **ret_plan);
void plan_destroy(struct plan *plan);

#endif
