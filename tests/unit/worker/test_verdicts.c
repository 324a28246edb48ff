/* Life of a worker; what check and collect send; what the host does with wrong use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/sample.h"
#include "rig.h"

static void test_life(void **state)
{
    struct rig rig;
    struct rig_done done;
    struct verdict *verdict;

    rig_create(&rig, "api_call", "api_state", NULL);
    assert_int_equal(rig.manifest->ncomponents, 6);
    for (int i = 0; i < 3; i++) {
        verdict = rig_check(&rig, &done);
        assert_int_equal(done.rc, TMON_OK);
        assert_string_equal(done.message, "");
        assert_float_equal(rig_number(verdict, "state"), 42 + i, 0);
        verdict_destroy(verdict);
    }
    rig_send(&rig, FRAME_STOP, 0, NULL, 0);
    rig_expect(&rig, FRAME_LOG); // destroy() was called, with the state that there was
    assert_non_null(memmem(rig.data, rig.len, "destroyed at 44", 15));
    assert_int_equal(rig_wait(&rig), 0);
    rig_finish(&rig);
}

static void test_create_says_why(void **state)
{
    struct rig rig;
    struct rig_done done;

    rig_load(&rig, &(struct rig_load){.fixture = "api_call"});
    rig_send_create(&rig, "api_create", NULL);
    rig_wait_done(&rig, &done);
    assert_int_equal(done.rc, TMON_REJECTED);
    assert_string_equal(done.message, "there is nothing to watch");
    rig_stop(&rig);
}

static struct verdict *check_of(const char *component, struct rig_done *ret_done)
{
    struct rig rig;
    struct verdict *verdict;

    rig_create(&rig, "api_check", component, NULL);
    verdict = rig_check(&rig, ret_done);
    rig_stop(&rig);
    return verdict;
}

static void test_reports(void **state)
{
    struct rig_done done;
    struct verdict *verdict = check_of("api_report", &done);

    assert_int_equal(verdict->status, TMON_WARN);
    assert_string_equal(verdict->message, "81 % used");
    assert_int_equal(verdict->nsubjects, 2);
    verdict_destroy(verdict);

    verdict = check_of("api_silent", &done);
    assert_int_equal(verdict->status, TMON_PASS);
    assert_null(verdict->message);
    verdict_destroy(verdict);

    verdict = check_of("api_fails", &done);
    assert_int_equal(done.rc, TMON_TIMEOUT);
    assert_int_equal(verdict->status, TMON_FAIL);
    assert_non_null(strstr(verdict->message, "TMON_TIMEOUT"));
    verdict_destroy(verdict);
}

static void test_details(void **state)
{
    struct rig_done done;
    struct verdict *verdict = check_of("api_detail", &done);

    assert_float_equal(rig_number(verdict, "usage.percentage"), 65, 0);
    verdict_destroy(verdict);
    verdict = check_of("api_detail_text", &done);
    assert_string_equal(rig_text(verdict, "version"), "15.2");
    verdict_destroy(verdict);
    verdict = check_of("api_detail_item", &done);
    assert_int_equal(rig_detail(verdict, "missing")->nitems, 2);
    assert_string_equal(rig_detail(verdict, "missing")->items[1], "B");
    verdict_destroy(verdict);
}

static void test_a_verdict_too_large_keeps_what_matters(void **state)
{
    struct rig_done done;
    struct verdict *verdict = check_of("api_verbose", &done);

    assert_int_equal(verdict->status, TMON_FAIL);
    assert_string_equal(verdict->message, "seven");
    assert_true(verdict->dropped > 0);
    verdict_destroy(verdict);
}

static void test_misuse_is_told_once(void **state)
{
    struct rig rig;
    struct rig_done done;
    int lines = 0;

    rig_create(&rig, "api_check", "api_misuse", NULL);
    for (int i = 0; i < 2; i++) {
        rig_call(&rig, ABILITY_CHECK, "", 1000, NULL);
        do {
            assert_int_equal(rig_next(&rig), 1);
            assert_int_not_equal(rig.frame.type, FRAME_SAMPLES);
            lines += rig.frame.type == FRAME_LOG;
        } while (rig.frame.type != FRAME_DONE);
    }
    rig_read_done(&rig, &done);
    assert_int_equal(done.rc, TMON_OK);
    assert_int_equal(lines, 1);
    rig_stop(&rig);
}

static void test_emit(void **state)
{
    static const char *const names[] = {"api_gauge", "api_total", "api_untyped", "api_seconds",
                                        "api_summary"};
    static struct sample sample;
    struct rig rig;
    struct rig_done done;
    struct wire_reader reader;

    rig_create(&rig, "api_collect", "api_emit", NULL);
    rig_call(&rig, ABILITY_COLLECT, "", 1000, NULL);
    rig_expect(&rig, FRAME_SAMPLES);
    wire_reader_init(&reader, rig.data, rig.len);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(sample_decode(&reader, &sample), 1);
        assert_string_equal(sample.name, names[i]);
        if (i == 0) {
            assert_int_equal(sample.nlabels, 2);
            assert_string_equal(sample.labels[0].key, "area");
        }
    }
    assert_int_equal(sample.time_ms, INT64_C(1700000000000));
    assert_int_equal(sample_decode(&reader, &sample), 0);
    rig_expect(&rig, FRAME_DONE);
    rig_read_done(&rig, &done);
    assert_int_equal(done.rc, TMON_OK);
    assert_int_equal(done.refused, 0);
    rig_stop(&rig);
}

static void test_bad_samples_are_refused_and_told_once(void **state)
{
    static struct sample sample;
    struct rig rig;
    struct rig_done done;
    struct wire_reader reader;

    rig_create(&rig, "api_collect", "api_refused", NULL);
    rig_call(&rig, ABILITY_COLLECT, "", 1000, NULL);
    rig_expect(&rig, FRAME_LOG);
    assert_non_null(memmem(rig.data, rig.len, "api good", 8));
    rig_expect(&rig, FRAME_SAMPLES);
    wire_reader_init(&reader, rig.data, rig.len);
    assert_int_equal(sample_decode(&reader, &sample), 1);
    assert_string_equal(sample.name, "api_good");
    assert_int_equal(sample_decode(&reader, &sample), 0);
    rig_expect(&rig, FRAME_DONE);
    rig_read_done(&rig, &done);
    assert_int_equal(done.refused, 3);
    assert_non_null(strstr(done.message, "api good"));
    rig_call(&rig, ABILITY_COLLECT, "", 1000, NULL);
    rig_expect(&rig, FRAME_SAMPLES);
    rig_wait_done(&rig, &done);
    assert_int_equal(done.refused, 3);
    rig_stop(&rig);
}

static void test_a_failed_collection_sends_no_samples(void **state)
{
    struct rig rig;
    struct rig_done done;

    rig_create(&rig, "api_collect", "api_half", NULL);
    rig_call(&rig, ABILITY_COLLECT, "", 1000, NULL);
    rig_expect(&rig, FRAME_LOG);
    rig_expect(&rig, FRAME_DONE);
    rig_read_done(&rig, &done);
    assert_int_equal(done.rc, TMON_RETRY);
    assert_string_equal(done.message, "the other half is missing");
    rig_stop(&rig);
}

static void test_a_plugin_in_cpp(void **state)
{
    struct rig rig;
    struct rig_done done;
    struct verdict *verdict;

    rig_create(&rig, "cpp", "cpp", NULL);
    verdict = rig_check(&rig, &done);
    assert_string_equal(rig_text(verdict, "text"), "instance an_instance");
    verdict_destroy(verdict);
    rig_call(&rig, ABILITY_COLLECT, "", 1000, NULL);
    rig_expect(&rig, FRAME_SAMPLES);
    rig_wait_done(&rig, &done);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_create_says_why),
        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_details),
        cmocka_unit_test(test_a_verdict_too_large_keeps_what_matters),
        cmocka_unit_test(test_misuse_is_told_once),
        cmocka_unit_test(test_emit),
        cmocka_unit_test(test_bad_samples_are_refused_and_told_once),
        cmocka_unit_test(test_a_failed_collection_sends_no_samples),
        cmocka_unit_test(test_a_plugin_in_cpp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
