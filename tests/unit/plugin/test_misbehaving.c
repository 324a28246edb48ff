/* Instances whose plugins misbehave: each costs its own worker, and the agent goes on. */
#include "life.h"

#include <signal.h>

/* Calls until the worker has died once, and gives the reason that was told. */
static void die_once(struct life *life, const char *fixture, const char *component)
{
    life_begin(life, fixture, component, ABILITY_CHECK);
    life_await(life, life_is_ready);
    life_call(life, ABILITY_CHECK);
    life_await(life, life_is_degraded);
    assert_int_equal(instance_counters(life->instance)->deaths, 1);
    assert_int_equal(life->verdict, TMON_FAIL);
}

#ifndef TMON_SANITIZED // the sanitizer turns the signal into an exit
static void names_the_signal(void **state)
{
    struct life *life = *state;

    die_once(life, "crash", "crash");
    assert_string_equal(life->reason, "its worker crashed with signal 11 (Segmentation fault)");
    assert_string_equal(life->message, life->reason);
    assert_string_equal(life->verdict_text, life->reason);
}

static void names_an_abort(void **state)
{
    struct life *life = *state;

    die_once(life, "abort", "abort");
    assert_non_null(strstr(life->reason, "signal 6"));
}
#endif

static void notices_an_exit(void **state)
{
    struct life *life = *state;

    die_once(life, "exit_zero", "exit_zero");
    assert_non_null(strstr(life->reason, "ended with exit status 0"));
}

/* It comes back by itself, and is ready again once a call has ended. */
static void comes_back(void **state)
{
    struct life *life = *state;

    life_begin(life, "api_check", "api_silent", ABILITY_CHECK);
    life_await(life, life_is_ready);
    assert_int_equal(kill(instance_pid(life->instance), SIGKILL), 0);
    life_await(life, life_is_degraded);
    assert_non_null(strstr(life->reason, "killed with signal 9"));
    while (instance_call(life->instance, ABILITY_CHECK) == -EAGAIN) {
        (void)kit_until(life->loop, life_is_ready, life, 5);
    }
    assert_int_equal(instance_state(life->instance), INSTANCE_DEGRADED);
    life_await(life, life_is_done);
    assert_int_equal(life->verdict, TMON_PASS);
    assert_int_equal(instance_state(life->instance), INSTANCE_READY);
    assert_int_equal(instance_counters(life->instance)->starts, 2);
    assert_int_equal(life->states, 3);
}

/* The deadline fails the check at once; what returns in the grace period is slow, not dead. */
static void forgives_the_slow(void **state)
{
    struct life *life = *state;

    life->timeout_ms = 100;
    life_begin(life, "slow", "slow", ABILITY_CHECK);
    life_await(life, life_is_ready);
    life_call(life, ABILITY_CHECK);
    assert_true(life->timeout);
    assert_int_equal(life->rc, TMON_TIMEOUT);
    assert_int_equal(life->verdict, TMON_FAIL);
    assert_string_equal(life->verdict_text, "timed out after 0.1 s");
    assert_true(life->duration_ns >= 100 * NS_PER_MS && life->duration_ns < 180 * NS_PER_MS);
    assert_true(instance_busy(life->instance));
    life_await(life, life_is_idle);
    assert_int_equal(life->done, 1);
    assert_int_equal(instance_counters(life->instance)->slow, 1);
    assert_int_equal(instance_counters(life->instance)->timeouts, 1);
    assert_int_equal(instance_counters(life->instance)->deaths, 0);
    assert_int_equal(instance_state(life->instance), INSTANCE_READY);
}

static void hangs(struct life *life, const char *fixture)
{
    life->timeout_ms = 50;
    life->times.grace_ms = 50;
    life_begin(life, fixture, fixture, ABILITY_CHECK);
    life_await(life, life_is_ready);
    life_call(life, ABILITY_CHECK);
    assert_true(life->timeout);
    life_await(life, life_is_degraded);
    assert_int_equal(life->done, 1);
    assert_string_equal(life->reason,
                        "its worker did not return from check within 0.1 s and was killed");
    assert_int_equal(instance_counters(life->instance)->deaths, 1);
}

static void kills_what_hangs(void **state)
{
    hangs(*state, "hang");
}

static void kills_what_spins(void **state)
{
    hangs(*state, "spin");
}

static void kills_what_ignores_signals(void **state)
{
    hangs(*state, "ignore_sigterm");
}

static void kills_what_hangs_in_create(void **state)
{
    struct life *life = *state;

    life->timeout_ms = 50;
    life->times.grace_ms = 50;
    life_begin(life, "hang_create", "hang_create", ABILITY_CHECK);
    life_await(life, life_is_degraded);
    assert_string_equal(life->reason, "create did not return within 0.05 s");
    while (instance_counters(life->instance)->deaths < 1) {
        (void)kit_until(life->loop, life_is_ready, life, 5);
    }
    assert_int_equal(life->states, 1);
    assert_non_null(strstr(instance_reason(life->instance), "did not return from create"));
}

static void kills_what_hangs_while_it_loads(void **state)
{
    struct life *life = *state;

    life->times.load_ms = 50;
    life_begin(life, "constructor_hang", "constructor_hang", ABILITY_CHECK);
    life_await(life, life_is_degraded);
    assert_non_null(strstr(life->reason, "did not load within 0.05 s"));
}

static void notices_that_a_file_changed(void **state)
{
    struct life *life = *state;

    life_begin(life, "api_check", "crash", ABILITY_CHECK);
    life_await(life, life_is_degraded);
    assert_non_null(strstr(life->reason, "has changed"));
    assert_int_equal(instance_counters(life->instance)->deaths, 0);
    instance_destroy(life->instance);
    life_begin(life, "api_check", "api_silent", ABILITY_CHECK | ABILITY_COLLECT);
    life_await(life, life_is_degraded);
    assert_non_null(strstr(life->reason, "has changed"));
}

static void survives_garbage(void **state)
{
    static const char *const components[][2] = {
        {"garbage_bytes", "malformed frame"},   {"garbage_oversized", "malformed frame"},
        {"garbage_type", "may not come now"},   {"garbage_number", "may not come now"},
        {"garbage_lengths", "malformed frame"}, {"garbage_endless", "beyond its limit"},
    };
    struct life *life = *state;

    for (size_t i = 0; i < sizeof components / sizeof components[0]; i++) {
        die_once(life, "garbage", components[i][0]);
        if (!strstr(life->reason, components[i][1])) {
            fail_msg("%s: %s", components[i][0], life->reason);
        }
        instance_destroy(life->instance);
        life->instance = NULL;
        kit_no_children();
    }
}

/* A worker that goes around its own limit of lines meets the agent's. */
static void limits_lines_that_were_not_limited(void **state)
{
    struct life *life = *state;

    life_begin(life, "garbage", "garbage_lines", ABILITY_CHECK);
    life_await(life, life_is_ready);
    life_call(life, ABILITY_CHECK);
    assert_int_equal(life->rc, TMON_OK);
    assert_string_equal(life->log, "noise");
    assert_true(life->logs >= 1 && life->logs <= 20);
    assert_int_equal(instance_counters(life->instance)->log_lines, life->logs);
    assert_int_equal(instance_counters(life->instance)->log_held_back, 2000 - life->logs);
}

/* Whoever fails and passes at once has failed; and a call ends only once. */
static void believes_the_return_code(void **state)
{
    struct life *life = *state;

    life_begin(life, "garbage", "garbage_contradiction", ABILITY_CHECK);
    life_await(life, life_is_ready);
    life_call(life, ABILITY_CHECK);
    assert_int_equal(life->rc, TMON_RETRY);
    assert_int_equal(life->verdict, TMON_FAIL);
    life_await(life, life_is_degraded);
    assert_int_equal(life->done, 1);
    assert_non_null(strstr(life->reason, "may not come now"));
}

/* Five deaths are a quarantine, told once; it ends by itself. */
static void rests_after_five_deaths(void **state)
{
    struct life *life = *state;
    int calls = 0;

    life->times.quarantine_ms = 200;
    life_begin(life, "exit_zero", "exit_zero", ABILITY_CHECK);
    while (instance_counters(life->instance)->quarantines < 2) {
        if (instance_call(life->instance, ABILITY_CHECK) == 0) {
            calls++;
        }
        (void)kit_until(life->loop, life_is_stopped, life, 2);
    }
    assert_int_equal(instance_state(life->instance), INSTANCE_QUARANTINED);
    assert_int_equal(instance_counters(life->instance)->deaths, 10);
    assert_int_equal(calls, 10);
    /* ready, degraded, quarantined, degraded, quarantined */
    assert_int_equal(life->states, 5);
    assert_int_equal(life->quarantines, 2);
    assert_non_null(strstr(life->reason, "death 5 within 600 s"));
    assert_non_null(strstr(life->reason, "exit status 0"));
}

/* Deaths that lie apart are no quarantine. */
static void forgets_old_deaths(void **state)
{
    struct life *life = *state;

    life->times.quarantine_window_ms = 1;
    life_begin(life, "exit_zero", "exit_zero", ABILITY_CHECK);
    while (instance_counters(life->instance)->deaths < 7) {
        (void)instance_call(life->instance, ABILITY_CHECK);
        (void)kit_until(life->loop, life_is_stopped, life, 2);
    }
    assert_int_equal(instance_counters(life->instance)->quarantines, 0);
}

static void can_be_retried_by_hand(void **state)
{
    struct life *life = *state;

    life->times.quarantine_deaths = 1;
    life->times.quarantine_ms = 3600000;
    life_begin(life, "exit_zero", "exit_zero", ABILITY_CHECK);
    life_await(life, life_is_ready);
    life_call(life, ABILITY_CHECK);
    life_await(life, life_is_quarantined);
    assert_int_equal(instance_call(life->instance, ABILITY_CHECK), -EAGAIN);
    instance_retry(life->instance);
    life_await(life, life_is_degraded);
    while (instance_call(life->instance, ABILITY_CHECK) == -EAGAIN) {
        (void)kit_until(life->loop, life_is_stopped, life, 2);
    }
}

/* Stopped while it rests: there is nothing to wait for. */
static void stops_in_quarantine(void **state)
{
    struct life *life = *state;

    life->times.quarantine_deaths = 1;
    life_begin(life, "exit_zero", "exit_zero", ABILITY_CHECK);
    life_await(life, life_is_ready);
    life_call(life, ABILITY_CHECK);
    life_await(life, life_is_quarantined);
    instance_stop(life->instance);
    life_await(life, life_is_stopped);
}

static bool has_logged(void *arg)
{
    return ((struct life *)arg)->logs > 0;
}

static bool has_died(void *arg)
{
    return instance_counters(((struct life *)arg)->instance)->deaths > 0;
}

static void kill_a_heavy_one(struct life *life)
{
    life->times.kill_ms = 1;
    life->times.backoff_first_ms = 2000;
    life->timeout_ms = 10000;
    life->logs = life->states = 0;
    life_begin(life, "heavy", "heavy", ABILITY_CHECK);
    life_await(life, life_is_ready);
    assert_int_equal(instance_call(life->instance, ABILITY_CHECK), 0);
    life_await(life, has_logged);
    instance_fault(life->instance, "was killed by the test");
}

/* What SIGKILL does not end is stuck: told, not waited for, with no second one beside it; and when
 * it ends after all, life goes on.  How long a large process takes to die is not ours to say, so it
 * gets a few tries to be slow. */
static void marks_what_is_stuck(void **state)
{
    struct life *life = *state;
    bool seen = false;

    for (int i = 0; i < 10 && !seen; i++) {
        kill_a_heavy_one(life);
        life_await(life, has_died);
        seen = life->states == 3; // ready, stuck, degraded
        assert_int_equal(life->done, i + 1);
        assert_int_equal(life->verdict, TMON_FAIL);
        assert_int_equal(instance_counters(life->instance)->starts, 1);
        assert_int_equal(instance_state(life->instance), INSTANCE_DEGRADED);
        instance_destroy(life->instance);
        life->instance = NULL;
    }
    assert_true(seen);
    assert_non_null(strstr(life->message, "is stuck in the kernel (process "));
}

/* Stopping does not wait for it either. */
static void stops_without_the_stuck(void **state)
{
    struct life *life = *state;

    kill_a_heavy_one(life);
    instance_stop(life->instance);
    life_await(life, life_is_stopped);
    assert_int_equal(life->stopped, 1);
}

static void obeys_a_fault_seen_elsewhere(void **state)
{
    struct life *life = *state;

    life_begin(life, "api_check", "api_silent", ABILITY_CHECK);
    life_await(life, life_is_ready);
    instance_fault(life->instance, "sent malformed samples");
    life_await(life, life_is_degraded);
    assert_string_equal(life->reason, "its worker sent malformed samples");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifndef TMON_SANITIZED
        cmocka_unit_test_setup_teardown(names_the_signal, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(names_an_abort, life_setup, life_teardown),
#endif
        cmocka_unit_test_setup_teardown(notices_an_exit, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(comes_back, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(forgives_the_slow, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(kills_what_hangs, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(kills_what_spins, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(kills_what_ignores_signals, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(kills_what_hangs_in_create, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(kills_what_hangs_while_it_loads, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(notices_that_a_file_changed, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(survives_garbage, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(limits_lines_that_were_not_limited, life_setup,
                                        life_teardown),
        cmocka_unit_test_setup_teardown(believes_the_return_code, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(rests_after_five_deaths, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(forgets_old_deaths, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(can_be_retried_by_hand, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(stops_in_quarantine, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(marks_what_is_stuck, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(stops_without_the_stuck, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(obeys_a_fault_seen_elsewhere, life_setup, life_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
