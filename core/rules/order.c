/*
 * order.c: see order.h.
 *
 * Up to twelve keys Go sorts by insertion, and so do we, with its comparison, for which every NaN
 * is less than everything (another NaN too).  Longer ones are merged; among equals the order is
 * that of the input, where Go's depends on its pivots.
 */
#include "rules/order.h"

#include <math.h>
#include <string.h>

#define BY_INSERTION 12

/* The order of a heap: a NaN goes first, whatever the other is. */
static bool heap_less(double a, double b, bool down)
{
    return isnan(a) || (down ? a > b : a < b);
}

/* Whether b stands before a, which is after it in the array, as Go's sort asks. */
static bool less(double a, double b, enum order order)
{
    switch (order) {
    case ORDER_PLAIN:
        return a < b;
    case ORDER_UP:
        return heap_less(a, b, false);
    case ORDER_UP_LAST:
        return heap_less(b, a, true);
    case ORDER_DOWN_LAST:
        break;
    }
    return heap_less(b, a, false);
}

/* The same without the oddity of NaNs, so that merging ends with an order. */
static bool before(double a, double b, enum order order)
{
    return !(isnan(a) && isnan(b)) && less(a, b, order);
}

static void insert(struct order_key *keys, size_t n, enum order order)
{
    for (size_t i = 1; i < n; i++) {
        for (size_t j = i; j > 0 && less(keys[j].value, keys[j - 1].value, order); j--) {
            struct order_key key = keys[j];

            keys[j] = keys[j - 1];
            keys[j - 1] = key;
        }
    }
}

static void merge(const struct order_key *from, size_t left, size_t right, size_t end,
                  enum order order, struct order_key *to)
{
    size_t i = left, j = right;

    for (size_t k = left; k < end; k++) {
        if (j == end || (i < right && !before(from[j].value, from[i].value, order))) {
            to[k] = from[i++];
        } else {
            to[k] = from[j++];
        }
    }
}

void order_sort(struct order_key *keys, size_t n, enum order order, struct order_key *room)
{
    struct order_key *from = keys, *to = room;

    if (n <= BY_INSERTION) {
        insert(keys, n, order);
        return;
    }
    for (size_t width = 1; width < n; width *= 2) {
        struct order_key *swap = from;

        for (size_t left = 0; left < n; left += 2 * width) {
            size_t right = left + width < n ? left + width : n;
            size_t end = right + width < n ? right + width : n;

            merge(from, left, right, end, order, to);
        }
        from = to;
        to = swap;
    }
    if (from != keys) {
        memcpy(keys, from, n * sizeof *keys);
    }
}

static void swap(struct order_key *a, struct order_key *b)
{
    struct order_key key = *a;

    *a = *b;
    *b = key;
}

void order_push(struct order_key *heap, size_t n, struct order_key key, bool down)
{
    size_t i = n;

    heap[n] = key;
    while (i > 0) {
        size_t parent = (i - 1) / 2;

        if (!heap_less(heap[i].value, heap[parent].value, down)) {
            break;
        }
        swap(&heap[i], &heap[parent]);
        i = parent;
    }
}

void order_pop(struct order_key *heap, size_t n, bool down)
{
    size_t i = 0;

    n--;
    swap(&heap[0], &heap[n]);
    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= n) {
            break;
        }
        if (child + 1 < n && heap_less(heap[child + 1].value, heap[child].value, down)) {
            child++;
        }
        if (!heap_less(heap[child].value, heap[i].value, down)) {
            break;
        }
        swap(&heap[i], &heap[child]);
        i = child;
    }
}
