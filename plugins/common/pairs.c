/*
 * pairs.c: labels and annotations as a map in Go would give them.  See pairs.h.
 *
 * The agent sorts labels, so that sorting is nearly always a look and no work.
 */

#include "pairs.h"

#include <stdlib.h>

#include "utf8.h"

/* By what will be written: bytes that are not UTF-8 all become the same character, and of what is
 * one key then there must be one. For all else this is the order of strcmp(). */
static int key_order(const char *a, const char *b)
{
    for (;;) {
        const unsigned char left = (unsigned char)*a, right = (unsigned char)*b;
        uint32_t one, other;
        size_t n, m;

        if (left < 0x80 || right < 0x80) {
            if (left != right) {
                return left < right ? -1 : 1;
            }
            if (left == '\0') {
                return 0;
            }
            a++;
            b++;
            continue;
        }
        one = utf8_next(a, &n);
        other = utf8_next(b, &m);
        if (one != other) {
            return one < other ? -1 : 1;
        }
        a += n;
        b += m;
    }
}

static int by_key(const void *a, const void *b)
{
    const struct tmon_pair *one = *(const struct tmon_pair *const *)a;
    const struct tmon_pair *other = *(const struct tmon_pair *const *)b;
    const int order = key_order(one->key, other->key);

    return order != 0 ? order : one < other ? -1 : one > other;
}

bool pairs_sort(struct pairs *pairs, const struct tmon_pair *from, size_t count)
{
    bool sorted = true;

    if (count > pairs->size) {
        const struct tmon_pair **at = realloc(pairs->at, count * sizeof *at);

        if (at == NULL) {
            return false;
        }
        pairs->at = at;
        pairs->size = count;
    }
    pairs->count = count;
    for (size_t i = 0; i < count; i++) {
        pairs->at[i] = &from[i];
        sorted = sorted && (i == 0 || key_order(from[i - 1].key, from[i].key) < 0);
    }
    if (!sorted) {
        qsort(pairs->at, count, sizeof *pairs->at, by_key);
        pairs->count = 0;
        for (size_t i = 0; i < count; i++) {
            if (i + 1 == count || key_order(pairs->at[i]->key, pairs->at[i + 1]->key) != 0) {
                pairs->at[pairs->count++] = pairs->at[i];
            }
        }
    }
    return true;
}

void pairs_keep_common(struct pairs *pairs, const struct pairs *other)
{
    size_t kept = 0, k = 0;

    for (size_t i = 0; i < pairs->count && k < other->count; i++) {
        int order = -1;

        while (k < other->count && (order = key_order(other->at[k]->key, pairs->at[i]->key)) < 0) {
            k++;
        }
        if (k < other->count && order == 0 &&
            strcmp(other->at[k]->value, pairs->at[i]->value) == 0) {
            pairs->at[kept++] = pairs->at[i];
        }
    }
    pairs->count = kept;
}

void pairs_finish(struct pairs *pairs)
{
    free(pairs->at);
    memset(pairs, 0, sizeof *pairs);
}
