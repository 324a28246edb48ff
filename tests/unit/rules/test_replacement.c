/* core/rules/replacement.c: Go's templates. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/replacement.h"

static void expands(void **state)
{
    static const struct {
        const char *regex, *text, *value, *result; /* NULL: no match */
    } cases[] = {
        {"(.*)-(.*)", "$2-$1", "a-b", "b-a"},
        {"(.*)", "${1}x", "a", "ax"},
        {"(.*)", "$1x", "a", ""},
        {"(.*)", "$0$9", "a", "a"},
        {"(.*)", "$$1", "a", "$1"},
        {"(.*)", "$", "a", "$"},
        {"(.*)", "$-", "a", "$-"},
        {"(.*)", "${1", "a", "${1"},
        {"(.*)", "${}", "a", "${}"},
        {"(.*)", "$01", "a", ""},
        {"(.*)", "$0", "a", "a"},
        {"(?P<n>.*)", "$n${n}!", "a", "aa!"},
        {"(.*)", "$1é", "a", ""},
        {"(.*)", "$1→", "a", "a→"},
        {"(a)|(b)", "<$1$2>", "b", "<b>"},
        {"a", "x", "b", NULL},
        {"", "x", "", "x"},
        {"(.*)", "$99999999999999999999", "a", ""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct replacement *replacement = NULL;
        struct pool pool;
        struct buf buf;
        char why[200] = "";
        int r;

        pool_init(&pool, 0);
        buf_init(&buf, 1000);
        r = replacement_create(&pool, cases[i].regex, cases[i].text, &replacement, why, sizeof why);
        assert_int_equal(r, 0);
        r = replacement_apply(replacement, cases[i].value, &buf);
        assert_int_equal(r, cases[i].result != NULL);
        if (r == 1 && strcmp(buf_str(&buf), cases[i].result) != 0) {
            fail_msg("%s is \"%s\"", cases[i].text, buf_str(&buf));
        }
        replacement_finish(replacement);
        buf_finish(&buf);
        pool_finish(&pool);
    }
}

static void has_limits(void **state)
{
    struct replacement *replacement = NULL;
    struct pool pool;
    struct buf buf;
    char why[200];

    pool_init(&pool, 0);
    buf_init(&buf, 10);
    assert_int_equal(replacement_create(&pool, "(.*)", "$1$1$1", &replacement, why, sizeof why), 0);
    assert_int_equal(replacement_apply(replacement, "abcd", &buf), -E2BIG);
    replacement_finish(replacement);
    assert_int_equal(replacement_create(&pool, "(", "", &replacement, why, sizeof why), -EINVAL);
    buf_finish(&buf);
    pool_finish(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expands),
        cmocka_unit_test(has_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
