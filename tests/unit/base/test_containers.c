/* core/base/map.c and heap.c against plain models, with many random operations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/heap.h"
#include "base/map.h"

#define KEYS 500
#define STEPS 50000

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void test_map_against_model(void **state)
{
    static char keys[KEYS][16];
    static int values[STEPS];
    int *model[KEYS] = {0};
    struct map map;
    uint32_t seed = 1;
    size_t count = 0, pos = 0, seen = 0;

    map_init(&map);
    for (size_t i = 0; i < KEYS; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "key%zu", i * 7919);
    }
    for (size_t step = 0; step < STEPS; step++) {
        size_t k = next_random(&seed) % KEYS;

        if (next_random(&seed) % 2) {
            assert_int_equal(map_put(&map, keys[k], strlen(keys[k]), &values[step]), 0);
            count += model[k] == NULL;
            model[k] = &values[step];
        } else {
            assert_ptr_equal(map_remove(&map, keys[k], strlen(keys[k])), model[k]);
            count -= model[k] != NULL;
            model[k] = NULL;
        }
        k = next_random(&seed) % KEYS;
        assert_ptr_equal(map_get(&map, keys[k], strlen(keys[k])), model[k]);
        assert_int_equal(map.used, count);
    }
    while (map_next(&map, &pos)) {
        seen++;
    }
    assert_int_equal(seen, count);
    map_finish(&map);
}

static void test_map_keys_are_bytes(void **state)
{
    struct map map;
    int a, b;

    map_init(&map);
    assert_null(map_get(&map, "x", 1));
    assert_null(map_remove(&map, "x", 1));
    assert_int_equal(map_put(&map, "k\0", 2, &a), 0);
    assert_int_equal(map_put(&map, "k", 1, &b), 0);
    assert_ptr_equal(map_get(&map, "k\0", 2), &a);
    assert_ptr_equal(map_get(&map, "k", 1), &b);
    map_finish(&map);
}

static void test_heap_orders(void **state)
{
    static struct heap_node nodes[KEYS];
    struct heap heap;
    uint32_t seed = 3;
    int64_t last = INT64_MIN;
    size_t left = 0;

    heap_init(&heap);
    for (size_t step = 0; step < STEPS; step++) {
        struct heap_node *node = &nodes[next_random(&seed) % KEYS];

        if (next_random(&seed) % 3) {
            assert_int_equal(heap_set(&heap, node, next_random(&seed) % 1000), 0);
            assert_true(heap_has(node));
        } else {
            heap_remove(&heap, node);
            assert_false(heap_has(node));
        }
    }
    for (size_t i = 0; i < KEYS; i++) {
        left += heap_has(&nodes[i]);
    }
    assert_int_equal(heap.len, left);
    while (heap_top(&heap)) {
        assert_true(heap_top(&heap)->at >= last);
        last = heap_top(&heap)->at;
        heap_remove(&heap, heap_top(&heap));
        left--;
    }
    assert_int_equal(left, 0);
    heap_finish(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map_against_model),
        cmocka_unit_test(test_map_keys_are_bytes),
        cmocka_unit_test(test_heap_orders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
