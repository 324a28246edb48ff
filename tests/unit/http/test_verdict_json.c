/* How a verdict reads in the health answer. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "http/verdict_json.h"

static void expect(const struct verdict *verdict, tmon_verdict status, const char *json)
{
    struct verdicts_view view = {
        .name = "x", .status = status, .verdict = verdict, .mono_ns = 2 * NS_PER_S};
    json_t *is = verdict_json(&view, 5 * NS_PER_S + 1);
    json_t *should = json_loads(json, 0, NULL);

    assert_non_null(is);
    assert_non_null(should);
    if (!json_equal(is, should)) {
        char *text = json_dumps(is, 0);

        print_error("is     %s\nshould %s\n", text, json);
        free(text);
        fail();
    }
    json_decref(is);
    json_decref(should);
}

static void test_seed(void **state)
{
    struct verdict *verdict = verdict_create(TMON_WARN, "memory is at 76 %");

    verdict_detail_number(verdict, "usage.percentage", 76);
    verdict_detail_number(verdict, "usage.bytes", 1.5);
    verdict_detail_number(verdict, "responseTime", 45);
    verdict_detail_item(verdict, "missing", "A");
    verdict_detail_item(verdict, "missing", "B");
    verdict_detail_text(verdict, "mode", "cgroup");
    expect(verdict, TMON_WARN,
           "{\"status\": \"warn\", \"usage\": {\"percentage\": 76, \"bytes\": 1.5}, "
           "\"responseTime\": 45,"
           " \"missing\": [\"A\", \"B\"], \"mode\": \"cgroup\", \"message\": \"memory is at 76 %\","
           " \"age\": 3}");
    verdict_destroy(verdict);
}

static void test_subjects(void **state)
{
    struct verdict *verdict = verdict_create(TMON_PASS, NULL);

    verdict_report(verdict, "/", TMON_PASS, NULL);
    verdict_report(verdict, "/var", TMON_FAIL, "full");
    expect(verdict, TMON_FAIL,
           "{\"status\": \"fail\", \"message\": \"full\", \"age\": 3, \"subjects\": {\"/\": "
           "{\"status\": \"pass\"},"
           " \"/var\": {\"status\": \"fail\", \"message\": \"full\"}}}");
    verdict_destroy(verdict);
}

static void test_hostile_keys(void **state)
{
    struct verdict *verdict = verdict_create(TMON_PASS, NULL);

    verdict_detail_text(verdict, "status", "fail"); /* ours stays */
    verdict_detail_text(verdict, "message.deep", "x");
    verdict_detail_number(verdict, "a", 1);
    verdict_detail_number(verdict, "a.b", 2); /* `a` is a number already */
    verdict_detail_number(verdict, ".", 3);
    verdict_detail_number(verdict, "b..c", 4);
    verdict_detail_number(verdict, "d.", 5);
    verdict_detail_number(verdict, "e", NAN);
    expect(verdict, TMON_PASS,
           "{\"status\": \"pass\", \"a\": 1, \".\": 3, \"b\": {\".c\": 4}, \"d.\": 5, \"e\": null, "
           "\"age\": 3,"
           " \"details\": {\"status\": \"fail\", \"message.deep\": \"x\", \"a.b\": 2}}");
    verdict_destroy(verdict);
}

static void test_turning(void **state)
{
    struct verdict *verdict = verdict_create(TMON_FAIL, "down");
    struct verdicts_view view = {
        .name = "x", .status = TMON_PASS, .verdict = verdict, .streak = 1, .needed = 3};
    json_t *is = verdict_json(&view, 0);
    json_t *turns = json_object_get(is, "turns");

    assert_string_equal(json_string_value(json_object_get(is, "status")), "pass");
    assert_string_equal(json_string_value(json_object_get(turns, "to")), "fail");
    assert_int_equal(json_integer_value(json_object_get(turns, "needed")), 3);
    json_decref(is);
    verdict_destroy(verdict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seed),
        cmocka_unit_test(test_subjects),
        cmocka_unit_test(test_hostile_keys),
        cmocka_unit_test(test_turning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
