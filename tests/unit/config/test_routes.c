/* The section `routes:`: what it comes to, and what is wrong with it, where. */
#include "config_help.h"

#include "model/labels.h"

#define PLUGINS "plugins: {slack: {}, mail: {}}\n"

static void says_nothing(void **state)
{
    struct config *config = help_good("plugins: {}");

    assert_int_equal(config->nroutes, 0);
    config_destroy(config);
    config = help_good("plugins: {}\nroutes:\n");
    assert_int_equal(config->nroutes, 0);
    config_destroy(config);
    config = help_good("plugins: {}\nroutes: []\n");
    assert_int_equal(config->nroutes, 0);
    config_destroy(config);
}

static bool matches(const struct config_route *route, const char *key, const char *value)
{
    const struct tmon_pair label = {key, value};

    return matchers_match(route->matchers, route->nmatchers, &label, 1);
}

static void reads_a_tree(void **state)
{
    static const char *const variables[] = {"TEAM", "db", NULL};
    struct config *config;
    const struct config_route *route;

    help_variables = variables;
    config = help_good(PLUGINS "routes:\n"
                               "  - match: {severity: critical}\n"
                               "    matchers: ['team=~\"${TEAM}|web\"', mount!=/tmp]\n"
                               "    to: [slack, log]\n"
                               "    continue: true\n"
                               "    group_by: [team, alertname]\n"
                               "    group_wait: 0s\n"
                               "    group_interval: 1m\n"
                               "    repeat_interval: 1h\n"
                               "    routes:\n"
                               "      - {match: {team: web}, to: mail}\n"
                               "      - {match: {team: db}, group_by: '...'}\n"
                               "  - to: [mail]\n");
    assert_int_equal(config->nroutes, 2);
    route = &config->routes[0];
    assert_int_equal(route->at.line, 3);
    assert_int_equal(route->nmatchers, 3);
    assert_int_equal(route->matchers[0].op, MATCHER_EQUAL);
    assert_string_equal(route->matchers[0].name, "severity");
    assert_string_equal(route->matchers[0].value, "critical");
    assert_int_equal(route->matchers[1].op, MATCHER_REGEX);
    assert_string_equal(route->matchers[1].value, "db|web");
    assert_int_equal(route->matchers[2].op, MATCHER_NOT_EQUAL);
    assert_false(matches(route, "severity", "critical")); // of team nothing is said
    assert_int_equal(route->nto, 2);
    assert_string_equal(route->to[0].name, "slack");
    assert_string_equal(route->to[1].name, "log");
    assert_int_equal(route->to[1].at.line, 5);
    assert_int_equal(route->to[1].at.column, 17);
    assert_true(route->to_set && route->go_on && route->group_by_set);
    assert_false(route->group_by_all);
    assert_int_equal(route->ngroup_by, 2);
    assert_string_equal(route->group_by[0], "alertname");
    assert_string_equal(route->group_by[1], "team");
    assert_int_equal(route->group_wait_ms, 0);
    assert_int_equal(route->group_interval_ms, 60000);
    assert_int_equal(route->repeat_interval_ms, 3600000);
    assert_int_equal(route->nroutes, 2);
    assert_string_equal(route->routes[0].to[0].name, "mail");
    assert_true(matches(&route->routes[0], "team", "web"));
    assert_false(matches(&route->routes[0], "team", "db"));
    assert_false(route->routes[1].to_set);
    assert_true(route->routes[1].group_by_all);
    assert_int_equal(route->routes[1].ngroup_by, 0);
    assert_int_equal(route->routes[1].group_wait_ms, -1);
    route = &config->routes[1];
    assert_int_equal(route->nmatchers, 0);
    assert_false(route->go_on);
    assert_false(route->group_by_set);
    config_destroy(config);
}

/* The main file's first, then those of conf.d in their order. */
static void joins_files(void **state)
{
    struct config *config;

    help_write("conf.d/b.yaml", "routes: [{match: {a: b}, to: mail}]", 35);
    help_write("conf.d/a.yaml", "routes: [{match: {a: a}, to: mail}]", 35);
    config = help_good(PLUGINS "routes: [{match: {a: c}, to: slack}]");
    assert_int_equal(config->nroutes, 3);
    assert_string_equal(config->routes[0].matchers[0].value, "c");
    assert_string_equal(config->routes[1].matchers[0].value, "a");
    assert_string_equal(config->routes[2].matchers[0].value, "b");
    assert_string_equal(config->routes[2].at.file, "conf.d/b.yaml");
    config_destroy(config);
}

static void reads_windows(void **state)
{
    struct config *config = help_good(PLUGINS "routes:\n"
                                              "- to: slack\n"
                                              "  maintenance:\n"
                                              "  - {days: [mon-fri], from: 22:00, to: 06:00}\n"
                                              "  - {from: 1:30, to: '24:00', time_zone: UTC}\n"
                                              "  routes: [{match: {a: b}, maintenance: []}]\n");
    const struct config_route *route = &config->routes[0];

    assert_true(route->maintenance_set);
    assert_int_equal(route->nwindows, 2);
    assert_int_equal(route->windows[0].days, 0x3e);
    assert_int_equal(route->windows[0].begin, 22 * 60);
    assert_int_equal(route->windows[0].end, 6 * 60);
    assert_int_equal(route->windows[1].days, 0x7f);
    assert_int_equal(route->windows[1].begin, 90);
    assert_int_equal(route->windows[1].end, 24 * 60);
    assert_non_null(route->windows[1].zone);
    assert_true(route->routes[0].maintenance_set);
    assert_int_equal(route->routes[0].nwindows, 0);
    config_destroy(config);
}

/* A route may name what is disabled; the variables of its own settings are no matter. */
static void names_what_is_disabled(void **state)
{
    struct config *config =
        help_good("plugins: {slack: {enabled_if: NOPE, url: '${NOPE}'}}\nroutes: [{to: slack}]");

    assert_string_equal(config->routes[0].to[0].name, "slack");
    config_destroy(config);
}

static const struct {
    const char *yaml; /* after PLUGINS */
    const char *text;
} mistakes[] = {
    {"routes: {to: log}", "c.yaml:2:9: 'routes' must be a list, each entry starting with '- ', not "
                          "a mapping\n"},
    {"routes: [slack]", "c.yaml:2:10: each entry of 'routes' must be a mapping, such as {match: "
                        "{severity: critical}, to: [slack]}, not text\n"},
    {"routes: [{macth: {a: b}}]",
     "c.yaml:2:11: there is no setting 'macth'; did you mean 'match'?\n"},
    {"routes: [{to: slak}]",
     "c.yaml:2:15: 'to' names the instance 'slak', which is not there; did you mean "
     "'slack'?\n"},
    {"routes: [{to: [slack, nobody]}]",
     "c.yaml:2:23: 'to' names the instance 'nobody', which is not there\n"},
    {"routes: [{to: [slack, '${BAD}']}]",
     "c.yaml:2:23: 'to' names the instance '${BAD}', which is not there; did you mean 'slack'?\n"},
    {"routes: [{to: []}]",
     "c.yaml:2:15: 'to' is empty; name an instance, or leave it out to inherit it\n"},
    {"routes: [{receiver: slack}]", "c.yaml:2:11: 'receiver' is called 'to' here\n"},
    {"routes: [{match_re: {a: b}}]", "c.yaml:2:11: 'match_re' is called 'matchers' here\n"},
    {"routes: [{match: [a]}]",
     "c.yaml:2:18: 'match' must be a mapping, such as {key: value}, not a list\n"},
    {"routes: [{matchers: {a: b}}]",
     "c.yaml:2:21: 'matchers' must be a list, such as [a, b], not a mapping\n"},
    {"routes: [{continue: maybe}]", "c.yaml:2:21: 'continue' must be true or false, not 'maybe'\n"},
    {"routes: [{group_wait: 5}]",
     "c.yaml:2:23: 'group_wait' must be a duration with its unit, such as 500ms, 30s, 5m, 2h or "
     "1d, not '5'\n"},
    {"routes: [{group_interval: 0s}]",
     "c.yaml:2:27: 'group_interval' must be from 10ms to 1w, not '0s'\n"},
    {"routes: [{group_by: [a, '...']}]", "c.yaml:2:25: 'group_by': '...' stands for all labels; no "
                                         "other may stand beside it\n"},
    {"routes: [{group_by: [a, b, a]}]", "c.yaml:2:28: 'group_by' names this label twice\n"},
    {"routes: [{group_by: 'a b'}]",
     "c.yaml:2:21: 'group_by' takes names of labels, or '...' for all of them\n"},
    {"routes: [{maintenance: {from: '1:00', to: '2:00'}}]",
     "c.yaml:2:24: 'maintenance' must be a list of mappings, each starting with '- ', not a "
     "mapping\n"},
    {"routes: [{maintenance: [{from: '1:00'}]}]",
     "c.yaml:2:25: the setting 'to' is missing: HH:MM, when it ends; on the next day if that is "
     "not "
     "after the begin\n"},
    {"routes: [{maintenance: [{from: '1', to: 25:00, days: [mon-fri, x]}]}]",
     "c.yaml:2:32: 'from' must be a time of the day, such as \"22:00\"; the last one is 24:00\n"
     "c.yaml:2:41: 'to' must be a time of the day, such as \"22:00\"; the last one is 24:00\n"
     "c.yaml:2:64: 'days' takes days of the week and ranges of them, such as [mon-fri, sunday]\n"},
    {"routes: [{maintenance: [{from: '6:00', to: '06:00'}]}]",
     "c.yaml:2:44: 'to' is the same time as 'from'; a whole day is from 00:00 to 24:00\n"},
    {"routes: [{maintenance: [{from: '24:00', to: '06:00'}]}]",
     "c.yaml:2:32: 'from' is the end of the day; write 00:00 of the next one\n"},
    {"routes: [{maintenance: [{from: '1:00', to: '2:00', time_zone: Mars/Olympus}]}]",
     "c.yaml:2:63: 'time_zone': this machine has no such time zone; names are such as Asia/Tokyo, "
     "and the package tzdata must be installed\n"},
    {"routes: [{to: '${NOPE}'}]",
     "c.yaml:2:15: the variable NOPE is not set; set it, or write ${NOPE:-default}\n"},
    {"routes: [{match: {a: b}, routes: {to: log}}]",
     "c.yaml:2:34: 'routes' must be a list, each entry starting with '- ', not a mapping\n"},
    {"routes: [{match: {a: b}, routes: [{to: x}]}]",
     "c.yaml:2:40: 'to' names the instance 'x', which is not there\n"},
    /* what is above does not hide what is below */
    {"routes: [{contniue: true, routes: [{to: x}]}]",
     "c.yaml:2:11: there is no setting 'contniue'; did you mean 'continue'?\n"
     "c.yaml:2:41: 'to' names the instance 'x', which is not there\n"},
    {"routes: [{to: log}, {to: mail}]",
     "c.yaml:2:21: warning: no alert reaches this route: the one in line 2 takes them all; give it "
     "'match', or 'continue: true'\n"},
    {"routes: [{to: log, continue: true}, {to: mail}]", ""},
    {"routes: [{to: log, match: {severity: critcal}}, {to: mail}]",
     "c.yaml:2:28: warning: the severity 'critcal' counts as a warning; did you mean "
     "'critical'?\n"},
    {"routes: [{to: log, match: {severity: none}}, {to: mail}]", ""},
};

static void names_every_mistake(void **state)
{
    static const char *const variables[] = {"BAD", "slck", NULL};
    char yaml[512];

    help_variables = variables;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        snprintf(yaml, sizeof yaml, "%s%s", PLUGINS, mistakes[i].yaml);
        assert_string_equal(help_load(yaml), mistakes[i].text);
    }
}

/* What is wrong with a matcher is the matcher's to say; where it stands is ours. */
static void places_bad_matchers(void **state)
{
    static const struct {
        const char *yaml, *begins;
    } bad[] = {
        {"routes: [{match: {'a-b': c}}]", "c.yaml:2:19: 'match': "},
        {"routes: [{matchers: ['a=~\"(\"']}]", "c.yaml:2:22: 'matchers': "},
        {"routes: [{matchers: ['a=\"b\"', nothing]}]", "c.yaml:2:31: 'matchers': "},
        {"routes: [{matchers: 'a'}]", "c.yaml:2:21: 'matchers': "},
    };
    char yaml[256];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *text;

        snprintf(yaml, sizeof yaml, "%s%s", PLUGINS, bad[i].yaml);
        text = help_load(yaml);
        if (strncmp(text, bad[i].begins, strlen(bad[i].begins)) != 0) {
            fail_msg("%s does not begin with %s", text, bad[i].begins);
        }
    }
}

static void has_a_limit(void **state)
{
    size_t n = 1100, len = 0;
    char *yaml = malloc(n * 32 + 100);

    assert_non_null(yaml);
    len += (size_t)sprintf(yaml, PLUGINS "routes:\n");
    for (size_t i = 0; i < n; i++) {
        len += (size_t)sprintf(yaml + len, "- {match: {a: b}}\n");
    }
    assert_string_equal(help_load(yaml), "c.yaml:1027:3: there are more than 1024 routes\n");
    free(yaml);
}

static void reads_keys_of_sinks(void **state)
{
    struct config *config = help_good("plugins:\n"
                                      "  slack: {}\n"
                                      "  mail:\n"
                                      "    failover: slack\n"
                                      "    budget: {notifications: 20, per: 5m}\n"
                                      "    give_up_after: 1d\n"
                                      "    timeout: 30s\n");

    assert_null(config->instances[0].failover);
    assert_int_equal(config->instances[0].budget, 0);
    assert_int_equal(config->instances[0].budget_ms, 60000);
    assert_int_equal(config->instances[0].give_up_ms, INT64_C(72) * 3600000);
    assert_int_equal(config->instances[0].timeout_ms, 10000);
    assert_string_equal(config->instances[1].failover, "slack");
    assert_int_equal(config->instances[1].budget, 20);
    assert_int_equal(config->instances[1].budget_ms, 300000);
    assert_int_equal(config->instances[1].give_up_ms, 86400000);
    assert_int_equal(config->instances[1].timeout_ms, 30000); // a sink has no interval
    config_destroy(config);
}

/* ---- what depends on the component ---- */

static const char *settings_of(const char *yaml, uint32_t abilities, uint32_t flags)
{
    struct manifest_component component = {
        .name = (char *)"thing", .abilities = abilities, .flags = flags};
    struct config *config = help_good(yaml);
    struct settings *settings = NULL;
    struct config_errors errors;
    const char *text;

    config_errors_init(&errors);
    (void)config_instance_settings(&config->instances[0], &component, &errors, &settings);
    text = help_text(&errors);
    settings_destroy(settings);
    config_errors_finish(&errors);
    config_destroy(config);
    return text;
}

static void knows_sinks(void **state)
{
    const uint32_t sink = ABILITY_FORMAT, check = ABILITY_CHECK;

    assert_string_equal(settings_of("plugins: {a: {timeout: 1m}}", sink, 0), "");
    assert_string_equal(
        settings_of("plugins: {a: {timeout: 1m}}", check, 0),
        "c.yaml:1:24: 'timeout' must not be longer than 'interval', which is 15s\n");
    assert_string_equal(
        settings_of("plugins: {a: {timeout: 1m}}", sink | check, 0),
        "c.yaml:1:24: 'timeout' must not be longer than 'interval', which is 15s\n");
    assert_string_equal(settings_of("plugins: {a: {interval: 1m}}", sink, 0),
                        "c.yaml:1:25: warning: 'interval' does nothing here: 'thing' is told when "
                        "there is something to tell, not at intervals\n");
    assert_string_equal(settings_of("plugins: {a: {budget: {notifications: 5}}}", sink, 0), "");
    assert_string_equal(
        settings_of("plugins: {a: {budget: {notifications: 5}}}", sink, TMON_ONE_ALERT),
        "c.yaml:1:23: 'thing' takes one alert at a time, so it cannot be told a digest: take "
        "'budget' out; 'inhibit_rules' and narrower routes keep it quiet in a storm\n");
    assert_string_equal(settings_of("plugins: {a: {budget: {notifications: 5}}}", check, 0),
                        "c.yaml:1:23: 'budget' is for sinks, and 'thing' is none\n");
    assert_string_equal(settings_of("plugins: {a: {failover: log}}", check, 0),
                        "c.yaml:1:25: 'failover' is for sinks, and 'thing' is none\n");
}

static void makes_the_default(void **state)
{
    struct config *config = help_good("plugins: {log: {}}");
    struct config_instance *instance = NULL;
    struct manifest_component component = {.name = (char *)"log", .abilities = ABILITY_DELIVER};
    struct config_errors errors;
    struct settings *settings = NULL;

    assert_int_equal(config_instance_default("log", &instance), 0);
    assert_true(config_instance_equal(&config->instances[0], instance));
    assert_true(instance->enabled);
    assert_string_equal(instance->component, "log");
    config_errors_init(&errors);
    assert_int_equal(config_instance_settings(instance, &component, &errors, &settings), 0);
    assert_string_equal(help_text(&errors), "");
    config_errors_finish(&errors);
    settings_destroy(settings);
    config_instance_destroy(instance);
    config_instance_destroy(NULL);
    config_destroy(config);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, help_setup, help_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(says_nothing),        TEST(reads_a_tree),
        TEST(joins_files),         TEST(names_what_is_disabled),
        TEST(names_every_mistake), TEST(places_bad_matchers),
        TEST(has_a_limit),         TEST(reads_keys_of_sinks),
        TEST(reads_windows),       TEST(knows_sinks),
        TEST(makes_the_default),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
