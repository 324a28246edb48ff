/*
 * data.h: what a template is filled with: a tree of texts, lists and maps.
 *
 * A tree is written once and then only read.  All of it lives in one pool.  What finds no memory or
 * passes the limits sets `failed`; callers add freely and look at it once, at the end.
 */
#ifndef MAIL_DATA_H
#define MAIL_DATA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/pool.h"

enum mail_kind { MAIL_NULL, MAIL_FALSE, MAIL_TRUE, MAIL_TEXT, MAIL_LIST, MAIL_MAP };

struct mail_data {
    enum mail_kind kind;
    const char *key;  /* in a map; else NULL */
    const char *text; /* of MAIL_TEXT: ends with NUL, `len` does not count it */
    size_t len;
    struct mail_data *first, *last; /* of MAIL_LIST and MAIL_MAP */
    struct mail_data *next;
};

struct mail_tree {
    struct pool pool;
    struct mail_data root, spare;
    size_t nodes;
    bool failed;
};

/* The root is a map. */
void mail_tree_init(struct mail_tree *tree);
void mail_tree_finish(struct mail_tree *tree);

/*
 * Adds a node at the end of a list or map; `key` is NULL in a list.  Copies.  Never NULL: what
 * could not be added is a node outside of the tree.  A key that is there already hides none: the
 * first one is found.
 */
struct mail_data *mail_add(struct mail_tree *tree, struct mail_data *parent, const char *key,
                           enum mail_kind kind);
void mail_add_text(struct mail_tree *tree, struct mail_data *parent, const char *key,
                   const char *text, size_t len);
void mail_add_string(struct mail_tree *tree, struct mail_data *parent, const char *key,
                     const char *text);
void mail_add_number(struct mail_tree *tree, struct mail_data *parent, const char *key,
                     unsigned long long number);

#endif
