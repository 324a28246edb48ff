/*
 * hang_opendir.c: preloaded into an agent, makes opendir() of the folder $HANG_OPENDIR never
 * return, as a folder on a dead network disk does.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((visibility("default"))) DIR *opendir(const char *path)
{
    const char *at = getenv("HANG_OPENDIR");
    DIR *(*next)(const char *) = NULL;

    if (at && strcmp(path, at) == 0) {
        for (;;) {
            (void)pause();
        }
    }
    *(void **)&next = dlsym(RTLD_NEXT, "opendir");
    return next ? next(path) : NULL;
}
