/*
 * loader.h: opens the plugin's .so and gets its manifest.
 */
#ifndef WORKER_LOADER_H
#define WORKER_LOADER_H

#include <stddef.h>

#include "plugin_api.h"

/* Runs the constructors of the .so and of what it drags in.  It is never closed again.  0; -ENOENT
 * with a sentence in ret_why. */
int loader_open(const char *path, const struct tmon_plugin **ret_plugin, char *ret_why,
                size_t size);

#endif
