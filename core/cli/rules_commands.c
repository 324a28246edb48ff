/*
 * rules_commands.c: the table of `toiletmon rules ...`.
 */
#include "cli/command.h"

static const struct cli_option client_options[] = {CLI_CLIENT_OPTIONS, CLI_JSON_OPTION, {0}};

const struct cli_command cli_rules_commands[] = {
    {"list", "", "List the rules of an agent: how they are, and what their history takes",
     "Exits with 1 if a rule fails.", 0, 0, client_options, NULL, cli_rules_list},
    {"eval", "EXPR", "Evaluate an expression in an agent, now",
     "Over the history that rules keep; of other series there is the value of now only.", 1, 1,
     client_options, NULL, cli_rules_eval},
    {"test", "FILE...", "Run unit tests of rules, in promtool's format",
     "Needs no agent. Prints what promtool would; exits with 1 if a test fails. A rule that says "
     "nothing about no_data\n"
     "resolves without data, as in Prometheus.",
     1, CLI_VALUES, NULL, NULL, cli_rules_test},
    {0},
};
