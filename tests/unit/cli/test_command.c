/* The command line: what runs, what is refused with which words, and the exit codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "tmon_build.h"

static char called[512], out[16384], err[4096];

static int run(const char *config, const char *state_dir)
{
    snprintf(called, sizeof called, "run %s %s", config, state_dir ? state_dir : "-");
    return 0;
}

static int check(const char *config, const char *state_dir, bool strict, bool json)
{
    snprintf(called, sizeof called, "check %s %s %d %d", config, state_dir ? state_dir : "-",
             strict, json);
    return 1;
}

/* Lets `file` stand in for a descriptor. */
static int divert(int fd, FILE *file)
{
    int saved = dup(fd);

    assert_true(saved >= 0 && dup2(fileno(file), fd) >= 0);
    return saved;
}

static void restore(int fd, int saved, FILE *file, char *text, size_t size)
{
    size_t len;

    assert_true(dup2(saved, fd) >= 0);
    close(saved);
    rewind(file);
    len = fread(text, 1, size - 1, file);
    text[len] = '\0';
    fclose(file);
}

/* "toiletmon LINE", split at blanks; what it printed is in `out` and `err`. */
static int command(const char *line)
{
    static const struct cli_hooks hooks = {run, check};
    char copy[512] = "toiletmon ", *argv[32], *save = NULL;
    FILE *files[2] = {tmpfile(), tmpfile()};
    int argc = 0, saved[2], r;

    strncat(copy, line, sizeof copy - 16);
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    called[0] = '\0';
    fflush(NULL);
    saved[0] = divert(1, files[0]);
    saved[1] = divert(2, files[1]);
    r = cli_main(argc, argv, &hooks);
    fflush(NULL);
    restore(1, saved[0], files[0], out, sizeof out);
    restore(2, saved[1], files[1], err, sizeof err);
    return r;
}

static void hands_over_to_the_agent(void **state)
{
    assert_int_equal(command("run"), 0);
    assert_string_equal(called, "run " TMON_SYSCONFDIR "/toiletmon.yaml -");
    assert_int_equal(command("run -c a.yaml --state-dir /s"), 0);
    assert_string_equal(called, "run a.yaml /s");
    assert_int_equal(command("run -ca.yaml"), 0);
    assert_string_equal(called, "run a.yaml -");
    assert_int_equal(command("check --config=a.yaml --strict"), 1); // the hook's own code
    assert_string_equal(called, "check a.yaml - 1 0");
    assert_int_equal(command("check --json -c a"), 1);
    assert_string_equal(called, "check a - 0 1");
}

static void refuses_with_a_hint(void **state)
{
    static const struct {
        const char *line, *err;
    } cases[] = {
        {"", "toiletmon: say what to do\nSee: toiletmon --help\n"},
        {"chekc",
         "toiletmon: there is no command 'chekc'; did you mean 'check'?\nSee: toiletmon --help\n"},
        {"xyzzy", "toiletmon: there is no command 'xyzzy'\nSee: toiletmon --help\n"},
        {"plugin lsit", "toiletmon: there is no command 'plugin lsit'; did you mean 'list'?\nSee: "
                        "toiletmon plugin --help\n"},
        {"plugin", "toiletmon: say what to do\nSee: toiletmon plugin --help\n"},
        {"-c x run", "toiletmon: the command comes before its options\nSee: toiletmon --help\n"},
        {"run --confg x", "toiletmon: run has no option '--confg'; did you mean '--config'?\nSee: "
                          "toiletmon run --help\n"},
        {"run -x", "toiletmon: run has no option '-x'\nSee: toiletmon run --help\n"},
        {"run -c", "toiletmon: the option '--config' needs a value: --config FILE\nSee: toiletmon "
                   "run --help\n"},
        {"run -c a -c b",
         "toiletmon: the option '--config' is given twice\nSee: toiletmon run --help\n"},
        {"check --strict=1",
         "toiletmon: the option '--strict' takes no value\nSee: toiletmon check --help\n"},
        {"run x", "toiletmon: run has no use for 'x'\nSee: toiletmon run --help\n"},
        {"run -- -c", "toiletmon: run has no use for '-c'\nSee: toiletmon run --help\n"},
        {"plugin new",
         "toiletmon: plugin new needs NAME [DIRECTORY]\nSee: toiletmon plugin new --help\n"},
        {"plugin new Bad",
         "toiletmon: the name must match [a-z][a-z0-9_]* and have at most 40 bytes\n"
         "See: toiletmon plugin new --help\n"},
        {"plugin test x.so -s novalue",
         "toiletmon: -s needs NAME=VALUE, not 'novalue'\nSee: toiletmon plugin test --help\n"},
        {"plugin test x.so --runs many",
         "toiletmon: --runs must be a whole number such as 5\nSee: toiletmon plugin test --help\n"},
        {"plugin test x.so --expect bad",
         "toiletmon: --expect takes pass, warn or fail\nSee: toiletmon plugin test --help\n"},
        {"alerts foo",
         "toiletmon: there is no command 'alerts foo'\nSee: toiletmon alerts --help\n"},
        {"alerts sned x", "toiletmon: there is no command 'alerts sned'; did you mean 'send'?\n"
                          "See: toiletmon alerts --help\n"},
        {"alerts --firing --resolved",
         "toiletmon: --firing and --resolved exclude each other; without them both are shown\n"
         "See: toiletmon alerts --help\n"},
        {"alerts send", "toiletmon: give a title, or --stdin\nSee: toiletmon alerts send --help\n"},
        {"alerts send x --stdin",
         "toiletmon: give a title, or --stdin\nSee: toiletmon alerts send --help\n"},
        {"alerts send x -l novalue",
         "toiletmon: --label wants NAME=VALUE, not 'novalue'\nSee: toiletmon alerts send --help\n"},
        {"alerts send x -d =v",
         "toiletmon: --metadata wants NAME=VALUE, not '=v'\nSee: toiletmon alerts send --help\n"},
        {"alerts send \xff",
         "toiletmon: the title is no text in UTF-8\nSee: toiletmon alerts send --help\n"},
        {"outbox", "toiletmon: say what to do\nSee: toiletmon outbox --help\n"},
        {"outbox show", "toiletmon: outbox show needs ID\nSee: toiletmon outbox show --help\n"},
        {"outbox show 1x",
         "toiletmon: '1x' is no number of a notification; 'toiletmon outbox list' shows them\n"
         "See: toiletmon outbox show --help\n"},
        {"outbox retry", "toiletmon: give numbers of notifications, or --all-dead\n"
                         "See: toiletmon outbox retry --help\n"},
        {"outbox retry 1 --all-dead", "toiletmon: give numbers of notifications, or --all-dead\n"
                                      "See: toiletmon outbox retry --help\n"},
        {"outbox retry 1 --sink x",
         "toiletmon: --sink goes with --all-dead\nSee: toiletmon outbox retry --help\n"},
        {"outbox drop", "toiletmon: outbox drop needs ID...\nSee: toiletmon outbox drop --help\n"},
        {"sinks test", "toiletmon: sinks test needs NAME\nSee: toiletmon sinks test --help\n"},
        {"status --url ftp://x", "toiletmon: the agent's URL must be a URL that starts with "
                                 "http:// or https://\nSee: toiletmon status --help\n"},
        {"status --url unix:x",
         "toiletmon: the socket's path must be absolute, as in unix:/run/toiletmon/api.sock\n"
         "See: toiletmon status --help\n"},
        {"status --timeout 5",
         "toiletmon: --timeout must be a duration with its unit, such as 500ms, 30s, 5m, 2h or 1d\n"
         "See: toiletmon status --help\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(command(cases[i].line), CLI_USAGE);
        assert_string_equal(err, cases[i].err);
        assert_string_equal(out, "");
        assert_string_equal(called, "");
    }
}

static void helps_everywhere(void **state)
{
    static const char *const commands[] = {
        "run",          "check",       "status",          "checks",      "metrics",
        "reload",       "plugin list", "plugin describe", "plugin new",  "plugin test",
        "version",      "alerts",      "alerts send",     "outbox list", "outbox show",
        "outbox retry", "outbox drop", "sinks list",      "sinks test",  "sinks resume"};
    char line[64], usage[64];

    assert_int_equal(command("--help"), 0);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        command("--help");
        assert_non_null(strstr(out, commands[i]));
        snprintf(line, sizeof line, "%s --help", commands[i]);
        snprintf(usage, sizeof usage, "Usage: toiletmon %s ", commands[i]);
        assert_int_equal(command(line), 0);
        assert_int_equal(strncmp(out, usage, strlen(usage)), 0);
        assert_non_null(strstr(out, "--help"));
        assert_string_equal(err, "");
        assert_string_equal(called, "");
    }
    assert_int_equal(command("plugin --help"), 0);
    assert_non_null(strstr(out, "describe"));
    assert_int_equal(command("alerts --help"), 0);
    assert_non_null(strstr(out, "\nCommands:\n  send "));
    assert_int_equal(command("run -c x -h"), 0); // help wins wherever it stands
    assert_string_equal(called, "");
}

static void says_its_version(void **state)
{
    assert_int_equal(command("version"), 0);
    assert_string_equal(out, "toiletmon " TMON_VERSION ", plugin API 0.3\n");
    assert_int_equal(command("--version"), 0);
    assert_int_equal(command("version --json"), 0);
    assert_string_equal(out, "{\"version\": \"" TMON_VERSION "\", \"plugin_api\": \"0.3\"}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_over_to_the_agent),
        cmocka_unit_test(refuses_with_a_hint),
        cmocka_unit_test(helps_everywhere),
        cmocka_unit_test(says_its_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
