/*
 * tree.c: see tree.h.  What the page above says of a page is evidence, not truth: a page that has
 * lost its type is still read as a leaf when rows of the table stand in it, and a child is refused
 * when its rows have no business there, for then the pointer is the damage.
 */
#include "state/tree.h"

#include <stdlib.h>
#include <string.h>

#include "state/bytes.h"

#define DEPTH_MAX 20 /* SQLite's own limit */
#define INTERIOR_HEADER 12U

/* Numbers that rows of a subtree may have. */
struct bounds {
    int64_t above, upto;
};

static bool fits(void *arg, const struct cell *cell)
{
    const struct shape *shape = arg;
    enum value_type types[RECORD_COLUMNS];
    int n = record_types(cell->data, cell->len, cell->payload, types);

    if (n != shape->columns) {
        return false;
    }
    for (int i = 0; i < n; i++) {
        bool null = types[i] == VALUE_NULL;

        if (i == shape->key
                ? !null
                : types[i] != shape->column[i].type && !(null && shape->column[i].may_be_null)) {
            return false;
        }
    }
    return true;
}

/* ---- one row ---- */

/* The record with what stands on other pages; NULL: it cannot be had. */
static const unsigned char *whole_record(struct tree *tree, const struct cell *cell)
{
    unsigned char page[PAGE_BYTES];
    uint32_t next = cell->overflow;
    size_t have = cell->len, want = (size_t)cell->payload;

    if (have == want) {
        return cell->data;
    }
    if (tree->record_size < want) {
        unsigned char *larger = realloc(tree->record, want);

        if (!larger) {
            return NULL;
        }
        tree->record = larger;
        tree->record_size = want;
    }
    memcpy(tree->record, cell->data, have);
    while (have < want) {
        size_t n = want - have < PAGE_BYTES - 4 ? want - have : PAGE_BYTES - 4;

        if (next < 2 || next > tree->pages->count || pages_get(tree->pages, next, page) < 0) {
            return NULL;
        }
        memcpy(tree->record + have, page + 4, n);
        have += n;
        next = bytes_get32(page);
    }
    return tree->record;
}

static void tell_row(struct tree *tree, const struct cell *cell)
{
    struct value values[RECORD_COLUMNS];
    const unsigned char *record = whole_record(tree, cell);
    int n = record ? record_get(record, (size_t)cell->payload, values) : -1;

    if (n != tree->shape->columns) {
        tree->lost++;
        return;
    }
    tree->rows++;
    tree->row(tree->owner, cell->rowid, values);
}

/* ---- one leaf ---- */

struct leaf {
    uint32_t offsets[PAGE_CELLS];
    size_t n, unfit;
    bool sound;
};

static void read_leaf(const struct tree *tree, const unsigned char *page, uint32_t header,
                      struct leaf *ret_leaf)
{
    struct cell_test test = {.fits = fits, .arg = (void *)(uintptr_t)tree->shape};

    ret_leaf->n =
        leaf_rows(page, header, &test, ret_leaf->offsets, &ret_leaf->sound, &ret_leaf->unfit);
}

static void tell_leaf(struct tree *tree, const unsigned char *page, const struct leaf *leaf)
{
    for (size_t i = 0; i < leaf->n; i++) {
        struct cell cell;

        if (cell_get(page, leaf->offsets[i], &cell)) {
            tell_row(tree, &cell);
        }
    }
    tree->lost += leaf->unfit;
}

static size_t rows_within(const unsigned char *page, const struct leaf *leaf, struct bounds bounds)
{
    size_t within = 0;

    for (size_t i = 0; i < leaf->n; i++) {
        struct cell cell;

        within += cell_get(page, leaf->offsets[i], &cell) && cell.rowid >= bounds.above &&
                  cell.rowid <= bounds.upto;
    }
    return within;
}

/* Whether it was this table's. */
static bool walk_leaf(struct tree *tree, uint32_t n, const unsigned char *page,
                      struct bounds bounds)
{
    uint32_t header = n == 1 ? 100 : 0;
    struct leaf leaf;

    read_leaf(tree, page, header, &leaf);
    if (leaf.n == 0 && !leaf.sound) {
        return false;
    }
    if (2 * rows_within(page, &leaf, bounds) < leaf.n) {
        return false;
    }
    tree->pages->use[n] = PAGE_READ;
    tree->damaged |= !leaf.sound;
    tell_leaf(tree, page, &leaf);
    return true;
}

bool tree_try_leaf(struct tree *tree, uint32_t n)
{
    unsigned char page[PAGE_BYTES];
    struct leaf leaf;

    if (pages_get(tree->pages, n, page) < 0 || page[0] != PAGE_LEAF) {
        return false;
    }
    read_leaf(tree, page, 0, &leaf);
    if (leaf.n == 0 || leaf.unfit > leaf.n) {
        return false;
    }
    tree->pages->use[n] = PAGE_READ;
    tell_leaf(tree, page, &leaf);
    return true;
}

/* ---- the tree ---- */

static bool is_child(const struct tree *tree, uint32_t n)
{
    return n >= 2 && n <= tree->pages->count && tree->pages->use[n] != PAGE_READ;
}

static void walk(struct tree *tree, uint32_t n, int depth, struct bounds bounds);

/* How many children it has that can be ones. */
static size_t count_children(const struct tree *tree, const unsigned char *page, uint32_t header)
{
    uint32_t pointers = header + INTERIOR_HEADER, count = bytes_get16(page + header + 3);
    size_t children = is_child(tree, bytes_get32(page + header + 8));

    for (uint32_t i = 0; i < count && pointers + 2 * i + 2 <= PAGE_BYTES; i++) {
        uint32_t at = bytes_get16(page + pointers + 2 * i);

        children +=
            at >= pointers && at <= PAGE_BYTES - 5 && is_child(tree, bytes_get32(page + at));
    }
    return children;
}

static void walk_child(struct tree *tree, uint32_t n, int depth, struct bounds bounds)
{
    if (is_child(tree, n)) {
        walk(tree, n, depth, bounds);
    } else {
        tree->damaged = true;
    }
}

static void walk_interior(struct tree *tree, uint32_t n, const unsigned char *page, int depth,
                          struct bounds bounds)
{
    uint32_t header = n == 1 ? 100 : 0;
    uint32_t pointers = header + INTERIOR_HEADER, count = bytes_get16(page + header + 3);
    int64_t above = bounds.above;

    tree->pages->use[n] = PAGE_READ;
    for (uint32_t i = 0; i < count && pointers + 2 * i + 2 <= PAGE_BYTES; i++) {
        uint32_t at = bytes_get16(page + pointers + 2 * i);
        int64_t upto = bounds.upto;
        uint64_t key;

        if (at < pointers || at > PAGE_BYTES - 5 ||
            varint_get(page + at + 4, page + PAGE_BYTES, &key) == 0) {
            tree->damaged = true;
            continue;
        }
        if ((int64_t)key < above || (int64_t)key > bounds.upto) {
            tree->damaged = true;
        } else {
            upto = (int64_t)key;
        }
        walk_child(tree, bytes_get32(page + at), depth, (struct bounds){above, upto});
        above = upto < bounds.upto ? upto : above;
    }
    walk_child(tree, bytes_get32(page + header + 8), depth, (struct bounds){above, bounds.upto});
}

static void walk(struct tree *tree, uint32_t n, int depth, struct bounds bounds)
{
    unsigned char page[PAGE_BYTES];

    if (depth == DEPTH_MAX || pages_get(tree->pages, n, page) < 0) {
        tree->damaged = true;
    } else if (page[n == 1 ? 100 : 0] == PAGE_INTERIOR &&
               count_children(tree, page, n == 1 ? 100 : 0) > 0) {
        walk_interior(tree, n, page, depth + 1, bounds);
    } else if (!walk_leaf(tree, n, page, bounds)) {
        tree->damaged = true;
    }
}

void tree_walk(struct tree *tree, uint32_t root)
{
    if (root == 0 || root > tree->pages->count || tree->pages->use[root] == PAGE_READ) {
        tree->damaged = true;
        return;
    }
    walk(tree, root, 0, (struct bounds){INT64_MIN, INT64_MAX});
}

void tree_finish(struct tree *tree)
{
    free(tree->record);
    tree->record = NULL;
    tree->record_size = 0;
}
