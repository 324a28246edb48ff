/*
 * lock.c: see lock.h.  flock() on a file that stays: the kernel lets go of it however the agent
 * ends, so a stale lock cannot exist.  The file names the process that holds it, for the error
 * message alone.
 */
#include "agent/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define LOCK_TRIES 20
#define LOCK_WAIT_MS 100

static int make_directories(const char *path)
{
    char part[PATH_MAX];
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof part) {
        return -ENAMETOOLONG;
    }
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0700) < 0 && errno != EEXIST) {
            return -errno;
        }
    }
    return 0;
}

static void say_who_holds_it(int fd, const char *path, struct buf *why)
{
    char pid[32] = "";
    ssize_t n = pread(fd, pid, sizeof pid - 1, 0);

    pid[n > 0 ? n : 0] = '\0';
    pid[strcspn(pid, "\n")] = '\0';
    buf_printf(
        why,
        "another agent (process %s) uses the state directory %s: stop it, or give this one another "
        "agent.state_dir",
        *pid ? pid : "unknown", path);
}

/* One that was killed a moment ago may hold it until it is wholly gone. */
static int lock_soon(int fd)
{
    int r = flock(fd, LOCK_EX | LOCK_NB);

    for (int i = 0; r < 0 && errno == EWOULDBLOCK && i < LOCK_TRIES; i++) {
        (void)poll(NULL, 0, LOCK_WAIT_MS);
        r = flock(fd, LOCK_EX | LOCK_NB);
    }
    return r;
}

int lock_state_dir(const char *path, struct buf *why, int *ret_fd)
{
    char file[PATH_MAX];
    char pid[32];
    int fd;
    int r = make_directories(path);

    if (r < 0) {
        buf_printf(why,
                   "the state directory %s cannot be made: %s; make it and give it to this user, "
                   "or set agent.state_dir",
                   path, log_errno(r));
        return r;
    }
    if (snprintf(file, sizeof file, "%s/agent.lock", path) >= (int)sizeof file) {
        buf_printf(why, "the path of the state directory %s is too long", path);
        return -ENAMETOOLONG;
    }
    fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        r = -errno;
        buf_printf(
            why, "%s cannot be opened: %s; give the directory to this user, or set agent.state_dir",
            file, log_errno(r));
        return r;
    }
    if (lock_soon(fd) < 0) {
        r = errno == EWOULDBLOCK ? -EBUSY : -errno;
        if (r == -EBUSY) {
            say_who_holds_it(fd, path, why);
        } else {
            buf_printf(why, "%s cannot be locked: %s", file, log_errno(r));
        }
        (void)close(fd);
        return r;
    }
    (void)snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, strlen(pid), 0) < 0) {
        log_debug("the lock file does not name this process", LOG_E(errno));
    }
    *ret_fd = fd;
    return 0;
}
