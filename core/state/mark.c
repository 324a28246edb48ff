/* mark.c: see mark.h.  A handful of bytes within one sector, written in place. */
#include "state/mark.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "state/bytes.h"

#define MAGIC "tmonmark"
#define MAGIC_BYTES 8
#define FIELDS 4
#define MARK_BYTES (MAGIC_BYTES + 4 * FIELDS + 4)

struct mark mark_read(const char *path)
{
    unsigned char bytes[MARK_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t n = fd >= 0 ? pread(fd, bytes, sizeof bytes, 0) : -1;
    const unsigned char *at = bytes + MAGIC_BYTES;

    if (fd >= 0) {
        (void)close(fd);
    }
    if (n != (ssize_t)sizeof bytes || memcmp(bytes, MAGIC, MAGIC_BYTES) != 0 ||
        bytes_get32(at + 4 * FIELDS) != (uint32_t)crc32(0, bytes, sizeof bytes - 4)) {
        return (struct mark){0};
    }
    return (struct mark){.valid = true,
                         .version = bytes_get32(at),
                         .salt = {bytes_get32(at + 4), bytes_get32(at + 8)},
                         .pages = bytes_get32(at + 12)};
}

int marker_open(struct marker *marker, const char *path)
{
    *marker = (struct marker){.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
    return marker->fd < 0 ? -errno : 0;
}

void marker_write(struct marker *marker, const struct mark *mark)
{
    unsigned char bytes[MARK_BYTES];
    unsigned char *at = bytes + MAGIC_BYTES;

    marker->last = *mark;
    if (marker->fd < 0) {
        return;
    }
    memcpy(bytes, MAGIC, MAGIC_BYTES);
    bytes_put32(at, mark->version);
    bytes_put32(at + 4, mark->salt[0]);
    bytes_put32(at + 8, mark->salt[1]);
    bytes_put32(at + 12, mark->pages);
    bytes_put32(at + 4 * FIELDS, (uint32_t)crc32(0, bytes, sizeof bytes - 4));
    if (pwrite(marker->fd, bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        // an old one would be proof of a loss that there was not
        if (ftruncate(marker->fd, 0) < 0) {
            (void)close(marker->fd);
            marker->fd = -1;
        }
    }
}

int marker_sync(struct marker *marker)
{
    if (marker->fd < 0) {
        return -EBADF;
    }
    return fsync(marker->fd) < 0 ? -errno : 0;
}

int mark_reset(const char *path, const struct mark *mark)
{
    struct marker marker;
    int r = marker_open(&marker, path);

    if (r < 0) {
        return r;
    }
    marker_write(&marker, &(struct mark){.valid = true, .version = mark->version});
    r = marker_sync(&marker);
    marker_close(&marker);
    return r;
}

void marker_close(struct marker *marker)
{
    if (marker->fd >= 0) {
        (void)close(marker->fd);
        marker->fd = -1;
    }
}
