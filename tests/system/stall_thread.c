/*
 * stall_thread.c: preloaded into an agent, stops one of its threads where it asks for the time, for
 * as long as there is a file of its name in the folder $STALL_THREAD.
 */

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void stall(const char *folder)
{
    char name[32] = "", path[512];

    (void)pthread_getname_np(pthread_self(), name, sizeof name);
    if (strcmp(name, "rules") != 0 && strcmp(name, "state") != 0) {
        return;
    }
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    while (access(path, F_OK) == 0) {
        (void)usleep(10000);
    }
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    static int (*next)(clockid_t, struct timespec *);
    const char *folder = getenv("STALL_THREAD");

    if (next == NULL) {
        *(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
    }
    if (folder != NULL) {
        stall(folder);
    }
    return next(clock, ret_time);
}
