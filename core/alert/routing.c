/*
 * routing.c: see routing.h.
 */
#include "alert/routing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alert/maintenance.h"
#include "base/buf.h"
#include "base/limits.h"

void route_init(struct route *route)
{
    *route = (struct route){.group_wait_ms = -1, .group_interval_ms = -1, .repeat_interval_ms = -1};
}

struct routing *routing_create(void)
{
    struct routing *routing = calloc(1, sizeof *routing);

    if (routing) {
        route_init(&routing->root);
    }
    return routing;
}

static void free_names(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(names[i]);
    }
    free(names);
}

static void inhibit_finish(struct inhibit_rule *rule)
{
    matchers_free(rule->source, rule->nsource);
    matchers_free(rule->target, rule->ntarget);
    free_names(rule->equal, rule->nequal);
}

static void route_finish(struct route *route)
{
    matchers_free(route->matchers, route->nmatchers);
    free_names(route->group_by, route->ngroup_by);
    for (size_t i = 0; i < route->nroutes; i++) {
        route_finish(&route->routes[i]);
    }
    if (route->maintenance_set) {
        maintenance_destroy(route->maintenance);
    }
    free(route->to);
    free(route->key);
    free(route->routes);
}

void routing_destroy(struct routing *routing)
{
    if (!routing) {
        return;
    }
    route_finish(&routing->root);
    for (size_t i = 0; i < routing->nsinks; i++) {
        free(routing->sinks[i].name);
    }
    for (size_t i = 0; i < routing->ninhibit; i++) {
        inhibit_finish(&routing->inhibit[i]);
    }
    free(routing->inhibit);
    free(routing->sinks);
    free(routing);
}

long routing_sink(struct routing *routing, const char *name)
{
    struct routing_sink *sinks;

    for (size_t i = 0; i < routing->nsinks; i++) {
        if (strcmp(routing->sinks[i].name, name) == 0) {
            return (long)i;
        }
    }
    sinks = realloc(routing->sinks, (routing->nsinks + 1) * sizeof *sinks);
    if (!sinks) {
        return -ENOMEM;
    }
    routing->sinks = sinks;
    sinks[routing->nsinks] = (struct routing_sink){.name = strdup(name)};
    if (!sinks[routing->nsinks].name) {
        return -ENOMEM;
    }
    return (long)routing->nsinks++;
}

/* ---- completing the tree ---- */

static int inherit_group_by(struct route *route, const struct route *parent)
{
    route->group_by_all = parent->group_by_all;
    route->group_by = calloc(parent->ngroup_by ? parent->ngroup_by : 1, sizeof *route->group_by);
    if (!route->group_by) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < parent->ngroup_by; i++) {
        route->group_by[i] = strdup(parent->group_by[i]);
        if (!route->group_by[i]) {
            return -ENOMEM;
        }
        route->ngroup_by++;
    }
    return 0;
}

static int inherit_to(struct route *route, const struct route *parent)
{
    route->to = calloc(parent->nto ? parent->nto : 1, sizeof *route->to);
    if (!route->to) {
        return -ENOMEM;
    }
    if (parent->nto > 0) {
        memcpy(route->to, parent->to, parent->nto * sizeof *route->to);
    }
    route->nto = parent->nto;
    return 0;
}

static void inherit_time(int64_t *time, int64_t parent)
{
    if (*time < 0) {
        *time = parent;
    }
}

/* Two siblings with the same matchers are two routes: the second gets a number. */
static int make_key(struct route *route, const char *parent, const struct route *siblings)
{
    struct buf key;
    size_t len;
    int number = 1;

    buf_init(&key, LIMIT_CONFIG_TREE_BYTES);
    buf_puts(&key, parent);
    buf_puts(&key, *parent ? "/" : "");
    matchers_show(route->matchers, route->nmatchers, &key);
    len = key.len;
    for (const struct route *other = siblings; other && other != route; other++) {
        number += strncmp(other->key, buf_str(&key), len) == 0 &&
                  (other->key[len] == '\0' || other->key[len] == '#');
    }
    if (number > 1) {
        buf_printf(&key, "#%d", number);
    }
    route->key = buf_take(&key);
    return route->key ? 0 : -ENOMEM;
}

static int complete(struct route *route, const struct route *parent, const struct route *siblings)
{
    int r = make_key(route, parent ? parent->key : "", siblings);

    if (r == 0 && parent) {
        inherit_time(&route->group_wait_ms, parent->group_wait_ms);
        inherit_time(&route->group_interval_ms, parent->group_interval_ms);
        inherit_time(&route->repeat_interval_ms, parent->repeat_interval_ms);
        if (!route->maintenance_set) {
            route->maintenance = parent->maintenance;
        }
        r = route->group_by_set ? 0 : inherit_group_by(route, parent);
        if (r == 0 && !route->to_set) {
            r = inherit_to(route, parent);
        }
    }
    for (size_t i = 0; r == 0 && i < route->nroutes; i++) {
        r = complete(&route->routes[i], route, route->routes);
    }
    return r;
}

/* Only live sinks are told; where there is none, the fallback is. */
static int keep_live(struct routing *routing, struct route *route, uint32_t fallback)
{
    size_t kept = 0;
    int r = 0;

    for (size_t i = 0; i < route->nto; i++) {
        bool twice = false;

        for (size_t j = 0; j < kept; j++) {
            twice = twice || route->to[j] == route->to[i];
        }
        if (routing->sinks[route->to[i]].live && !twice) {
            route->to[kept++] = route->to[i];
        }
    }
    if (kept == 0) {
        uint32_t *to = realloc(route->to, sizeof *to);

        if (!to) {
            return -ENOMEM;
        }
        route->without_sink = route->nto > 0;
        to[kept++] = fallback;
        route->to = to;
    }
    route->nto = kept;
    for (size_t i = 0; r == 0 && i < route->nroutes; i++) {
        r = keep_live(routing, &route->routes[i], fallback);
    }
    return r;
}

static int root_defaults(struct route *root)
{
    inherit_time(&root->group_wait_ms, ROUTING_GROUP_WAIT_MS);
    inherit_time(&root->group_interval_ms, ROUTING_GROUP_INTERVAL_MS);
    inherit_time(&root->repeat_interval_ms, ROUTING_REPEAT_INTERVAL_MS);
    if (!root->group_by_set) {
        root->group_by = calloc(1, sizeof *root->group_by);
        if (!root->group_by || !(root->group_by[0] = strdup("alertname"))) {
            return -ENOMEM;
        }
        root->ngroup_by = 1;
        root->group_by_set = true;
    }
    return 0;
}

int routing_finish_up(struct routing *routing)
{
    long fallback = routing_sink(routing, ROUTING_FALLBACK);
    int r;

    if (fallback < 0) {
        return (int)fallback;
    }
    routing->sinks[fallback].live = true;
    r = root_defaults(&routing->root);
    if (r == 0) {
        r = complete(&routing->root, NULL, NULL);
    }
    return r == 0 ? keep_live(routing, &routing->root, (uint32_t)fallback) : r;
}

static const char *without_sink(const struct route *route)
{
    const char *key = route->without_sink ? route->key : NULL;

    for (size_t i = 0; !key && i < route->nroutes; i++) {
        key = without_sink(&route->routes[i]);
    }
    return key;
}

const char *routing_without_sink(const struct routing *routing)
{
    return without_sink(&routing->root);
}

/* ---- matching ---- */

struct match {
    const struct tmon_pair *labels;
    size_t nlabels;
    void (*fn)(void *arg, const struct route *route);
    void *arg;
};

static bool descend(const struct route *route, const struct match *match)
{
    bool taken = false;

    if (!matchers_match(route->matchers, route->nmatchers, match->labels, match->nlabels)) {
        return false;
    }
    for (size_t i = 0; i < route->nroutes; i++) {
        if (descend(&route->routes[i], match)) {
            taken = true;
            if (!route->routes[i].go_on) {
                break;
            }
        }
    }
    if (!taken) {
        match->fn(match->arg, route);
    }
    return true;
}

void routing_match(const struct routing *routing, const struct tmon_pair *labels, size_t nlabels,
                   void (*fn)(void *arg, const struct route *route), void *arg)
{
    const struct match match = {labels, nlabels, fn, arg};

    (void)descend(&routing->root, &match);
}
