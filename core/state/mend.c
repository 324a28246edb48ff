/*
 * mend.c: see mend.h.  A page whose own bytes are damaged costs the rows that were hit; a page that
 * is put in the wrong place costs all rows of two.  So where a frame's checksum is wrong, the
 * number of its page is doubted: the checksum says which numbers would make it right.  It is a weak
 * one, and a flipped byte in the page can look like another number; then the page that was there
 * before decides, as the frame is most like it.
 */
#include "state/mend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state/bytes.h"

#define TRIES 8 /* each costs some microseconds for every page of the database */

struct mend {
    struct pages *pages;
    struct wal_sum seeds[2]; /* what this frame's checksum continues: as it stands, and as it is */
    unsigned tries;
    unsigned char frame[WAL_FRAME_HEADER_BYTES + PAGE_BYTES];
    unsigned char before[PAGE_BYTES];
};

/* Whether the frame's checksum would be right with this page number. */
static bool fits(const struct mend *mend, uint32_t page, struct wal_sum *ret_sum)
{
    unsigned char head[8];

    memcpy(head, mend->frame, sizeof head);
    bytes_put32(head, page);
    for (size_t i = 0; i < 2; i++) {
        struct wal_sum sum = mend->seeds[i];

        wal_sum_add(&sum, head, sizeof head);
        wal_sum_add(&sum, mend->frame + WAL_FRAME_HEADER_BYTES, PAGE_BYTES);
        *ret_sum = sum;
        if (wal_sum_is(&sum, mend->frame + 16)) {
            return true;
        }
    }
    return false;
}

/* How many bytes of the page are as they were. */
static unsigned likeness(struct mend *mend, uint32_t page, uint32_t frame)
{
    const unsigned char *is = mend->frame + WAL_FRAME_HEADER_BYTES;
    unsigned same = 0;

    if (page == 0 || pages_get_before(mend->pages, page, frame, mend->before) < 0) {
        return 0;
    }
    for (size_t i = 0; i < PAGE_BYTES; i++) {
        same += is[i] == mend->before[i];
    }
    return same;
}

static uint32_t doubt(struct mend *mend, uint32_t page, uint32_t frame, uint32_t max_page,
                      struct wal_sum *sum)
{
    uint32_t best = page;
    unsigned best_likeness = page <= max_page ? likeness(mend, page, frame) : 0;

    for (uint32_t other = 1; other <= max_page; other++) {
        struct wal_sum with;
        unsigned like;

        if (!fits(mend, other, &with)) {
            continue;
        }
        like = likeness(mend, other, frame);
        if (like > best_likeness || best > max_page || best == 0) {
            best = other;
            best_likeness = like;
            *sum = with;
        }
    }
    return best;
}

static void mend_frame(struct mend *mend, uint32_t frame, uint32_t max_page)
{
    uint32_t page = bytes_get32(mend->frame);
    struct wal_sum sum;

    if (!fits(mend, page, &sum) && mend->tries > 0) {
        mend->tries--;
        page = doubt(mend, page, frame, max_page, &sum);
    }
    // also where the generation in the frame is what is damaged
    mend->pages->wal.pages[frame - 1] = page;
    mend->seeds[0].a = bytes_get32(mend->frame + 16);
    mend->seeds[0].b = bytes_get32(mend->frame + 20);
    mend->seeds[1] = sum;
}

static void start(struct mend *mend)
{
    unsigned char header[WAL_HEADER_BYTES];

    memcpy(header, mend->frame, sizeof header);
    mend->seeds[0] = (struct wal_sum){
        .a = bytes_get32(header + 24), .b = bytes_get32(header + 28), .big_endian = header[3] & 1};
    mend->seeds[1] = (struct wal_sum){.big_endian = header[3] & 1};
    wal_sum_add(&mend->seeds[1], header, 24);
}

int mend_log(struct pages *pages)
{
    struct mend *mend = calloc(1, sizeof *mend);
    uint32_t max_page = pages->count + pages->wal.frames;

    if (!mend) {
        return -ENOMEM;
    }
    mend->pages = pages;
    mend->tries = TRIES;
    if (wal_header(&pages->wal, mend->frame) == 0) {
        start(mend);
    }
    for (uint32_t frame = 1; frame <= pages->wal.usable; frame++) {
        if (wal_frame(&pages->wal, frame, mend->frame) == 0) {
            mend_frame(mend, frame, max_page);
        } else {
            pages->wal.pages[frame - 1] = 0;
        }
    }
    free(mend);
    return 0;
}
