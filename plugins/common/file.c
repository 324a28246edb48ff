/*
 * file.c: see file.h.  Linked into several plugins; keeps no state of its own.
 *
 * Lines are read with pread() from offset 0, so that a descriptor may stay open between two
 * collections: an open costs more than a read, and procfs makes its text anew whenever it is read
 * from the start.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

int file_open(int dir, const char *path)
{
    const int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    return fd < 0 ? -errno : fd;
}

int file_open_dir(const char *path)
{
    const int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

void file_close(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
    *fd = -1;
}

static ssize_t read_at(int fd, char *buffer, size_t size, off_t offset)
{
    ssize_t n;

    do {
        n = pread(fd, buffer, size, offset);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

ssize_t file_read(int dir, const char *path, char *buffer, size_t size)
{
    int fd = file_open(dir, path);
    ssize_t n;

    if (fd < 0) {
        return fd;
    }
    n = read_at(fd, buffer, size - 1, 0);
    file_close(&fd);
    if (n < 0) {
        return n;
    }
    n -= n > 0 && buffer[n - 1] == '\n';
    buffer[n] = '\0';
    return n;
}

bool file_u64(int dir, const char *path, uint64_t *ret_value)
{
    char text[64];
    const char *at = text;

    return file_read(dir, path, text, sizeof text) > 0 && text_u64(&at, ret_value);
}

void file_lines_init(struct file_lines *lines, int fd, char *buffer, size_t size)
{
    memset(lines, 0, sizeof *lines);
    lines->fd = fd;
    lines->buffer = buffer;
    lines->size = size;
}

/* Moves what is left to the buffer's start and reads more behind it.  False when nothing came. */
static bool fill(struct file_lines *lines)
{
    ssize_t n;

    memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
    lines->end -= lines->start;
    lines->start = 0;
    if (lines->at_end || lines->offset >= (off_t)FILE_BYTES_MAX) {
        return false;
    }
    n = read_at(lines->fd, lines->buffer + lines->end, lines->size - 1 - lines->end, lines->offset);
    if (n <= 0) {
        lines->at_end = true;
        lines->error = (int)n;
        return false;
    }
    lines->at_end = lines->one_piece && (size_t)n < lines->size - 1 - lines->end;
    lines->offset += n;
    lines->end += (size_t)n;
    return true;
}

char *file_lines_next(struct file_lines *lines)
{
    for (;;) {
        char *line = lines->buffer + lines->start;
        char *newline = (char *)memchr(line, '\n', lines->end - lines->start);

        if (newline != NULL) {
            const bool rest = lines->skipping;

            *newline = '\0';
            lines->start = (size_t)(newline + 1 - lines->buffer);
            lines->skipping = false;
            if (rest) {
                continue; // the tail of a line that was already handed out, cut
            }
            return line;
        }
        if (lines->end - lines->start >= lines->size - 1) {
            const bool rest = lines->skipping;

            lines->buffer[lines->size - 1] = '\0';
            lines->start = lines->end;
            lines->skipping = true;
            if (!rest) {
                return line;
            }
        }
        if (!fill(lines)) {
            const bool last = lines->end > lines->start && !lines->skipping;

            lines->buffer[lines->end] = '\0';
            lines->start = lines->end;
            return last ? lines->buffer : NULL;
        }
    }
}
