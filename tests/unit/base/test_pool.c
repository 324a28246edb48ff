/* Pieces of a pool do not overlap, are aligned, and go all at once. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"

static void test_pieces(void **state)
{
    static const size_t sizes[] = {1, 7, 0, 300, 100000, 16, 513, 4000, 70000, 3};
    unsigned char *pieces[100];
    struct pool pool;

    pool_init(&pool, 100);
    assert_int_equal(pool.bytes, 0);
    for (size_t i = 0; i < 100; i++) {
        pieces[i] = pool_get(&pool, sizes[i % 10]);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        memset(pieces[i], (int)i, sizes[i % 10]);
    }
    for (size_t i = 0; i < 100; i++) {
        for (size_t j = 0; j < sizes[i % 10]; j++) {
            assert_int_equal(pieces[i][j], i);
        }
    }
    assert_true(pool.bytes > 1700000 && pool.bytes < 2500000);
    pool_finish(&pool);
    assert_int_equal(pool.bytes, 0);
    pool_finish(&pool);
}

static void test_copies(void **state)
{
    struct pool pool;
    char *text;

    pool_init(&pool, 0);
    text = pool_copy(&pool, "abcdef", 3);
    assert_string_equal(text, "abc");
    assert_string_equal(pool_copy(&pool, "", 0), "");
    assert_string_equal(text, "abc");
    pool_finish(&pool);
}

static void test_refuses_nonsense(void **state)
{
    struct pool pool;

    pool_init(&pool, 0);
    assert_null(pool_get(&pool, SIZE_MAX));
    assert_null(pool_get(&pool, SIZE_MAX / 2));
    pool_finish(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_refuses_nonsense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
