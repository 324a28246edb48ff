/* Whole configurations: what they mean, and every class of mistake with its position. */
#include <errno.h>

#include "base/limits.h"
#include "config_help.h"

static void has_defaults(void **state)
{
    struct config *config = help_good("plugins:\n  memory:\n");
    const struct config_agent *agent = &config->agent;
    const struct config_instance *instance = &config->instances[0];

    assert_int_equal(agent->nlisten, 1);
    assert_string_equal(agent->listen[0].host, "127.0.0.1");
    assert_int_equal(agent->listen[0].port, 9909);
    assert_string_equal(agent->state_dir, "/var/lib/toiletmon");
    assert_int_equal(agent->log_level, LOG_LEVEL_INFO);
    assert_int_equal(agent->log_format, LOG_FORMAT_LOGFMT);
    assert_null(agent->write_token);
    assert_null(agent->tls_certificate);
    assert_null(agent->external_url);
    assert_int_equal(agent->series_stale_ms, 300000);
    assert_int_equal(config->ninstances, 1);
    assert_string_equal(instance->name, "memory");
    assert_string_equal(instance->component, "memory");
    assert_int_equal(instance->interval_ms, 15000);
    assert_int_equal(instance->timeout_ms, 10000);
    assert_true(instance->enabled);
    assert_null(instance->disabled_reason);
    assert_int_equal(instance->affects, CONFIG_AFFECTS_FAIL);
    assert_int_equal(instance->fail_after, 1);
    assert_int_equal(instance->scope, CONFIG_SCOPE_NODE);
    assert_true(instance->alerts);
    assert_int_equal(instance->at.line, 2);
    assert_int_equal(instance->at.column, 3);
    assert_ptr_equal(config_find(config, "memory"), instance);
    assert_null(config_find(config, "other"));
    config_destroy(config);
}

static void looks_for_flapping(void **state)
{
    struct config *config = help_good("plugins: {}");

    assert_int_equal(config->flapping_changes, 0); /* nobody asked for it */
    config_destroy(config);
    config = help_good("plugins: {}\nflapping:\n");
    assert_int_equal(config->flapping_changes, 6);
    assert_int_equal(config->flapping_window_ms, 600000);
    config_destroy(config);
    config = help_good("plugins: {}\nflapping: {changes: 3, window: 1m}");
    assert_int_equal(config->flapping_changes, 3);
    assert_int_equal(config->flapping_window_ms, 60000);
    config_destroy(config);
    help_write("conf.d/a.yaml", "flapping: {}", 12);
    assert_string_equal(help_load("plugins: {}\nflapping: {}"),
                        "conf.d/a.yaml:1:11: 'flapping' stands in two files; take one out\n");
}

static void reads_everything(void **state)
{
    static const char *const variables[] = {"LEVEL", "debug", "TOKEN", "0123456789abcdef", NULL};
    struct config *config;
    const struct config_agent *agent;
    const struct config_instance *instance;

    help_variables = variables;
    config = help_good("agent:\n"
                       "  listen: ['[::1]:0', 'unix:/run/t.sock', 'localhost:80']\n"
                       "  state_dir: /s\n"
                       "  log: {level: '${LEVEL}', format: json}\n"
                       "  tls: {certificate: /c.pem, key: /k.pem}\n"
                       "  tokens: {write: '${TOKEN}'}\n"
                       "  hosts: [a.example, b.example]\n"
                       "  plugin_dirs: /opt/plugins\n"
                       "  ready: [db]\n"
                       "  external_url: https://m.example/\n"
                       "  limits: {series: 1000, series_per_instance: 500, series_stale: 1m}\n"
                       "plugins:\n"
                       "  db:\n"
                       "    use: postgres\n"
                       "    interval: 5s\n"
                       "    limits: {memory: 64MiB, descriptors: 32, cpu: 50}\n"
                       "    affects: degrade\n"
                       "    fail_after: 2\n"
                       "    pass_after: 3\n"
                       "    scope: cluster\n"
                       "    labels: {z: '1', a: '2'}\n"
                       "    alerts: false\n"
                       "    workers: 4\n"
                       "    concurrency: 8\n"
                       "    dsn: whatever\n");
    agent = &config->agent;
    assert_string_equal(agent->listen[0].host, "::1");
    assert_int_equal(agent->listen[0].port, 0);
    assert_string_equal(agent->listen[0].text, "[::1]:0");
    assert_string_equal(agent->listen[1].path, "/run/t.sock");
    assert_null(agent->listen[1].host);
    assert_string_equal(agent->listen[2].host, "localhost");
    assert_int_equal(agent->log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(agent->log_format, LOG_FORMAT_JSON);
    assert_string_equal(agent->tls_key, "/k.pem");
    assert_string_equal(agent->write_token, "0123456789abcdef");
    assert_int_equal(agent->nhosts, 2);
    assert_string_equal(agent->plugin_dirs[0], "/opt/plugins");
    assert_string_equal(agent->ready[0], "db");
    assert_string_equal(agent->external_url, "https://m.example/");
    assert_int_equal(agent->series_total, 1000);
    assert_int_equal(agent->series_per_instance, 500);
    assert_int_equal(agent->series_stale_ms, 60000);
    instance = config_find(config, "db");
    assert_string_equal(instance->component, "postgres");
    assert_int_equal(instance->timeout_ms, 5000); // not longer than the interval
    assert_int_equal(instance->memory_bytes, 64 << 20);
    assert_int_equal(instance->descriptors, 32);
    assert_int_equal(instance->cpu_percent, 50);
    assert_int_equal(instance->affects, CONFIG_AFFECTS_DEGRADE);
    assert_int_equal(instance->fail_after, 2);
    assert_int_equal(instance->pass_after, 3);
    assert_int_equal(instance->scope, CONFIG_SCOPE_CLUSTER);
    assert_string_equal(instance->labels[0].key, "a");
    assert_string_equal(instance->labels[1].value, "1");
    assert_false(instance->alerts);
    assert_int_equal(instance->workers, 4);
    assert_int_equal(instance->concurrency, 8);
    config_destroy(config);
}

/* A mutated configuration and what must be said of it. */
static const struct {
    const char *yaml;
    const char *text;
} mistakes[] = {
    {"", "c.yaml: the file is empty; an agent that watches nothing has at least a line 'plugins: "
         "{}'\n"},
    {"[]",
     "c.yaml:1:1: a configuration is a mapping with 'agent', 'plugins' and 'routes', not a list\n"},
    {"just text",
     "c.yaml:1:1: a configuration is a mapping with 'agent', 'plugins' and 'routes', not text\n"},
    {"plugin: {}", "c.yaml:1:1: there is no section 'plugin'; did you mean 'plugins'?\n"},
    {"zzz: {}", "c.yaml:1:1: there is no section 'zzz'; there are 'agent', 'plugins', 'routes', "
                "'inhibit_rules', 'groups', 'rule_files', 'flapping' and 'heartbeat'\n"},
    {"flapping: [1]", "c.yaml:1:11: 'flapping' must be a mapping, such as {changes: 6, window: "
                      "10m}, not a list\n"},
    {"flapping: {changes: 1}", "c.yaml:1:21: 'changes' must be from 2 to 32, not '1'\n"},
    {"flapping: {window: 5}", "c.yaml:1:20: 'window' must be a duration with its unit, such as "
                              "500ms, 30s, 5m, 2h or 1d, not '5'\n"},
    {"flapping: {windw: 5m}", "c.yaml:1:12: there is no setting 'windw'; did you mean 'window'?\n"},
    {"agent: [1]", "c.yaml:1:8: 'agent' must be a mapping, not a list\n"},
    {"plugins: x", "c.yaml:1:10: 'plugins' must be a mapping, not text\n"},
    /* the agent's section */
    {"agent: {lisen: '1:1'}", "c.yaml:1:9: there is no setting 'lisen'; did you mean 'listen'?\n"},
    {"agent: {log: {levl: info}}",
     "c.yaml:1:15: there is no setting 'levl'; did you mean 'level'?\n"},
    {"agent: {log: {level: infos}}",
     "c.yaml:1:22: 'level' must be one of debug|info|warning|warn|error, not 'infos'; did you mean "
     "'info'?\n"},
    {"agent: {log: debug}", "c.yaml:1:14: 'log' must be a mapping, not text\n"},
    {"agent: {listen: []}", "c.yaml:1:17: 'listen' needs from 1 to 16 addresses\n"},
    {"agent: {listen: {a: b}}",
     "c.yaml:1:17: 'listen' must be a list, such as [a, b], not a mapping\n"},
    {"agent: {listen: 9909}", "c.yaml:1:17: 'listen' must be HOST:PORT (127.0.0.1:9909, "
                              "[::1]:9909, 0.0.0.0:9909 for all) or unix:PATH\n"},
    {"agent: {listen: ['a:1', '::1:80']}",
     "c.yaml:1:25: 'listen' must have an IPv6 address in brackets, such as [::1]:9909\n"},
    {"agent: {listen: ['a:70000']}", "c.yaml:1:18: 'listen' must be HOST:PORT (127.0.0.1:9909, "
                                     "[::1]:9909, 0.0.0.0:9909 for all) or unix:PATH\n"},
    {"agent: {listen: ['a:1', 'a:1']}", "c.yaml:1:25: 'listen' names the same address twice\n"},
    {"agent: {listen: 'unix:sock'}", "c.yaml:1:17: 'listen' needs an absolute path of at most 107 "
                                     "bytes, such as unix:/run/toiletmon/api.sock\n"},
    {"agent: {state_dir: state}",
     "c.yaml:1:20: 'state_dir' must be an absolute path, one that starts with /\n"},
    {"agent: {plugin_dirs: [/a, b]}",
     "c.yaml:1:27: 'plugin_dirs' must be an absolute path, one that starts with /\n"},
    {"agent: {tls: {key: /k}}", "c.yaml:1:14: 'tls' needs both 'certificate' and 'key'\n"},
    {"agent: {tokens: {write: 'a b'}}",
     "c.yaml:1:25: 'write' must be printable ASCII without blanks, as it travels in a header\n"},
    {"agent: {tokens: {write: short}}", "c.yaml:1:25: warning: 'write' is shorter than 16 "
                                        "characters; make one with: openssl rand -hex 24\n"},
    {"agent: {hosts: ['http://x']}", "c.yaml:1:17: 'hosts' takes names without scheme, port and "
                                     "path, such as monitor.example.com\n"},
    {"agent: {external_url: example.com}",
     "c.yaml:1:23: 'external_url' must be a URL that starts with http:// or https://\n"},
    {"agent: {limits: {series: many}}",
     "c.yaml:1:26: 'series' must be a whole number such as 5, not 'many'\n"},
    {"agent: {limits: {series_stale: 1ms}}",
     "c.yaml:1:32: 'series_stale' must be from 1s to 1w, not '1ms'\n"},
    {"agent: {ready: [databse]}\nplugins: {database: {}}",
     "c.yaml:1:17: 'ready' names the instance 'databse', which is not there; did you mean "
     "'database'?\n"},
    {"agent: {state_dir: }",
     "c.yaml:1:20: 'state_dir' has no value; write one, or remove the line\n"},
    /* instances */
    {"plugins: {a b: {}}", "c.yaml:1:11: 'a b' cannot name an instance: letters, digits, '_', '-' "
                           "and '.', at most 128\n"},
    {"plugins: {db: postgres}",
     "c.yaml:1:15: 'db' must be a mapping, such as {use: memory, interval: 60s}, not text\n"},
    {"plugins: {a: {use: []}}", "c.yaml:1:20: 'use' takes text here, not a list\n"},
    {"plugins: {a: {use: ''}}", "c.yaml:1:20: 'use' must be the name of a component\n"},
    {"plugins: {a: {use: '${BAD}'}}",
     "c.yaml:1:20: 'use' takes no variables; write the component's name\n"},
    {"plugins: {a: {interval: 15}}", "c.yaml:1:25: 'interval' must be a duration with its unit, "
                                     "such as 500ms, 30s, 5m, 2h or 1d, not '15'\n"},
    {"plugins: {a: {interval: 50ms}}",
     "c.yaml:1:25: 'interval' must be from 100ms to 1w, not '50ms'\n"},
    {"plugins: {state: {use: a}}", "c.yaml:1:11: 'state' cannot name an instance: a check of the "
                                   "agent's own has this name\n"},
    {"plugins: {routes: {use: a}}", "c.yaml:1:11: 'routes' cannot name an instance: a check of the "
                                    "agent's own has this name\n"},
    {"plugins: {a: {failover: slak}, slack: {}}",
     "c.yaml:1:25: 'failover' names the instance 'slak', which is not there; did you mean "
     "'slack'?\n"},
    {"plugins: {a: {failover: b}, b: {failover: c}, c: {failover: a}}",
     "c.yaml:1:25: 'failover' leads back to 'a' itself\n"
     "c.yaml:1:43: 'failover' leads back to 'b' itself\n"
     "c.yaml:1:61: 'failover' leads back to 'c' itself\n"},
    {"plugins: {a: {failover: b}, b: {failover: b}}",
     "c.yaml:1:43: 'failover' leads back to 'b' itself\n"},
    {"plugins: {a: {failover: log}}", ""},
    {"plugins: {a: {budget: 5}}", "c.yaml:1:23: 'budget' must be a mapping, not text\n"},
    {"plugins: {a: {budget: {per: 1m}}}", "c.yaml:1:23: 'budget' needs 'notifications', such as "
                                          "{notifications: 20, per: 1m}\n"},
    {"plugins: {a: {budget: {notifications: 5, notification: 1}}}",
     "c.yaml:1:42: there is no setting 'notification'; did you mean 'notifications'?\n"},
    {"plugins: {a: {give_up_after: 1ms}}",
     "c.yaml:1:30: 'give_up_after' must be from 1s to 365d, not '1ms'\n"},
    {"plugins: {a: {interval: 5s, timeout: 6s}}",
     "c.yaml:1:38: 'timeout' must not be longer than 'interval', which is 5s\n"},
    {"plugins: {a: {enabled: maybe}}",
     "c.yaml:1:24: 'enabled' must be true or false, not 'maybe'\n"},
    {"plugins: {a: {enabled_if: '${X}'}}", "c.yaml:1:27: 'enabled_if' takes names of variables, "
                                           "such as DATABASE_URL, without $ and braces\n"},
    {"plugins: {a: {enabled_if: {a: b}}}",
     "c.yaml:1:27: 'enabled_if' must be a list, such as [a, b], not a mapping\n"},
    {"plugins: {a: {affects: fails}}", "c.yaml:1:24: 'affects' must be one of "
                                       "fail|degrade|nothing, not 'fails'; did you mean 'fail'?\n"},
    {"plugins: {a: {fail_after: 0}}",
     "c.yaml:1:27: 'fail_after' must be from 1 to 1000, not '0'\n"},
    {"plugins: {a: {limits: {mem: 1MiB}}}",
     "c.yaml:1:24: there is no setting 'mem'; did you mean 'memory'?\n"},
    {"plugins: {a: {limits: {memory: 1MiB}}}",
     "c.yaml:1:32: 'memory' must be from 16MiB to 1TiB, not '1MiB'\n"},
    {"plugins: {a: {limits: {memory: 1G}}}", "c.yaml:1:32: 'memory' must be a size such as 64KiB "
                                             "(1024s), 10MB (1000s) or 4096, not '1G'\n"},
    {"plugins: {a: {labels: [x]}}",
     "c.yaml:1:23: 'labels' must be a mapping, such as {key: value}, not a list\n"},
    {"plugins: {a: {labels: {x: }}}",
     "c.yaml:1:27: 'x' in 'labels' has no value; write \"\" for an empty one\n"},
    {"plugins: {a: {labels: {x: ''}}}",
     "c.yaml:1:27: the label 'x' must have from 1 to 2048 bytes\n"},
    {"plugins: {a: {labels: {__x: y}}}",
     "c.yaml:1:24: '__x' cannot be a label: letters, digits and _, not starting with a digit or "
     "__, not le or quantile\n"},
    {"plugins: {a: {labels: {le: y}}}", "c.yaml:1:24: 'le' cannot be a label: letters, digits and "
                                        "_, not starting with a digit or __, not le or quantile\n"},
    /* variables */
    {"plugins: {a: {dsn: '${NOPE}'}}",
     "c.yaml:1:20: the variable NOPE is not set; set it, write ${NOPE:-default}, or let the "
     "instance be off without it by 'enabled_if: [NOPE]'\n"},
    {"agent: {state_dir: '/${NOPE}'}",
     "c.yaml:1:20: the variable NOPE is not set; set it, or write ${NOPE:-default}\n"},
    {"plugins: {a: {dsn: '${NOPE'}}",
     "c.yaml:1:20: a ${ is not closed by }; write $$ for a dollar sign\n"},
    {"plugins: {a: {dsn: '${NOPE:?x}'}}",
     "c.yaml:1:20: only ${NAME} and ${NAME:-default} are known; write $$ for a dollar sign\n"},
    {"plugins: {a: {dsn: '${NOPE:-${B}}'}}",
     "c.yaml:1:20: the default of ${NOPE} may not hold another variable\n"},
    {"plugins: {a: {dsn: 'x$NOPE'}}",
     "c.yaml:1:20: $NOPE is not replaced; write ${NOPE}, or $$ for a dollar sign\n"},
    {"plugins: {a: {x: [{y: ['${NOPE}']}]}}",
     "c.yaml:1:24: the variable NOPE is not set; set it, write ${NOPE:-default}, or let the "
     "instance be off without it by 'enabled_if: [NOPE]'\n"},
    {"plugins: {a: {interval: '${BAD}'}}",
     "c.yaml:1:25: 'interval' must be a duration with its unit, such as 500ms, 30s, 5m, 2h or 1d, "
     "and '${BAD}' is not\n"},
    {"plugins: {a: {dsn: '${BINARY}'}}", "c.yaml:1:20: the variable BINARY does not hold UTF-8\n"},
    /* all at once, in order */
    {"agent: {lisen: x}\nplugins: {a: {interval: 1}, a: {}}",
     "c.yaml:2:29: the key 'a' is here twice, first in line 2; remove one\n"},
    {"agent: {lisen: x}\nplugins: {a: {interval: x}}\nfoo: 1\n",
     "c.yaml:3:1: there is no section 'foo'; there are 'agent', 'plugins', 'routes', "
     "'inhibit_rules', 'groups', 'rule_files', 'flapping' and 'heartbeat'\n"
     "c.yaml:1:9: there is no setting 'lisen'; did you mean 'listen'?\n"
     "c.yaml:2:25: 'interval' must be a duration with its unit, such as 500ms, 30s, 5m, 2h or 1d, "
     "not 'x'\n"},
};

static void names_every_mistake(void **state)
{
    static const char *const variables[] = {"BAD", "canary-secret", "BINARY", "\xff", NULL};

    help_variables = variables;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        assert_string_equal(help_load(mistakes[i].yaml), mistakes[i].text);
    }
}

static void says_at_most_fifty(void **state)
{
    char yaml[4096] = "plugins:\n";
    struct config_errors errors;
    struct config *config = NULL;

    for (int i = 0; i < 60; i++) {
        sprintf(yaml + strlen(yaml), "  a%d: {interval: x}\n", i);
    }
    help_write("c.yaml", yaml, strlen(yaml));
    config_errors_init(&errors);
    assert_int_equal(config_load("c.yaml", &help_env, &errors, &config), -EINVAL);
    assert_null(config);
    assert_int_equal(errors.errors, 60);
    assert_int_equal(errors.count, LIMIT_CONFIG_ERRORS);
    assert_int_equal(errors.dropped, 10);
    config_errors_finish(&errors);
}

static void replaces_variables(void **state)
{
    static const char *const variables[] = {"A",    "x: {y: 1}\n", "EMPTY", "",
                                            "SELF", "${A}$A",      NULL};
    static const struct {
        const char *yaml, *value;
    } cases[] = {
        {"'${A}'", "x: {y: 1}\n"},
        {"'<${A}|${A}>'", "<x: {y: 1}\n|x: {y: 1}\n>"},
        {"'${NO:-d e:f}'", "d e:f"},
        {"'${EMPTY:-d}'", "d"},
        {"'${EMPTY}'", ""},
        {"'${NO:-}'", ""},
        {"'$${A} $$ ok$ 5$'", "${A} $ ok$ 5$"},
        {"'${SELF}'", "${A}$A"}, // never looked at again
        {"${NO:-7}", "7"},
    };
    char yaml[256];

    help_variables = variables;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config *config;

        snprintf(yaml, sizeof yaml, "plugins:\n  a:\n    dsn: %s\n    ${KEY}: 1\n",
                 cases[i].yaml); // keys stay
        config = help_good(yaml);
        assert_string_equal(node_get(config->instances[0].node, "dsn", NULL)->value,
                            cases[i].value);
        assert_non_null(node_get(config->instances[0].node, "${KEY}", NULL));
        config_destroy(config);
    }
}

static void disables_instances(void **state)
{
    static const char *const variables[] = {"SET", "1", "EMPTY", "", NULL};
    struct config *config;

    help_variables = variables;
    config = help_good("plugins:\n"
                       "  a: {enabled_if: NOPE, dsn: '${NOPE}', interval: '${NOPE}'}\n"
                       "  b: {enabled_if: [SET, EMPTY, NOPE], dsn: '${EMPTY}'}\n"
                       "  c: {enabled_if: [SET], dsn: '${SET}'}\n"
                       "  d: {enabled: false, dsn: '${NOPE}'}\n"
                       "  e: {enabled: '${NOPE:-true}'}\n"
                       "  f: {enabled: no, enabled_if: NOPE}\n");
    assert_false(config->instances[0].enabled);
    assert_string_equal(config->instances[0].disabled_reason, "NOPE is not set");
    assert_string_equal(config->instances[1].disabled_reason, "EMPTY is empty");
    assert_true(config->instances[2].enabled);
    assert_string_equal(config->instances[3].disabled_reason, "enabled is false");
    assert_true(config->instances[4].enabled);
    assert_string_equal(config->instances[5].disabled_reason, "enabled is false");
    config_destroy(config);
    assert_string_equal(help_load("plugins: {a: {enabled_if: NOPE, interval: 1, dsn: '${NOPE'}}"),
                        "c.yaml:1:51: a ${ is not closed by }; write $$ for a dollar sign\n"
                        "c.yaml:1:43: 'interval' must be a duration with its unit, such as 500ms, "
                        "30s, 5m, 2h or 1d, "
                        "not '1'\n");
}

static void joins_files(void **state)
{
    struct config *config;

    help_write("conf.d/b.yaml", "plugins: {two: {}}\n", 19);
    help_write("conf.d/a.yaml", "agent: {hosts: [x]}\nplugins: {one: {}}\n", 40 - 1);
    help_write("conf.d/empty.yaml", "# nothing\n", 10);
    help_write("conf.d/.hidden.yaml", "[", 1);
    help_write("conf.d/c.yaml~", "[", 1);
    config = help_good("agent: {state_dir: /s}\nplugins: {zero: {}}\n");
    assert_string_equal(config->agent.state_dir, "/s");
    assert_int_equal(config->agent.nhosts, 1);
    assert_string_equal(config->instances[0].name, "zero");
    assert_string_equal(config->instances[1].name, "one");
    assert_string_equal(config->instances[2].name, "two");
    assert_string_equal(config->instances[2].at.file, "conf.d/b.yaml");
    config_destroy(config);
    assert_string_equal(
        help_load("agent: {hosts: y}\nplugins: {two: {}}\n"),
        "conf.d/a.yaml:1:9: the agent's setting 'hosts' is already in c.yaml:1:9; remove one of "
        "them\n"
        "conf.d/b.yaml:1:11: the instance 'two' is already in c.yaml:2:11; remove one of them\n");
    help_write("conf.d/b.yaml", "plugins: [\n", 11);
    help_write("conf.d/d.yml", "", 0);
    assert_string_equal(help_load("agent: {host: y}\n"),
                        "conf.d/b.yaml:2:1: this is not YAML: did not find expected node content; "
                        "a { or [ above is not closed\n"
                        "conf.d/d.yml: warning: is not read; call it .yaml\n"
                        "c.yaml:1:9: there is no setting 'host'; did you mean 'hosts'?\n");
}

static void refuses_odd_files(void **state)
{
    struct config_errors errors;
    struct config *config = NULL;

    config_errors_init(&errors);
    assert_int_equal(config_load("missing.yaml", &help_env, &errors, &config), -EINVAL);
    assert_int_equal(config_load("conf.d", &help_env, &errors, &config), -EINVAL);
    assert_int_equal(mkfifo("fifo.yaml", 0600), 0);
    assert_int_equal(config_load("fifo.yaml", &help_env, &errors, &config), -EINVAL);
    assert_string_equal(help_text(&errors),
                        "missing.yaml: cannot be read: No such file or directory\n"
                        "conf.d: is not a file\n"
                        "fifo.yaml: is not a file\n");
    config_errors_finish(&errors);
    assert_int_equal(rmdir("conf.d"), 0);
    help_write("conf.d", "x", 1);
    assert_string_equal(help_load("plugins: {}"), "conf.d: cannot be read: Not a directory\n");
}

static void compares_instances(void **state)
{
    static const char *const changes[] = {
        "use: n",
        "interval: 16s",
        "timeout: 9s",
        "enabled: false",
        "enabled_if: NOPE",
        "limits: {memory: 64MiB}",
        "limits: {descriptors: 65}",
        "limits: {cpu: 1}",
        "affects: nothing",
        "fail_after: 2",
        "pass_after: 2",
        "scope: cluster",
        "labels: {a: c}",
        "labels: {b: b}",
        "labels: {a: b, c: d}",
        "workers: 2",
    };
    static const char *const same[] = {
        "alerts: false",     "concurrency: 2", "failover: b", "budget: {notifications: 2}",
        "give_up_after: 1h",
    };
    struct config *one = help_good("plugins: {a: {use: m, labels: {a: b}}}");
    struct config *other =
        help_good("plugins: {a: {labels: {a: b}, interval: 15s, use: m, more: 1}}");

    assert_true(config_instance_equal(&one->instances[0], &other->instances[0]));
    config_destroy(other);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char yaml[256];

        snprintf(yaml, sizeof yaml, "plugins: {a: {%s%s%s}}", changes[i],
                 strncmp(changes[i], "use", 3) ? ", use: m" : "",
                 strncmp(changes[i], "labels", 6) ? ", labels: {a: b}" : "");
        other = help_good(yaml);
        assert_false(config_instance_equal(&one->instances[0], &other->instances[0]));
        config_destroy(other);
    }
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) { // what no worker is made by
        char yaml[256];

        snprintf(yaml, sizeof yaml, "plugins: {a: {%s, use: m, labels: {a: b}}, b: {}}", same[i]);
        other = help_good(yaml);
        assert_true(config_instance_equal(&one->instances[0], &other->instances[0]));
        config_destroy(other);
    }
    config_destroy(one);
}

static void takes_the_reserved_names(void **state)
{
    char yaml[64];

    for (const char *const *name = manifest_reserved_names(); *name;
         name++) { // no plugin may have it: the core must
        snprintf(yaml, sizeof yaml, "plugins: {a: {%s: {a: {}}}}", *name);
        assert_string_not_equal(help_load(yaml), "");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, help_setup, help_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(has_defaults),
        TEST(looks_for_flapping),
        TEST(reads_everything),
        TEST(names_every_mistake),
        TEST(says_at_most_fifty),
        TEST(replaces_variables),
        TEST(disables_instances),
        TEST(joins_files),
        TEST(refuses_odd_files),
        TEST(compares_instances),
        TEST(takes_the_reserved_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
