/* Calls of a sink: format, judge, deliver, in a worker. */
#include "life.h"

#include "plugin/instance_private.h"

#include "model/exchange.h"
#include "model/notification.h"

static void put_notification(struct buf *args, const char *id, uint32_t attempt)
{
    const struct tmon_alert alert = {.size = sizeof alert, .firing = true, .summary = "It burns"};
    const struct tmon_alert *const alerts[] = {&alert};
    const struct tmon_notification notification = {
        .size = sizeof notification,
        .attempt = attempt,
        .id = id,
        .alerts = alerts,
        .nalerts = 1,
        .title = "[FIRING:1] Fire",
    };

    buf_init(args, LIMIT_CALL_BYTES);
    assert_int_equal(notification_encode(args, &notification), 0);
}

static void put_response(struct buf *args, int32_t status, const char *body)
{
    const struct tmon_response response = {.size = sizeof response,
                                           .status = status,
                                           .body = {body, strlen(body)},
                                           .retry_after_ms = 500,
                                           .error = ""};

    buf_init(args, LIMIT_CALL_BYTES);
    assert_int_equal(exchange_encode_response(args, &response), 0);
}

/* One call with what is in the buf, which is freed. */
static void call(struct life *life, enum ability ability, struct buf *args)
{
    life->done = 0;
    assert_int_equal(instance_call_sink(life->instance, ability, args->data, args->len), 0);
    if (ability == ABILITY_DELIVER) {
        assert_int_equal(instance_call_sink(life->instance, ability, args->data, args->len),
                         -EBUSY);
        assert_false(instance_callable(life->instance));
    }
    buf_finish(args);
    life_await(life, life_is_done);
    assert_int_equal(life->done, 1);
}

static void notify(struct life *life, enum ability ability, const char *id)
{
    struct buf args;

    put_notification(&args, id, 1);
    call(life, ability, &args);
}

static void formats(void **state)
{
    struct life *life = *state;
    struct tmon_request request;
    struct wire_reader reader;

    life_begin(life, "api_sink", "api_format", ABILITY_FORMAT | ABILITY_JUDGE);
    life_await(life, life_is_ready);
    for (int i = 0; i < 3; i++) {
        notify(life, ABILITY_FORMAT, "n-1");
        assert_int_equal(life->rc, TMON_OK);
        wire_reader_init(&reader, life->request.data, life->request.len);
        assert_int_equal(exchange_decode_request(&reader, &request), 0);
        assert_true(wire_done(&reader));
        assert_string_equal(request.method, "POST");
        assert_string_equal(request.url, "https://hooks.example.org/1");
        assert_string_equal((const char *)request.body.data,
                            "{\"title\":\"[FIRING:1] Fire\",\"first\":\"It burns\"}");
        exchange_finish_request(&request);
        assert_int_equal(life->retry_after_ms, -1);
    }
    assert_int_equal(instance_call_sink(life->instance, ABILITY_DELIVER, "", 0), -EAGAIN);
}

static bool all_are_done(void *arg)
{
    return ((struct life *)arg)->done >= 1 + INSTANCE_AHEAD;
}

/* What only computes may wait in the worker's socket, up to a bound, and is answered in order. */
static void has_calls_waiting(void **state)
{
    struct life *life = *state;
    struct buf args;

    life_begin(life, "api_sink", "api_format", ABILITY_FORMAT | ABILITY_JUDGE);
    life_await(life, life_is_ready);
    put_notification(&args, "n-1", 1);
    for (int round = 0; round < 3; round++) {
        life->done = 0;
        for (int i = 0; i < 1 + INSTANCE_AHEAD; i++) {
            assert_true(instance_callable(life->instance));
            assert_int_equal(
                instance_call_sink(life->instance, ABILITY_FORMAT, args.data, args.len), 0);
        }
        assert_false(instance_callable(life->instance));
        assert_int_equal(instance_call_sink(life->instance, ABILITY_FORMAT, args.data, args.len),
                         -EBUSY);
        life_await(life, all_are_done);
        assert_int_equal(life->done, 1 + INSTANCE_AHEAD);
        assert_int_equal(life->rc, TMON_OK);
        assert_false(instance_busy(life->instance));
    }
    buf_finish(&args);
}

static void refuses_a_bad_request(void **state)
{
    struct life *life = *state;

    life_begin(life, "api_sink", "api_format_badly", ABILITY_FORMAT);
    life_await(life, life_is_ready);
    notify(life, ABILITY_FORMAT, "n-1");
    assert_int_equal(life->rc, TMON_REJECTED);
    assert_int_equal(life->request.len, 0);
    assert_non_null(strstr(life->message, "the URL must be"));
    assert_int_equal(instance_state(life->instance), INSTANCE_READY);
}

/* Where its answer would come the next call may lie already. */
static void refuses_to_ask(void **state)
{
    struct life *life = *state;
    struct tmon_request request;
    struct wire_reader reader;

    life_begin(life, "api_sink", "api_format_asks", ABILITY_FORMAT);
    life_await(life, life_is_ready);
    notify(life, ABILITY_FORMAT, "n-1");
    assert_int_equal(life->rc, TMON_OK);
    wire_reader_init(&reader, life->request.data, life->request.len);
    assert_int_equal(exchange_decode_request(&reader, &request), 0);
    assert_string_equal((const char *)request.body.data,
                        "format() and judge() may send nothing themselves");
    exchange_finish_request(&request);
    assert_int_equal(instance_state(life->instance), INSTANCE_READY);
}

static void judges(void **state)
{
    struct life *life = *state;
    struct buf args;

    life_begin(life, "api_sink", "api_format", ABILITY_FORMAT | ABILITY_JUDGE);
    life_await(life, life_is_ready);
    put_response(&args, 200, "ok");
    call(life, ABILITY_JUDGE, &args);
    assert_int_equal(life->rc, TMON_OK);
    put_response(&args, 503, "no");
    call(life, ABILITY_JUDGE, &args);
    assert_int_equal(life->rc, TMON_RETRY);
    assert_int_equal(life->retry_after_ms, 1500);
    assert_int_equal(life->request.len, 0);
}

static void delivers(void **state)
{
    struct life *life = *state;
    struct buf args;

    life_begin(life, "api_sink", "api_deliver", ABILITY_DELIVER);
    life_await(life, life_is_ready);
    notify(life, ABILITY_DELIVER, "n-7");
    assert_int_equal(life->rc, TMON_AMBIGUOUS);
    assert_string_equal(life->log, "n-7: 1 alerts, attempt 1, html none");
    put_notification(&args, "n-7", 2);
    call(life, ABILITY_DELIVER, &args);
    assert_int_equal(life->rc, TMON_OK);
}

static void says_why(void **state)
{
    struct life *life = *state;

    life_begin(life, "bad_sink", "bad_deliver", ABILITY_DELIVER);
    life_await(life, life_is_ready);
    notify(life, ABILITY_DELIVER, "retry");
    assert_int_equal(life->rc, TMON_RETRY);
    assert_int_equal(life->retry_after_ms, 1500);
    assert_string_equal(life->message, "not now");
    notify(life, ABILITY_DELIVER, "well");
    assert_int_equal(life->rc, TMON_OK);
    assert_int_equal(life->retry_after_ms, -1);
    assert_string_equal(life->message, "");
}

/* A worker that dies is told apart from one that failed. */
static void tells_of_a_death(void **state)
{
    struct life *life = *state;

    life_begin(life, "bad_sink", "bad_deliver", ABILITY_DELIVER);
    life_await(life, life_is_ready);
    notify(life, ABILITY_DELIVER, "crash");
    assert_true(life->died);
    assert_int_equal(life->rc, TMON_RETRY);
    assert_non_null(strstr(life->message, "signal 6"));
    assert_int_equal(instance_state(life->instance), INSTANCE_DEGRADED);
    life_await(life, life_is_ready);
    notify(life, ABILITY_DELIVER, "well");
    assert_false(life->died);
    assert_int_equal(life->rc, TMON_OK);
}

static bool is_idle(void *arg)
{
    return ((struct life *)arg)->idle > 0;
}

/* The deadline is told at once, and the end in the grace period too: only then is it free. */
static void tells_when_it_is_free_again(void **state)
{
    struct life *life = *state;
    struct buf args;

    life->timeout_ms = 100;
    life->times.grace_ms = 5000;
    life_begin(life, "bad_sink", "bad_deliver", ABILITY_DELIVER);
    life_await(life, life_is_ready);
    notify(life, ABILITY_DELIVER, "slow");
    assert_true(life->timeout);
    assert_false(life->died);
    assert_int_equal(life->rc, TMON_TIMEOUT);
    assert_int_equal(life->idle, 0);
    put_notification(&args, "well", 1);
    assert_int_equal(instance_call_sink(life->instance, ABILITY_DELIVER, args.data, args.len),
                     -EBUSY);
    buf_finish(&args);
    life_await(life, is_idle);
    assert_int_equal(life->idle, 1);
    assert_int_equal(life->done, 1);
    life->timeout_ms = 2000;
    notify(life, ABILITY_DELIVER, "well");
    assert_int_equal(life->rc, TMON_OK);
    assert_int_equal(life->idle, 1);
}

static void kills_what_hangs(void **state)
{
    struct life *life = *state;

    life->timeout_ms = 50;
    life->times.grace_ms = 50;
    life_begin(life, "bad_sink", "bad_deliver", ABILITY_DELIVER);
    life_await(life, life_is_ready);
    notify(life, ABILITY_DELIVER, "hang");
    assert_true(life->timeout);
    life_await(life, life_is_degraded);
    assert_non_null(strstr(life->reason, "did not return from deliver"));
    assert_int_equal(life->done, 1);
}

/* More than a frame, both ways. */
static void carries_much(void **state)
{
    struct life *life = *state;
    static char text[300000];
    struct tmon_request request;
    struct wire_reader reader;
    struct buf args;
    const struct tmon_notification notification = {
        .size = sizeof notification, .attempt = 1, .id = "n", .title = "t", .text = text};

    memset(text, 'x', sizeof text - 1);
    life_begin(life, "api_sink", "api_format_text", ABILITY_FORMAT);
    life_await(life, life_is_ready);
    buf_init(&args, LIMIT_CALL_BYTES);
    assert_int_equal(notification_encode(&args, &notification), 0);
    call(life, ABILITY_FORMAT, &args);
    assert_int_equal(life->rc, TMON_OK);
    wire_reader_init(&reader, life->request.data, life->request.len);
    assert_int_equal(exchange_decode_request(&reader, &request), 0);
    assert_int_equal(request.body.len, sizeof text - 1);
    exchange_finish_request(&request);
    notify(life, ABILITY_FORMAT, "n-2");
    assert_int_equal(life->rc, TMON_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(formats, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(has_calls_waiting, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(refuses_a_bad_request, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(refuses_to_ask, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(judges, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(delivers, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(says_why, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(tells_of_a_death, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(tells_when_it_is_free_again, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(kills_what_hangs, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(carries_much, life_setup, life_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
