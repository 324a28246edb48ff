/* Abilities of later parts, marshalled already: actions, watches, sinks, caches, leases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/exchange.h"
#include "model/notification.h"
#include "rig.h"

/* ---- actions */

static void call_action(struct rig *rig, const char *name, bool dry_run, struct settings *params)
{
    struct buf args;

    buf_init(&args, LIMIT_CALL_BYTES);
    wire_put_u8(&args, dry_run);
    settings_encode(params, &args);
    rig_call(rig, ABILITY_ACTIONS, name, 5000, &args);
    settings_destroy(params);
    buf_finish(&args);
}

static void send_body(struct rig *rig, uint8_t last, const char *text)
{
    struct buf buf;

    buf_init(&buf, LIMIT_FRAME_BYTES);
    wire_put_u8(&buf, last);
    wire_put_str(&buf, text);
    rig_send(rig, FRAME_BODY, rig->call, buf.data, buf.len);
    buf_finish(&buf);
}

static void expect_read(struct rig *rig)
{
    do { // progress comes when it comes
        assert_int_equal(rig_next(rig), 1);
    } while (rig->frame.type == FRAME_PROGRESS);
    assert_int_equal(rig->frame.type, FRAME_READ);
}

static void test_action_with_body(void **state)
{
    struct rig rig;
    struct rig_done done;
    struct wire_reader reader;
    const char *result;
    size_t len;

    rig_create(&rig, "api_actions", "api_actions", NULL);
    call_action(&rig, "echo", false, settings_create(0));
    expect_read(&rig);
    send_body(&rig, 0, "hello ");
    expect_read(&rig);
    send_body(&rig, 1, "world");
    rig_expect(&rig, FRAME_PROGRESS); // the last one always comes
    wire_reader_init(&reader, rig.data, rig.len);
    assert_int_equal(wire_get_u64(&reader), 11);
    rig_expect(&rig, FRAME_RESULT);
    wire_reader_init(&reader, rig.data, rig.len);
    result = wire_get_bytes(&reader, 100, &len);
    assert_true(wire_done(&reader));
    assert_string_equal(result, "hello world");
    rig_expect(&rig, FRAME_DONE);
    rig_read_done(&rig, &done);
    assert_int_equal(done.rc, TMON_OK);

    call_action(&rig, "echo", false, settings_create(0));
    expect_read(&rig);
    send_body(&rig, 2, "");
    rig_wait_done(&rig, &done);
    assert_int_equal(done.rc, TMON_REJECTED);
    assert_string_equal(done.message, "there is no body");
    rig_stop(&rig);
}

/* 3,000,000 bytes need 46 frames: 16 come at once, the rest only for credit. */
static void test_credit(void **state)
{
    struct rig rig;
    struct rig_done done;
    struct settings *params = settings_create(1);
    const uint8_t credit[] = {7, 0, 0, 0};
    size_t bytes = 0, granted = FRAME_INITIAL_CREDIT, frames = 0;

    params->settings[0].name = strdup("times");
    params->settings[0].type = TMON_INT;
    params->settings[0].set = true;
    params->settings[0].num = 300000;
    rig_create(&rig, "api_actions", "api_actions", NULL);
    call_action(&rig, "repeat", false, params);
    for (;;) {
        assert_int_equal(rig_next(&rig), 1);
        if (rig.frame.type == FRAME_DONE) {
            break;
        }
        assert_int_equal(rig.frame.type, FRAME_RESULT);
        assert_true(++frames <= granted);
        bytes += rig.len - 5;
        if (frames == granted) {
            rig_send(&rig, FRAME_CREDIT, rig.call, credit, sizeof credit);
            granted += 7;
        }
    }
    rig_read_done(&rig, &done);
    assert_int_equal(done.rc, TMON_OK);
    assert_int_equal(bytes, 3000000);
    rig_stop(&rig);
}

static void test_cancel_while_waiting_for_credit(void **state)
{
    struct rig rig;
    struct rig_done done;
    struct settings *params = settings_create(1);

    params->settings[0].name = strdup("times");
    params->settings[0].type = TMON_INT;
    params->settings[0].set = true;
    params->settings[0].num = 1000000;
    rig_create(&rig, "api_actions", "api_actions", NULL);
    call_action(&rig, "repeat", true, params);
    for (int i = 0; i < FRAME_INITIAL_CREDIT; i++) {
        rig_expect(&rig, FRAME_RESULT);
    }
    rig_send(&rig, FRAME_CANCEL, rig.call, NULL, 0);
    rig_expect(&rig, FRAME_DONE);
    rig_read_done(&rig, &done);
    assert_int_equal(done.rc, TMON_TIMEOUT);
    rig_stop(&rig);
}

/* ---- watch, event, message */

static void send_reply(struct rig *rig, tmon_rc rc, const char *text)
{
    struct buf buf;

    buf_init(&buf, LIMIT_FRAME_BYTES);
    wire_put_u32(&buf, (uint32_t)rc);
    wire_put_str(&buf, text);
    rig_send(rig, FRAME_REPLY, rig->call, buf.data, buf.len);
    buf_finish(&buf);
}

static void expect_event(struct rig *rig, const char *id, const char *cursor)
{
    struct wire_reader reader;
    const void *payload;
    size_t len;

    rig_expect(rig, FRAME_EVENT);
    wire_reader_init(&reader, rig->data, rig->len);
    assert_string_equal(wire_get_str(&reader, 100), id);
    payload = wire_get_bytes(&reader, 100, &len);
    assert_int_equal(len, 3);
    assert_memory_equal(payload, "a\0b", 3);
    assert_string_equal(wire_get_str(&reader, 100), cursor);
    assert_true(wire_done(&reader));
}

static void test_watch(void **state)
{
    struct rig rig;
    struct rig_done done;
    struct wire_reader reader;
    struct buf args;

    buf_init(&args, LIMIT_FRAME_BYTES);
    wire_put_str(&args, "16");
    rig_create(&rig, "api_watch", "api_watch", NULL);
    rig_call(&rig, ABILITY_WATCH, "", 5000, &args);
    expect_event(&rig, "event-1", "16");
    send_reply(&rig, TMON_OK, "");
    expect_event(&rig, "event-2", "17");
    send_reply(&rig, TMON_OK, "");
    rig_expect(&rig, FRAME_MESSAGE);
    wire_reader_init(&reader, rig.data, rig.len);
    assert_string_equal(wire_get_str(&reader, 100), "greeting");
    assert_string_equal(wire_get_str(&reader, 100), "key-1");
    assert_int_equal(wire_get_u32(&reader), 1);
    assert_string_equal(wire_get_str(&reader, 100), "name");
    assert_string_equal(wire_get_str(&reader, 100), "World");
    assert_true(wire_done(&reader));
    send_reply(&rig, TMON_UNSUPPORTED, "");
    rig_wait_done(&rig, &done);
    assert_int_equal(done.rc, TMON_UNSUPPORTED);
    rig_stop(&rig);
    buf_finish(&args);
}

/* ---- sinks */

static void put_notification(struct buf *args, uint32_t attempt)
{
    const struct tmon_alert alert = {.size = sizeof alert, .firing = true, .summary = "It burns"};
    const struct tmon_alert *const alerts[] = {&alert};
    const struct tmon_notification notification = {
        .size = sizeof notification,
        .attempt = attempt,
        .id = "n-1",
        .alerts = alerts,
        .nalerts = 1,
        .title = "[FIRING] Fire",
        .html = "<b>",
    };

    buf_init(args, LIMIT_CALL_BYTES);
    assert_int_equal(notification_encode(args, &notification), 0);
}

static void test_format(void **state)
{
    struct rig rig;
    struct rig_done done;
    struct tmon_request request;
    struct wire_reader reader;
    struct buf args;

    put_notification(&args, 1);
    rig_create(&rig, "api_sink", "api_format", NULL);
    rig_call(&rig, ABILITY_FORMAT, "", 1000, &args);
    rig_wait_done(&rig, &done);
    assert_int_equal(done.rc, TMON_OK);
    wire_reader_init(&reader, rig.data, rig.len);
    reader.pos = rig.len - rig.rest;
    assert_int_equal(exchange_decode_request(&reader, &request), 0);
    assert_true(wire_done(&reader));
    assert_string_equal((const char *)request.body.data,
                        "{\"title\":\"[FIRING] Fire\",\"first\":\"It burns\"}");
    exchange_finish_request(&request);
    rig_stop(&rig);

    rig_create(&rig, "api_sink", "api_format_badly", NULL);
    rig_call(&rig, ABILITY_FORMAT, "", 1000, &args);
    rig_expect(&rig, FRAME_LOG);
    rig_expect(&rig, FRAME_DONE); // and no request
    rig_read_done(&rig, &done);
    assert_int_equal(done.rc, TMON_REJECTED);
    assert_int_equal(rig.rest, 0);
    rig_stop(&rig);
    buf_finish(&args);
}

static tmon_rc judge(struct rig *rig, int32_t status, int64_t *ret_retry_after_ms)
{
    struct tmon_response response = {.size = sizeof response,
                                     .status = status,
                                     .body = {"ok", 2},
                                     .retry_after_ms = 500,
                                     .error = ""};
    struct rig_done done;
    struct buf args;

    buf_init(&args, LIMIT_CALL_BYTES);
    assert_int_equal(exchange_encode_response(&args, &response), 0);
    rig_call(rig, ABILITY_JUDGE, "", 1000, &args);
    rig_wait_done(rig, &done);
    buf_finish(&args);
    *ret_retry_after_ms = done.retry_after_ms;
    return done.rc;
}

static void test_judge(void **state)
{
    struct rig rig;
    int64_t retry_after_ms;

    rig_create(&rig, "api_sink", "api_format", NULL);
    assert_int_equal(judge(&rig, 200, &retry_after_ms), TMON_OK);
    assert_int_equal(retry_after_ms, -1);
    assert_int_equal(judge(&rig, 503, &retry_after_ms), TMON_RETRY);
    assert_int_equal(retry_after_ms, 1500);
    rig_stop(&rig);
}

static void test_deliver(void **state)
{
    struct rig rig;
    struct rig_done done;

    rig_create(&rig, "api_sink", "api_deliver", NULL);
    for (uint32_t attempt = 1; attempt <= 2; attempt++) {
        struct buf args;

        put_notification(&args, attempt);
        rig_call(&rig, ABILITY_DELIVER, "", 1000, &args);
        rig_expect(&rig, FRAME_LOG);
        assert_non_null(memmem(rig.data, rig.len, "n-1: 1 alerts, attempt", 22));
        assert_non_null(memmem(rig.data, rig.len, "html <b>", 8));
        rig_wait_done(&rig, &done);
        assert_int_equal(done.rc, attempt == 1 ? TMON_AMBIGUOUS : TMON_OK);
        buf_finish(&args);
    }
    rig_stop(&rig);
}

/* ---- caches and leases */

static void test_the_cache_of_the_agent(void **state)
{
    struct rig rig;
    struct rig_done done;
    struct wire_reader reader;
    size_t len;

    rig_create(&rig, "api_store", "api_cache_user", NULL);
    rig_call(&rig, ABILITY_CHECK, "", 1000, NULL);
    rig_expect(&rig, FRAME_CACHE_GET);
    wire_reader_init(&reader, rig.data, rig.len);
    assert_string_equal(wire_get_str(&reader, 100), "color");
    assert_true(wire_done(&reader));
    send_reply(&rig, TMON_OK, "green");
    rig_expect(&rig, FRAME_CACHE_PUT);
    wire_reader_init(&reader, rig.data, rig.len);
    assert_string_equal(wire_get_str(&reader, 100), "color");
    assert_string_equal((const char *)wire_get_bytes(&reader, 100, &len), "blue");
    assert_int_equal(wire_get_i64(&reader), 60000);
    assert_true(wire_done(&reader));
    send_reply(&rig, TMON_UNSUPPORTED, "");
    rig_wait_done(&rig, &done);
    assert_float_equal(rig_number(rig.verdict, "get"), TMON_OK, 0);
    assert_string_equal(rig_text(rig.verdict, "value"), "green");
    assert_float_equal(rig_number(rig.verdict, "put"), TMON_UNSUPPORTED, 0);
    rig_stop(&rig);
}

/* One operation; n arguments are strings but for what `put` and the leases add. */
static tmon_rc operate(struct rig *rig, enum ability ability, const char *operation,
                       const struct buf *args, uint64_t *ret_fence)
{
    struct rig_done done;

    rig_call(rig, ability, operation, 1000, args);
    rig_wait_done(rig, &done);
    if (ret_fence) {
        *ret_fence = done.fence;
    }
    return done.rc;
}

static void expect_answer(struct rig *rig, bool found, const char *value)
{
    struct wire_reader reader;
    size_t len;

    rig_expect(rig, FRAME_VALUE);
    wire_reader_init(&reader, rig->data, rig->len);
    assert_int_equal(wire_get_u8(&reader), found);
    assert_string_equal((const char *)wire_get_bytes(&reader, 100, &len), value);
    assert_true(wire_done(&reader));
}

static void get_two(struct rig *rig)
{
    struct buf args;

    buf_init(&args, 1000);
    wire_put_u32(&args, 2);
    wire_put_str(&args, "other");
    wire_put_str(&args, "key");
    rig_call(rig, ABILITY_CACHE, "get_many", 1000, &args);
    buf_finish(&args);
}

static void test_cache_component(void **state)
{
    struct rig rig;
    struct rig_done done;
    struct buf put, key;

    buf_init(&put, 1000);
    wire_put_str(&put, "key");
    wire_put_bytes(&put, "value", 5);
    wire_put_i64(&put, 5000);
    buf_init(&key, 1000);
    wire_put_str(&key, "key");
    rig_create(&rig, "api_store", "api_cache", NULL);
    assert_int_equal(operate(&rig, ABILITY_CACHE, "remove", &key, NULL), TMON_MISS);
    assert_int_equal(operate(&rig, ABILITY_CACHE, "put", &put, NULL), TMON_OK);
    get_two(&rig);
    expect_answer(&rig, false, "");
    expect_answer(&rig, true, "value");
    rig_expect(&rig, FRAME_LOG); // the value that nobody asked for
    rig_wait_done(&rig, &done);
    assert_int_equal(operate(&rig, ABILITY_CACHE, "invalidate", &key, NULL), TMON_OK);
    get_two(&rig);
    expect_answer(&rig, false, "");
    expect_answer(&rig, false, "");
    rig_wait_done(&rig, &done);
    rig_stop(&rig);
    buf_finish(&put);
    buf_finish(&key);
}

static void test_lease_component(void **state)
{
    struct rig rig;
    struct buf acquire, renew, release;
    uint64_t fence = 0;

    buf_init(&acquire, 1000);
    wire_put_str(&acquire, "nightly");
    wire_put_i64(&acquire, 9000);
    buf_init(&renew, 1000);
    wire_put_str(&renew, "nightly");
    wire_put_u64(&renew, 1);
    wire_put_i64(&renew, 9000);
    buf_init(&release, 1000);
    wire_put_str(&release, "nightly");
    wire_put_u64(&release, 1);
    rig_create(&rig, "api_store", "api_lease", NULL);
    assert_int_equal(operate(&rig, ABILITY_LEASE, "renew", &renew, NULL), TMON_REJECTED);
    assert_int_equal(operate(&rig, ABILITY_LEASE, "acquire", &acquire, &fence), TMON_OK);
    assert_int_equal(fence, 1);
    assert_int_equal(operate(&rig, ABILITY_LEASE, "acquire", &acquire, NULL), TMON_RETRY);
    assert_int_equal(operate(&rig, ABILITY_LEASE, "renew", &renew, NULL), TMON_OK);
    assert_int_equal(operate(&rig, ABILITY_LEASE, "release", &release, NULL), TMON_OK);
    assert_int_equal(operate(&rig, ABILITY_LEASE, "acquire", &acquire, &fence), TMON_OK);
    assert_int_equal(fence, 2);
    rig_stop(&rig);
    buf_finish(&acquire);
    buf_finish(&renew);
    buf_finish(&release);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_action_with_body),
        cmocka_unit_test(test_credit),
        cmocka_unit_test(test_cancel_while_waiting_for_credit),
        cmocka_unit_test(test_watch),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_deliver),
        cmocka_unit_test(test_the_cache_of_the_agent),
        cmocka_unit_test(test_cache_component),
        cmocka_unit_test(test_lease_component),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
