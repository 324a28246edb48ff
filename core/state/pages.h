/*
 * pages.h: the pages of a damaged database as they would be with its log, without SQLite, which
 * gives up where one can go on.
 */
#ifndef STATE_PAGES_H
#define STATE_PAGES_H

#include "state/cell.h"
#include "state/wal.h"

enum page_use { PAGE_UNKNOWN, PAGE_FREE, PAGE_READ };

struct pages {
    int fd; /* -1: there is no database, only the log */
    struct wal wal;
    uint32_t count;
    unsigned char *use;  /* enum page_use of each page; [0] is not used */
    uint32_t unreadable; /* times that the disk refused a page */
};

/* -errno. */
int pages_open(struct pages *pages, const char *db, const char *wal, const struct mark *mark);
void pages_close(struct pages *pages);
/* Page n, from 1.  Zeros behind the end.  -errno: it cannot be read. */
int pages_get(struct pages *pages, uint32_t n, unsigned char ret_page[PAGE_BYTES]);
/* The same as it was before a frame of the log. */
int pages_get_before(struct pages *pages, uint32_t n, uint32_t frame,
                     unsigned char ret_page[PAGE_BYTES]);
/* Notes the pages that SQLite's list of free pages names: what stands in them was deleted. */
void pages_find_free(struct pages *pages);

#endif
