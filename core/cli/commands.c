/*
 * commands.c: the table of all commands: the one place that says what the command line can do.
 */
#include <string.h>

#include "cli/command.h"
#include "plugin_api.h"
#include "tmon_build.h"

static const struct cli_option config_options[] = {
    {"config", 'c', "FILE", "the configuration (default: " TMON_SYSCONFDIR "/toiletmon.yaml)",
     false},
    {"state-dir", 0, "DIRECTORY", "instead of the configuration's state_dir", false},
    {0},
};
static const struct cli_option check_options[] = {
    {"config", 'c', "FILE", "the configuration (default: " TMON_SYSCONFDIR "/toiletmon.yaml)",
     false},
    {"state-dir", 0, "DIRECTORY", "instead of the configuration's state_dir", false},
    {"strict", 0, NULL, "warnings count as errors", false},
    CLI_JSON_OPTION,
    {0},
};
static const struct cli_option status_options[] = {
    CLI_CLIENT_OPTIONS,
    {"quiet", 'q', NULL, "print nothing: the exit code says it", false},
    CLI_JSON_OPTION,
    {0},
};
static const struct cli_option client_options[] = {CLI_CLIENT_OPTIONS, CLI_JSON_OPTION, {0}};
static const struct cli_option metrics_options[] = {
    CLI_CLIENT_OPTIONS,
    {"openmetrics", 0, NULL, "in OpenMetrics 1.0 instead of Prometheus text", false},
    {0},
};
static const struct cli_option version_options[] = {CLI_JSON_OPTION, {0}};

static const char *config_path(const struct cli *cli)
{
    const char *path = cli_value(cli, "config");

    return path ? path : TMON_SYSCONFDIR "/toiletmon.yaml";
}

static int run(struct cli *cli)
{
    return cli->hooks->run(config_path(cli), cli_value(cli, "state-dir"));
}

static int check(struct cli *cli)
{
    return cli->hooks->check(config_path(cli), cli_value(cli, "state-dir"), cli_flag(cli, "strict"),
                             cli_flag(cli, "json"));
}

static int version(struct cli *cli)
{
    if (cli_flag(cli, "json")) {
        printf("{\"version\": \"%s\", \"plugin_api\": \"%d.%d\"}\n", TMON_VERSION, TMON_API_MAJOR,
               TMON_API_MINOR);
    } else {
        printf("toiletmon %s, plugin API %d.%d\n", TMON_VERSION, TMON_API_MAJOR, TMON_API_MINOR);
    }
    return CLI_OK;
}

const struct cli_command cli_commands[] = {
    {"ack", "ALERT", "Say that somebody sees to an alert: it is not repeated any more",
     "ALERT is its fingerprint or its episode. Whoever was not told of it yet still is, and its "
     "end "
     "is told. It holds\n"
     "until the alert resolves.",
     1, 1, cli_ack_options, NULL, cli_ack},
    {"alerts", "", "List the alerts of an agent",
     "For a sink in brackets nothing is queued: its group waits, or it has rejected it.", 0, 0,
     cli_alerts_options, cli_alerts_commands, cli_alerts},
    {"run", "", "Start the agent and stay in the foreground",
     "Ends on SIGTERM and SIGINT; SIGHUP reloads the configuration. The log goes to standard "
     "error.",
     0, 0, config_options, NULL, run},
    {"check", "", "Say whether `run` would take a configuration, and all that is wrong with it",
     "Exits with 0 if it would, else with 1. Addresses and state_dir, which a running agent has, "
     "are not tried.",
     0, 0, check_options, NULL, check},
    {"status", "", "Show how an agent and what it watches are",
     "Exits with 0 if it is healthy or degraded, with 1 if it is unhealthy.", 0, 0, status_options,
     NULL, cli_status},
    {"checks", "[NAME]", "List the checks of an agent, or show one with its details",
     "Exits with 1 if a check (the one named) fails.", 0, 1, client_options, NULL, cli_checks},
    {"mail", "", "What e-mails look like.", NULL, 0, 0, NULL, cli_mail_commands, NULL},
    {"metrics", "[PREFIX...]",
     "Print the metrics of an agent, or those whose names begin with a prefix", NULL, 0, CLI_VALUES,
     metrics_options, NULL, cli_metrics},
    {"outbox", "", "What waits to be delivered, and what could not be.", NULL, 0, 0, NULL,
     cli_outbox_commands, NULL},
    {"plugin", "", "List, describe, make and test plugins.", NULL, 0, 0, NULL, cli_plugin_commands,
     NULL},
    {"reload", "", "Make an agent take over its changed configuration",
     "A configuration with a mistake changes nothing; the mistakes are printed. From off loopback "
     "the agent wants the\n"
     "token of its setting tokens.write in the variable TOILETMON_TOKEN.",
     0, 0, client_options, NULL, cli_reload},
    {"silence", "", "Leave people in peace for some time.", NULL, 0, 0, NULL, cli_silence_commands,
     NULL},
    {"sinks", "", "Where notifications go, and whether they arrive.", NULL, 0, 0, NULL,
     cli_sinks_commands, NULL},
    {"rules", "", "List, try and test rules.", NULL, 0, 0, NULL, cli_rules_commands, NULL},
    {"unack", "ALERT", "Take an acknowledgement back: the alert is repeated again", NULL, 1, 1,
     cli_unack_options, NULL, cli_unack},
    {"version", "", "Print the version", NULL, 0, 0, version_options, NULL, version},
    {0},
};
