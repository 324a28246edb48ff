/*
 * file_check.h: whether a .so may be loaded: nobody but root and the agent's user could have
 * written it.
 */
#ifndef PLUGIN_FILE_CHECK_H
#define PLUGIN_FILE_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What makes it the same file as before. */
struct file_identity {
    dev_t device;
    ino_t inode;
    int64_t mtime_ns;
    int64_t size;
};

/* 0; -EPERM (owner or mode), -EINVAL (no regular file), or another -errno; then a sentence with the
 * remedy is in ret_why. */
int file_check(const char *path, struct file_identity *ret_identity, char *ret_why, size_t size);

#endif
