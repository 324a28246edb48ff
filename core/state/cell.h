/*
 * cell.h: what stands in a page of a table's tree: cells, and the records in them, as
 * https://www.sqlite.org/fileformat2.html has them.  The bytes may be damaged in any way.
 */
#ifndef STATE_CELL_H
#define STATE_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_BYTES 4096U /* of all our files, set when they are made */
#define PAGE_LEAF 0x0d
#define PAGE_INTERIOR 0x05
#define PAGE_CELLS ((PAGE_BYTES - 8) / 4 + 1) /* more cannot be in one */

/* A cell of a leaf. */
struct cell {
    int64_t rowid;
    uint64_t payload;          /* bytes of the record */
    const unsigned char *data; /* of it, what stands in the page */
    size_t len;
    uint32_t overflow; /* the page that has the rest, where there is one */
    uint32_t bytes;    /* that it takes in the page */
};

#define RECORD_COLUMNS 64 /* ours have fewer */

enum value_type { VALUE_NULL, VALUE_INT, VALUE_REAL, VALUE_BLOB, VALUE_TEXT };

/* A column of a record. */
struct value {
    enum value_type type;
    int64_t number;
    const unsigned char *data; /* borrowed from the record */
    size_t len;
};

/* A number of 1 to 9 bytes; how many they were, or 0: it passes `end`. */
size_t varint_get(const unsigned char *at, const unsigned char *end, uint64_t *ret_value);
/* Whether a cell can stand there. */
bool cell_get(const unsigned char *page, uint32_t offset, struct cell *ret_cell);
/* The types of a record's columns, of which the beginning is at hand; how many they are, or -1: it
 * is no record of so many bytes. */
int record_types(const unsigned char *data, size_t len, uint64_t payload,
                 enum value_type ret_types[RECORD_COLUMNS]);
/* The whole record's columns; how many they are, or -1. */
int record_get(const unsigned char *data, size_t len, struct value ret_values[RECORD_COLUMNS]);

/* Whether a cell is a row of the table that is looked for. */
struct cell_test {
    bool (*fits)(void *arg, const struct cell *cell);
    void *arg;
};

/* Where the rows of a leaf begin (`header`: 100 on the first page, else 0); also those that no
 * pointer leads to any more.  *ret_sound: everything in the page fits together.  *ret_unfit: so
 * many pointers lead to no row. */
size_t leaf_rows(const unsigned char *page, uint32_t header, const struct cell_test *test,
                 uint32_t ret_offsets[PAGE_CELLS], bool *ret_sound, size_t *ret_unfit);

#endif
