/* core/rules/set.c, set_make.c: parts of sets of labels, their hashes, new sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/labels.h"
#include "rules/set.h"

static const struct tmon_pair pairs[] = {
    {"Zone", "z"}, {"__name__", "up"}, {"instance", "a:1"}, {"job", "api"}};
static const char *const job[] = {"job"}, *both[] = {"instance", "missing"}, *name[] = {"__name__"};
static const struct names no_names = {0}, by_job = {job, job, 1}, by_both = {both, both, 2},
                          by_name = {name, name, 1};

static const char *show(const struct set *set, struct buf *buf)
{
    uint64_t hash = 0;

    for (uint32_t i = 0; i < set->n; i++) {
        assert_true(set->hashes[i] == expr_hash(set->pairs[i].key, set->pairs[i].value));
        hash += set->hashes[i];
    }
    assert_true(set->hash == hash);
    buf_clear(buf);
    labels_show(set->pairs, set->n, buf);
    return buf_str(buf);
}

static void makes_new_sets(void **state)
{
    struct pool pool;
    struct set set, other;
    struct buf buf;

    pool_init(&pool, 0);
    buf_init(&buf, 1000);
    for (int copy = 0; copy < 2; copy++) {
        assert_true(set_make(&pool, pairs, NULL, 4, copy, &set));
        assert_true(copy == (set.pairs != pairs));
        assert_true(set_drop_name(&pool, &set, &other));
        assert_string_equal(show(&other, &buf), "{Zone=\"z\", instance=\"a:1\", job=\"api\"}");
        assert_true(set_drop_name(&pool, &other, &other));
        assert_int_equal(other.n, 3);
        assert_true(set_only(&pool, &set, &by_job, &other));
        assert_string_equal(show(&other, &buf), "{job=\"api\"}");
        assert_true(set_only(&pool, &set, &by_name, &other));
        assert_string_equal(show(&other, &buf), "{__name__=\"up\"}");
        assert_true(set_only(&pool, &set, &no_names, &other));
        assert_string_equal(show(&other, &buf), "{}");
        assert_true(set_without(&pool, &set, &by_both, &other));
        assert_string_equal(show(&other, &buf), "{Zone=\"z\", job=\"api\"}");
        assert_true(set_but(&pool, &set, &by_both, &other));
        assert_string_equal(show(&other, &buf), "{Zone=\"z\", __name__=\"up\", job=\"api\"}");
        assert_true(set_with(&pool, &set, "job", "web", &other));
        assert_string_equal(show(&other, &buf),
                            "{Zone=\"z\", __name__=\"up\", instance=\"a:1\", job=\"web\"}");
        assert_true(set_with(&pool, &set, "job", "", &other));
        assert_int_equal(other.n, 3);
        assert_true(set_with(&pool, &set, "a", "1", &other));
        assert_string_equal(other.pairs[2].key, "a");
        assert_true(set_with(&pool, &set, "z", "1", &other));
        assert_string_equal(show(&other, &buf), "{Zone=\"z\", __name__=\"up\", instance=\"a:1\", "
                                                "job=\"api\", z=\"1\"}");
        assert_true(set_with(&pool, &set, "z", "", &other));
        assert_true(set_equal(&set, &other));
    }
    buf_finish(&buf);
    pool_finish(&pool);
}

/* The hash of a part is that of the set which has nothing else. */
static void hashes_parts(void **state)
{
    static const struct names *const lists[] = {&no_names, &by_job, &by_both, &by_name};
    struct pool pool;
    struct set set, other;

    pool_init(&pool, 0);
    assert_true(set_make(&pool, pairs, NULL, 4, false, &set));
    for (size_t i = 0; i < 4; i++) {
        assert_true(set_only(&pool, &set, lists[i], &other));
        assert_true(set_part_hash(&set, lists[i], PART_ONLY) == other.hash);
        assert_true(set_part_equal(&set, &other, lists[i], PART_ONLY));
        assert_true(set_without(&pool, &set, lists[i], &other));
        assert_true(set_part_hash(&set, lists[i], PART_WITHOUT) == other.hash);
        assert_true(set_part_equal(&set, &other, lists[i], PART_WITHOUT));
        assert_true(set_but(&pool, &set, lists[i], &other));
        assert_true(set_part_hash(&set, lists[i], PART_BUT) == other.hash);
        assert_true(set_part_equal(&set, &other, lists[i], PART_BUT));
    }
    assert_true(set_with(&pool, &set, "job", "web", &other));
    assert_false(set_part_equal(&set, &other, &by_job, PART_ONLY));
    assert_true(set_part_equal(&set, &other, &by_job, PART_BUT));
    assert_false(set_equal(&set, &other));
    assert_string_equal(set_get(&other, "job"), "web");
    assert_string_equal(set_get(&other, "none"), "");
    pool_finish(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_new_sets),
        cmocka_unit_test(hashes_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
