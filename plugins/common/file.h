/*
 * file.h: reading files of procfs, sysfs and cgroupfs, whole or line by line, without allocating.
 *
 * Nothing here blocks: files are opened with O_NONBLOCK, so that a FIFO where a file was expected
 * reads as empty.  Nothing here owns more than the descriptors that its caller sees.
 */
#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* More than any file of procfs that a plugin has reason to read; bounds the time that an odd one
 * takes. */
#define FILE_BYTES_MAX (4u << 20)

/* Opens for reading, relative to `dir` (AT_FDCWD: an ordinary path).  A descriptor, or -errno. */
int file_open(int dir, const char *path);
/* Opens a folder for use as `dir` above.  A descriptor, or -errno. */
int file_open_dir(const char *path);
/* Closes *fd unless it is negative, and makes it -1. */
void file_close(int *fd);

/* Reads a small file, one that the kernel hands out in one piece, into `buffer`, ended with NUL,
 * one trailing newline removed.  Longer files are cut. The length, or -errno. */
ssize_t file_read(int dir, const char *path, char *buffer, size_t size);
/* Reads one number from the start of a small file.  False when there is no such file or number. */
bool file_u64(int dir, const char *path, uint64_t *ret_value);

/* A walk over the lines of an open file, from its start, wherever its position is. */
struct file_lines {
    int fd;
    int error; /* -errno of the read that ended the walk; 0: the end of the file */
    char *buffer;
    size_t size, start, end;
    off_t offset;
    bool one_piece; /* set after init for files that the kernel hands out in one piece: saves a read
                     */
    bool at_end, skipping;
};

/* Borrows descriptor and buffer until the walk is over.  `size` is the longest line plus one. */
void file_lines_init(struct file_lines *lines, int fd, char *buffer, size_t size);
/* The next line, ended with NUL instead of its newline, valid until the next call; NULL at the end.
 * A line longer than the buffer is cut and its rest skipped. */
char *file_lines_next(struct file_lines *lines);

#endif
