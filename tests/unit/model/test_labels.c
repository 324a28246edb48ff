/* core/model/labels.c: sets of labels, and fingerprints as the real Alertmanager gave them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/labels.h"

static void fingerprints_are_alertmanagers(void **state)
{
    const struct tmon_pair one[] = {{"alertname", "B"}};
    const struct tmon_pair two[] = {{"alertname", "A"}, {"severity", "critical"}};
    const struct tmon_pair utf8[] = {{"alertname", "utf8"}, {"k", "é🚽"}};

    assert_true(labels_fingerprint(one, 1) == UINT64_C(0xd2c2efc389db2050));
    assert_true(labels_fingerprint(two, 2) == UINT64_C(0xb807e636403824b5));
    assert_true(labels_fingerprint(utf8, 2) == UINT64_C(0x0e0b0842086dcf04));
}

static void sorts_and_drops_what_is_empty(void **state)
{
    struct tmon_pair pairs[] = {{"c", "3"}, {"a", ""}, {"b", "2"}};
    struct tmon_pair twice[] = {{"b", "1"}, {"a", "2"}, {"b", "1"}};

    assert_int_equal(labels_normalize(pairs, 3), 2);
    assert_string_equal(pairs[0].key, "b");
    assert_string_equal(pairs[1].key, "c");
    assert_string_equal(labels_get(pairs, 2, "c"), "3");
    assert_string_equal(labels_get(pairs, 2, "a"), "");
    assert_int_equal(labels_normalize(twice, 3), -EEXIST);
}

static void shows_as_people_write_them(void **state)
{
    const struct tmon_pair pairs[] = {{"a", "say \"x\"\\\n"}, {"b", "c"}};
    struct buf buf;

    buf_init(&buf, 1000);
    labels_show(pairs, 2, &buf);
    assert_string_equal(buf_str(&buf), "{a=\"say \\\"x\\\"\\\\\\n\", b=\"c\"}");
    buf_finish(&buf);
}

static void copies_in_one_piece(void **state)
{
    const struct tmon_pair pairs[] = {{"a", "1"}, {"b", ""}};
    struct tmon_pair *copy;

    assert_int_equal(labels_copy(pairs, 2, &copy), 0);
    assert_string_equal(copy[0].key, "a");
    assert_string_equal(copy[1].value, "");
    free(copy);
    assert_int_equal(labels_copy(NULL, 0, &copy), 0);
    free(copy);
}

static void knows_names(void **state)
{
    assert_true(labels_name_ok("_a9"));
    assert_false(labels_name_ok(""));
    assert_false(labels_name_ok("9a"));
    assert_false(labels_name_ok("a-b"));
    assert_false(labels_name_ok("a:b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fingerprints_are_alertmanagers),
        cmocka_unit_test(sorts_and_drops_what_is_empty),
        cmocka_unit_test(shows_as_people_write_them),
        cmocka_unit_test(copies_in_one_piece),
        cmocka_unit_test(knows_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
