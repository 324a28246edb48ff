/*
 * heap.c: see heap.h.
 */
#include "base/heap.h"

#include <errno.h>
#include <stdlib.h>

void heap_init(struct heap *heap)
{
    *heap = (struct heap){0};
}

void heap_finish(struct heap *heap)
{
    if (!heap) {
        return;
    }
    free(heap->nodes);
    *heap = (struct heap){0};
}

static void place(struct heap *heap, size_t i, struct heap_node *node)
{
    heap->nodes[i] = node;
    node->index = i + 1;
}

static void sift_up(struct heap *heap, size_t i)
{
    struct heap_node *node = heap->nodes[i];

    while (i > 0) {
        size_t parent = (i - 1) / 2;

        if (heap->nodes[parent]->at <= node->at) {
            break;
        }
        place(heap, i, heap->nodes[parent]);
        i = parent;
    }
    place(heap, i, node);
}

static void sift_down(struct heap *heap, size_t i)
{
    struct heap_node *node = heap->nodes[i];

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= heap->len) {
            break;
        }
        if (child + 1 < heap->len && heap->nodes[child + 1]->at < heap->nodes[child]->at) {
            child++;
        }
        if (node->at <= heap->nodes[child]->at) {
            break;
        }
        place(heap, i, heap->nodes[child]);
        i = child;
    }
    place(heap, i, node);
}

int heap_set(struct heap *heap, struct heap_node *node, int64_t at)
{
    if (heap_has(node)) {
        size_t i = node->index - 1;
        int64_t before = node->at;

        node->at = at;
        if (at < before) {
            sift_up(heap, i);
        } else {
            sift_down(heap, i);
        }
        return 0;
    }
    if (heap->len == heap->size) {
        size_t size = heap->size ? heap->size * 2 : 16;
        struct heap_node **nodes = realloc(heap->nodes, size * sizeof *nodes);

        if (!nodes) {
            return -ENOMEM;
        }
        heap->nodes = nodes;
        heap->size = size;
    }
    node->at = at;
    heap->nodes[heap->len] = node;
    heap->len++;
    sift_up(heap, heap->len - 1);
    return 0;
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    size_t i;
    struct heap_node *last;

    if (!heap_has(node)) {
        return;
    }
    i = node->index - 1;
    node->index = 0;
    heap->len--;
    if (i == heap->len) {
        return;
    }
    last = heap->nodes[heap->len];
    place(heap, i, last);
    sift_up(heap, i);
    sift_down(heap, last->index - 1);
}

struct heap_node *heap_top(const struct heap *heap)
{
    return heap->len ? heap->nodes[0] : NULL;
}
