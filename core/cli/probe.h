/*
 * probe.h: plugins without an agent: what `plugin describe` and `plugin test` look at.
 */
#ifndef CLI_PROBE_H
#define CLI_PROBE_H

#include "cli/command.h"
#include "model/manifest.h"
#include "plugin/registry.h"
#include "plugin/spawner.h"

/* Starts what starts workers.  CLI_OK, or complains and returns CLI_FAILED. */
int probe_spawner(struct spawner **ret_spawner);
/* Whether an argument names a file rather than a component. */
bool probe_is_file(const char *text);
/* The manifest of one file, owned; complains. */
int probe_one(struct spawner *spawner, const char *path, struct manifest **ret_manifest);
/* All plugins of the default directory and of --plugin-dir; owned (registry_destroy); complains. */
int probe_all(const struct cli *cli, struct spawner *spawner, struct registry **ret_registry);

#endif
