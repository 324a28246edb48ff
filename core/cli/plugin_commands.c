/*
 * plugin_commands.c: the table of `toiletmon plugin ...`.
 */
#include "cli/command.h"

static const struct cli_option list_options[] = {CLI_CLIENT_OPTIONS, CLI_JSON_OPTION, {0}};
static const struct cli_option describe_options[] = {
    {"plugin-dir", 'd', "DIRECTORY", "another directory with plugins; may be repeated", true},
    CLI_JSON_OPTION,
    {0},
};

static const struct cli_option test_options[] = {
    {"set", 's', "NAME=VALUE", "a setting; lists as a,b and maps as a=b,c=d; may be repeated",
     true},
    {"component", 0, "NAME", "only this component of the plugin", false},
    {"expect", 0, "VERDICT", "a fault if the check does not say this: pass, warn or fail", false},
    {"runs", 0, "NUMBER", "how often each ability is called (default: 20)", false},
    {"timeout", 0, "DURATION", "the deadline of a call (default: 5s)", false},
    CLI_JSON_OPTION,
    {0},
};
static const struct cli_option new_options[] = {
    {"sink", 0, NULL, "one that delivers notifications, instead of a check and a collector", false},
    {0},
};

const struct cli_command cli_plugin_commands[] = {
    {"list", "", "Show the instances and plugins of an agent and what is wrong with them", NULL, 0,
     0, list_options, NULL, cli_plugin_list},
    {"describe", "[COMPONENT|FILE.so]",
     "Print the settings of a component, or of all in a plugin; without a name, list them",
     "Needs no agent: a worker loads the plugin and says what it declares.", 0, 1, describe_options,
     NULL, cli_plugin_describe},
    {"new", "NAME [DIRECTORY]",
     "Make a folder with a plugin of your own that builds and passes its test",
     "It needs nothing but the installed header (pkg-config toiletmon), and make or Meson. No file "
     "is overwritten.",
     1, 2, new_options, NULL, cli_plugin_new},
    {"retry", "NAME", "End the pause or quarantine of an instance: it is tried again now",
     "For when the cause is mended: five deaths in ten minutes are a quarantine, which ends by "
     "itself after ten.",
     1, 1, list_options, NULL, cli_plugin_retry},
    {"test", "FILE.so", "Run the conformance kit on a plugin and name what is wrong with it",
     "Loads it into a worker as the agent would, creates each component, calls check and collect, "
     "or a sink's format and\n"
     "judge (nothing is sent), many times, then with next to no time, and ends it. Looks at "
     "settings, verdicts, names of\n"
     "metrics, counters, deadlines, what a sink makes of the worst, and leaks of descriptors, "
     "threads and memory. Exits\n"
     "with 1 if there is a fault; notes are advice.",
     1, 1, test_options, NULL, cli_plugin_test},
    {0},
};
