/* The section `inhibit_rules:`: what it comes to, and what is wrong with it, where. */
#include "config_help.h"

static void reads_rules(void **state)
{
    static const char *const variables[] = {"TEAM", "db", NULL};
    struct config *config;
    const struct config_inhibit *rule;

    help_variables = variables;
    help_write("conf.d/a.yaml", "inhibit_rules: [{source_match: {a: b}, target_match: {c: d}}]\n",
               62);
    config = help_good("plugins: {}\n"
                       "inhibit_rules:\n"
                       "  - source_matchers: [severity=critical, 'team=~\"${TEAM}|web\"']\n"
                       "    source_match: {alertname: Down}\n"
                       "    target_matchers: severity!=critical\n"
                       "    equal: [instance, cluster]\n");
    assert_int_equal(config->ninhibit, 2);
    rule = &config->inhibit[0];
    assert_int_equal(rule->at.line, 3);
    assert_int_equal(rule->nsource, 3);
    assert_string_equal(rule->source[0].value, "Down");
    assert_int_equal(rule->source[2].op, MATCHER_REGEX);
    assert_string_equal(rule->source[2].value, "db|web");
    assert_int_equal(rule->ntarget, 1);
    assert_int_equal(rule->target[0].op, MATCHER_NOT_EQUAL);
    assert_int_equal(rule->nequal, 2);
    assert_string_equal(rule->equal[0], "cluster");
    rule = &config->inhibit[1];
    assert_string_equal(rule->at.file, "conf.d/a.yaml");
    assert_string_equal(rule->target[0].value, "d");
    assert_int_equal(rule->nequal, 0);
    config_destroy(config);
}

static void names_every_mistake(void **state)
{
    static const struct {
        const char *yaml, *text;
    } mistakes[] = {
        {"inhibit_rules: {}",
         "c.yaml:1:16: 'inhibit_rules' must be a list, each entry starting with '- ', not a "
         "mapping\n"},
        {"inhibit_rules: [x]", "c.yaml:1:17: each entry of 'inhibit_rules' must be a mapping, such "
                               "as {source_matchers: [severity=critical], target_matchers: "
                               "[severity=warning], equal: [instance]}, not text\n"},
        {"inhibit_rules: [{target_matchers: [a=b]}]",
         "c.yaml:1:17: 'source_matchers' is missing; without it every alert would inhibit\n"},
        {"inhibit_rules: [{source_matchers: [a=b], target_matchers: []}]",
         "c.yaml:1:17: 'target_matchers' is missing; without it every alert would be inhibited\n"},
        {"inhibit_rules: [{source_matchers: [a=b], target_matcher: [a=b]}, {equals: a}]",
         "c.yaml:1:42: there is no setting 'target_matcher'; did you mean 'target_matchers'?\n"
         "c.yaml:1:67: there is no setting 'equals'; did you mean 'equal'?\n"},
        {"inhibit_rules: [{source_match_re: {a: b}, target_match: {a: b}}]",
         "c.yaml:1:18: 'source_match_re' is not known here; write name=~\"regex\" in "
         "'source_matchers'\n"},
        {"inhibit_rules: [{source_match: {a: b}, target_match: {a: b}, equal: [a, a, 'b c']}]",
         "c.yaml:1:73: 'equal' names this label twice\n"
         "c.yaml:1:76: 'equal' takes names of labels\n"},
        {"inhibit_rules: [{source_matchers: [a=b], target_matchers: ['a=~\"(\"']}]",
         "c.yaml:1:60: 'target_matchers': the regular expression is wrong at its byte 2: missing "
         "closing parenthesis\n"},
        {"silences: []", "c.yaml:1:1: silences are not configured; they are made while the agent "
                         "runs, with 'toiletmon silence add'\n"},
    };

    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        assert_string_equal(help_load(mistakes[i].yaml), mistakes[i].text);
    }
}

static void has_a_limit(void **state)
{
    static char yaml[32768] = "inhibit_rules:\n";

    for (int i = 0; i < 257; i++) {
        strcat(yaml, "- {source_match: {a: b}, target_match: {a: b}}\n");
    }
    assert_string_equal(help_load(yaml), "c.yaml:258:3: there are more than 256 inhibit rules\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, help_setup, help_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_rules),
        TEST(names_every_mistake),
        TEST(has_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
