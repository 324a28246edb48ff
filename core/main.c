/*
 * main.c: the door of the executable: hands the agent to the command line.
 */
#include "agent.h"
#include "cli/cli.h"

static int run(const char *config, const char *state_dir)
{
    const struct agent_options options = {.config_path = config, .state_dir = state_dir};

    return agent_run(&options);
}

static int check(const char *config, const char *state_dir, bool strict, bool json)
{
    const struct agent_options options = {.config_path = config, .state_dir = state_dir};

    return agent_check(&options, strict, json);
}

int main(int argc, char **argv)
{
    static const struct cli_hooks hooks = {run, check};

    return cli_main(argc, argv, &hooks);
}
