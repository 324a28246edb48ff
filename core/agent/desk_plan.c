/*
 * desk_plan.c: see desk_plan.h.  The call owns copies of all it needs: by the time that it runs the
 * plan may have been replaced.
 *
 * Where the commit fails memory is read anew, and the routing that the alerts took is theirs all
 * the same; so a second try does the rest.
 */
#include "agent/desk_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/routing_plan.h"
#include "alert/routing.h"
#include "base/limits.h"
#include "base/map.h"

#define HTTP_CONCURRENCY 8 /* of a sink that does not say: requests wait for the far end */

struct desk_plan {
    struct desk_call call;
    struct routing *routing; /* owned until the alerts have it */
    size_t nsinks;
    struct outbox_sink *sinks; /* owned, as are their names */
    size_t nnames;
    char **names;    /* owned: of the instances that are enabled */
    struct map kept; /* of the names */
    struct loop *loop;
    void (*done)(void *owner, struct desk_plan *plan, int result);
    void *owner;
    int result;
};

void desk_plan_destroy(struct desk_plan *plan)
{
    if (!plan) {
        return;
    }
    routing_destroy(plan->routing);
    for (size_t i = 0; i < plan->nsinks; i++) {
        free((char *)plan->sinks[i].name);
        free((char *)plan->sinks[i].failover);
    }
    free(plan->sinks);
    map_finish(&plan->kept);
    for (size_t i = 0; i < plan->nnames; i++) {
        free(plan->names[i]);
    }
    free(plan->names);
    free(plan);
}

/* ---- on the state's thread ---- */

static bool keep(void *arg, const char *name)
{
    const struct desk_plan *plan = arg;

    return map_get(&plan->kept, name, strlen(name)) != NULL;
}

static int run(struct desk_call *call, struct state_tx *tx, struct alerts_time now)
{
    struct desk_plan *plan = (struct desk_plan *)(void *)call;
    struct desk *desk = call->desk;
    struct routing *routing = plan->routing;
    int r = outbox_configure(desk->outbox, tx, plan->sinks, plan->nsinks, now);

    plan->routing = NULL; // the alerts own it from here on
    if (r == 0 && routing) {
        r = alerts_route(desk->alerts, tx, routing, now);
    }
    if (r == 0) {
        r = alerts_prune(desk->alerts, tx, ALERTS_CHECK, "name", keep, plan, now);
    }
    return r < 0 ? r : 0;
}

static void come_back(void *arg)
{
    struct desk_plan *plan = arg;

    plan->done(plan->owner, plan, plan->result);
}

static void done(struct desk_call *call, int result)
{
    struct desk_plan *plan = (struct desk_plan *)(void *)call;

    plan->result = result;
    if (loop_post(plan->loop, come_back, plan) < 0) {
        desk_plan_destroy(plan); // no memory: the next reload tells the desk again
    }
}

/* ---- on the main thread ---- */

static const struct plan_instance *find(const struct plan *plan, const char *name)
{
    for (size_t i = 0; name && i < plan->n; i++) {
        if (strcmp(plan->instances[i].config->name, name) == 0) {
            return &plan->instances[i];
        }
    }
    return NULL;
}

static bool is_fresh(struct unit *units, const char *name)
{
    struct unit *unit = unit_find(units, name);
    bool fresh = !unit || unit->fresh;

    if (unit) {
        unit->fresh = false;
    }
    return fresh;
}

static int add_sink(struct desk_plan *plan, const struct plan *from,
                    const struct plan_instance *instance, struct unit *units)
{
    const struct config_instance *config = instance->config;
    const struct plan_instance *failover = find(from, config->failover);
    struct outbox_sink *sink = &plan->sinks[plan->nsinks];
    uint32_t concurrency = config->concurrency;

    if (instance->component->abilities & ABILITY_DELIVER) {
        /* A blocking call each: more under way would only wait here. */
        concurrency =
            concurrency > 0 && concurrency < config->workers ? concurrency : config->workers;
    } else if (concurrency == 0) {
        concurrency = HTTP_CONCURRENCY;
    }
    *sink = (struct outbox_sink){
        .name = strdup(config->name),
        .one_alert = instance->component->flags & TMON_ONE_ALERT,
        .wants_acks = instance->component->flags & TMON_WANTS_ACKS,
        .concurrency = concurrency > 0 ? concurrency : 1,
        .budget = config->budget,
        .budget_ms = config->budget_ms,
        .give_up_ms = config->give_up_ms,
        .changed = is_fresh(units, config->name),
    };
    plan->nsinks++;
    if (failover && routing_plan_is_live(failover)) {
        sink->failover = strdup(config->failover);
    }
    return sink->name && (sink->failover || !failover || !routing_plan_is_live(failover)) ? 0
                                                                                          : -ENOMEM;
}

static int add_name(struct desk_plan *plan, const char *name)
{
    char *copy = strdup(name);

    if (!copy) {
        return -ENOMEM;
    }
    plan->names[plan->nnames++] = copy;
    return map_put(&plan->kept, copy, strlen(copy), copy);
}

int desk_plan_create(struct plan *from, struct unit *units, struct desk_plan **ret_plan)
{
    struct desk_plan *plan = calloc(1, sizeof *plan);
    int r = 0;

    if (!plan) {
        return -ENOMEM;
    }
    map_init(&plan->kept);
    plan->routing = from->routing;
    from->routing = NULL;
    plan->sinks = calloc(from->n ? from->n : 1, sizeof *plan->sinks);
    plan->names = calloc(from->n ? from->n : 1, sizeof *plan->names);
    if (!plan->sinks || !plan->names) {
        r = -ENOMEM;
    }
    for (size_t i = 0; i < from->n && r == 0; i++) {
        const struct plan_instance *instance = &from->instances[i];

        if (instance->config->enabled) {
            r = add_name(plan, instance->config->name);
        }
        if (r == 0 && routing_plan_is_live(instance)) {
            r = add_sink(plan, from, instance, units);
        }
    }
    if (r < 0) {
        desk_plan_destroy(plan);
        return r;
    }
    *ret_plan = plan;
    return 0;
}

int desk_plan_submit(struct desk_plan *plan, struct desk *desk, struct loop *loop,
                     void (*told)(void *owner, struct desk_plan *plan, int result), void *owner)
{
    plan->call.run = run;
    plan->call.done = done;
    plan->loop = loop;
    plan->done = told;
    plan->owner = owner;
    return desk_submit(desk, &plan->call, false);
}
