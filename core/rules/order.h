/*
 * order.h: private to rules/: sorting as Prometheus sorts, NaN and ties considered.
 */
#ifndef RULES_ORDER_H
#define RULES_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct order_key {
    double value;
    uint32_t index; /* of what the value belongs to */
};

enum order {
    ORDER_PLAIN,     /* up; there should be no NaN */
    ORDER_UP,        /* NaN first */
    ORDER_UP_LAST,   /* NaN last */
    ORDER_DOWN_LAST, /* from the largest; NaN last */
};

/* `room` has space for n keys. */
void order_sort(struct order_key *keys, size_t n, enum order order, struct order_key *room);
/* The heap of Go, whose choice among equals decides which elements topk() keeps.  `down`: the
 * largest on top, else the smallest; NaN above all. */
void order_push(struct order_key *heap, size_t n, struct order_key key, bool down);
/* Drops the top; n before it. */
void order_pop(struct order_key *heap, size_t n, bool down);

#endif
