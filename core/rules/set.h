/*
 * set.h: private to rules/: the labels of an element of a vector.
 *
 * A set is immutable and small; its pairs are borrowed from the input or live in the pool of the
 * evaluation.  Each pair has a hash, and a set's hash is their sum, so that the hash of what is
 * left without some labels is a subtraction and never reads a string.  Equal hashes prove nothing:
 * whoever finds two compares.
 */
#ifndef RULES_SET_H
#define RULES_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "rules/tree.h"

#define SET_NAME "__name__"

struct set {
    const struct tmon_pair *pairs; /* sorted by name, no empty values */
    const uint64_t *hashes;
    uint64_t hash; /* the sum */
    uint32_t n;
};

/* Borrows, or copies into the pool.  `hashes` may be NULL.  False: out of memory. */
bool set_make(struct pool *pool, const struct tmon_pair *pairs, const uint64_t *hashes, size_t n,
              bool copy, struct set *ret_set);
/* The index, or set->n. */
uint32_t set_find(const struct set *set, const char *name);
/* "" if it is not there. */
const char *set_get(const struct set *set, const char *name);
bool set_equal(const struct set *a, const struct set *b);
bool names_have(const struct names *names, const char *name);

/* Which labels count, by a sorted list of names. */
enum part {
    PART_ONLY,    /* those: by(), on() */
    PART_WITHOUT, /* all others but the name of the metric: without(), ignoring() */
    PART_BUT,     /* all others */
};
bool set_part_has(const char *name, const struct names *names, enum part part);
uint64_t set_part_hash(const struct set *set, const struct names *names, enum part part);
bool set_part_equal(const struct set *a, const struct set *b, const struct names *names,
                    enum part part);

/* New sets.  False: out of memory.  `set` and `ret_set` may be the same. */
bool set_drop_name(struct pool *pool, const struct set *set, struct set *ret_set);
bool set_only(struct pool *pool, const struct set *set, const struct names *names,
              struct set *ret_set);
bool set_without(struct pool *pool, const struct set *set, const struct names *names,
                 struct set *ret_set);
bool set_but(struct pool *pool, const struct set *set, const struct names *names,
             struct set *ret_set);
/* With that label set to the value, which is borrowed; "" takes it away. */
bool set_with(struct pool *pool, const struct set *set, const char *name, const char *value,
              struct set *ret_set);

#endif
