/*
 * replacement.h: private to rules/: the regular expression and the template of a label_replace(),
 * read once.
 */
#ifndef RULES_REPLACEMENT_H
#define RULES_REPLACEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/pool.h"

struct replacement {
    struct replacement *next; /* of the expr's list */
    struct regex *regex;      /* owned */
    const struct replacement_part *parts;
    size_t nparts;
};

/* In the pool, but for the regex: replacement_finish().  -EINVAL with a sentence; -ENOMEM. */
int replacement_create(struct pool *pool, const char *regex, const char *text,
                       struct replacement **ret_replacement, char *ret_why, size_t size);
void replacement_finish(struct replacement *replacement);
/* 1: it matches, and `buf` has the new value; 0: it does not; -E2BIG: a limit. */
int replacement_apply(const struct replacement *replacement, const char *value, struct buf *buf);

#endif
