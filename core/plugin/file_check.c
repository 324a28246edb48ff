/*
 * file_check.c: see file_check.h.  Symbolic links are followed first, because what counts is where
 * the file really lies.  The folder counts too: whoever may write there can put another file in
 * its place.  A sticky folder (/tmp) is no exception: files there come from anybody.
 */
#include "plugin/file_check.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static int check_owner(const char *path, const struct stat *status, char *ret_why, size_t size)
{
    const char *what = S_ISDIR(status->st_mode) ? "the folder " : "";

    if (status->st_uid != 0 && status->st_uid != geteuid()) {
        (void)snprintf(ret_why, size,
                       "%s%s belongs to user %u, who is neither root nor the agent's user (%u): "
                       "chown root '%s'",
                       what, path, (unsigned)status->st_uid, (unsigned)geteuid(), path);
        return -EPERM;
    }
    if (status->st_mode & (S_IWGRP | S_IWOTH)) {
        (void)snprintf(ret_why, size, "%s%s can be written by %s (mode %03o): chmod go-w '%s'",
                       what, path, status->st_mode & S_IWOTH ? "others" : "its group",
                       (unsigned)status->st_mode & 0777, path);
        return -EPERM;
    }
    return 0;
}

static int failed(const char *path, const char *what, char *ret_why, size_t size)
{
    int r = -errno;

    (void)snprintf(ret_why, size, "cannot %s %s: %s", what, path, log_errno(r));
    return r;
}

int file_check(const char *path, struct file_identity *ret_identity, char *ret_why, size_t size)
{
    char real[PATH_MAX];
    struct stat file, folder;
    char *slash;
    int r;

    if (!realpath(path, real)) {
        return failed(path, "find", ret_why, size);
    }
    if (stat(real, &file) < 0) {
        return failed(real, "look at", ret_why, size);
    }
    if (!S_ISREG(file.st_mode)) {
        (void)snprintf(ret_why, size, "%s is not a regular file", real);
        return -EINVAL;
    }
    r = check_owner(real, &file, ret_why, size);
    if (r < 0) {
        return r;
    }
    slash = strrchr(real, '/');
    slash[slash == real] = '\0'; // of "/x.so" the folder is "/"
    if (stat(real, &folder) < 0) {
        return failed(real, "look at", ret_why, size);
    }
    r = check_owner(real, &folder, ret_why, size);
    if (r < 0) {
        return r;
    }
    *ret_identity = (struct file_identity){
        .device = file.st_dev,
        .inode = file.st_ino,
        .mtime_ns = file.st_mtim.tv_sec * NS_PER_S + file.st_mtim.tv_nsec,
        .size = file.st_size,
    };
    return 0;
}
