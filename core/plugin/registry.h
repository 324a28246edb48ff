/*
 * registry.h: every plugin file in the plugin directories, and which component is in which.
 *
 * Built by the building thread, at the start and for each reload; immutable afterwards.  Files that
 * did not change since the previous registry are not probed again.
 */
#ifndef PLUGIN_REGISTRY_H
#define PLUGIN_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/manifest.h"
#include "plugin/file_check.h"
#include "plugin/spawner.h"

struct registry_file {
    char *path;
    char *name; /* without directory and .so */
    struct file_identity identity;
    struct manifest *manifest; /* shared by registries; NULL: refused */
    char *why;                 /* when refused: a sentence */
    uint32_t layers;           /* of the sandbox when it was probed; 0 for own_thread */
    /* Its components are ours and run on the component thread: the agent has loaded it itself. */
    const struct tmon_plugin *own;
    uint32_t *references; /* of manifest */
};

struct registry {
    size_t nfiles;
    struct registry_file *files; /* by directory, then by name */
    size_t nproblems;
    char **problems; /* sentences: a directory that cannot be read; for warnings */
};

/*
 * `directories`: the default one first; files of the few components that run on the component
 * thread are loaded by the agent from it alone.  `previous` may be NULL.  Returns owned; -ENOMEM;
 * -ECANCELED when `cancel_fd` (-1: none; borrowed) became readable before it was done.
 */
int registry_scan(struct spawner *spawner, const char *const *directories, size_t n,
                  const struct registry *previous, int cancel_fd, struct registry **ret_registry);
void registry_destroy(struct registry *registry);

/*
 * The component of that name.  NULL with a sentence in `why` when there is none: "no plugin offers
 * ...", or the reason why the file of that name was refused (then *ret_file is that file, else
 * NULL), or two files that offer it.
 */
const struct manifest_component *registry_find(const struct registry *registry,
                                               const char *component,
                                               const struct registry_file **ret_file,
                                               struct buf *why);
/* Two files that offer one component: appends an error that names both for each; how many there
 * are. */
size_t registry_conflicts(const struct registry *registry, struct buf *why);
/* All names, for "did you mean": an owned array (free) of borrowed strings. */
const char **registry_names(const struct registry *registry, size_t *ret_n);
/* The raw component of a file that the agent loaded itself. */
const struct tmon_component *registry_own_component(const struct registry_file *file,
                                                    const char *component);

#endif
