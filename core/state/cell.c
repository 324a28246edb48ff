/*
 * cell.c: see cell.h.  Every byte of the content area of a sound leaf belongs to a cell, to a free
 * block or to a fragment of up to three bytes.  Where that does not add up, what is covered by
 * nothing is searched for cells as well: a damaged pointer must not cost the row that it led to.
 */
#include "state/cell.h"

#include <string.h>

#include "base/limits.h"
#include "state/bytes.h"

#define LOCAL_MAX (PAGE_BYTES - 35)
#define LOCAL_MIN ((PAGE_BYTES - 12) * 32 / 255 - 23)
#define CELL_MIN 4U
#define FRAGMENTS_MAX 60U

static size_t local_bytes(uint64_t payload)
{
    size_t left;

    if (payload <= LOCAL_MAX) {
        return (size_t)payload;
    }
    left = LOCAL_MIN + (size_t)((payload - LOCAL_MIN) % (PAGE_BYTES - 4));
    return left <= LOCAL_MAX ? left : LOCAL_MIN;
}

bool cell_get(const unsigned char *page, uint32_t offset, struct cell *ret_cell)
{
    const unsigned char *at = page + offset, *end = page + PAGE_BYTES;
    struct cell cell = {0};
    uint64_t rowid;
    size_t n;

    if (offset < 8 || offset > PAGE_BYTES - CELL_MIN) {
        return false;
    }
    n = varint_get(at, end, &cell.payload);
    if (n == 0 || cell.payload < 2 || cell.payload > LIMIT_STATE_ROW_BYTES) {
        return false;
    }
    at += n;
    n = varint_get(at, end, &rowid);
    if (n == 0) {
        return false;
    }
    at += n;
    cell.rowid = (int64_t)rowid;
    cell.data = at;
    cell.len = local_bytes(cell.payload);
    if (cell.len > (size_t)(end - at)) {
        return false;
    }
    at += cell.len;
    if (cell.len < cell.payload) {
        if (end - at < 4) {
            return false;
        }
        cell.overflow = bytes_get32(at);
        at += 4;
    }
    cell.bytes = (uint32_t)(at - (page + offset));
    if (cell.bytes < CELL_MIN) {
        cell.bytes = CELL_MIN;
    }
    *ret_cell = cell;
    return true;
}

struct cover {
    unsigned char used[PAGE_BYTES];
    uint32_t total;
    bool overlaps;
};

static void cover_add(struct cover *cover, uint32_t from, uint32_t len)
{
    for (uint32_t i = from; i < from + len && i < PAGE_BYTES; i++) {
        cover->overlaps |= cover->used[i];
        cover->used[i] = 1;
    }
    cover->total += len;
}

/* Whether the chain of free blocks is as it must be. */
static bool cover_free_blocks(struct cover *cover, const unsigned char *page, uint32_t first)
{
    uint32_t at = first;

    while (at != 0) {
        uint32_t next, len;

        if (at > PAGE_BYTES - 4) {
            return false;
        }
        next = bytes_get16(page + at);
        len = bytes_get16(page + at + 2);
        if (len < 4 || at + len > PAGE_BYTES || (next != 0 && next < at + len)) {
            return false;
        }
        cover_add(cover, at, len);
        at = next;
    }
    return true;
}

static bool row_at(const unsigned char *page, uint32_t offset, const struct cell_test *test,
                   const struct cover *cover, struct cell *ret_cell)
{
    struct cell cell;

    if (!cell_get(page, offset, &cell) || offset + cell.bytes > PAGE_BYTES) {
        return false;
    }
    for (uint32_t i = offset; i < offset + cell.bytes; i++) {
        if (cover->used[i]) {
            return false;
        }
    }
    if (!test->fits(test->arg, &cell)) {
        return false;
    }
    *ret_cell = cell;
    return true;
}

/* Rows in what nothing covers. */
static size_t search(const unsigned char *page, uint32_t from, const struct cell_test *test,
                     struct cover *cover, uint32_t offsets[PAGE_CELLS], size_t n)
{
    for (uint32_t at = from; at + CELL_MIN <= PAGE_BYTES && n < PAGE_CELLS; at++) {
        struct cell cell;

        if (row_at(page, at, test, cover, &cell)) {
            offsets[n++] = at;
            cover_add(cover, at, cell.bytes);
            at += cell.bytes - 1;
        }
    }
    return n;
}

size_t leaf_rows(const unsigned char *page, uint32_t header, const struct cell_test *test,
                 uint32_t ret_offsets[PAGE_CELLS], bool *ret_sound, size_t *ret_unfit)
{
    const unsigned char *head = page + header;
    uint32_t pointers = header + 8, count = bytes_get16(head + 3), content = bytes_get16(head + 5);
    struct cover cover = {.total = 0};
    bool sound = head[0] == PAGE_LEAF && count <= PAGE_CELLS && content <= PAGE_BYTES &&
                 content >= pointers + 2 * count;
    size_t n = 0, unfit = 0;

    for (uint32_t i = 0; i < count && n < PAGE_CELLS && pointers + 2 * i + 2 <= PAGE_BYTES; i++) {
        uint32_t offset = bytes_get16(page + pointers + 2 * i);
        struct cell cell;

        if (offset >= pointers && row_at(page, offset, test, &cover, &cell)) {
            cover_add(&cover, offset, cell.bytes);
            ret_offsets[n++] = offset;
        } else {
            unfit++;
        }
    }
    sound &= cover_free_blocks(&cover, page, bytes_get16(head + 1)) && !cover.overlaps &&
             head[7] <= FRAGMENTS_MAX && unfit == 0 &&
             cover.total + head[7] == PAGE_BYTES - content;
    if (!sound) {
        size_t before = n;

        n = search(page, pointers, test, &cover, ret_offsets, n);
        unfit -= n - before < unfit ? n - before : unfit;
    }
    *ret_sound = sound;
    *ret_unfit = unfit;
    return n;
}
