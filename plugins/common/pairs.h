/*
 * pairs.h: labels and annotations as a map would hold them.
 */
#ifndef COMMON_PAIRS_H
#define COMMON_PAIRS_H

#include <plugin_api.h>

/* Pairs in the order of their keys, of two with one key the later: what a map would hold. */
struct pairs {
    const struct tmon_pair **at; /* owned; the pairs are borrowed */
    size_t count;
    size_t size; /* allocated */
};

/* False when out of memory. */
bool pairs_sort(struct pairs *pairs, const struct tmon_pair *from, size_t count);
/* Keeps those that the other one has with the same value. */
void pairs_keep_common(struct pairs *pairs, const struct pairs *other);
void pairs_finish(struct pairs *pairs);

#endif
