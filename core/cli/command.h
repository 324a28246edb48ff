/*
 * command.h: what a command is, and what it gets to work with.
 *
 * A command is a table: its options, its help and a function.  Parsing, --help, "did you mean" and
 * usage errors are the same for all of them (command.c).
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/cli.h"

#define CLI_OPTIONS 16 /* of one command */
#define CLI_VALUES 64  /* options and arguments on one command line */

struct cli_option {
    const char *name;     /* without --; NULL ends the table */
    char letter;          /* 0: none */
    const char *argument; /* what the help calls its value; NULL: a flag */
    const char *help;
    bool repeats;
};

struct cli;

struct cli_command {
    const char *name;      /* NULL ends a table */
    const char *arguments; /* for the usage line, e.g. "[NAME]" */
    const char *summary;
    const char *details; /* further lines of the help; NULL: none */
    size_t least, most;  /* arguments */
    const struct cli_option *options;
    const struct cli_command *commands; /* subcommands; NULL: none */
    int (*run)(struct cli *cli);        /* NULL: one of the subcommands must follow */
};

struct cli {
    const struct cli_hooks *hooks;
    const struct cli_command *command;
    char path[64]; /* "plugin list" */
    size_t narguments;
    const char *arguments[CLI_VALUES];
    size_t nvalues;
    struct {
        const struct cli_option *option;
        const char *value;
    } values[CLI_VALUES];
};

/* The options of every command that speaks to an agent, for its table. */
#define CLI_CLIENT_OPTIONS                                                                         \
    {"url", 'u', "URL",                                                                            \
     "the agent: http://HOST:PORT, https://HOST:PORT or unix:/PATH (TOILETMON_URL)", false},       \
        {"timeout", 0, "DURATION", "how long to wait for it (default: 10s)", false},               \
    {                                                                                              \
        "ca-file", 0, "FILE", "PEM certificates to trust besides the system's", false              \
    }
#define CLI_JSON_OPTION                                                                            \
    {                                                                                              \
        "json", 0, NULL, "JSON, for scripts", false                                                \
    }

bool cli_flag(const struct cli *cli, const char *name);
/* The last value of an option; NULL when it is not given. */
const char *cli_value(const struct cli *cli, const char *name);
/* The i-th value of an option that repeats; NULL behind the last. */
const char *cli_value_at(const struct cli *cli, const char *name, size_t i);
/* A complaint on stderr, with a hint at --help.  Returns CLI_USAGE. */
int cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A complaint on stderr.  Returns CLI_FAILED. */
int cli_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));

extern const struct cli_command cli_commands[];
extern const struct cli_command cli_alerts_commands[];
extern const struct cli_command cli_mail_commands[];
extern const struct cli_command cli_outbox_commands[];
extern const struct cli_command cli_plugin_commands[];
/* The subcommands of `rules`. */
extern const struct cli_command cli_rules_commands[];
extern const struct cli_command cli_silence_commands[];
extern const struct cli_command cli_sinks_commands[];

/* What `run` of the commands is, one file each. */
int cli_status(struct cli *cli);
int cli_checks(struct cli *cli);
int cli_metrics(struct cli *cli);
int cli_reload(struct cli *cli);
int cli_alerts(struct cli *cli);
int cli_ack(struct cli *cli);
int cli_unack(struct cli *cli);
extern const struct cli_option cli_ack_options[];
extern const struct cli_option cli_unack_options[];
extern const struct cli_option cli_alerts_options[];
int cli_plugin_list(struct cli *cli);
int cli_plugin_retry(struct cli *cli);
int cli_plugin_describe(struct cli *cli);
int cli_plugin_new(struct cli *cli);
int cli_plugin_test(struct cli *cli);
int cli_rules_list(struct cli *cli);
int cli_rules_eval(struct cli *cli);
int cli_rules_test(struct cli *cli);
int cli_alerts_explain(struct cli *cli);
/* On stdout a line for each sink that is not well or has dead letters; nothing where an agent does
 * not say. */
void cli_sinks_trouble(const struct cli *cli);

#endif
