/*
 * v2_config.c: routes, inhibition and receivers as a configuration of Alertmanager's, which its
 * tools can read: amtool shows the tree and tries labels on it.
 *
 * All that a node inherits stands at the node.  A node of ours leads to several sinks, one of
 * Alertmanager's to a receiver: it is called by all their names.  Nothing of a sink's settings is
 * there, so no secret is.
 */
#include "agent/v2_call.h"
#include "alert/routing.h"
#include "base/json_text.h"
#include "config/config.h"

struct writing {
    const struct routing *routing;
    struct buf *yaml;
    struct buf text; /* of one scalar */
};

static void indent(struct writing *writing, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++) {
        buf_puts(writing->yaml, "  ");
    }
}

/* In double quotes, where YAML and JSON are the same. */
static void put_text(struct writing *writing)
{
    json_text_string(writing->yaml, buf_str(&writing->text));
    buf_putc(writing->yaml, '\n');
    writing->yaml->failed |= writing->text.failed;
    buf_clear(&writing->text);
}

/* Begins item i of a list, which has a key before the first. */
static void begin_item(struct writing *writing, unsigned depth, const char *key, size_t i)
{
    if (i == 0) {
        indent(writing, depth);
        buf_printf(writing->yaml, "%s:\n", key);
    }
    indent(writing, depth);
    buf_puts(writing->yaml, "- ");
}

static void put_matchers(struct writing *writing, unsigned depth, const char *key,
                         const struct matcher *matchers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        begin_item(writing, depth, key, i);
        matcher_show(&matchers[i], &writing->text);
        put_text(writing);
    }
}

static void put_names(struct writing *writing, unsigned depth, const char *key,
                      const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        begin_item(writing, depth, key, i);
        buf_puts(&writing->text, names[i]);
        put_text(writing);
    }
}

static void receiver_of(const struct writing *writing, const struct route *route, struct buf *name)
{
    for (size_t i = 0; i < route->nto; i++) {
        buf_puts(name, i > 0 ? "," : "");
        buf_puts(name, writing->routing->sinks[route->to[i]].name);
    }
}

static void put_time(struct writing *writing, unsigned depth, const char *key, int64_t ms)
{
    char space[CONFIG_DURATION_SIZE];

    indent(writing, depth);
    buf_printf(writing->yaml, "%s: %s\n", key, ms == 0 ? "0s" : config_duration(ms, space));
}

/* `depth` is that of its keys; the first of them stands behind a dash, but for the root. */
static void put_route(struct writing *writing, const struct route *route, unsigned depth, bool root)
{
    static const char *const all[] = {"..."};
    const char *const *group_by = route->group_by_all ? all : (const char *const *)route->group_by;

    if (!root) {
        indent(writing, depth - 1);
        buf_puts(writing->yaml, "- ");
    } else {
        indent(writing, depth);
    }
    buf_puts(writing->yaml, "receiver: ");
    receiver_of(writing, route, &writing->text);
    put_text(writing);
    put_matchers(writing, depth, "matchers", route->matchers, route->nmatchers);
    put_names(writing, depth, "group_by", group_by, route->group_by_all ? 1 : route->ngroup_by);
    if (!root) {
        indent(writing, depth);
        buf_printf(writing->yaml, "continue: %s\n", route->go_on ? "true" : "false");
    }
    put_time(writing, depth, "group_wait", route->group_wait_ms);
    put_time(writing, depth, "group_interval", route->group_interval_ms);
    put_time(writing, depth, "repeat_interval", route->repeat_interval_ms);
    if (route->nroutes > 0) {
        indent(writing, depth);
        buf_puts(writing->yaml, "routes:\n");
    }
    for (size_t i = 0; i < route->nroutes; i++) {
        put_route(writing, &route->routes[i], depth + 1, false);
    }
}

static void put_inhibition(struct writing *writing)
{
    const struct routing *routing = writing->routing;

    if (routing->ninhibit > 0) {
        buf_puts(writing->yaml, "inhibit_rules:\n");
    }
    for (size_t i = 0; i < routing->ninhibit; i++) {
        const struct inhibit_rule *rule = &routing->inhibit[i];

        buf_puts(writing->yaml, "-\n");
        put_matchers(writing, 1, "source_matchers", rule->source, rule->nsource);
        put_matchers(writing, 1, "target_matchers", rule->target, rule->ntarget);
        put_names(writing, 1, "equal", (const char *const *)rule->equal, rule->nequal);
    }
}

/* ---- receivers ---- */

static bool same_receiver(const struct route *a, const struct route *b)
{
    if (a->nto != b->nto) {
        return false;
    }
    for (size_t i = 0; i < a->nto; i++) {
        if (a->to[i] != b->to[i]) {
            return false;
        }
    }
    return true;
}

/* Whether a node before this one leads to the same sinks.  `*found` ends the search at the node. */
static bool told_before(const struct route *at, const struct route *route, bool *found)
{
    if (at == route) {
        *found = true;
        return false;
    }
    if (same_receiver(at, route)) {
        return true;
    }
    for (size_t i = 0; i < at->nroutes && !*found; i++) {
        if (told_before(&at->routes[i], route, found)) {
            return true;
        }
    }
    return false;
}

/* Those of nodes with several sinks. */
static void put_joined(struct writing *writing, const struct route *route)
{
    bool found = false;

    if (route->nto > 1 && !told_before(&writing->routing->root, route, &found)) {
        buf_puts(writing->yaml, "- name: ");
        receiver_of(writing, route, &writing->text);
        put_text(writing);
    }
    for (size_t i = 0; i < route->nroutes; i++) {
        put_joined(writing, &route->routes[i]);
    }
}

void v2_config(const struct routing *routing, struct buf *buf)
{
    struct writing writing = {.routing = routing, .yaml = buf};

    buf_init(&writing.text, SIZE_MAX / 2);
    buf_puts(buf, "global:\n  resolve_timeout: 5m\nroute:\n");
    put_route(&writing, &routing->root, 1, true);
    put_inhibition(&writing);
    buf_puts(buf, "receivers:\n");
    for (size_t i = 0; i < routing->nsinks; i++) {
        if (routing->sinks[i].live) {
            buf_puts(buf, "- name: ");
            buf_puts(&writing.text, routing->sinks[i].name);
            put_text(&writing);
        }
    }
    put_joined(&writing, &routing->root);
    buf_puts(buf, "templates: []\n");
    buf_finish(&writing.text);
}
