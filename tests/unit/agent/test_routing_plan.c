/* Of a configuration's routes and what its plugins can do: the routing, and what is wrong with it.
 */
#include "../config/config_help.h"

#include "agent/routing_plan.h"
#include "alert/routing.h"

/* A plan as plan.c makes one, of plugins that need not be there. */
struct planned {
    struct config *config;
    struct plan plan;
    struct config_errors errors;
    struct config_instance *log;
};

static const struct manifest_component sink = {.name = (char *)"sink", .abilities = ABILITY_FORMAT};
static const struct manifest_component pager = {
    .name = (char *)"pager", .abilities = ABILITY_FORMAT, .flags = TMON_ONE_ALERT};
static const struct manifest_component check = {.name = (char *)"check",
                                                .abilities = ABILITY_CHECK};

static const struct manifest_component *component_of(const char *name)
{
    return strcmp(name, "pager") == 0   ? &pager
           : strcmp(name, "check") == 0 ? &check
           : strcmp(name, "gone") == 0  ? NULL
                                        : &sink;
}

/* What it says; "": it is good. */
static const char *make(struct planned *planned, const char *yaml)
{
    struct plan *plan = &planned->plan;

    memset(planned, 0, sizeof *planned);
    planned->config = help_good(yaml);
    plan->config = planned->config;
    plan->instances = calloc(planned->config->ninstances + 1, sizeof *plan->instances);
    assert_non_null(plan->instances);
    for (size_t i = 0; i < planned->config->ninstances; i++) {
        const struct config_instance *instance = &planned->config->instances[i];

        plan->instances[plan->n++] = (struct plan_instance){
            .config = instance, .component = component_of(instance->component)};
    }
    if (!config_find(planned->config, "log")) {
        assert_int_equal(config_instance_default("log", &planned->log), 0);
        plan->instances[plan->n++] =
            (struct plan_instance){.config = planned->log, .component = &sink};
    }
    config_errors_init(&planned->errors);
    assert_int_equal(routing_plan(plan, &planned->errors), 0);
    return help_text(&planned->errors);
}

static void finish(struct planned *planned)
{
    struct plan *plan = &planned->plan;

    for (size_t i = 0; i < plan->nstate_sinks; i++) {
        free(plan->state_sinks[i]);
    }
    free(plan->state_sinks);
    free(plan->without_sink);
    routing_destroy(plan->routing);
    free(plan->instances);
    config_instance_destroy(planned->log);
    config_errors_finish(&planned->errors);
    config_destroy(planned->config);
}

struct told {
    const struct routing *routing;
    char names[256];
    const struct route *last;
};

static void note(void *arg, const struct route *route)
{
    struct told *told = arg;

    told->last = route;
    for (size_t i = 0; i < route->nto; i++) {
        strcat(told->names, i > 0 ? " " : "");
        strcat(told->names, told->routing->sinks[route->to[i]].name);
    }
    strcat(told->names, ";");
}

/* Who is told of an alert with this severity, a route each: "slack log;log;" */
static const char *told_of(const struct planned *planned, const char *severity, struct told *told)
{
    const struct tmon_pair label = {"severity", severity};

    *told = (struct told){.routing = planned->plan.routing};
    routing_match(planned->plan.routing, &label, 1, note, told);
    return told->names;
}

static void leads_to_the_log(void **state)
{
    struct planned planned;
    struct told told;

    assert_string_equal(make(&planned, "plugins: {db: {use: check}}"), "");
    assert_string_equal(told_of(&planned, "critical", &told), "log;");
    assert_int_equal(told.last->group_wait_ms, ROUTING_GROUP_WAIT_MS);
    assert_null(planned.plan.without_sink);
    assert_int_equal(planned.plan.nstate_sinks, 1);
    assert_string_equal(planned.plan.state_sinks[0], "log");
    finish(&planned);
}

static void makes_the_tree(void **state)
{
    struct planned planned;
    struct told told;

    assert_string_equal(
        make(&planned, "plugins: {slack: {use: sink}, page: {use: pager}}\n"
                       "routes:\n"
                       "- {match: {severity: critical}, to: [slack, page], continue: true,\n"
                       "   group_by: '...', group_wait: 1s, repeat_interval: 1h}\n"
                       "- matchers: [severity!=info]\n"
                       "  to: slack\n"
                       "  group_by: [b, a]\n"
                       "  routes: [{match: {severity: warning}, to: log, group_interval: 1m}]\n"),
        "");
    assert_string_equal(told_of(&planned, "critical", &told), "slack page;slack;");
    assert_string_equal(told_of(&planned, "info", &told), "log;");
    assert_string_equal(told_of(&planned, "warning", &told), "log;");
    assert_int_equal(told.last->group_interval_ms, 60000);
    assert_int_equal(told.last->ngroup_by, 2); // inherited
    assert_string_equal(told.last->group_by[0], "a");
    assert_true(planned.plan.routing->root.routes[0].group_by_all);
    assert_int_equal(planned.plan.routing->root.routes[0].group_wait_ms, 1000);
    assert_int_equal(planned.plan.nstate_sinks, 2);
    for (size_t i = 0; i < planned.plan.routing->nsinks; i++) {
        const struct routing_sink *one = &planned.plan.routing->sinks[i];

        assert_true(one->live);
        assert_int_equal(one->one_alert, strcmp(one->name, "page") == 0);
    }
    finish(&planned);
}

/* Disabled, or its plugin refused: a route may name it, and leads around it. */
static void leads_around_what_is_not_live(void **state)
{
    struct planned planned;
    struct told told;

    assert_string_equal(make(&planned,
                             "plugins: {slack: {use: sink, enabled: false}, odd: {use: gone}, "
                             "mail: {use: sink}}\n"
                             "routes:\n"
                             "- {match: {severity: critical}, to: [slack, mail]}\n"
                             "- {match: {severity: warning}, to: [slack, odd]}\n"),
                        "");
    assert_string_equal(told_of(&planned, "critical", &told), "mail;");
    assert_string_equal(told_of(&planned, "warning", &told), "log;");
    assert_string_equal(planned.plan.without_sink, "{severity=\"warning\"}");
    finish(&planned);
}

static void inhibits(void **state)
{
    static const struct tmon_pair down[] = {{"alertname", "Down"}, {"severity", "critical"}};
    struct planned planned;
    const struct inhibit_rule *rule;

    assert_string_equal(make(&planned, "plugins: {}\n"
                                       "inhibit_rules:\n"
                                       "- source_matchers: [severity=critical, alertname=~D.*]\n"
                                       "  target_match: {severity: warning}\n"
                                       "  equal: [host, alertname]\n"),
                        "");
    assert_int_equal(planned.plan.routing->ninhibit, 1);
    rule = &planned.plan.routing->inhibit[0];
    assert_true(matchers_match(rule->source, rule->nsource, down, 2));
    assert_false(matchers_match(rule->target, rule->ntarget, down, 2));
    assert_int_equal(rule->nequal, 2);
    assert_string_equal(rule->equal[1], "host");
    finish(&planned);
}

static void names_every_mistake(void **state)
{
    static const struct {
        const char *yaml, *text;
    } mistakes[] = {
        {"plugins: {db: {use: check}}\nroutes: [{to: db}]",
         "c.yaml:2:15: 'to' names 'db', which is no sink: 'check' delivers nothing\n"},
        {"plugins: {db: {use: check}, a: {use: sink}}\nroutes: [{routes: [{to: [a, db]}]}]",
         "c.yaml:2:29: 'to' names 'db', which is no sink: 'check' delivers nothing\n"},
        {"plugins: {db: {use: check}, a: {use: sink, failover: db}}",
         "c.yaml:1:54: 'failover' names 'db', which is no sink: 'check' delivers nothing\n"},
        {"plugins: {log: {use: check}}",
         "c.yaml:1:22: 'log' must be a sink, since alerts go there that have no other way, and "
         "'check' is none\n"},
        {"plugins: {log: {use: sink, enabled: false}}",
         "c.yaml:1:11: 'log' cannot be turned off: alerts go there that have no other way; write "
         "'log: {}', or leave it out\n"},
    };

    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct planned planned;

        assert_string_equal(make(&planned, mistakes[i].yaml), mistakes[i].text);
        finish(&planned);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, help_setup, help_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(leads_to_the_log), TEST(makes_the_tree),      TEST(leads_around_what_is_not_live),
        TEST(inhibits),         TEST(names_every_mistake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
