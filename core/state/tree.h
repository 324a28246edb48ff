/*
 * tree.h: the rows of one table of a damaged database, as far as they can be found.
 */
#ifndef STATE_TREE_H
#define STATE_TREE_H

#include "state/pages.h"

/* What a table's rows look like. */
struct shape {
    int columns;
    int key; /* the column that is the row's number and stands nowhere else; -1: none */
    struct {
        enum value_type type;
        bool may_be_null;
    } column[RECORD_COLUMNS];
};

struct tree {
    struct pages *pages;
    const struct shape *shape;
    /* A row was found; as many values as the shape has columns, borrowed. */
    void (*row)(void *owner, int64_t rowid, const struct value *values);
    void *owner;
    bool damaged;  /* pages or pointers did not fit: there may be leaves that nothing leads to */
    uint64_t rows; /* found */
    uint64_t lost; /* known to be lost; what a lost page had is not known */
    unsigned char *record;
    size_t record_size;
};

/* Finds the rows of the tree with this root. */
void tree_walk(struct tree *tree, uint32_t root);
/* Reads a page that nothing led to, if all its rows could be this table's. */
bool tree_try_leaf(struct tree *tree, uint32_t page);
void tree_finish(struct tree *tree);

#endif
