/* pages.c: see pages.h. */
#include "state/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "state/bytes.h"
#include "state/mend.h"

#define FREE_FIRST 32 /* where the first page says which page of the list is the first */

int pages_open(struct pages *pages, const char *db, const char *wal, const struct mark *mark)
{
    struct stat st = {0};
    int r;

    *pages = (struct pages){.fd = open(db, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), .wal.fd = -1};
    if (pages->fd < 0 && errno != ENOENT) {
        return -errno;
    }
    if (pages->fd >= 0 && fstat(pages->fd, &st) < 0) {
        r = -errno;
        goto out;
    }
    r = wal_read(wal, PAGE_BYTES, mark, &pages->wal);
    if (r < 0) {
        goto out;
    }
    if (st.st_size / PAGE_BYTES > LIMIT_STATE_PAGES) {
        r = -EFBIG;
        goto out;
    }
    pages->count = (uint32_t)((st.st_size + PAGE_BYTES - 1) / PAGE_BYTES);
    if (pages->wal.lost > 0) {
        r = mend_log(pages);
        if (r < 0) {
            goto out;
        }
    }
    for (uint32_t i = 0, end = pages->count + pages->wal.frames; i < pages->wal.usable; i++) {
        uint32_t n = pages->wal.pages[i];

        if (n > pages->count && n <= end) { // one with a larger number is damaged
            pages->count = n;
        }
    }
    pages->use = calloc((size_t)pages->count + 1, 1);
    r = pages->use ? 0 : -ENOMEM;

out:
    if (r < 0) {
        pages_close(pages);
    }
    return r;
}

void pages_close(struct pages *pages)
{
    free(pages->use);
    pages->use = NULL;
    wal_finish(&pages->wal);
    if (pages->fd >= 0) {
        (void)close(pages->fd);
        pages->fd = -1;
    }
}

int pages_get_before(struct pages *pages, uint32_t n, uint32_t frame,
                     unsigned char ret_page[PAGE_BYTES])
{
    unsigned char bytes[WAL_FRAME_HEADER_BYTES + PAGE_BYTES];
    uint32_t found = wal_find(&pages->wal, n, frame - 1);
    ssize_t len = 0;

    if (found > 0) {
        int r = wal_frame(&pages->wal, found, bytes);

        pages->unreadable += r < 0;
        memcpy(ret_page, bytes + WAL_FRAME_HEADER_BYTES, r < 0 ? 0 : PAGE_BYTES);
        return r;
    }
    if (pages->fd >= 0) {
        len = pread(pages->fd, ret_page, PAGE_BYTES, (off_t)(n - 1) * (off_t)PAGE_BYTES);
    }
    if (len < 0) {
        pages->unreadable++;
        return -errno;
    }
    memset(ret_page + len, 0, PAGE_BYTES - (size_t)len);
    return 0;
}

int pages_get(struct pages *pages, uint32_t n, unsigned char ret_page[PAGE_BYTES])
{
    return pages_get_before(pages, n, pages->wal.usable + 1, ret_page);
}

void pages_find_free(struct pages *pages)
{
    unsigned char page[PAGE_BYTES];
    uint32_t next;

    if (pages->count == 0 || pages_get(pages, 1, page) < 0) {
        return;
    }
    next = bytes_get32(page + FREE_FIRST);
    while (next > 1 && next <= pages->count && pages->use[next] != PAGE_FREE &&
           pages_get(pages, next, page) == 0) {
        uint32_t n = bytes_get32(page + 4);

        if (n > PAGE_BYTES / 4 - 2) {
            return; // not a page of the list
        }
        pages->use[next] = PAGE_FREE;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t leaf = bytes_get32(page + 8 + 4 * i);

            if (leaf > 1 && leaf <= pages->count) {
                pages->use[leaf] = PAGE_FREE;
            }
        }
        next = bytes_get32(page);
    }
}
