/*
 * routing_plan.c: see routing_plan.h.
 *
 * A target that is disabled, or whose plugin is refused, stays in the tree and is not live: the
 * routing leads around it.  One that could never take a notification is an error.
 */
#include "agent/routing_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alert/maintenance.h"
#include "alert/routing.h"

bool routing_plan_is_live(const struct plan_instance *instance)
{
    return instance->config->enabled && instance->component && !instance->refused &&
           manifest_is_sink(instance->component);
}

static const struct plan_instance *find(const struct plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->n; i++) {
        if (strcmp(plan->instances[i].config->name, name) == 0) {
            return &plan->instances[i];
        }
    }
    return NULL;
}

/* Of a component that nobody knows nothing can be said; that is told elsewhere. */
static void need_sink(const struct plan *plan, const char *name, const char *key,
                      struct config_position at, struct config_errors *errors)
{
    const struct plan_instance *instance = find(plan, name);

    if (instance && instance->component && !manifest_is_sink(instance->component)) {
        config_error(errors, at, "'%s' names '%s', which is no sink: '%s' delivers nothing", key,
                     name, instance->config->component);
    }
}

static int copy_matchers(const struct matcher *from, size_t n, size_t *ret_n,
                         struct matcher **ret_matchers)
{
    struct matcher *made = calloc(n ? n : 1, sizeof *made);
    int r = made ? 0 : -ENOMEM;

    *ret_matchers = made;
    for (; *ret_n < n && r == 0; *ret_n += r == 0) {
        r = matcher_copy(&from[*ret_n], &made[*ret_n]);
    }
    return r;
}

static int copy_names(char *const *from, size_t n, size_t *ret_n, char ***ret_names)
{
    char **made = calloc(n ? n : 1, sizeof *made);

    *ret_names = made;
    for (; made && *ret_n < n; ++*ret_n) {
        made[*ret_n] = strdup(from[*ret_n]);
        if (!made[*ret_n]) {
            return -ENOMEM;
        }
    }
    return made ? 0 : -ENOMEM;
}

static int copy_group_by(const struct config_route *from, struct route *to)
{
    to->group_by_set = from->group_by_set;
    to->group_by_all = from->group_by_all;
    if (!from->group_by_set) {
        return 0;
    }
    return copy_names(from->group_by, from->ngroup_by, &to->ngroup_by, &to->group_by);
}

static int copy_windows(const struct config_route *from, struct route *to)
{
    to->maintenance_set = from->maintenance_set;
    if (from->nwindows == 0) {
        return 0;
    }
    to->maintenance = maintenance_create(from->nwindows);
    if (!to->maintenance) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < from->nwindows; i++) {
        struct window *window = &to->maintenance->windows[i];

        *window = from->windows[i];
        window->zone = zone_copy(from->windows[i].zone);
        if (!window->zone) {
            return -ENOMEM;
        }
        to->maintenance->n++;
    }
    return 0;
}

static int copy_targets(const struct plan *plan, const struct config_route *from, struct route *to)
{
    to->to_set = from->to_set;
    if (!from->to_set) {
        return 0;
    }
    to->to = calloc(from->nto ? from->nto : 1, sizeof *to->to);
    if (!to->to) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < from->nto; i++) {
        long index = routing_sink(plan->routing, from->to[i].name);

        if (index < 0) {
            return (int)index;
        }
        to->to[to->nto++] = (uint32_t)index;
    }
    return 0;
}

static int copy_routes(const struct plan *plan, const struct config_route *from, size_t n,
                       struct route *parent)
{
    int r = 0;

    parent->routes = calloc(n ? n : 1, sizeof *parent->routes);
    if (!parent->routes) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n && r == 0; i++) {
        struct route *route = &parent->routes[i];

        route_init(route);
        parent->nroutes++;
        route->go_on = from[i].go_on;
        route->group_wait_ms = from[i].group_wait_ms;
        route->group_interval_ms = from[i].group_interval_ms;
        route->repeat_interval_ms = from[i].repeat_interval_ms;
        r = copy_matchers(from[i].matchers, from[i].nmatchers, &route->nmatchers, &route->matchers);
        r = r < 0 ? r : copy_targets(plan, &from[i], route);
        r = r < 0 ? r : copy_group_by(&from[i], route);
        r = r < 0 ? r : copy_windows(&from[i], route);
        r = r < 0 ? r : copy_routes(plan, from[i].routes, from[i].nroutes, route);
    }
    return r;
}

static int copy_inhibition(const struct plan *plan)
{
    const struct config *config = plan->config;
    struct routing *routing = plan->routing;
    int r = 0;

    routing->inhibit = calloc(config->ninhibit ? config->ninhibit : 1, sizeof *routing->inhibit);
    if (!routing->inhibit) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < config->ninhibit && r == 0; i++) {
        const struct config_inhibit *from = &config->inhibit[i];
        struct inhibit_rule *rule = &routing->inhibit[routing->ninhibit++];

        r = copy_matchers(from->source, from->nsource, &rule->nsource, &rule->source);
        r = r < 0 ? r : copy_matchers(from->target, from->ntarget, &rule->ntarget, &rule->target);
        r = r < 0 ? r : copy_names(from->equal, from->nequal, &rule->nequal, &rule->equal);
    }
    return r;
}

static int mark_sinks(const struct plan *plan)
{
    for (size_t i = 0; i < plan->n; i++) {
        const struct plan_instance *instance = &plan->instances[i];
        const struct config_instance *config = instance->config;
        struct routing_sink *sink;
        long index;

        if (!instance->component || !manifest_is_sink(instance->component)) {
            continue;
        }
        index = routing_sink(plan->routing, config->name);
        if (index < 0) {
            return (int)index;
        }
        sink = &plan->routing->sinks[index];
        sink->live = routing_plan_is_live(instance);
        sink->one_alert = instance->component->flags & TMON_ONE_ALERT;
    }
    return 0;
}

static void look_at_targets(const struct plan *plan, const struct config_route *routes, size_t n,
                            struct config_errors *errors)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < routes[i].nto; j++) {
            need_sink(plan, routes[i].to[j].name, "to", routes[i].to[j].at, errors);
        }
        look_at_targets(plan, routes[i].routes, routes[i].nroutes, errors);
    }
}

static void look_at_failovers(const struct plan *plan, struct config_errors *errors)
{
    for (size_t i = 0; i < plan->n; i++) {
        const struct config_instance *config = plan->instances[i].config;

        if (config->failover) {
            need_sink(plan, config->failover, "failover", config->failover_at, errors);
        }
    }
}

/* The one that is always there must be able to be. */
static void look_at_log(const struct plan *plan, struct config_errors *errors)
{
    const struct config_instance *log = config_find(plan->config, CONFIG_LOG_INSTANCE);
    const struct plan_instance *instance;

    if (!log) {
        return;
    }
    if (!log->enabled) {
        config_error(errors, log->at,
                     "'%s' cannot be turned off: alerts go there that have no other way; write "
                     "'%s: {}', or leave it out",
                     log->name, log->name);
    }
    instance = find(plan, CONFIG_LOG_INSTANCE);
    if (instance->component && !manifest_is_sink(instance->component)) {
        config_error(errors, log->use_at,
                     "'%s' must be a sink, since alerts go there that have no other way, and '%s' "
                     "is none",
                     log->name, log->component);
    }
}

/* Where the alert goes that can be told by no other way than directly. */
static void note_state_sinks(void *arg, const struct route *route)
{
    struct plan *plan = arg;

    for (size_t i = 0; i < route->nto; i++) {
        const char *name = plan->routing->sinks[route->to[i]].name;
        bool there = false;

        for (size_t j = 0; j < plan->nstate_sinks; j++) {
            there = there || strcmp(plan->state_sinks[j], name) == 0;
        }
        if (!there && plan->nstate_sinks < plan->routing->nsinks) {
            plan->state_sinks[plan->nstate_sinks] = strdup(name);
            plan->nstate_sinks += plan->state_sinks[plan->nstate_sinks] != NULL;
        }
    }
}

static int find_state_sinks(struct plan *plan)
{
    static const struct tmon_pair labels[] = {{"alertname", "state failing"},
                                              {"severity", "critical"}};

    plan->state_sinks = calloc(plan->routing->nsinks, sizeof *plan->state_sinks);
    if (!plan->state_sinks) {
        return -ENOMEM;
    }
    routing_match(plan->routing, labels, 2, note_state_sinks, plan);
    return 0;
}

int routing_plan(struct plan *plan, struct config_errors *errors)
{
    const char *key;
    int r;

    look_at_log(plan, errors);
    look_at_targets(plan, plan->config->routes, plan->config->nroutes, errors);
    look_at_failovers(plan, errors);
    if (errors->errors > 0) {
        return 0; // there will be no plan, and what is wrong cannot be copied
    }
    plan->routing = routing_create();
    if (!plan->routing) {
        return -ENOMEM;
    }
    plan->routing->flap_changes = plan->config->flapping_changes;
    plan->routing->flap_window_ms = plan->config->flapping_window_ms;
    r = copy_routes(plan, plan->config->routes, plan->config->nroutes, &plan->routing->root);
    r = r < 0 ? r : copy_inhibition(plan);
    r = r < 0 ? r : mark_sinks(plan);
    r = r < 0 ? r : routing_finish_up(plan->routing);
    if (r < 0) {
        return r;
    }
    key = routing_without_sink(plan->routing);
    if (key) {
        plan->without_sink = strdup(strncmp(key, "{}/", 3) == 0 ? key + 3 : key); // the root's part
    }
    return key && !plan->without_sink ? -ENOMEM : find_state_sinks(plan);
}
