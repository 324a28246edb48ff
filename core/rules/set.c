/*
 * set.c: see set.h.
 */
#include "rules/set.h"

#include <string.h>

#include "base/map.h"

uint64_t expr_hash(const char *name, const char *value)
{
    uint64_t hash = (uint64_t)map_hash(name, strlen(name)) << 32 | map_hash(value, strlen(value));

    /* Sums of neighbours must not meet: mix well. */
    hash ^= hash >> 33;
    hash *= UINT64_C(0xff51afd7ed558ccd);
    hash ^= hash >> 33;
    hash *= UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ hash >> 33;
}

static bool copy_pairs(struct pool *pool, const struct tmon_pair *pairs, size_t n,
                       const struct tmon_pair **ret_pairs)
{
    struct tmon_pair *copy = pool_get(pool, (n + 1) * sizeof *copy);

    for (size_t i = 0; copy && i < n; i++) {
        copy[i].key = pool_copy(pool, pairs[i].key, strlen(pairs[i].key));
        copy[i].value = pool_copy(pool, pairs[i].value, strlen(pairs[i].value));
        copy = copy[i].key && copy[i].value ? copy : NULL;
    }
    *ret_pairs = copy;
    return copy != NULL;
}

bool set_make(struct pool *pool, const struct tmon_pair *pairs, const uint64_t *hashes, size_t n,
              bool copy, struct set *ret_set)
{
    struct set set = {.pairs = pairs, .hashes = hashes, .n = (uint32_t)n};

    if (copy && !copy_pairs(pool, pairs, n, &set.pairs)) {
        return false;
    }
    if (!hashes || copy) {
        uint64_t *own = pool_get(pool, (n + 1) * sizeof *own);

        if (!own) {
            return false;
        }
        for (size_t i = 0; i < n; i++) {
            own[i] = hashes ? hashes[i] : expr_hash(pairs[i].key, pairs[i].value);
        }
        set.hashes = own;
    }
    for (size_t i = 0; i < n; i++) {
        set.hash += set.hashes[i];
    }
    *ret_set = set;
    return true;
}

uint32_t set_find(const struct set *set, const char *name)
{
    for (uint32_t i = 0; i < set->n; i++) {
        if (set->pairs[i].key[0] == name[0] && strcmp(set->pairs[i].key, name) == 0) {
            return i;
        }
    }
    return set->n;
}

const char *set_get(const struct set *set, const char *name)
{
    uint32_t i = set_find(set, name);

    return i < set->n ? set->pairs[i].value : "";
}

static bool same(const struct tmon_pair *a, const struct tmon_pair *b)
{
    return (a->key == b->key || strcmp(a->key, b->key) == 0) &&
           (a->value == b->value || strcmp(a->value, b->value) == 0);
}

bool set_equal(const struct set *a, const struct set *b)
{
    if (a->hash != b->hash || a->n != b->n) {
        return false;
    }
    for (uint32_t i = 0; a->pairs != b->pairs && i < a->n; i++) {
        if (!same(&a->pairs[i], &b->pairs[i])) {
            return false;
        }
    }
    return true;
}

bool names_have(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++) {
        if (names->sorted[i][0] == name[0] && strcmp(names->sorted[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether a label belongs to the part. */
bool set_part_has(const char *name, const struct names *names, enum part part)
{
    bool there = names_have(names, name);

    return part == PART_ONLY ? there : !there && (part == PART_BUT || strcmp(name, SET_NAME) != 0);
}

uint64_t set_part_hash(const struct set *set, const struct names *names, enum part part)
{
    bool only = part == PART_ONLY;
    uint64_t hash = only ? 0 : set->hash;
    uint32_t i;

    for (size_t k = 0; k < names->n; k++) {
        if (k > 0 && strcmp(names->sorted[k], names->sorted[k - 1]) == 0) {
            continue;
        }
        i = set_find(set, names->sorted[k]);
        if (i < set->n) {
            hash = only ? hash + set->hashes[i] : hash - set->hashes[i];
        }
    }
    if (part == PART_WITHOUT && !names_have(names, SET_NAME)) {
        i = set_find(set, SET_NAME);
        hash -= i < set->n ? set->hashes[i] : 0;
    }
    return hash;
}

bool set_part_equal(const struct set *a, const struct set *b, const struct names *names,
                    enum part part)
{
    uint32_t i = 0, j = 0;

    for (;; i++, j++) {
        while (i < a->n && !set_part_has(a->pairs[i].key, names, part)) {
            i++;
        }
        while (j < b->n && !set_part_has(b->pairs[j].key, names, part)) {
            j++;
        }
        if (i == a->n || j == b->n) {
            return i == a->n && j == b->n;
        }
        if (!same(&a->pairs[i], &b->pairs[j])) {
            return false;
        }
    }
}
