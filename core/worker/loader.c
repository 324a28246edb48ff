/*
 * loader.c: see loader.h.  All symbols are bound now, so that a missing one is told at the load and
 * not by a death in the first check; and the plugin's own are local, so that they meet none of
 * ours.
 */
#include "worker/loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define ENTRY "toiletmon_plugin"

int loader_open(const char *path, const struct tmon_plugin **ret_plugin, char *ret_why, size_t size)
{
    const struct tmon_plugin *(*entry)(void);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *symbol;

    if (!handle) {
        const char *text = dlerror();

        utf8_copy(ret_why, size, text ? text : "the file could not be loaded");
        return -ENOENT;
    }
    symbol = dlsym(handle, ENTRY);
    if (!symbol) {
        (void)snprintf(ret_why, size,
                       "it does not export " ENTRY "(): write TMON_PLUGIN(...) in it, and do not "
                       "hide the symbol");
        return -ENOENT;
    }
    memcpy(&entry, &symbol, sizeof entry);
    *ret_plugin = entry();
    return 0;
}
