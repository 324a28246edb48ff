/*
 * vector.c: see eval.h; vectors, and the table that finds equal labels in them.
 */
#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "model/labels.h"
#include "rules/eval.h"

int vector_add(struct eval *eval, struct vector *vector, const struct set *set, double value)
{
    if (vector->n == LIMIT_EXPR_ELEMENTS) {
        return eval_fail(eval, -E2BIG, "a vector has more than %d elements", LIMIT_EXPR_ELEMENTS);
    }
    if (vector->n == vector->room) {
        size_t room = vector->room ? vector->room * 2 : 16;
        struct element *elements;

        elements = pool_get(&eval->pool, room * sizeof *elements);
        if (!elements) {
            return -ENOMEM;
        }
        if (vector->n > 0) {
            memcpy(elements, vector->elements, vector->n * sizeof *elements);
        }
        vector->elements = elements;
        vector->room = room;
    }
    vector->elements[vector->n++] = (struct element){*set, value};
    return eval_check(eval, 1);
}

bool set_table_init(struct eval *eval, struct table *table, size_t n, const struct names *names,
                    enum part part)
{
    size_t size = 16;

    while (size < n * 2) {
        size *= 2;
    }
    *table = (struct table){.mask = size - 1, .names = names, .part = part};
    table->slots = pool_get(&eval->pool, size * sizeof *table->slots);
    if (!table->slots) {
        return false;
    }
    memset(table->slots, 0, size * sizeof *table->slots);
    return true;
}

/* Without names the whole of the sets is compared. */
static uint64_t hash_of(const struct table *table, const struct set *set)
{
    return table->names ? set_part_hash(set, table->names, table->part) : set->hash;
}

static bool equal(const struct table *table, const struct set *a, const struct set *b)
{
    return table->names ? set_part_equal(a, b, table->names, table->part) : set_equal(a, b);
}

uint32_t set_table_find(struct table *table, const struct element *elements, const struct set *set,
                        uint32_t number)
{
    uint64_t hash = hash_of(table, set);
    uint32_t upper = (uint32_t)(hash >> 32);
    size_t i = hash & table->mask;

    for (; table->slots[i].number; i = (i + 1) & table->mask) {
        uint32_t found = table->slots[i].number - 1;

        if (table->slots[i].hash == upper && equal(table, &elements[found].set, set)) {
            return found;
        }
    }
    if (number != TABLE_NONE) {
        table->slots[i] = (struct slot){number + 1, upper};
    }
    return TABLE_NONE;
}

int groups_make(struct eval *eval, const struct vector *vector, const struct names *names,
                enum part part, struct groups *ret_groups)
{
    size_t bytes = (vector->n + 1) * sizeof(uint32_t);
    bool all = part == PART_ONLY && names->n == 0; /* one group */
    struct groups groups = {pool_get(&eval->pool, bytes), pool_get(&eval->pool, bytes),
                            pool_get(&eval->pool, bytes), 0};
    struct table table;

    if (!groups.of || !groups.first || !groups.size ||
        (!all && !set_table_init(eval, &table, vector->n, names, part))) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < vector->n; i++) {
        uint32_t first = i;

        if (all) {
            first = i > 0 ? 0 : TABLE_NONE;
        } else {
            first = set_table_find(&table, vector->elements, &vector->elements[i].set, i);
        }
        if (first == TABLE_NONE) {
            groups.first[groups.n] = i;
            groups.size[groups.n] = 0;
            groups.of[i] = (uint32_t)groups.n++;
        } else {
            groups.of[i] = groups.of[first];
        }
        groups.size[groups.of[i]]++;
    }
    *ret_groups = groups;
    return 0;
}

int vector_check(struct eval *eval, struct vector *vector)
{
    struct table table;

    if (vector->distinct || vector->n < 2) {
        vector->distinct = true;
        return 0;
    }
    if (!set_table_init(eval, &table, vector->n, NULL, PART_BUT)) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < vector->n; i++) {
        const struct set *set = &vector->elements[i].set;

        if (set_table_find(&table, vector->elements, set, i) != TABLE_NONE) {
            struct buf buf;
            int r;

            buf_init(&buf, 400);
            labels_show(set->pairs, set->n, &buf);
            r = eval_fail(eval, -EINVAL, "two elements of a vector have the same labels: %s",
                          buf_str(&buf));
            buf_finish(&buf);
            return r;
        }
    }
    vector->distinct = true;
    return 0;
}

int vector_drop_names(struct eval *eval, struct vector *vector)
{
    int r;

    for (size_t i = 0; i < vector->n; i++) {
        struct set *set = &vector->elements[i].set;

        if (!set_drop_name(&eval->pool, set, set)) {
            return -ENOMEM;
        }
    }
    vector->distinct = vector->distinct_unnamed;
    vector->distinct_unnamed = true; /* or the check ends it */
    r = eval_check(eval, vector->n);
    return r < 0 ? r : vector_check(eval, vector);
}
