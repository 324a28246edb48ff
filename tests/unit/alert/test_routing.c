/* core/alert/routing.c: which routes take an alert, what they inherit, who is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alert/routing.h"

static void set_sink(struct routing *routing, const char *name, bool live)
{
    long i = routing_sink(routing, name);

    routing->sinks[i].live = live;
}

static void set_to(struct routing *routing, struct route *route, const char *first,
                   const char *second)
{
    route->to = calloc(2, sizeof *route->to);
    assert_non_null(route->to);
    route->to[route->nto++] = (uint32_t)routing_sink(routing, first);
    if (second) {
        route->to[route->nto++] = (uint32_t)routing_sink(routing, second);
    }
    route->to_set = true;
}

static void set_matcher(struct route *route, const char *text)
{
    char why[128];

    route->matchers = calloc(1, sizeof *route->matchers);
    assert_non_null(route->matchers);
    assert_int_equal(matcher_parse(route->matchers, text, why, sizeof why), 0);
    route->nmatchers = 1;
}

static struct route *add_routes(struct route *route, size_t n)
{
    route->routes = calloc(n, sizeof *route->routes);
    assert_non_null(route->routes);
    for (size_t i = 0; i < n; i++) {
        route_init(&route->routes[i]);
    }
    route->nroutes = n;
    return route->routes;
}

struct taken {
    const struct routing *routing;
    char text[256];
};

static void note(void *arg, const struct route *route)
{
    struct taken *taken = arg;
    size_t len = strlen(taken->text);

    len += (size_t)snprintf(taken->text + len, sizeof taken->text - len, "%s[%s]:", len ? " " : "",
                            route->key);
    for (size_t i = 0; i < route->nto; i++) {
        len += (size_t)snprintf(taken->text + len, sizeof taken->text - len, "%s%s", i ? "," : "",
                                taken->routing->sinks[route->to[i]].name);
    }
}

static const char *who(const struct routing *routing, const char *severity)
{
    static struct taken taken;
    const struct tmon_pair labels[] = {{"severity", severity}};

    taken = (struct taken){routing, ""};
    routing_match(routing, labels, 1, note, &taken);
    return taken.text;
}

static void first_match_wins_unless_it_continues(void **state)
{
    struct routing *routing = routing_create();
    struct route *routes = add_routes(&routing->root, 3);

    set_sink(routing, "slack", true);
    set_sink(routing, "mail", true);
    set_sink(routing, "dead", false);
    set_matcher(&routes[0], "severity=critical");
    set_to(routing, &routes[0], "slack", "dead");
    routes[0].go_on = true;
    set_matcher(&routes[1], "severity=~critical|warning");
    set_to(routing, &routes[1], "mail", "mail");
    set_matcher(&routes[2], "severity=~critical|info");
    set_to(routing, &routes[2], "dead", NULL);
    assert_int_equal(routing_finish_up(routing), 0);
    assert_string_equal(who(routing, "critical"), "[{}/{severity=\"critical\"}]:slack "
                                                  "[{}/{severity=~\"critical|warning\"}]:mail");
    assert_string_equal(who(routing, "warning"), "[{}/{severity=~\"critical|warning\"}]:mail");
    assert_string_equal(who(routing, "info"), "[{}/{severity=~\"critical|info\"}]:log");
    assert_string_equal(who(routing, "other"), "[{}]:log");
    assert_string_equal(routing_without_sink(routing), "{}/{severity=~\"critical|info\"}");
    routing_destroy(routing);
}

static void children_inherit(void **state)
{
    struct routing *routing = routing_create();
    struct route *outer = add_routes(&routing->root, 1), *inner;

    set_sink(routing, "slack", true);
    set_to(routing, outer, "slack", NULL);
    outer->group_wait_ms = 5;
    inner = add_routes(outer, 2);
    set_matcher(&inner[0], "a=b");
    set_matcher(&inner[1], "a=b");
    inner[1].repeat_interval_ms = 7;
    inner[1].group_by_all = inner[1].group_by_set = true;
    assert_int_equal(routing_finish_up(routing), 0);
    assert_int_equal(inner[0].group_wait_ms, 5);
    assert_int_equal(inner[0].group_interval_ms, ROUTING_GROUP_INTERVAL_MS);
    assert_int_equal(inner[1].repeat_interval_ms, 7);
    assert_string_equal(inner[0].group_by[0], "alertname");
    assert_int_equal(inner[1].ngroup_by, 0);
    assert_int_equal(inner[0].nto, 1);
    assert_string_equal(inner[0].key, "{}/{}/{a=\"b\"}");
    assert_string_equal(inner[1].key, "{}/{}/{a=\"b\"}#2");
    assert_null(routing_without_sink(routing));
    routing_destroy(routing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_match_wins_unless_it_continues),
        cmocka_unit_test(children_inherit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
