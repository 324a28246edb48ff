/*
 * own.c: see own.h.  The manifest is encoded and decoded though both ends are here, so that there
 * is one way in which manifests are checked and one shape in which the agent holds them.
 */
#include "plugin/own.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"

static const char *const own_names[] = {"environment", "host", "log", "memory"};

bool own_is(const char *name)
{
    for (size_t i = 0; i < sizeof own_names / sizeof own_names[0]; i++) {
        if (strcmp(name, own_names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int copy_manifest(const struct tmon_plugin *plugin, struct manifest **ret_manifest,
                         char *ret_why, size_t size)
{
    const char *why = "";
    struct buf buf;
    int r;

    buf_init(&buf, LIMIT_MANIFEST_BYTES);
    r = manifest_encode(plugin, &buf, &why);
    if (r == 0 && buf.failed) {
        r = -EMSGSIZE;
        why = "its manifest is too large";
    }
    if (r < 0) {
        (void)snprintf(ret_why, size, "%s", why);
    } else {
        r = manifest_decode(buf.data, buf.len, ret_manifest, ret_why, size);
    }
    buf_finish(&buf);
    return r;
}

int own_open(const char *path, const struct tmon_plugin **ret_plugin,
             struct manifest **ret_manifest, char *ret_why, size_t size)
{
    const struct tmon_plugin *(*entry)(void) = NULL;
    const struct tmon_plugin *plugin;
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL); // never closed
    int r;

    if (!object) {
        (void)snprintf(ret_why, size, "it could not be loaded: %s", dlerror());
        return -ENOENT;
    }
    *(void **)&entry = dlsym(object, "toiletmon_plugin");
    plugin = entry ? entry() : NULL;
    if (!plugin) {
        (void)snprintf(ret_why, size, "it exports no manifest (TMON_PLUGIN is missing)");
        return -ENOENT;
    }
    r = copy_manifest(plugin, ret_manifest, ret_why, size);
    if (r == 0) {
        *ret_plugin = plugin;
    }
    return r;
}
