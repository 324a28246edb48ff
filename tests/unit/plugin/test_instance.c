/* An instance that behaves: made, called, stopped. */
#include "life.h"

#include <signal.h>

#include "model/exchange.h"

static void runs_a_check(void **state)
{
    struct life *life = *state;

    life_begin(life, "api_check", "api_report", ABILITY_CHECK);
    assert_int_equal(instance_state(life->instance), INSTANCE_STARTING);
    assert_int_equal(instance_call(life->instance, ABILITY_CHECK), -EAGAIN);
    life_await(life, life_is_ready);
    assert_true(instance_pid(life->instance) > 0);
    life_call(life, ABILITY_CHECK);
    assert_int_equal(life->rc, TMON_OK);
    assert_int_equal(life->verdict, TMON_WARN);
    assert_string_equal(life->message, "");
    assert_true(life->duration_ns > 0);
    assert_false(instance_busy(life->instance));
    assert_int_equal(instance_call(life->instance, ABILITY_COLLECT), -EAGAIN);
    assert_int_equal(instance_counters(life->instance)->starts, 1);
    assert_int_equal(life->states, 1);
}

/* What returns anything but TMON_OK has failed, whatever it reported. */
static void fails_by_the_return_code(void **state)
{
    struct life *life = *state;

    life_begin(life, "api_check", "api_fails", ABILITY_CHECK);
    life_await(life, life_is_ready);
    life_call(life, ABILITY_CHECK);
    assert_int_equal(life->rc, TMON_TIMEOUT);
    assert_int_equal(life->verdict, TMON_FAIL);
    assert_int_equal(instance_state(life->instance), INSTANCE_READY);
}

static void passes_without_a_word(void **state)
{
    struct life *life = *state;

    life_begin(life, "api_check", "api_silent", ABILITY_CHECK);
    life_await(life, life_is_ready);
    for (int i = 0; i < 100; i++) {
        life_call(life, ABILITY_CHECK);
        assert_int_equal(life->verdict, TMON_PASS);
    }
}

static void collects_samples(void **state)
{
    struct life *life = *state;

    life_begin(life, "api_collect", "api_emit", ABILITY_COLLECT);
    life_await(life, life_is_ready);
    life_call(life, ABILITY_COLLECT);
    assert_int_equal(life->rc, TMON_OK);
    assert_true(life->samples_len > 0);
}

/* The next call may be made from the hook that tells of the last one. */
static void calls_again_from_the_hook(void **state)
{
    struct life *life = *state;

    life_begin(life, "api_check", "api_silent", ABILITY_CHECK);
    life_await(life, life_is_ready);
    life->again = ABILITY_CHECK;
    assert_int_equal(instance_call(life->instance, ABILITY_CHECK), 0);
    life_await(life, life_is_done);
    life_await(life, life_is_idle);
    assert_int_equal(life->done, 2);
    assert_int_equal(life->verdict, TMON_PASS);
    assert_false(instance_busy(life->instance));
}

/* A flood beyond the bound is thrown away as a whole, and said. */
static void drops_a_flood(void **state)
{
    struct life *life = *state;

    life->samples_bytes = 100000;
    life->timeout_ms = 20000;
    life_begin(life, "metric_flood", "metric_flood", ABILITY_COLLECT);
    life_await(life, life_is_ready);
    life_call(life, ABILITY_COLLECT);
    assert_int_equal(life->rc, TMON_REJECTED);
    assert_int_equal(life->samples_len, 0);
    assert_non_null(strstr(life->message, "97 KiB"));
    assert_int_equal(instance_counters(life->instance)->samples_too_many, 1);
    assert_int_equal(instance_state(life->instance), INSTANCE_READY);
}

static void limits_its_log(void **state)
{
    struct life *life = *state;

    life->timeout_ms = 20000;
    life_begin(life, "log_flood", "log_flood", ABILITY_CHECK);
    life_await(life, life_is_ready);
    life_call(life, ABILITY_CHECK);
    assert_true(life->logs >= 1 && life->logs <= 20);
    assert_true(instance_counters(life->instance)->log_held_back > 90000);
}

static void tells_why_create_failed(void **state)
{
    struct life *life = *state;

    life_begin(life, "api_call", "api_create", ABILITY_CHECK);
    life_await(life, life_is_degraded);
    assert_string_equal(life->reason, "create failed: there is nothing to watch");
    assert_int_equal(instance_call(life->instance, ABILITY_CHECK), -EAGAIN);
    while (instance_counters(life->instance)->create_failures < 3) {
        (void)kit_until(life->loop, life_is_stopped, life, 20);
    }
    assert_int_equal(instance_counters(life->instance)->deaths, 0);
    assert_int_equal(life->states, 1);
}

static void stops_in_order(void **state)
{
    struct life *life = *state;

    life_begin(life, "api_check", "api_silent", ABILITY_CHECK);
    life_await(life, life_is_ready);
    instance_stop(life->instance);
    assert_int_equal(life->stopped, 0);
    assert_int_equal(instance_call(life->instance, ABILITY_CHECK), -EAGAIN);
    life_await(life, life_is_stopped);
    assert_int_equal(life->stopped, 1);
    kit_no_children();
}

/* At any moment of its life. */
static void stops_at_once(void **state)
{
    struct life *life = *state;

    for (int ms = 0; ms < 8; ms++) {
        life->stopped = 0;
        life_begin(life, "api_check", "api_silent", ABILITY_CHECK);
        (void)kit_until(life->loop, life_is_stopped, life, ms);
        instance_stop(life->instance);
        life_await(life, life_is_stopped);
        kit_no_children();
    }
    for (int ms = 0; ms < 8; ms++) {
        life_begin(life, "api_check", "api_silent", ABILITY_CHECK);
        (void)kit_until(life->loop, life_is_quarantined, life, ms);
        instance_destroy(life->instance);
        life->instance = NULL;
        kit_no_children();
    }
}

static void stops_what_hangs(void **state)
{
    struct life *life = *state;

    life->times.stop_grace_ms = 100;
    life_begin(life, "ignore_sigterm", "ignore_sigterm", ABILITY_CHECK);
    life_await(life, life_is_ready);
    assert_int_equal(instance_call(life->instance, ABILITY_CHECK), 0);
    (void)kit_until(life->loop, life_is_done, life, 50);
    instance_stop(life->instance);
    life_await(life, life_is_stopped);
    assert_int_equal(life->done, 0);
    kit_no_children();
}

/* ---- what a worker asks for ---- */

struct fake_broker {
    int submitted, cancelled;
    void (*answer)(void *asker, uint32_t ticket, const void *response, size_t len);
    void *asker;
    int error;
};

static int
fake_submit(void *owner, const void *request, size_t len, const struct settings *settings,
            void (*answer)(void *asker, uint32_t ticket, const void *response, size_t len),
            void *asker, uint32_t *ret_ticket)
{
    struct fake_broker *fake = owner;

    fake->submitted++;
    fake->answer = answer;
    fake->asker = asker;
    *ret_ticket = 7;
    return fake->error;
}

static void fake_cancel(void *owner, uint32_t ticket)
{
    struct fake_broker *fake = owner;

    assert_int_equal(ticket, 7);
    fake->cancelled++;
}

static void begin_http(struct life *life, const struct broker *broker)
{
    life->url = "http://127.0.0.1:9/";
    life->broker = broker;
    life_begin(life, "api_http", "api_http", ABILITY_CHECK);
    life_await(life, life_is_ready);
}

static void refuses_http_where_there_is_none(void **state)
{
    struct life *life = *state;

    begin_http(life, NULL);
    life_call(life, ABILITY_CHECK);
    assert_int_equal(life->rc, TMON_OK);
    assert_int_equal((int)life_detail(life, "rc")->number, TMON_UNSUPPORTED);
    assert_non_null(strstr(life_detail(life, "error")->text, "no HTTP"));
}

static bool was_asked(void *arg)
{
    return ((struct fake_broker *)arg)->submitted > 0;
}

static void passes_http_on(void **state)
{
    struct life *life = *state;
    struct fake_broker fake = {0};
    const struct broker broker = {&fake, fake_submit, fake_cancel};
    const struct tmon_response response = {.size = sizeof response,
                                           .status = 201,
                                           .retry_after_ms = -1,
                                           .body = {"hello", 5},
                                           .error = ""};
    struct buf buf;

    begin_http(life, &broker);
    assert_int_equal(instance_call(life->instance, ABILITY_CHECK), 0);
    assert_true(kit_until(life->loop, was_asked, &fake, 10000));
    buf_init(&buf, 10000);
    wire_put_u32(&buf, TMON_OK);
    assert_int_equal(exchange_encode_response(&buf, &response), 0);
    fake.answer(fake.asker, 7, buf.data, buf.len);
    buf_finish(&buf);
    life_await(life, life_is_done);
    assert_int_equal((int)life_detail(life, "rc")->number, TMON_OK);
    assert_int_equal((int)life_detail(life, "status")->number, 201);
    assert_string_equal(life_detail(life, "body")->text, "hello");
    assert_int_equal(fake.cancelled, 0);
}

static void tells_when_http_is_full(void **state)
{
    struct life *life = *state;
    struct fake_broker fake = {.error = -ENOBUFS};
    const struct broker broker = {&fake, fake_submit, fake_cancel};

    begin_http(life, &broker);
    life_call(life, ABILITY_CHECK);
    assert_int_equal((int)life_detail(life, "rc")->number, TMON_RETRY);
    assert_int_equal(instance_state(life->instance), INSTANCE_READY);
}

/* A request whose asker has died is called back. */
static void cancels_http(void **state)
{
    struct life *life = *state;
    struct fake_broker fake = {0};
    const struct broker broker = {&fake, fake_submit, fake_cancel};

    begin_http(life, &broker);
    assert_int_equal(instance_call(life->instance, ABILITY_CHECK), 0);
    assert_true(kit_until(life->loop, was_asked, &fake, 10000));
    assert_int_equal(kill(instance_pid(life->instance), SIGKILL), 0);
    life_await(life, life_is_degraded);
    assert_int_equal(fake.cancelled, 1);
    assert_int_equal(life->done, 1);

    while (instance_call(life->instance, ABILITY_CHECK) == -EAGAIN) {
        (void)kit_until(life->loop, life_is_ready, life, 5);
    }
    fake.submitted = 0;
    assert_true(kit_until(life->loop, was_asked, &fake, 10000));
    instance_stop(life->instance);
    assert_int_equal(fake.cancelled, 2);
    life_await(life, life_is_stopped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs_a_check, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(fails_by_the_return_code, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(passes_without_a_word, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(collects_samples, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(calls_again_from_the_hook, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(drops_a_flood, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(limits_its_log, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(tells_why_create_failed, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(stops_in_order, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(stops_at_once, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(stops_what_hangs, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(refuses_http_where_there_is_none, life_setup,
                                        life_teardown),
        cmocka_unit_test_setup_teardown(passes_http_on, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(tells_when_http_is_full, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(cancels_http, life_setup, life_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
