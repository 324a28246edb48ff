/*
 * cgroup.h: the control group that this process is in, of version 1, 2 or both at once.
 */
#ifndef COMMON_CGROUP_H
#define COMMON_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where one controller (memory, cpu, ...) accounts for this process. */
struct cgroup {
    int version; /* 1 or 2 */
    size_t top;  /* dir[0..top) is the mount point: cgroup_parent() stops there */
    char dir[PATH_MAX];
};

#define CGROUP_SELF_BYTES 8192 /* self/cgroup: a dozen lines, each a path */

/*
 * Finds this process' group for a controller, from the text of procfs' `self/cgroup` and the
 * hierarchies mounted below `cgroupfs`.  Where the path is not seen under the mount (a container
 * without a namespace for control groups), leading parts of it are dropped until it is.  False when
 * there is none.
 */
bool cgroup_find(const char *self, const char *cgroupfs, const char *controller,
                 struct cgroup *ret_group);

/* Makes the group its parent.  False, with nothing changed, at the mount point. */
bool cgroup_parent(struct cgroup *group);

/* One number of a file; false when the file is missing, says "max", or (as version 1 writes "no
 * limit" and
 * "-1") is absurdly large or negative. */
bool cgroup_number(const struct cgroup *group, const char *file, uint64_t *ret_value);
/* The text of a file, as file_read(). */
bool cgroup_text(const struct cgroup *group, const char *file, char *buffer, size_t size);
/* The number behind "key " at the start of a line of `text`; false when there is none. */
bool cgroup_key(const char *text, const char *key, uint64_t *ret_value);

/* Bytes that count against the limit and cannot simply be dropped: usage without inactive file
 * pages, which is what the kubelet calls the working set. */
bool cgroup_memory_used(const struct cgroup *group, uint64_t *ret_usage, uint64_t *ret_working_set);
bool cgroup_memory_limit(const struct cgroup *group, uint64_t *ret_limit);

#endif
