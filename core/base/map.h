/*
 * map.h: a hash map from byte strings to pointers.
 *
 * Open addressing, keyed by a seeded hash, since keys come from outside.  The map borrows keys:
 * they live inside the values or elsewhere as long as the entry does.  One thread at a time.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map_entry {
    const char *key; /* NULL: free */
    uint32_t len;
    uint32_t hash;
    void *value;
};

struct map {
    struct map_entry *entries;
    size_t size; /* a power of two, or 0 */
    size_t used; /* entries in use */
};

void map_init(struct map *map);
/* Frees the table, not keys or values. */
void map_finish(struct map *map);
void *map_get(const struct map *map, const char *key, size_t len);
/* Adds or replaces.  -ENOMEM. */
int map_put(struct map *map, const char *key, size_t len, void *value);
/* Returns the value that was removed, or NULL. */
void *map_remove(struct map *map, const char *key, size_t len);
/* Walks in no particular order: start with *pos 0, ends with NULL.  The map must not change
 * meanwhile. */
void *map_next(const struct map *map, size_t *pos);
/* The hash the map uses (seeded once per process). */
uint32_t map_hash(const void *data, size_t len);

#endif
