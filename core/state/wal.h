/*
 * wal.h: SQLite's write-ahead log, read by ourselves before SQLite opens it: which of its pages are
 * committed, and whether commits are lost that SQLite would not miss.
 */
#ifndef STATE_WAL_H
#define STATE_WAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/mark.h"

#define WAL_HEADER_BYTES 32
#define WAL_FRAME_HEADER_BYTES 24

struct wal {
    int fd;              /* -1: there is no log */
    uint32_t page_bytes; /* as the caller said */
    uint32_t *pages;     /* of frame i + 1: the page that it holds, 0: none that can be used */
    uint32_t frames;     /* in the file */
    uint32_t good;       /* frames up to the last commit that SQLite will find */
    uint32_t salt[2];
    /* Committed frames that SQLite will not find. */
    uint32_t lost;
    /* Frames to use where the log is damaged: all that were committed, also those whose checksum is
     * wrong, since a page with a flipped byte is better than none.  As `good` where nothing is. */
    uint32_t usable;
};

/* Reads the whole log.  No log, or an empty one, is no error.  -errno. */
int wal_read(const char *path, uint32_t page_bytes, const struct mark *mark, struct wal *ret_wal);
void wal_finish(struct wal *wal);
/* The newest of the frames up to this one that has the page, or 0. */
uint32_t wal_find(const struct wal *wal, uint32_t page, uint32_t upto);
/* The first WAL_HEADER_BYTES.  -errno. */
int wal_header(const struct wal *wal, unsigned char *ret_header);
/* A frame: its header, and the page.  -errno. */
int wal_frame(const struct wal *wal, uint32_t frame, unsigned char *ret_frame);

/* The checksums of the log. */
struct wal_sum {
    uint32_t a, b;
    bool big_endian; /* how the words are taken that it is made of */
};
void wal_sum_add(struct wal_sum *sum, const unsigned char *data, size_t len);
/* Whether it is the one that stands there. */
bool wal_sum_is(const struct wal_sum *sum, const unsigned char *at);

#endif
