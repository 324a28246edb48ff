/*
 * rules_commands.c: the table of `toiletmon rules ...`.
 */
#include "cli/command.h"

const struct cli_command cli_rules_commands[] = {
    {"test", "FILE...", "Run unit tests of rules, in promtool's format",
     "Needs no agent. Prints what promtool would; exits with 1 if a test fails. A rule that says "
     "nothing about no_data\n"
     "resolves without data, as in Prometheus.",
     1, CLI_VALUES, NULL, NULL, cli_rules_test},
    {0},
};
