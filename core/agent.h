/*
 * agent.h: the agent as main.c starts it.  See agent.c for what it is made of.
 */
#ifndef AGENT_H
#define AGENT_H

#include <stdbool.h>

struct agent_options {
    const char *config_path; /* borrowed for the whole run */
    const char *state_dir;   /* NULL: as the configuration has it */
};

/* Runs until SIGTERM or SIGINT; returns the exit code: 0 after an orderly end, 1 when it could not
 * start or go on (the reason is in the log or, before there is one, on stderr). */
int agent_run(const struct agent_options *options);

/* Does all that agent_run() does up to and excluding the creation of instances, and prints errors
 * and warnings (stderr) and a summary (stdout).  Returns 0 when `run` would start, 1 when not. With
 * `strict`, warnings count as errors.  With `json`, one document on stdout instead. */
int agent_check(const struct agent_options *options, bool strict, bool json);

#endif
