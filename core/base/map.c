/*
 * map.c: see map.h.  Linear probing at a load of at most 3/4 with backward-shift deletion, so there
 * are no tombstones to grow old.  The hash is a seeded multiply-and-mix over eight bytes at a time:
 * keys come from outside, and without the seed nobody can choose keys that collide.
 */
#include "base/map.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"

static uint64_t seed; /* written once, before the first hash */
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void make_seed(void)
{
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed) {
        seed = (uint64_t)clock_real_ns() ^ (uint64_t)(uintptr_t)&seed;
    }
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint32_t map_hash(const void *data, size_t len)
{
    const unsigned char *p = data;
    uint64_t h;
    uint64_t part = 0;
    size_t rest = len;

    (void)pthread_once(&seed_once, make_seed);
    h = seed ^ UINT64_C(0x9e3779b97f4a7c15);
    while (rest >= 8) {
        memcpy(&part, p, 8);
        h = mix(h ^ part, UINT64_C(0xd6e8feb86659fd93) ^ seed);
        p += 8;
        rest -= 8;
    }
    part = 0;
    if (rest > 0) {
        memcpy(&part, p, rest);
    }
    h = mix(h ^ part, UINT64_C(0xa0761d6478bd642f) ^ len);
    h = mix(h, UINT64_C(0xe7037ed1a0b428db) ^ seed);
    return (uint32_t)(h ^ (h >> 32));
}

void map_init(struct map *map)
{
    *map = (struct map){0};
}

void map_finish(struct map *map)
{
    if (!map) {
        return;
    }
    free(map->entries);
    *map = (struct map){0};
}

/* The key's entry, or the free one where it would go.  The table has a free entry always. */
static struct map_entry *find(const struct map *map, const char *key, size_t len, uint32_t hash)
{
    size_t i = hash & (map->size - 1);

    for (;;) {
        struct map_entry *entry = &map->entries[i];

        if (!entry->key ||
            (entry->hash == hash && entry->len == len && memcmp(entry->key, key, len) == 0)) {
            return entry;
        }
        i = (i + 1) & (map->size - 1);
    }
}

void *map_get(const struct map *map, const char *key, size_t len)
{
    if (map->used == 0) {
        return NULL;
    }
    return find(map, key, len, map_hash(key, len))->value;
}

static int grow(struct map *map)
{
    struct map old = *map;
    size_t size = old.size ? old.size * 2 : 16;
    struct map_entry *entries = calloc(size, sizeof *entries);

    if (!entries) {
        return -ENOMEM;
    }
    map->entries = entries;
    map->size = size;
    for (size_t i = 0; i < old.size; i++) {
        const struct map_entry *entry = &old.entries[i];

        if (entry->key) {
            *find(map, entry->key, entry->len, entry->hash) = *entry;
        }
    }
    free(old.entries);
    return 0;
}

int map_put(struct map *map, const char *key, size_t len, void *value)
{
    struct map_entry *entry;
    uint32_t hash;

    if (len > UINT32_MAX) {
        return -EINVAL;
    }
    if ((map->used + 1) * 4 > map->size * 3) {
        int r = grow(map);

        if (r < 0) {
            return r;
        }
    }
    hash = map_hash(key, len);
    entry = find(map, key, len, hash);
    if (!entry->key) {
        map->used++;
    }
    *entry = (struct map_entry){.key = key, .len = (uint32_t)len, .hash = hash, .value = value};
    return 0;
}

void *map_remove(struct map *map, const char *key, size_t len)
{
    struct map_entry *entry;
    void *value;
    size_t hole, i, mask;

    if (map->used == 0) {
        return NULL;
    }
    entry = find(map, key, len, map_hash(key, len));
    if (!entry->key) {
        return NULL;
    }
    value = entry->value;
    mask = map->size - 1;
    hole = (size_t)(entry - map->entries);
    for (i = (hole + 1) & mask; map->entries[i].key; i = (i + 1) & mask) {
        size_t home = map->entries[i].hash & mask;

        /* It may move into the hole only if the hole lies between its home and where it stands. */
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            map->entries[hole] = map->entries[i];
            hole = i;
        }
    }
    map->entries[hole] = (struct map_entry){0};
    map->used--;
    return value;
}

void *map_next(const struct map *map, size_t *pos)
{
    while (*pos < map->size) {
        const struct map_entry *entry = &map->entries[(*pos)++];

        if (entry->key) {
            return entry->value;
        }
    }
    return NULL;
}
