/*
 * cgroup.c: see cgroup.h.  Linked into several plugins; keeps no state of its own.
 *
 * The group is looked up at each call instead of once: a process may be moved, and the look-up
 * costs less than reading one of the group's own files.
 */
#include "cgroup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "text.h"

/* "cpu,cpuacct" lists cpu. */
static bool lists(const char *controllers, size_t len, const char *controller)
{
    while (len > 0) {
        const char *comma = (const char *)memchr(controllers, ',', len);
        const size_t n = comma == NULL ? len : (size_t)(comma - controllers);

        if (text_is(controllers, n, controller)) {
            return true;
        }
        controllers += n + (comma != NULL);
        len -= n + (comma != NULL);
    }
    return false;
}

static bool exists(const char *path)
{
    return faccessat(AT_FDCWD, path, F_OK, 0) == 0;
}

/* Sets dir to mount point and path, dropping leading parts of the path until there is such a
 * folder. */
static bool place(struct cgroup *group, const char *mount, const char *path)
{
    int n = snprintf(group->dir, sizeof group->dir, "%s", mount);

    if (n < 0 || (size_t)n >= sizeof group->dir || !exists(group->dir)) {
        return false;
    }
    group->top = (size_t)n;
    if (strstr(path, "..") != NULL) {
        return true; // outside of our namespace: what is mounted is all that we can see
    }
    while (*path == '/' && path[1] != '\0') {
        n = snprintf(group->dir + group->top, sizeof group->dir - group->top, "%s", path);
        if (n > 0 && (size_t)n < sizeof group->dir - group->top && exists(group->dir)) {
            return true;
        }
        path = strchr(path + 1, '/');
        if (path == NULL) {
            break;
        }
    }
    group->dir[group->top] = '\0';
    return true;
}

static bool place_v2(struct cgroup *group, const char *cgroupfs, const char *path)
{
    static const char *const below[] = {"", "/unified"}; // alone, or beside version 1
    char mount[PATH_MAX];
    char probe[PATH_MAX + 32];
    size_t i;

    for (i = 0; i < sizeof below / sizeof below[0]; i++) {
        const int n = snprintf(mount, sizeof mount, "%s%s", cgroupfs, below[i]);

        if (n < 0 || (size_t)n >= sizeof mount) {
            return false;
        }
        (void)snprintf(probe, sizeof probe, "%s/cgroup.controllers", mount);
        if (exists(probe) && place(group, mount, path)) {
            group->version = 2;
            return true;
        }
    }
    return false;
}

bool cgroup_find(const char *self, const char *cgroupfs, const char *controller,
                 struct cgroup *ret_group)
{
    char mount[PATH_MAX], path[PATH_MAX];
    struct cgroup group;
    bool found = false;
    const int n = snprintf(mount, sizeof mount, "%s/%s", cgroupfs, controller);

    // "4:cpu,cpuacct:/system.slice" of version 1, "0::/system.slice" of version 2
    for (const char *line = self, *end; line != NULL && *line != '\0' && n > 0 && n < PATH_MAX;
         line = end) {
        const char *controllers = strchr(line, ':');
        const char *colon = controllers == NULL ? NULL : strchr(controllers + 1, ':');

        end = strchr(line, '\n');
        end = end == NULL ? line + strlen(line) : end;
        if (colon == NULL || colon >= end || colon[1] != '/' ||
            !text_copy(path, sizeof path, colon + 1, (size_t)(end - colon - 1))) {
            // not a line of that kind
        } else if (lists(controllers + 1, (size_t)(colon - controllers - 1), controller)) {
            // Version 1 wins: a controller that is bound there is absent from version 2.
            if (place(&group, mount, path)) {
                group.version = 1;
                *ret_group = group;
                return true;
            }
        } else if (colon == controllers + 1 && strncmp(line, "0:", 2) == 0 &&
                   place_v2(&group, cgroupfs, path)) {
            *ret_group = group;
            found = true;
        }
        end += *end == '\n';
    }
    return found;
}

bool cgroup_parent(struct cgroup *group)
{
    const char *slash = strrchr(group->dir + group->top, '/');

    if (slash == NULL) {
        return false;
    }
    group->dir[slash - group->dir] = '\0';
    return true;
}

bool cgroup_text(const struct cgroup *group, const char *file, char *buffer, size_t size)
{
    char path[PATH_MAX + 64];

    (void)snprintf(path, sizeof path, "%s/%s", group->dir, file);
    return file_read(AT_FDCWD, path, buffer, size) > 0;
}

bool cgroup_number(const struct cgroup *group, const char *file, uint64_t *ret_value)
{
    char text[64];
    const char *at = text;
    uint64_t value;

    if (!cgroup_text(group, file, text, sizeof text) || !text_u64(&at, &value) ||
        value >= 1ull << 62) {
        return false;
    }
    *ret_value = value;
    return true;
}

bool cgroup_key(const char *text, const char *key, uint64_t *ret_value)
{
    const size_t len = strlen(key);

    while (text != NULL) {
        if (strncmp(text, key, len) == 0 && text[len] == ' ') {
            text += len;
            return text_u64(&text, ret_value);
        }
        text = strchr(text, '\n');
        text += text != NULL;
    }
    return false;
}

bool cgroup_memory_used(const struct cgroup *group, uint64_t *ret_usage, uint64_t *ret_working_set)
{
    char text[8192];
    uint64_t usage, inactive = 0;

    if (!cgroup_number(group, group->version == 2 ? "memory.current" : "memory.usage_in_bytes",
                       &usage)) {
        return false;
    }
    if (cgroup_text(group, "memory.stat", text, sizeof text)) {
        (void)cgroup_key(text, group->version == 2 ? "inactive_file" : "total_inactive_file",
                         &inactive);
    }
    *ret_usage = usage;
    *ret_working_set = inactive < usage ? usage - inactive : 0;
    return true;
}

bool cgroup_memory_limit(const struct cgroup *group, uint64_t *ret_limit)
{
    return cgroup_number(group, group->version == 2 ? "memory.max" : "memory.limit_in_bytes",
                         ret_limit);
}
