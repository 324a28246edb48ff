/*
 * cli.h: the command line, as main.c starts it.
 *
 * The commands that speak to an agent are clients of its HTTP API, by a toiletmon-fetch of their
 * own; `run` and `check` are the agent itself, which stands above this room and is therefore handed
 * in.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>

/* How every command ends. */
enum {
    CLI_OK = 0,
    CLI_FAILED = 1,      /* it did not work, or what was asked is not well */
    CLI_USAGE = 2,       /* the command line is wrong */
    CLI_UNREACHABLE = 3, /* no agent answers there */
    CLI_DENIED = 4       /* the agent does not let us: a token is missing or wrong */
};

struct cli_hooks {
    int (*run)(const char *config, const char *state_dir);
    int (*check)(const char *config, const char *state_dir, bool strict, bool json);
};

/* Does what the arguments say; returns the exit code.  The main thread, before there are others. */
int cli_main(int argc, char **argv, const struct cli_hooks *hooks);

#endif
