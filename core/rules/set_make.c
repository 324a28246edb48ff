/*
 * set_make.c: see set.h; sets made of others.
 */
#include <string.h>

#include "rules/set.h"

/* A set with room for n pairs, to be filled by put(). */
struct filling {
    struct tmon_pair *pairs;
    uint64_t *hashes;
    struct set set;
};

static bool start(struct pool *pool, size_t n, struct filling *ret_filling)
{
    *ret_filling = (struct filling){.pairs = pool_get(pool, (n + 1) * sizeof(struct tmon_pair)),
                                    .hashes = pool_get(pool, (n + 1) * sizeof(uint64_t))};
    ret_filling->set.pairs = ret_filling->pairs;
    ret_filling->set.hashes = ret_filling->hashes;
    return ret_filling->pairs && ret_filling->hashes;
}

static void put(struct filling *filling, const struct tmon_pair *pair, uint64_t hash)
{
    filling->pairs[filling->set.n] = *pair;
    filling->hashes[filling->set.n++] = hash;
    filling->set.hash += hash;
}

static bool take(struct pool *pool, const struct set *set, const struct names *names,
                 enum part part, struct set *ret_set)
{
    struct filling filling;

    if (!start(pool, set->n, &filling)) {
        return false;
    }
    for (uint32_t i = 0; i < set->n; i++) {
        if (set_part_has(set->pairs[i].key, names, part)) {
            put(&filling, &set->pairs[i], set->hashes[i]);
        }
    }
    *ret_set = filling.set;
    return true;
}

bool set_only(struct pool *pool, const struct set *set, const struct names *names,
              struct set *ret_set)
{
    if (names->n == 0) {
        *ret_set = (struct set){0};
        return true;
    }
    return take(pool, set, names, PART_ONLY, ret_set);
}

bool set_without(struct pool *pool, const struct set *set, const struct names *names,
                 struct set *ret_set)
{
    return names->n == 0 ? set_drop_name(pool, set, ret_set)
                         : take(pool, set, names, PART_WITHOUT, ret_set);
}

bool set_but(struct pool *pool, const struct set *set, const struct names *names,
             struct set *ret_set)
{
    return take(pool, set, names, PART_BUT, ret_set);
}

bool set_drop_name(struct pool *pool, const struct set *set, struct set *ret_set)
{
    static const struct names none = {0};
    uint32_t i = set_find(set, SET_NAME);

    if (i == set->n) {
        *ret_set = *set;
        return true;
    }
    if (i > 0) { /* a label whose name begins with a capital letter stands before it */
        return take(pool, set, &none, PART_WITHOUT, ret_set);
    }
    *ret_set = (struct set){.pairs = set->pairs + 1,
                            .hashes = set->hashes + 1,
                            .hash = set->hash - set->hashes[0],
                            .n = set->n - 1};
    return true;
}

bool set_with(struct pool *pool, const struct set *set, const char *name, const char *value,
              struct set *ret_set)
{
    struct tmon_pair pair = {name, value};
    struct filling filling;
    bool done = !*value;

    if (!start(pool, (size_t)set->n + 1, &filling)) {
        return false;
    }
    for (uint32_t i = 0; i < set->n; i++) {
        int order = strcmp(set->pairs[i].key, name);

        if (order >= 0 && !done) {
            put(&filling, &pair, expr_hash(name, value));
            done = true;
        }
        if (order != 0) {
            put(&filling, &set->pairs[i], set->hashes[i]);
        }
    }
    if (!done) {
        put(&filling, &pair, expr_hash(name, value));
    }
    *ret_set = filling.set;
    return true;
}
