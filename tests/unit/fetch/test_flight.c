/* What becomes of a plugin's request in the agent: an order for fetch, or a refusal that says what
 * to change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/flight.h"
#include "model/exchange.h"
#include "model/settings.h"

struct fixture {
    struct settings *settings;
    struct buf request, order;
    char why[512];
    int64_t remaining_ms;
};

static void set_url(struct setting *setting, const char *name, const char *url)
{
    setting->name = strdup(name);
    setting->type = TMON_URL;
    setting->set = true;
    setting->text = strdup(url);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    fixture->settings = settings_create(2);
    set_url(&fixture->settings->settings[0], "url", "https://Target.Example:8443/x");
    set_url(&fixture->settings->settings[1], "fallback_url", "http://127.1/");
    buf_init(&fixture->request, 1u << 20);
    buf_init(&fixture->order, FETCH_ORDER_BYTES);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    settings_destroy(fixture->settings);
    buf_finish(&fixture->request);
    buf_finish(&fixture->order);
    free(fixture);
    return 0;
}

static int order(struct fixture *fixture, const char *url)
{
    static const char *const refused[] = {"127.0.0.1:9909", "[::1]:9909"};
    struct tmon_request request = {.size = sizeof request, .url = url, .max_redirects = 3};
    const char *why;

    buf_clear(&fixture->request);
    buf_clear(&fixture->order);
    wire_put_u64(&fixture->request, 2500);
    assert_int_equal(exchange_encode_request(&fixture->request, &request, &why), 0);
    return flight_order(fixture->request.data, fixture->request.len, fixture->settings, refused, 2,
                        &fixture->order, &fixture->remaining_ms, fixture->why, sizeof fixture->why);
}

static void an_order_says_it_all(void **state)
{
    struct fixture *fixture = *state;
    struct fetch_order read;

    assert_int_equal(order(fixture, "http://127.0.0.1:81/path"), 0);
    assert_int_equal(fixture->remaining_ms, 2400); // some is left for the plugin
    assert_int_equal(fetch_order_decode(fixture->order.data, fixture->order.len, &read), 0);
    assert_int_equal(read.remaining_ms, 2400);
    assert_int_equal(read.body_bytes, LIMIT_HTTP_BODY_BYTES);
    assert_false(read.any_host);
    assert_string_equal(read.unix_path, "");
    assert_int_equal(read.nhosts, 2);
    assert_string_equal(read.hosts[0], "target.example");
    assert_string_equal(read.hosts[1], "127.0.0.1");
    assert_int_equal(read.nrefused, 2);
    assert_string_equal(read.refused[1], "[::1]:9909");
    assert_string_equal(read.request.url, "http://127.0.0.1:81/path");
    assert_string_equal(read.request.method, "GET");
    assert_int_equal(read.request.max_redirects, 3);
    fetch_order_finish(&read);
}

static void a_refusal_says_what_to_change(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(order(fixture, "http://evil.example/"), -EACCES);
    assert_non_null(strstr(fixture->why, "evil.example"));
    assert_non_null(strstr(fixture->why, "url, fallback_url"));
    assert_int_equal(order(fixture, "http://target.example@evil.example/"), -EACCES);
    assert_int_equal(order(fixture, "http://user:hush@a@evil.example/"), -EACCES);
    assert_null(strstr(fixture->why, "hush"));
    fixture->settings->count = 0;
    assert_int_equal(order(fixture, "http://target.example/"), -EACCES);
    assert_non_null(strstr(fixture->why, "no URL setting"));
    fixture->settings->count = 2;
}

static void cut_or_longer_requests_are_malformed(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(order(fixture, "http://target.example/"), 0);
    for (size_t len = 0; len < fixture->request.len; len++) {
        assert_int_equal(flight_order(fixture->request.data, len, fixture->settings, NULL, 0,
                                      &fixture->order, &fixture->remaining_ms, fixture->why,
                                      sizeof fixture->why),
                         -EPROTO);
    }
    buf_putc(&fixture->request, 'x');
    assert_int_equal(flight_order(fixture->request.data, fixture->request.len, fixture->settings,
                                  NULL, 0, &fixture->order, &fixture->remaining_ms, fixture->why,
                                  sizeof fixture->why),
                     -EPROTO);
    for (size_t len = 0; len < fixture->order.len; len++) { // and so are orders
        struct fetch_order read;

        assert_int_equal(fetch_order_decode(fixture->order.data, len, &read), -EPROTO);
    }
}

static void our_own_answers_are_well_formed(void **state)
{
    struct buf buf;
    tmon_rc rc;
    int32_t phase;

    buf_init(&buf, FETCH_RESPONSE_BYTES(0));
    flight_answer(&buf, TMON_AMBIGUOUS, TMON_PHASE_ANSWER, "it ended");
    assert_int_equal(flight_read(buf.data, buf.len, &rc, &phase), 0);
    assert_int_equal(rc, TMON_AMBIGUOUS);
    assert_int_equal(phase, TMON_PHASE_ANSWER);
    for (size_t len = 0; len < buf.len; len++) {
        assert_int_equal(flight_read(buf.data, len, &rc, &phase), -EPROTO);
    }
    buf_finish(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_order_says_it_all, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refusal_says_what_to_change, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_or_longer_requests_are_malformed, setup, teardown),
        cmocka_unit_test(our_own_answers_are_well_formed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
