/* The second phase: settings of all types against what a component declares. */
#include <errno.h>

#include "base/limits.h"
#include "base/suggest.h"
#include "config_help.h"
#include "every_type.h"

/* Checks "plugins: {a: {<yaml>}}" against the component with every type; the errors' text. */
static const char *check(const char *yaml, struct settings **ret_settings)
{
    static char whole[131072];
    struct config_errors errors;
    struct config *config;
    struct settings *settings = NULL;
    const char *text;
    int r;

    snprintf(whole, sizeof whole, "plugins:\n  a: {%s}\n", yaml);
    config = help_good(whole);
    config_errors_init(&errors);
    r = config_instance_settings(&config->instances[0], &every_component, &errors, &settings);
    assert_int_equal(r, errors.errors ? -EINVAL : 0);
    if (r) {
        assert_null(settings);
    }
    text = help_text(&errors);
    config_errors_finish(&errors);
    config_destroy(config); // settings do not depend on it
    if (ret_settings) {
        *ret_settings = settings;
    } else {
        settings_destroy(settings);
    }
    return text;
}

static void gives_defaults(void **state)
{
    struct settings *settings;
    const struct tmon_config *config;

    assert_string_equal(check("dsn: x", &settings), "");
    config = settings_as_config(settings);
    assert_string_equal(settings_config_string(config, "dsn"), "x");
    assert_string_equal(settings_config_string(config, "text"), "a text");
    assert_int_equal(settings_config_int(config, "count"), 5);
    assert_true(settings_config_float(config, "share") == 0.5);
    assert_int_equal(settings_config_int(config, "flag"), 1);
    assert_int_equal(settings_config_int(config, "slow"), 1000);
    assert_false(settings_config_has(config, "size"));
    assert_string_equal(settings_config_string(config, "mode"), "strict");
    assert_false(settings_config_has(config, "page"));
    assert_int_equal(settings_config_count(config, "names"), 2);
    assert_string_equal(settings_config_item(config, "names", 1), "b");
    assert_int_equal(settings_config_count(config, "tables"), 0);
    assert_true(settings_find(settings, "dsn")->secret);
    assert_false(settings_find(settings, "text")->secret);
    settings_destroy(settings);
}

static void reads_every_type(void **state)
{
    struct settings *settings;
    const struct tmon_config *config, *group;

    assert_string_equal(
        check(
            "use: every, dsn: x, text: '', count: 7, share: 0.25, flag: off, slow: 1m, size: 4KiB, "
            "mode: lenient, "
            "hook: 'https://h/', page: 'http://p/', names: [one, '2', true], headers: {A-b: c, D: "
            "5}, "
            "tables: [{metric: m, inner: [{word: w, hidden: h}]}, {metric: n, size: 1}], pin: 1234",
            &settings),
        "");
    config = settings_as_config(settings);
    assert_string_equal(settings_config_string(config, "text"), "");
    assert_true(settings_config_has(config, "text"));
    assert_int_equal(settings_config_int(config, "count"), 7);
    assert_int_equal(settings_config_int(config, "flag"), 0);
    assert_int_equal(settings_config_int(config, "slow"), 60000);
    assert_int_equal(settings_config_int(config, "size"), 4096);
    assert_string_equal(settings_config_string(config, "mode"), "lenient");
    assert_string_equal(settings_config_string(config, "hook"), "https://h/");
    assert_int_equal(settings_config_count(config, "names"), 3);
    assert_string_equal(settings_config_item(config, "names", 2), "true");
    assert_string_equal(settings_config_pair(config, "headers", 0).key, "A-b");
    assert_string_equal(settings_config_pair(config, "headers", 1).value, "5");
    group = settings_config_group(config, "tables", 0);
    assert_string_equal(settings_config_string(group, "metric"), "m");
    assert_int_equal(settings_config_int(group, "size"), 16 << 20);
    group = settings_config_group(group, "inner", 0);
    assert_string_equal(settings_config_string(group, "hidden"), "h");
    group = settings_config_group(config, "tables", 1);
    assert_int_equal(settings_config_int(group, "size"), 1);
    settings_destroy(settings);
    assert_string_equal(check("dsn: x, names: one", &settings), ""); // one item needs no brackets
    assert_int_equal(settings_config_count(settings_as_config(settings), "names"), 1);
    settings_destroy(settings);
}

static const struct {
    const char *yaml;
    const char *text;
} mistakes[] = {
    {"", "c.yaml:2:3: the setting 'dsn' is missing: Where it is.\n"},
    {"dsn: ''", "c.yaml:2:12: 'dsn' must not be empty\n"},
    {"dsn: ", "c.yaml:2:12: 'dsn' has no value; write one, or remove the line\n"},
    {"dsn: ~", "c.yaml:2:12: 'dsn' has no value; write one, or remove the line\n"},
    {"dsn: [canary]", "c.yaml:2:12: 'dsn' takes text here, not a list\n"},
    {"dsn: x, txt: y", "c.yaml:2:15: there is no setting 'txt'; did you mean 'text'?\n"},
    {"dsn: x, intervall: 3s",
     "c.yaml:2:15: there is no setting 'intervall'; did you mean 'interval'?\n"},
    {"dsn: x, Count: 3", "c.yaml:2:15: there is no setting 'Count'; did you mean 'count'?\n"},
    {"dsn: x, xyzzy: 3", "c.yaml:2:15: there is no setting 'xyzzy'\n"},
    {"dsn: x, count: 101", "c.yaml:2:22: 'count' must be from 1 to 100, not '101'\n"},
    {"dsn: x, count: five", "c.yaml:2:22: 'count' must be a whole number such as 5, not 'five'\n"},
    {"dsn: x, share: half", "c.yaml:2:22: 'share' must be a number such as 0.5, not 'half'\n"},
    {"dsn: x, flag: 1", "c.yaml:2:21: 'flag' must be true or false, not '1'\n"},
    {"dsn: x, slow: 10", "c.yaml:2:21: 'slow' must be a duration with its unit, such as 500ms, "
                         "30s, 5m, 2h or 1d, not '10'\n"},
    {"dsn: x, slow: 61s", "c.yaml:2:21: 'slow' must be from 0s to 1m, not '61s'\n"},
    {"dsn: x, size: 4k",
     "c.yaml:2:21: 'size' must be a size such as 64KiB (1024s), 10MB (1000s) or 4096, not '4k'\n"},
    {"dsn: x, mode: strikt",
     "c.yaml:2:21: 'mode' must be one of strict|lenient, not 'strikt'; did you mean 'strict'?\n"},
    {"dsn: x, page: 'ftp://u:canary@x/'",
     "c.yaml:2:21: 'page' must be a URL that starts with http:// or https://\n"},
    {"dsn: x, hook: canary",
     "c.yaml:2:21: 'hook' must be a URL that starts with http:// or https://\n"},
    {"dsn: x, pin: canary", "c.yaml:2:20: 'pin' must be a whole number such as 5\n"},
    {"dsn: x, names: {a: b}",
     "c.yaml:2:22: 'names' must be a list, such as [a, b], not a mapping\n"},
    {"dsn: x, names: [a, [b]]", "c.yaml:2:26: 'names' takes text here, not a list\n"},
    {"dsn: x, names: [a, ~]", "c.yaml:2:26: 'names' has an item without a value\n"},
    {"dsn: x, headers: [a]",
     "c.yaml:2:24: 'headers' must be a mapping, such as {key: value}, not a list\n"},
    {"dsn: x, headers: {a: {b: c}}", "c.yaml:2:28: 'headers' takes text here, not a mapping\n"},
    {"dsn: x, headers: {a: ~}",
     "c.yaml:2:28: 'a' in 'headers' has no value; write \"\" for an empty one\n"},
    {"dsn: x, tables: {metric: a}",
     "c.yaml:2:23: 'tables' must be a list of mappings, each starting with '- ', not a mapping\n"},
    {"dsn: x, tables: [a]", "c.yaml:2:24: each entry of 'tables' must be a mapping, not text\n"},
    {"dsn: x, tables: [{size: 1}]", "c.yaml:2:24: the setting 'metric' is missing: Where it is.\n"},
    {"dsn: x, tables: [{metric: a, metrik: 1}]",
     "c.yaml:2:36: there is no setting 'metrik'; did you mean 'metric'?\n"},
    {"dsn: x, tables: [{metric: a, inner: [{word: b, hidden: []}]}]",
     "c.yaml:2:62: 'hidden' takes text here, not a list\n"},
    {"dsn: x, count: 0, txt: 1, flag: 2",
     "c.yaml:2:25: there is no setting 'txt'; did you mean 'text'?\n"
     "c.yaml:2:22: 'count' must be from 1 to 100, not '0'\n"
     "c.yaml:2:39: 'flag' must be true or false, not '2'\n"},
    {"dsn: 'file:secret'",
     "c.yaml:2:12: dsn: file: needs an absolute path, such as file:/etc/toiletmon/secret\n"},
    {"dsn: 'file:/nowhere/x'",
     "c.yaml:2:12: dsn: the file /nowhere/x cannot be read: No such file or directory\n"},
    {"dsn: 'file:/tmp'", "c.yaml:2:12: dsn: /tmp is not a file\n"},
    {"dsn: 'file:/dev/null'", "c.yaml:2:12: dsn: /dev/null is not a file\n"},
};

static void names_every_mistake(void **state)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        const char *text = check(mistakes[i].yaml, NULL);

        assert_string_equal(text, mistakes[i].text);
        assert_null(strstr(text, "canary"));
    }
}

static void never_shows_what_was_replaced(void **state)
{
    static const char *const variables[] = {"V", "canary", NULL};
    static const char *const names[] = {"count", "share", "flag", "slow", "size",
                                        "mode",  "page",  "hook", "pin"};
    char yaml[64];

    help_variables = variables;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *text;

        snprintf(yaml, sizeof yaml, "dsn: x, %s: '${V}'", names[i]);
        text = check(yaml, NULL);
        assert_non_null(strstr(text, " must be "));
        assert_null(strstr(text, "canary"));
    }
}

static void bounds_sizes(void **state)
{
    static char yaml[131072];

    strcpy(yaml, "dsn: x, names: [");
    for (int i = 0; i <= LIMIT_SETTING_ITEMS; i++) {
        strcat(yaml, "a,");
    }
    strcat(yaml, "]");
    assert_string_equal(check(yaml, NULL),
                        "c.yaml:2:22: 'names' has 1025 entries, more than 1024\n");
    strcpy(yaml, "dsn: ");
    memset(yaml + 5, 'x', 59990);
    assert_non_null(strstr(check(yaml, NULL),
                           "c.yaml:2:3: the settings of 'a' are too large: 60000 bytes at most"));
}

static void reads_secrets_from_files(void **state)
{
    struct settings *settings;
    char yaml[256], want[256], big[LIMIT_SECRET_BYTES + 8];

    static const struct {
        const char *content, *value;
    } good[] = {
        {"canary\n", "canary"}, {"canary", "canary"}, {"a\nb\n\n", "a\nb\n"}, {"crlf\r\n", "crlf"}};

    snprintf(yaml, sizeof yaml, "dsn: 'file:%s/secret'", help_directory);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        help_write("secret", good[i].content, strlen(good[i].content));
        assert_int_equal(chmod("secret", 0600), 0);
        assert_string_equal(check(yaml, &settings), "");
        assert_string_equal(settings_config_string(settings_as_config(settings), "dsn"),
                            good[i].value);
        settings_destroy(settings);
    }
    assert_int_equal(chmod("secret", 0644), 0);
    snprintf(
        want, sizeof want,
        "c.yaml:2:12: warning: dsn: everybody on this machine may read %s/secret; chmod o-r it\n",
        help_directory);
    assert_string_equal(check(yaml, NULL), want);
    help_write("secret", "\n", 1);
    snprintf(want, sizeof want, "c.yaml:2:12: dsn: the file %s/secret is empty\n", help_directory);
    assert_string_equal(check(yaml, NULL), want);
    help_write("secret", "canary\0x", 8);
    snprintf(want, sizeof want,
             "c.yaml:2:12: dsn: the file %s/secret does not hold text in UTF-8\n", help_directory);
    assert_string_equal(check(yaml, NULL), want);
    memset(big, 'x', sizeof big);
    help_write("secret", big, sizeof big);
    snprintf(want, sizeof want, "c.yaml:2:12: dsn: the file %s/secret has more than 65536 bytes\n",
             help_directory);
    assert_string_equal(check(yaml, NULL), want);
}

static void reads_files_for_operators_only(void **state)
{
    static const char *const variables[] = {"URL", "file:/etc/hostname", "DIR", help_directory,
                                            NULL};
    struct settings *settings;

    help_variables = variables;
    assert_string_equal(check("dsn: '${URL}', text: 'file:/etc/hostname'", &settings), "");
    assert_string_equal(settings_config_string(settings_as_config(settings), "dsn"),
                        "file:/etc/hostname");
    assert_string_equal(settings_config_string(settings_as_config(settings), "text"),
                        "file:/etc/hostname"); // no secret
    settings_destroy(settings);
    assert_string_equal(check("dsn: x", &settings), ""); // nor may a plugin's default
    assert_string_equal(settings_config_string(settings_as_config(settings), "token"),
                        "file:/etc/hostname");
    settings_destroy(settings);
    help_write("secret", "s", 1);
    assert_int_equal(chmod("secret", 0600), 0);
    assert_string_equal(check("dsn: 'file:${DIR}/secret'", &settings), "");
    assert_string_equal(settings_config_string(settings_as_config(settings), "dsn"), "s");
    settings_destroy(settings);
}

static void checks_disabled_instances_too(void **state)
{
    struct settings *settings = (struct settings *)&every_component;

    assert_string_equal(
        check("enabled_if: NOPE, dsn: '${NOPE}', count: '${NOPE}', names: ['${NOPE}']", &settings),
        "");
    assert_null(settings);
    assert_string_equal(check("enabled_if: NOPE, dsn: 'file:/nowhere'", NULL), ""); // not read
    assert_string_equal(check("enabled_if: NOPE, dsn: '${NOPE}', txt: a, count: b", NULL),
                        "c.yaml:2:41: there is no setting 'txt'; did you mean 'text'?\n"
                        "c.yaml:2:56: 'count' must be a whole number such as 5, not 'b'\n");
}

static void shows_settings_without_secrets(void **state)
{
    struct settings *settings;
    struct buf buf;

    buf_init(&buf, 4096);
    assert_string_equal(check("dsn: canary, hook: 'http://canary/', keys: [canary], passwords: {a: "
                              "canary}, pin: 1, slow: 1500ms, "
                              "page: 'https://u:canary@h/x', tables: [{metric: m, inner: [{word: "
                              "w, hidden: canary}]}], "
                              "headers: {a: b, c: d}",
                              &settings),
                        "");
    config_settings_show(settings, &buf);
    assert_null(strstr(buf_str(&buf), "canary"));
    assert_string_equal(
        buf_str(&buf),
        "dsn: <secret>\ntext: a text\ncount: 5\nshare: 0.5\nflag: true\nslow: 1s500ms\n"
        "mode: strict\nhook: <secret>\npage: https://<secret>@h/x\nnames: a, b\nkeys: <secret>\n"
        "headers: a=b, c=d\npasswords: <secret>\ntables: \n  -\n    metric: m\n    size: 16777216\n"
        "    inner: \n      -\n        word: w\n        hidden: <secret>\npin: <secret>\ntoken: "
        "<secret>\n");
    buf_finish(&buf);
    settings_destroy(settings);
}

static void takes_pairs(void **state)
{
    static const struct tmon_pair good[] = {
        {"dsn", "x"},          {"count", "6"},        {"names", "p,q"},
        {"headers", "a=b,c="}, {"text", "${HOME}=1"},
    };
    static const struct tmon_pair bad[] = {{"cuont", "6"}};
    struct config_errors errors;
    struct settings *settings = NULL;

    config_errors_init(&errors);
    assert_int_equal(
        config_settings_from_pairs("-s", good, 5, &every_component, &errors, &settings), 0);
    assert_int_equal(settings_config_int(settings_as_config(settings), "count"), 6);
    assert_string_equal(settings_config_item(settings_as_config(settings), "names", 1), "q");
    assert_string_equal(settings_config_pair(settings_as_config(settings), "headers", 0).value,
                        "b");
    assert_string_equal(settings_config_pair(settings_as_config(settings), "headers", 1).value, "");
    assert_string_equal(settings_config_string(settings_as_config(settings), "text"), "${HOME}=1");
    settings_destroy(settings);
    assert_int_equal(config_settings_from_pairs("-s", bad, 1, &every_component, &errors, &settings),
                     -EINVAL);
    assert_string_equal(help_text(&errors),
                        "-s: there is no setting 'cuont'; did you mean 'count'?\n"
                        "-s: the setting 'dsn' is missing: Where it is.\n");
    config_errors_finish(&errors);
}

static void names_unknown_components(void **state)
{
    static const char *const known[] = {"postgres", "redis"};
    struct config *config = help_good("plugins:\n  a: {use: postgre}\n  kafka:\n");
    struct config_errors errors;

    config_errors_init(&errors);
    config_unknown_component(&config->instances[0], known, 2, &errors);
    config_unknown_component(&config->instances[1], known, 2, &errors);
    assert_string_equal(
        help_text(&errors),
        "c.yaml:2:12: no plugin offers a component 'postgre'; did you mean 'postgres'?\n"
        "c.yaml:3:3: no plugin offers a component 'kafka'; 'toiletmon plugin list' shows what "
        "there is, "
        "'plugin_dirs' says where to look\n");
    config_errors_finish(&errors);
    config_destroy(config);
}

static void suggests_near_words_only(void **state)
{
    static const char *const words[] = {"interval", "timeout", "url", "webhook_url", "dsn"};
    static const struct {
        const char *word, *found;
    } cases[] = {
        {"intervall", "interval"},
        {"itnerval", "interval"},
        {"Timeout", "timeout"},
        {"time", "timeout"},
        {"ulr", "url"},
        {"webhook", "webhook_url"},
        {"x", NULL},
        {"abc", NULL},
        {"", NULL},
        {"dn", "dsn"},
        {"completely_else", NULL},
    };
    char huge[4096];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *found = suggest(cases[i].word, words, 5);

        assert_string_equal(found ? found : "-", cases[i].found ? cases[i].found : "-");
    }
    memset(huge, 'i', sizeof huge);
    huge[sizeof huge - 1] = '\0';
    assert_null(suggest(huge, words, 5));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, help_setup, help_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gives_defaults),
        TEST(reads_every_type),
        TEST(names_every_mistake),
        TEST(never_shows_what_was_replaced),
        TEST(bounds_sizes),
        TEST(reads_secrets_from_files),
        TEST(reads_files_for_operators_only),
        TEST(checks_disabled_instances_too),
        TEST(shows_settings_without_secrets),
        TEST(takes_pairs),
        TEST(names_unknown_components),
        TEST(suggests_near_words_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
