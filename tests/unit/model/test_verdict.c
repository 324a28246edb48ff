/* core/model/verdict.c: the worst report counts, details replace or pile up, limits drop and say
 * so. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "model/verdict.h"

static void test_worst_counts(void **state)
{
    struct verdict *verdict = verdict_create(TMON_PASS, NULL);

    verdict_report(verdict, "/", TMON_PASS, "fine");
    assert_null(verdict->message);
    verdict_report(verdict, "/data", TMON_WARN, "81 % used");
    verdict_report(verdict, "/var", TMON_FAIL, "95 % used");
    verdict_report(verdict, "/srv", TMON_WARN, "82 % used");
    assert_int_equal(verdict->status, TMON_FAIL);
    assert_string_equal(verdict->message, "95 % used");
    verdict_report(verdict, NULL, TMON_FAIL, "the whole is full");
    assert_string_equal(verdict->message, "the whole is full");
    assert_int_equal(verdict->nsubjects, 4);
    verdict_report(verdict, NULL, 77, "nonsense is a failure");
    assert_int_equal(verdict->status, TMON_FAIL);
    verdict_destroy(verdict);
}

static void test_round_trip_with_details(void **state)
{
    struct verdict *verdict = verdict_create(TMON_PASS, NULL);
    struct verdict *copy = NULL;
    struct wire_reader reader;
    struct buf buf;

    verdict_detail_number(verdict, "usage.percentage", 64);
    verdict_detail_number(verdict, "usage.percentage", 65);
    verdict_detail_text(verdict, "version", "15.2");
    verdict_detail_item(verdict, "missing", "A");
    verdict_detail_item(verdict, "missing", "B\xff");
    verdict_detail_text(verdict, "missing", "another kind under the same key is dropped");
    verdict_report(verdict, "x", TMON_WARN, NULL);
    buf_init(&buf, 4096);
    verdict_encode(verdict, &buf);
    wire_reader_init(&reader, buf.data, buf.len);
    assert_int_equal(verdict_decode(&reader, &copy), 0);
    assert_true(wire_done(&reader));
    assert_int_equal(copy->status, TMON_WARN);
    assert_int_equal(copy->ndetails, 3);
    assert_true(copy->details[0].number == 65);
    assert_string_equal(copy->details[1].text, "15.2");
    assert_int_equal(copy->details[2].nitems, 2);
    assert_string_equal(copy->details[2].items[1], "B?");
    assert_null(copy->subjects[0].text);
    assert_int_equal(copy->dropped, 1);
    verdict_destroy(copy);
    for (size_t len = 0; len < buf.len; len++) {
        wire_reader_init(&reader, buf.data, len);
        assert_int_equal(verdict_decode(&reader, &copy), -EPROTO);
    }
    verdict_destroy(verdict);
    buf_finish(&buf);
}

static void test_limits(void **state)
{
    struct verdict *verdict = verdict_create(TMON_PASS, NULL);
    char name[32];

    for (int i = 0; i < LIMIT_SUBJECTS + 10; i++) {
        (void)snprintf(name, sizeof name, "s%d", i);
        verdict_report(verdict, name, i == LIMIT_SUBJECTS + 9 ? TMON_FAIL : TMON_PASS,
                       "the last one fails");
        verdict_detail_item(verdict, "list", name);
    }
    assert_int_equal(verdict->nsubjects, LIMIT_SUBJECTS);
    assert_int_equal(verdict->dropped, 20);
    assert_int_equal(verdict->status, TMON_FAIL); /* a dropped subject still counts */
    assert_string_equal(verdict->message, "the last one fails");
    verdict_destroy(verdict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worst_counts),
        cmocka_unit_test(test_round_trip_with_details),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
