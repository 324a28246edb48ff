/*
 * pool.c: see pool.h.
 */
#include "base/pool.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MIN 512
#define BLOCK_MAX (64u << 10)
#define ALIGNMENT alignof(max_align_t)

struct pool_block {
    struct pool_block *next;
    size_t used, size;
    alignas(max_align_t) unsigned char data[];
};

void pool_init(struct pool *pool, size_t first)
{
    *pool = (struct pool){.size = first < BLOCK_MIN ? BLOCK_MIN : first};
}

void pool_finish(struct pool *pool)
{
    while (pool->blocks) {
        struct pool_block *block = pool->blocks;

        pool->blocks = block->next;
        free(block);
    }
    *pool = (struct pool){.size = BLOCK_MIN};
}

static struct pool_block *add_block(struct pool *pool, size_t size)
{
    struct pool_block *block = malloc(sizeof *block + size);

    if (!block) {
        return NULL;
    }
    block->used = 0;
    block->size = size;
    pool->bytes += sizeof *block + size;
    return block;
}

void *pool_get(struct pool *pool, size_t len)
{
    struct pool_block *block = pool->blocks;
    void *piece;

    if (len > SIZE_MAX / 4) {
        return NULL;
    }
    len = (len + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (block && len <= block->size - block->used) {
        piece = block->data + block->used;
        block->used += len;
        return piece;
    }
    if (block && len > pool->size / 2) {
        struct pool_block *own = add_block(pool, len);

        if (!own) {
            return NULL;
        }
        own->used = len;
        own->next = block->next;
        block->next = own;
        return own->data;
    }
    block = add_block(pool, len > pool->size ? len : pool->size);
    if (!block) {
        return NULL;
    }
    block->next = pool->blocks;
    pool->blocks = block;
    pool->size = pool->size > BLOCK_MAX / 2 ? BLOCK_MAX : pool->size * 2;
    block->used = len;
    return block->data;
}

char *pool_copy(struct pool *pool, const char *text, size_t len)
{
    char *copy = pool_get(pool, len + 1);

    if (copy) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}
