/*
 * heap.h: a binary heap of timers, smallest time first.
 *
 * Nodes are members of their owners; the heap only borrows them.  All operations are O(log n); the
 * array grows with the number of nodes.  One thread at a time.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    int64_t at;
    size_t index; /* 0: in no heap; else position + 1 */
};

struct heap {
    struct heap_node **nodes;
    size_t len;
    size_t size;
};

void heap_init(struct heap *heap);
void heap_finish(struct heap *heap);
/* Puts the node in, or moves it when it is in already.  -ENOMEM. */
int heap_set(struct heap *heap, struct heap_node *node, int64_t at);
/* Nothing happens if it is not in. */
void heap_remove(struct heap *heap, struct heap_node *node);
/* NULL when empty. */
struct heap_node *heap_top(const struct heap *heap);
static inline bool heap_has(const struct heap_node *node)
{
    return node->index != 0;
}

#endif
