/*
 * slim.c: see slim.h.
 */
#include "base/slim.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

struct mapping {
    unsigned long start, end;
    bool fixed; /* code or constants of a file: never written */
    unsigned long anonymous_kb;
};

/* A page that is no longer the file's (a relocation, a debugger's or a probe's breakpoint) must
 * stay, and with it its whole mapping; all others the kernel can bring back. */
static long give_back(const struct mapping *mapping)
{
    if (!mapping->fixed || mapping->anonymous_kb > 0) {
        return 0;
    }
    if (madvise((void *)mapping->start, mapping->end - mapping->start, MADV_DONTNEED) < 0) {
        return 0;
    }
    return (long)(mapping->end - mapping->start);
}

static bool read_header(const char *line, struct mapping *ret)
{
    char permissions[5], path[2];

    *ret = (struct mapping){0};
    if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %1s", &ret->start, &ret->end, permissions, path) !=
        4) {
        return false;
    }
    ret->fixed =
        (strcmp(permissions, "r-xp") == 0 || strcmp(permissions, "r--p") == 0) && path[0] == '/';
    return true;
}

long slim_now(void)
{
    FILE *file = fopen("/proc/self/smaps", "re");
    struct mapping mapping = {0};
    char line[512];
    long bytes = 0;

    if (!file) {
        return -errno;
    }
    while (fgets(line, sizeof line, file)) {
        unsigned long start, end;

        if (sscanf(line, "Anonymous: %lu kB", &mapping.anonymous_kb) == 1) {
            bytes += give_back(&mapping);
        } else if (sscanf(line, "%lx-%lx ", &start, &end) == 2 && !read_header(line, &mapping)) {
            mapping = (struct mapping){0}; /* of no file */
        }
    }
    (void)fclose(file);
    return bytes;
}
