/*
 * pool.h: memory of one errand, taken piece by piece and freed all at once.
 *
 * One thread at a time.  Large pieces get a block of their own, so that what is left of the last
 * block is not thrown away for them.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

struct pool_block;

struct pool {
    struct pool_block *blocks; /* owned; the first is the one that pieces come from */
    size_t size;               /* of the next block */
    size_t bytes;              /* of all blocks */
};

/* `first`: how much will probably be needed; nothing is allocated yet. */
void pool_init(struct pool *pool, size_t first);
void pool_finish(struct pool *pool);
/* Aligned for anything, not zeroed.  NULL: out of memory. */
void *pool_get(struct pool *pool, size_t len);
/* A copy with a NUL behind it.  NULL: out of memory. */
char *pool_copy(struct pool *pool, const char *text, size_t len);

#endif
