/*
 * mustache_private.h: a template as it is kept: its text, and tags that point into it.
 */
#ifndef MAIL_MUSTACHE_PRIVATE_H
#define MAIL_MUSTACHE_PRIVATE_H

#include <stdint.h>

#include "mail/mustache.h"

enum node_kind {
    NODE_TEXT,
    NODE_ESCAPED,
    NODE_RAW,
    NODE_SECTION,
    NODE_INVERTED,
    NODE_CLOSE,
    NODE_PARTIAL
};

struct node {
    enum node_kind kind;
    bool begins_line; /* of a text: a partial's indentation goes before it */
    uint32_t at, len; /* the text, or the name */
    /* Of a section: its NODE_CLOSE.  Of a partial: how long the blanks are that it is indented by,
     * which end where `indent_end` says. */
    uint32_t jump, indent_end;
};

struct mustache {
    char *text; /* owned, ends with NUL */
    size_t len;
    struct node *nodes; /* owned */
    size_t count, size;
};

/* Where a byte of a text stands; both count from 1, columns in bytes. */
void mustache_place(const char *text, size_t at, unsigned *ret_line, unsigned *ret_column);

#endif
