/* core/rules/order.c: sorting with NaN, short and long; the heap. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/order.h"

static uint32_t next(uint32_t *seed)
{
    return *seed = *seed * 1664525u + 1013904223u;
}

static bool ordered(double a, double b, enum order order)
{
    switch (order) {
    case ORDER_PLAIN:
        return a <= b;
    case ORDER_UP:
        return isnan(a) || a <= b;
    case ORDER_UP_LAST:
        return isnan(b) || a <= b;
    case ORDER_DOWN_LAST:
        return isnan(b) || a >= b;
    }
    return false;
}

static void sorts(void **state)
{
    uint32_t seed = 7;

    for (size_t n = 0; n < 300; n++) {
        for (enum order order = ORDER_PLAIN; order <= ORDER_DOWN_LAST; order++) {
            struct order_key keys[300], room[300];
            bool there[300] = {false};

            for (uint32_t i = 0; i < n; i++) {
                double value = next(&seed) >> 24;

                keys[i].value = order != ORDER_PLAIN && value > 240 ? (double)NAN : value;
                keys[i].index = i;
            }
            order_sort(keys, n, order, room);
            for (size_t i = 0; i < n; i++) {
                assert_false(there[keys[i].index]);
                there[keys[i].index] = true;
                assert_true(i == 0 || ordered(keys[i - 1].value, keys[i].value, order));
            }
        }
    }
}

static void keeps_equals_in_place(void **state)
{
    struct order_key keys[100], room[100];

    for (uint32_t i = 0; i < 100; i++) {
        keys[i] = (struct order_key){i % 3, i};
    }
    order_sort(keys, 100, ORDER_UP, room);
    for (size_t i = 1; i < 100; i++) {
        assert_true(keys[i - 1].value < keys[i].value || keys[i - 1].index < keys[i].index);
    }
}

static void the_heap_has_its_top(void **state)
{
    uint32_t seed = 1;

    for (int down = 0; down < 2; down++) {
        struct order_key heap[64];
        double last = down ? (double)INFINITY : -(double)INFINITY;

        for (size_t n = 0; n < 64; n++) {
            order_push(heap, n, (struct order_key){.value = next(&seed) >> 26}, down);
        }
        for (size_t n = 64; n > 0; n--) {
            assert_true(down ? heap[0].value <= last : heap[0].value >= last);
            last = heap[0].value;
            order_pop(heap, n, down);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts),
        cmocka_unit_test(keeps_equals_in_place),
        cmocka_unit_test(the_heap_has_its_top),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
