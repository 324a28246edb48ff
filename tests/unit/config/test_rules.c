/* Rules in `groups:` and in files: what they come to, and what is wrong with them, where. */
#include "config_help.h"

static void write_text(const char *path, const char *text)
{
    help_write(path, text, strlen(text));
}

static void reads_a_file_and_groups(void **state)
{
    struct config *config;
    const struct config_rule_group *group;
    const struct config_rule *rule;

    assert_int_equal(mkdir("rules", 0755), 0);
    write_text("rules/a.yaml", "groups:\n"
                               "  - name: a\n"
                               "    interval: 1m30s\n"
                               "    limit: 7\n"
                               "    rules:\n"
                               "      - alert: High\n"
                               "        expr: |\n"
                               "          up\n"
                               "          > 1\n"
                               "        for: 1h30m\n"
                               "        keep_firing_for: 0\n"
                               "        labels: {severity: critical, level: 1, b: }\n"
                               "        annotations: {summary: \"${HOME} {{ $value }}\"}\n"
                               "        no_data: resolve\n");
    write_text("rules/b.yaml", "groups: [{name: a, rules: [{record: 'a:b', expr: up}]}]\n");
    write_text("conf.d/x.yaml", "groups: [{name: in, rules: []}]\n");
    config = help_good("plugins: {}\n"
                       "rule_files: ['rules/*.yaml', rules/a.yaml]\n"
                       "groups:\n"
                       "  - name: in\n");
    assert_int_equal(config->rules.ngroups, 4);
    assert_int_equal(config->rules.nfiles, 2);
    group = &config->rules.groups[0];
    assert_string_equal(group->key, "a.yaml;a");
    assert_int_equal(group->interval_ms, 90000);
    assert_int_equal(group->limit, 7);
    assert_int_equal(group->nrules, 1);
    rule = &group->rules[0];
    assert_false(rule->recording);
    assert_string_equal(rule->name, "High");
    assert_string_equal(rule->expr, "up\n> 1\n");
    assert_string_equal(rule->expr_at.file, "rules/a.yaml");
    assert_int_equal(rule->expr_at.line, 7);
    assert_int_equal(rule->for_ms, 5400000);
    assert_int_equal(rule->no_data, CONFIG_NO_DATA_RESOLVE);
    assert_int_equal(rule->nlabels, 3);
    assert_string_equal(rule->labels[0].name, "b");
    assert_string_equal(rule->labels[0].value, "");
    assert_string_equal(rule->labels[1].value, "1");
    assert_string_equal(rule->annotations[0].value, "${HOME} {{ $value }}"); // as it stands
    assert_true(config->rules.groups[1].rules[0].recording);
    assert_string_equal(config->rules.groups[1].key, "b.yaml;a");
    assert_string_equal(config->rules.groups[2].key, "c.yaml;in");
    assert_string_equal(config->rules.groups[3].key, "x.yaml;in");
    config_destroy(config);
}

static const struct {
    const char *yaml, *errors;
} wrong[] = {
    {"groups: 3", "c.yaml:1:9: 'groups' must be a list, each entry starting with '- ', not text\n"},
    {"groups: [3]", "c.yaml:1:10: each entry of 'groups' must be a mapping with 'name' and "
                    "'rules', not text\n"},
    {"groups: [{name: a, rule: []}]",
     "c.yaml:1:20: a group has no key 'rule'; did you mean 'rules'?\n"},
    {"groups: [{name: a}, {name: a}]", "c.yaml:1:21: the group \"a\" is already in line 1\n"},
    {"groups: [{name: a, interval: 5, limit: x, rules: {}}]",
     "c.yaml:1:30: 'interval' is no duration: \"5\"; write 30s, 5m, 1h30m or 1d\n"
     "c.yaml:1:40: 'limit' is a whole number, 0 for none\n"
     "c.yaml:1:50: 'rules' must be a list, each entry starting with '- ', not a mapping\n"},
    {"groups: [{name: a, interval: 0s}]",
     "c.yaml:1:30: warning: 'interval: 0' is the default, 15s, as if it were left out\n"},
    {"groups: [{name: a, rules: [{alert: A}]}]", "c.yaml:1:28: a rule needs 'expr'\n"},
    {"groups: [{name: a, rules: [{expr: up}]}]",
     "c.yaml:1:28: a rule needs 'alert' (the alert's name) or 'record' (the name of a series)\n"},
    {"groups: [{name: a, rules: [{alert: A, record: b, expr: up}]}]",
     "c.yaml:1:28: a rule has either 'record' or 'alert', not both\n"},
    {"groups: [{name: a, rules: [{alert: A, expr: up, anotations: {}, severity: x}]}]",
     "c.yaml:1:49: a rule has no key 'anotations'; did you mean 'annotations'?\n"
     "c.yaml:1:65: a rule has no key 'severity'\n"},
    {"groups: [{name: a, rules: [{alert: A, expr: up, labels: {'a b': c, __name__: d}}]}]",
     "c.yaml:1:58: 'labels': \"a b\" is no name: [a-zA-Z_][a-zA-Z0-9_]*, and not __name__\n"
     "c.yaml:1:68: 'labels': \"__name__\" is no name: [a-zA-Z_][a-zA-Z0-9_]*, and not __name__\n"},
    {"groups: [{name: a, rules: [{record: 'a b', expr: up, for: 5m, annotations: {a: b}}]}]",
     "c.yaml:1:37: \"a b\" is no name of a series: [a-zA-Z_:][a-zA-Z0-9_:]*\n"
     "c.yaml:1:54: a rule with 'record' has no 'for'\n"
     "c.yaml:1:63: a rule with 'record' has no 'annotations'\n"},
    {"groups: [{name: a, rules: [{alert: A, expr: up, no_data: kep}]}]",
     "c.yaml:1:58: 'no_data' is keep, resolve or alert; did you mean 'keep'?\n"},
    {"groups: [{name: a, rules: [{alert: A, expr: up}, {alert: A, expr: down}]}]",
     "c.yaml:1:50: warning: the rule \"A\" with the same labels is already in line 1\n"},
    {"groups: [{name: a, rules: [{alert: A, expr: up, labels: {severity: criticl}}]}]",
     "c.yaml:1:68: warning: the severity 'criticl' counts as a warning; did you mean "
     "'critical'?\n"},
    {"groups: [{name: a, rules: [{alert: A, expr: up, labels: {severity: page}}]}]", ""},
    {"rule_files: [{}]", "c.yaml:1:14: 'rule_files' takes names of files, not a mapping\n"},
    {"rule_files: ['none/*.yaml']", "c.yaml:1:14: warning: no file matches 'none/*.yaml'\n"},
    {"rule_files: [nope.yaml]",
     "c.yaml:1:14: 'nope.yaml' cannot be read: No such file or directory\n"},
};

static void says_what_is_wrong(void **state)
{
    char yaml[512];

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(yaml, sizeof yaml, "%s\nplugins: {}\n", wrong[i].yaml);
        assert_string_equal(help_load(yaml), wrong[i].errors);
    }
    write_text("r.yaml", "groups:\n- name: a\n  rulez: []\n");
    assert_string_equal(help_load("rule_files: [r.yaml]\nplugins: {}\n"),
                        "r.yaml:3:3: a group has no key 'rulez'; did you mean 'rules'?\n");
    write_text("r.test.yaml", "rule_files: [r.yaml]\ntests: []\n");
    assert_string_equal(help_load("rule_files: ['*.test.yaml']\nplugins: {}\n"),
                        "r.test.yaml:2:1: warning: the file holds unit tests of rules, so it is "
                        "passed over; 'toiletmon rules test' runs them\n");
    assert_string_equal(help_load("rule_files: [r.test.yaml]\nplugins: {}\n"),
                        "r.test.yaml:2:1: the file holds unit tests of rules, which 'toiletmon "
                        "rules test' runs, and no rules: take it out of 'rule_files'\n");
    assert_non_null(strstr(help_load("rule_files: gone.yaml\nplugins: {}\n"), "gone.yaml"));
}

static void reads_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0", 0},         {"0s", 0},           {"5m", 300000},      {"1h30m", 5400000},
                {"1d", 86400000}, {"1w2d", 777600000}, {"1y", 31536000000}, {"90s", 90000},
                {"1s250ms", 1250}};
    static const char *const bad[] = {"",
                                      "5",
                                      "m",
                                      "5 m",
                                      "1.5h",
                                      "-5m",
                                      "1m1h",
                                      "1m1m",
                                      "5M",
                                      "1h5",
                                      "99999999999999999999s",
                                      "300000000y"};
    int64_t ms;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ms = -1;
        assert_int_equal(config_prometheus_duration(good[i].text, &ms), 0);
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(config_prometheus_duration(bad[i], &ms), -EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_a_file_and_groups, help_setup, help_teardown),
        cmocka_unit_test_setup_teardown(says_what_is_wrong, help_setup, help_teardown),
        cmocka_unit_test(reads_durations),
    };

    return cmocka_run_group_tests_name("config/rules", tests, NULL, NULL);
}
