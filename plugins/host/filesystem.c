/*
 * filesystem.c: space and inodes of local file systems (`1/mountinfo` of procfs, and statfs).
 *
 * statfs() of a dead server's mount does not return, and this thread must not wait: file systems
 * that live behind a network or a process (FUSE) are left out, whatever the settings say.  The
 * component `disk` watches them from a worker of its own.  The mount table is parsed only when the
 * kernel says that it has changed.
 */
#include "host.h"

#include <errno.h>
#include <fnmatch.h>
#include <linux/magic.h>
#include <poll.h>
#include <string.h>
#include <sys/vfs.h>

#include "../common/text.h"

static const char *const may_hang[] = {
    "nfs*",     "cifs",      "smb*",   "ncp*",    "afs",    "ceph",  "9p",     "fuse*",
    "virtiofs", "glusterfs", "lustre", "beegfs*", "gpfs",   "ocfs2", "gfs2",   "pvfs2",
    "orangefs", "coda",      "davfs*", "vboxsf",  "vmhgfs", "acfs",  "panfs*",
};

static bool can_hang(const char *type)
{
    size_t i;

    for (i = 0; i < sizeof may_hang / sizeof may_hang[0]; i++) {
        if (fnmatch(may_hang[i], type, 0) == 0) {
            return true;
        }
    }
    return false;
}

/* Appends a word to mount_text with \040 and its like decoded, "/" instead of nothing, ended with
 * NUL. NULL when there is no room. */
static char *keep(struct host *host, size_t *used, const char *word, size_t len)
{
    char *start = host->mount_text + *used;
    size_t n = 0, i;

    if (len + 2 > sizeof host->mount_text - *used) {
        return NULL;
    }
    for (i = 0; i < len; i++) {
        const char *at = word + i;

        if (*at == '\\' && i + 3 < len && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' &&
            at[2] <= '7' && at[3] >= '0' && at[3] <= '7') {
            start[n++] = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
            i += 3;
        } else {
            start[n++] = *at;
        }
    }
    start[n] = '\0';
    *used += n + 1;
    return start;
}

/* The mount point as the host sees it: without the prefix under which we see its root. */
static const char *strip(const struct host *host, const char *point)
{
    const size_t len = strlen(host->rootfs);

    if (len == 0 || strncmp(point, host->rootfs, len) != 0 ||
        (point[len] != '/' && point[len] != '\0')) {
        return point;
    }
    return point[len] == '\0' ? "/" : point + len;
}

/* "ro" among the options "rw,relatime". */
static bool has_option(const char *options, size_t len, const char *option)
{
    const size_t want = strlen(option);
    size_t i = 0;

    while (i < len) {
        const char *comma = (const char *)memchr(options + i, ',', len - i);
        const size_t n = comma == NULL ? len - i : (size_t)(comma - (options + i));

        if (n == want && memcmp(options + i, option, n) == 0) {
            return true;
        }
        i += n + 1;
    }
    return false;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue" */
static void mount_line(struct tmon_call *call, struct host *host, const char *line, size_t *used)
{
    const size_t before = *used;
    struct host_mount mount;
    const char *point = NULL, *options = NULL, *type, *device, *word;
    size_t point_len = 0, options_len = 0, type_len, device_len, len, i;

    for (i = 0; i < 6 && text_word(&line, &word, &len); i++) {
        if (i == 4) {
            point = word;
            point_len = len;
        } else if (i == 5) {
            options = word;
            options_len = len;
        }
    }
    do { // optional fields, until a single hyphen
        if (!text_word(&line, &word, &len)) {
            return;
        }
    } while (!text_is(word, len, "-"));
    if (options == NULL || !text_word(&line, &type, &type_len) ||
        !text_word(&line, &device, &device_len)) {
        return;
    }
    mount.type = keep(host, used, type, type_len);
    mount.point = mount.type == NULL ? NULL : keep(host, used, point, point_len);
    mount.device = mount.point == NULL ? NULL : keep(host, used, device, device_len);
    if (mount.device == NULL) {
        *used = before;
        return;
    }
    mount.point = strip(host, mount.point);
    mount.read_only = has_option(options, options_len, "ro");
    for (i = 0; i < host->nmounts; i++) { // mounted over: what is below cannot be seen any more
        if (strcmp(host->mounts[i].point, mount.point) == 0) {
            host->mounts[i] = host->mounts[--host->nmounts];
            break;
        }
    }
    if (host->nmounts == HOST_MOUNTS || can_hang(mount.type) ||
        host_listed(call, host, "fs_types_exclude", mount.type) ||
        host_listed(call, host, "mount_points_exclude", mount.point)) {
        *used = before;
        return;
    }
    host->mounts[host->nmounts++] = mount;
}

/* The kernel marks an open mountinfo when the table has changed since it was read.  Other files (a
 * test's, an emulated procfs) do not know that; they are read each time, and the real one now and
 * then all the same. */
static bool mounts_changed(struct host *host, int fd)
{
    struct pollfd poller = {fd, POLLPRI, 0};
    struct statfs info;

    if (host->collections % HOST_MOUNT_REREAD == 0 || fstatfs(fd, &info) != 0 ||
        info.f_type != PROC_SUPER_MAGIC) {
        return true;
    }
    return poll(&poller, 1, 0) != 0;
}

static bool read_mounts(struct tmon_call *call, struct host *host)
{
    const int fd = host_file(host, HOST_MOUNTINFO);
    struct file_lines lines;
    const char *line;
    size_t used = 0;

    if (fd < 0) {
        host->nmounts = 0;
        return false;
    }
    if (!mounts_changed(host, fd)) {
        return true;
    }
    host->nmounts = 0;
    file_lines_init(&lines, fd, host->buffer, sizeof host->buffer);
    while ((line = file_lines_next(&lines)) != NULL) {
        mount_line(call, host, line, &used);
    }
    return host_lines_done(host, HOST_MOUNTINFO, &lines);
}

static void emit_mount(struct tmon_call *call, const struct host *host,
                       const struct host_mount *mount)
{
    const struct tmon_pair labels[] = {
        {"device", mount->device}, {"fstype", mount->type}, {"mountpoint", mount->point}};
    char path[PATH_MAX];
    struct statfs info;
    double block;
    int n = snprintf(path, sizeof path, "%s%s", host->rootfs, mount->point);
    const bool bad = n < 0 || (size_t)n >= sizeof path || statfs(path, &info) != 0;

    tmon_gauge(call, "node_filesystem_device_error", "Whether the file system could not be asked.",
               bad, labels, 3);
    tmon_gauge(call, "node_filesystem_readonly", "Whether it is mounted read-only.",
               mount->read_only, labels, 3);
    if (bad) {
        return;
    }
    block = (double)(info.f_frsize > 0 ? info.f_frsize : info.f_bsize);
    tmon_gauge(call, "node_filesystem_size_bytes", "Size of the file system.",
               (double)info.f_blocks * block, labels, 3);
    tmon_gauge(call, "node_filesystem_free_bytes", "Free space, what is kept for root included.",
               (double)info.f_bfree * block, labels, 3);
    tmon_gauge(call, "node_filesystem_avail_bytes", "Free space for ordinary users.",
               (double)info.f_bavail * block, labels, 3);
    tmon_gauge(call, "node_filesystem_files", "Inodes.", (double)info.f_files, labels, 3);
    tmon_gauge(call, "node_filesystem_files_free", "Free inodes.", (double)info.f_ffree, labels, 3);
}

bool host_collect_filesystem(struct tmon_call *call, struct host *host)
{
    const bool good = read_mounts(call, host);
    size_t i;

    for (i = 0; i < host->nmounts; i++) {
        emit_mount(call, host, &host->mounts[i]);
    }
    return good;
}
