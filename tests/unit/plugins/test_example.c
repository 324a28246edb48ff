/* plugins/example under the mock host; also the example of such a test. */
#include "kit.h"

static struct mock_host *start(void **state, const char *more)
{
    char settings[512];

    (void)snprintf(settings, sizeof settings, "path: %s\n%s", (const char *)*state, more);
    return kit_start("example", settings);
}

static void passes_and_tells_how_many(void **state)
{
    struct mock_host *mock;

    kit_write(*state, "one", "12345");
    kit_write(*state, "two", "");
    mock = start(state, "");
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_verdict(mock), TMON_PASS);
    kit_near(mock_detail(mock, "entries"), 2);
    kit_stop(mock);
}

static void warns_and_fails_above_its_thresholds(void **state)
{
    struct mock_host *mock;

    kit_write(*state, "one", "");
    kit_write(*state, "two", "");
    mock = start(state, "warn_above: 1\nfail_above: 2\n");
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_verdict(mock), TMON_WARN);
    assert_true(mock_said(mock, "2 entries"));
    kit_write(*state, "three", "");
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_verdict(mock), TMON_FAIL);
    kit_stop(mock);
}

static void emits_gauges(void **state)
{
    char series[256];
    struct mock_host *mock;

    kit_write(*state, "one", "12345");
    mock = start(state, "");
    assert_int_equal(mock_collect(mock, 1000), TMON_OK);
    (void)snprintf(series, sizeof series, "example_entries{path=\"%s\"}", (const char *)*state);
    kit_near(mock_value(mock, series), 1);
    (void)snprintf(series, sizeof series, "example_size_bytes{path=\"%s\"}", (const char *)*state);
    kit_near(mock_value(mock, series), 5);
    assert_int_equal(mock_find(mock, series)->kind, TMON_GAUGE);
    kit_stop(mock);
}

static void a_missing_folder_is_a_failure_with_a_reason(void **state)
{
    struct mock_host *mock = kit_start("example", "path: /nonexistent/spool\n");

    assert_int_equal(mock_check(mock, 1000), TMON_RETRY);
    assert_int_equal(mock_verdict(mock), TMON_FAIL);
    assert_true(mock_said(mock, "/nonexistent/spool: No such file"));
    kit_stop(mock);
}

static void the_deadline_is_kept(void **state)
{
    struct mock_host *mock;

    kit_write(*state, "one", "");
    mock = start(state, "");
    assert_int_equal(mock_check(mock, 0), TMON_TIMEOUT);
    assert_int_equal(mock_verdict(mock), TMON_FAIL);
    kit_stop(mock);
}

static void thresholds_in_the_wrong_order_are_refused(void **state)
{
    struct mock_host *mock =
        mock_open(kit_plugin("example"), "example", "path: /tmp\nwarn_above: 2000\n");

    assert_int_equal(mock_create(mock, 1000), TMON_REJECTED);
    assert_true(mock_said(mock, "fail_above (1000)"));
    kit_stop(mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(passes_and_tells_how_many, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(warns_and_fails_above_its_thresholds, kit_scratch,
                                        kit_remove),
        cmocka_unit_test_setup_teardown(emits_gauges, kit_scratch, kit_remove),
        cmocka_unit_test(a_missing_folder_is_a_failure_with_a_reason),
        cmocka_unit_test_setup_teardown(the_deadline_is_kept, kit_scratch, kit_remove),
        cmocka_unit_test(thresholds_in_the_wrong_order_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
