/*
 * own.h: the few plugins of ours whose components run on the component thread.
 *
 * They read memory and /proc and never block.  Which these are is compiled in, a property of ours
 * and no option.  The agent loads them itself and never unloads them.
 */
#ifndef PLUGIN_OWN_H
#define PLUGIN_OWN_H

#include <stdbool.h>
#include <stddef.h>

#include "model/manifest.h"

/* Whether a file of the default plugin directory with this name (no directory, no .so) is one. */
bool own_is(const char *name);
/* Loads it; its file was checked before.  0 with the raw manifest and an owned copy that went the
 * same way as a worker's; else -errno with a sentence in ret_why. */
int own_open(const char *path, const struct tmon_plugin **ret_plugin,
             struct manifest **ret_manifest, char *ret_why, size_t size);

#endif
