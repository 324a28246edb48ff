/* Fixtures that misbehave, one worker each: what comes back is what the agent has to cope with. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "rig.h"

/* LOAD must answer with FAILED, whose text holds `part`. */
static void expect_failed(const char *fixture, const char *part)
{
    struct rig rig;
    struct wire_reader reader;

    rig_start(&rig);
    rig_send_load(&rig, &(struct rig_load){.fixture = fixture});
    rig_expect(&rig, FRAME_SANDBOX);
    rig_expect(&rig, FRAME_FAILED);
    wire_reader_init(&reader, rig.data, rig.len);
    assert_non_null(strstr(wire_get_str(&reader, LIMIT_TEXT_BYTES), part));
    assert_true(wire_done(&reader));
    assert_int_equal(rig_wait(&rig), 0);
    rig_finish(&rig);
}

/* LOAD must answer with a manifest that the agent refuses, saying `part`. */
static void expect_refused(const char *fixture, int error, const char *part)
{
    struct rig rig;
    struct manifest *manifest = NULL;
    char why[512] = "";

    rig_start(&rig);
    rig_send_load(&rig, &(struct rig_load){.fixture = fixture});
    rig_expect(&rig, FRAME_SANDBOX);
    rig_expect(&rig, FRAME_MANIFEST);
    assert_int_equal(manifest_decode(rig.data, rig.len, &manifest, why, sizeof why), error);
    if (!strstr(why, part)) {
        fail_msg("%s: \"%s\" does not say \"%s\"", fixture, why, part);
    }
    rig_stop(&rig);
}

static int status_after_load(const char *fixture)
{
    struct rig rig;
    int status;

    rig_start(&rig);
    rig_send_load(&rig, &(struct rig_load){.fixture = fixture});
    status = rig_wait(&rig);
    rig_finish(&rig);
    return status;
}

static void test_no_plugin(void **state)
{
    expect_failed("no_symbol", "toiletmon_plugin");
    expect_failed("there_is_no_such_file", "there_is_no_such_file");
    expect_failed("bad_manifest_null", "NULL");
    expect_failed("bad_manifest_size", "size");
}

static void test_versions(void **state)
{
    struct rig rig;
    struct rig_done done;

    expect_refused("abi_new", -EPROTONOSUPPORT, "0.99");
    expect_refused("abi_major", -EPROTONOSUPPORT, "7.0");
    rig_create(&rig, "abi_old", "abi_old", NULL);
    assert_int_equal(rig.manifest->api_minor, 0);
    assert_int_equal(rig.manifest->components[0].abilities, ABILITY_CHECK);
    verdict_destroy(rig_check(&rig, &done));
    rig_stop(&rig);
}

static void test_bad_manifests(void **state)
{
    expect_refused("bad_manifest_duplicate", -EPROTO, "same");
    expect_refused("bad_manifest_reserved", -EPROTO, "interval");
    expect_refused("bad_manifest_utf8", -EPROTO, "");
    expect_refused("bad_manifest_component", -EPROTO, "twice");
    expect_refused("bad_manifest_default", -EPROTO, "wait");
    expect_refused("bad_manifest_name", -EPROTO, "Not A Name");
    expect_refused("bad_manifest_options", -EPROTO, "");
    expect_refused("bad_manifest_ability", -EPROTO, "");
}

#ifndef TMON_SANITIZED /* a sanitizer makes exits of deaths */
static void test_wild_pointers_cost_the_worker(void **state)
{
    assert_true(WIFSIGNALED(status_after_load("bad_manifest_wild")));
}

#endif

static void test_constructors(void **state)
{
    struct rig rig;
    int status = status_after_load("constructor_exit");

    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);

    rig_start(&rig);
    rig_send_load(&rig, &(struct rig_load){.fixture = "constructor_hang"});
    rig_expect(&rig, FRAME_SANDBOX); // what confines it is there before its constructor runs
    assert_return_code(kill(rig.pid, SIGKILL), errno);
    assert_true(WIFSIGNALED(rig_wait(&rig)));
    rig_finish(&rig);
}

#ifndef TMON_SANITIZED /* a sanitizer makes exits of deaths */
static int status_after_check(const char *fixture)
{
    struct rig rig;
    int status;

    rig_create(&rig, fixture, fixture, NULL);
    rig_call(&rig, ABILITY_CHECK, "", 1000, NULL);
    status = rig_wait(&rig);
    rig_finish(&rig);
    return status;
}

static void test_deaths_in_check(void **state)
{
    assert_int_equal(WTERMSIG(status_after_check("crash")), SIGSEGV);
    assert_int_equal(WTERMSIG(status_after_check("abort")), SIGABRT);
    assert_int_equal(status_after_check("exit_zero"), 0);
}

#endif

static void expect_hang(const char *fixture, enum frame_type busy_with)
{
    struct rig rig;
    int status;

    rig_load(&rig, &(struct rig_load){.fixture = fixture});
    rig_send_create(&rig, fixture, NULL);
    if (busy_with == FRAME_CALL) {
        rig_expect(&rig, FRAME_DONE);
        rig_call(&rig, ABILITY_CHECK, "", 10, NULL);
    }
    assert_return_code(kill(rig.pid, SIGTERM), errno); // asked in vain
    assert_return_code(kill(rig.pid, SIGKILL), errno);
    status = rig_wait(&rig);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    rig_finish(&rig);
}

static void test_hangs(void **state)
{
    expect_hang("hang", FRAME_CALL);
    expect_hang("hang_create", FRAME_CREATE);
    expect_hang("spin", FRAME_CALL);
    expect_hang("ignore_sigterm", FRAME_CALL);
}

static void test_slow_is_not_dead(void **state)
{
    struct rig rig;
    struct rig_done done;
    struct verdict *verdict;

    rig_create(&rig, "slow", "slow", NULL);
    verdict = rig_check(&rig, &done);
    assert_string_equal(verdict->message, "slow, but here");
    verdict_destroy(verdict);
    rig_stop(&rig);
}

static void test_log_flood_is_held_back(void **state)
{
    struct rig rig;
    struct rig_done done;
    uint64_t held = 0;
    int lines = 0;

    rig_create(&rig, "log_flood", "log_flood", NULL);
    rig_call(&rig, ABILITY_CHECK, "", 1000, NULL);
    do {
        assert_int_equal(rig_next(&rig), 1);
        if (rig.frame.type == FRAME_LOG) {
            struct wire_reader reader;

            wire_reader_init(&reader, rig.data, rig.len);
            (void)wire_get_u8(&reader);
            lines += *wire_get_str(&reader, LIMIT_LOG_LINE_BYTES) != '\0';
            held += wire_get_u32(&reader);
            assert_true(wire_done(&reader));
        }
    } while (rig.frame.type != FRAME_DONE);
    rig_read_done(&rig, &done);
    assert_in_range(lines, 1, 15);
    assert_int_equal(lines + held, 100000);
    rig_stop(&rig);
}

static void test_metric_flood_is_cut(void **state)
{
    struct rig rig;
    struct rig_done done;
    size_t bytes = 0;

    rig_create(&rig, "metric_flood", "metric_flood", NULL);
    rig_call(&rig, ABILITY_COLLECT, "", 1000, NULL);
    do {
        assert_int_equal(rig_next(&rig), 1);
        bytes += rig.frame.type == FRAME_SAMPLES ? rig.len : 0;
    } while (rig.frame.type != FRAME_DONE);
    rig_read_done(&rig, &done);
    assert_in_range(bytes, LIMIT_CALL_RESULT_BYTES / 2, LIMIT_CALL_RESULT_BYTES);
    assert_true(done.refused > 100000);
    assert_non_null(strstr(done.message, "16 MiB"));
    rig_stop(&rig);
}

/* What the agent's reader says to the frame that a garbage fixture sends. */
static int next_of(const char *component)
{
    struct rig rig;
    int r;

    rig_create(&rig, "garbage", component, NULL);
    rig_call(&rig, ABILITY_CHECK, "", 1000, NULL);
    r = rig_next(&rig);
    if (r > 0 && rig.frame.type == FRAME_DONE && rig.frame.call == rig.call) {
        struct wire_reader reader;

        wire_reader_init(&reader, rig.data, rig.len);
        (void)wire_get_u32(&reader);
        (void)wire_get_i64(&reader);
        (void)wire_get_str(&reader, LIMIT_TEXT_BYTES);
        r = reader.bad ? -EBADMSG : 1;
    } else if (r > 0) {
        r = -ESRCH; // a type or a number that may not come
    }
    rig_finish(&rig);
    return r;
}

static void test_garbage_is_seen(void **state)
{
    assert_int_equal(next_of("garbage_bytes"), -EPROTO);
    assert_int_equal(next_of("garbage_oversized"), -EPROTO);
    assert_int_equal(next_of("garbage_type"), -ESRCH);
    assert_int_equal(next_of("garbage_number"), -ESRCH);
    assert_int_equal(next_of("garbage_lengths"), -EBADMSG);
    assert_int_equal(next_of("garbage_endless"), -EMSGSIZE);
}

static void test_threads_end_with_the_worker(void **state)
{
    struct rig rig;
    struct rig_done done;
    struct verdict *verdict;

    rig_create(&rig, "threads", "threads", NULL);
    verdict = rig_check(&rig, &done);
    assert_float_equal(rig_number(verdict, "started"), 4, 0);
    verdict_destroy(verdict);
    rig_stop(&rig);
}

/* The agent breaks the protocol: the worker ends and says so by its status. */
static void test_a_broken_agent(void **state)
{
    static const enum frame_type wrong[] = {FRAME_CALL, FRAME_CREATE, FRAME_BODY, FRAME_MANIFEST};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct rig rig;
        int status;

        rig_start(&rig);
        rig_send(&rig, wrong[i], 1, "x", 1);
        status = rig_wait(&rig);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 76);
        rig_finish(&rig);
    }
}

static void test_the_socket_ends(void **state)
{
    struct rig rig;

    rig_create(&rig, "api_check", "api_silent", NULL);
    (void)close(rig.fd);
    rig.fd = -1;
    assert_int_equal(rig_wait(&rig), 0);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_plugin),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_bad_manifests),
#ifndef TMON_SANITIZED
        cmocka_unit_test(test_wild_pointers_cost_the_worker),
#endif
        cmocka_unit_test(test_constructors),
#ifndef TMON_SANITIZED
        cmocka_unit_test(test_deaths_in_check),
#endif
        cmocka_unit_test(test_hangs),
        cmocka_unit_test(test_slow_is_not_dead),
        cmocka_unit_test(test_log_flood_is_held_back),
        cmocka_unit_test(test_metric_flood_is_cut),
        cmocka_unit_test(test_garbage_is_seen),
        cmocka_unit_test(test_threads_end_with_the_worker),
        cmocka_unit_test(test_a_broken_agent),
        cmocka_unit_test(test_the_socket_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
