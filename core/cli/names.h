/*
 * names.h: names on the command line that an agent must know.
 */
#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include <jansson.h>

#include "cli/command.h"

/* Complains that there is no such `kind` ("sink"), with the nearest of the rows' names; `lister` is
 * the command that shows them ("sinks list").  Returns CLI_FAILED. */
int names_unknown(const char *kind, const char *name, const json_t *rows, const char *lister);
/* Asks the agent.  CLI_OK: it has a sink of that name; else it has complained. */
int names_check_sink(const struct cli *cli, const char *name);

#endif
