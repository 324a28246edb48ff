/* reserve.c: see reserve.h.  posix_fallocate() asks for blocks, not for a length: it counts what
 * quotas and other programs leave. */
#include "state/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int allocate(struct reserve *reserve, uint64_t bytes)
{
    int fd = open(reserve->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int r;

    if (fd < 0) {
        reserve->possible = errno == ENOSPC || errno == EDQUOT;
        return -errno;
    }
    r = -posix_fallocate(fd, 0, (off_t)bytes);
    if (r == 0 && ftruncate(fd, (off_t)reserve->bytes) < 0) {
        r = -errno;
    }
    (void)close(fd);
    r = r == -EDQUOT ? -ENOSPC : r;
    reserve->held = r == 0;
    reserve->possible = r == 0 || r == -ENOSPC;
    if (r < 0) {
        (void)unlink(reserve->path); // a part of it helps nobody
    }
    return r;
}

void reserve_init(struct reserve *reserve, const char *path, uint64_t bytes)
{
    *reserve = (struct reserve){.path = path, .bytes = bytes};
}

int reserve_open(struct reserve *reserve)
{
    return allocate(reserve, reserve->bytes);
}

int reserve_make(struct reserve *reserve)
{
    return reserve->held ? 0 : allocate(reserve, 2 * reserve->bytes);
}

void reserve_release(struct reserve *reserve)
{
    (void)unlink(reserve->path);
    reserve->held = false;
}
