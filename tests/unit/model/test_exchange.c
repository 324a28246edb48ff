/* core/model/exchange.c: what goes in comes out; what could smuggle a line does not go in. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "model/exchange.h"

static void test_request_round_trip(void **state)
{
    const struct tmon_pair headers[] = {{"Content-Type", "text/plain"}, {"X-Empty", ""}};
    struct tmon_request request = {
        .size = sizeof request,
        .method = "PUT",
        .url = "https://example.org/a?b=c",
        .headers = headers,
        .nheaders = 2,
        .body = {"a\0b", 3},
        .max_redirects = 3,
        .insecure = true,
    };
    struct tmon_request got;
    struct wire_reader reader;
    const char *why;
    struct buf buf;

    buf_init(&buf, LIMIT_HTTP_REQUEST_BYTES);
    assert_int_equal(exchange_encode_request(&buf, &request, &why), 0);
    wire_reader_init(&reader, buf.data, buf.len);
    assert_int_equal(exchange_decode_request(&reader, &got), 0);
    assert_true(wire_done(&reader));
    assert_string_equal(got.method, "PUT");
    assert_string_equal(got.url, request.url);
    assert_int_equal(got.nheaders, 2);
    assert_string_equal(got.headers[0].value, "text/plain");
    assert_string_equal(got.headers[1].value, "");
    assert_int_equal(got.body.len, 3);
    assert_memory_equal(got.body.data, "a\0b", 3);
    assert_int_equal(got.max_redirects, 3);
    assert_true(got.insecure);
    exchange_finish_request(&got);
    for (size_t len = 0; len < buf.len; len++) {
        wire_reader_init(&reader, buf.data, len);
        assert_int_equal(exchange_decode_request(&reader, &got), -EPROTO);
    }
    buf_finish(&buf);
}

static void refuse(struct tmon_request request)
{
    const char *why = NULL;
    struct buf buf;

    buf_init(&buf, LIMIT_HTTP_REQUEST_BYTES);
    assert_int_equal(exchange_encode_request(&buf, &request, &why), -EINVAL);
    assert_non_null(why);
    assert_int_equal(buf.len, 0);
    buf_finish(&buf);
}

static void test_bad_requests_are_refused(void **state)
{
    const struct tmon_pair smuggled = {"X-A", "1\r\nX-B: 2"}, nameless = {"", "1"},
                           valueless = {"X-A", NULL}, split = {"X A", "1"};
    const uint32_t size = sizeof(struct tmon_request);

    refuse((struct tmon_request){.url = "http://a/"});
    refuse((struct tmon_request){.size = size});
    refuse((struct tmon_request){.size = size, .url = "file:///etc/passwd"});
    refuse((struct tmon_request){.size = size, .url = "http://a/ HTTP/1.1"});
    refuse((struct tmon_request){.size = size, .url = "http://a/\r\nX: y"});
    refuse((struct tmon_request){.size = size, .url = "http://a/", .method = "GET /"});
    refuse((struct tmon_request){.size = size, .url = "http://a/", .method = ""});
    refuse((struct tmon_request){
        .size = size, .url = "http://a/", .headers = &smuggled, .nheaders = 1});
    refuse((struct tmon_request){
        .size = size, .url = "http://a/", .headers = &nameless, .nheaders = 1});
    refuse((struct tmon_request){
        .size = size, .url = "http://a/", .headers = &valueless, .nheaders = 1});
    refuse(
        (struct tmon_request){.size = size, .url = "http://a/", .headers = &split, .nheaders = 1});
    refuse((struct tmon_request){
        .size = size, .url = "http://a/", .nheaders = LIMIT_HTTP_HEADERS + 1});
    refuse((struct tmon_request){
        .size = size, .url = "http://a/", .body = {"", LIMIT_HTTP_REQUEST_BYTES + 1}});
    refuse((struct tmon_request){.size = size, .url = "http://a/", .max_redirects = -1});
}

static void test_response_is_made_fit(void **state)
{
    const struct tmon_pair headers[] = {
        {"server", "caf\xe9\r\n"}, {"not a token", "x"}, {"b", "c"}};
    struct tmon_response response = {
        .size = sizeof response,
        .status = 503,
        .retry_after_ms = 1500,
        .body = {"a\0b", 3},
        .headers = headers,
        .nheaders = 3,
        .error = "",
        .error_phase = TMON_PHASE_NONE,
        .http_version = 20,
        .redirects = 1,
        .resolve_us = 1,
        .connect_us = 2,
        .tls_us = 3,
        .first_byte_us = 4,
        .total_us = 10,
        .certificate_expires_ms = INT64_C(1800000000000),
    };
    struct tmon_response got;
    struct wire_reader reader;
    struct buf buf;

    buf_init(&buf, LIMIT_HTTP_REQUEST_BYTES);
    assert_int_equal(exchange_encode_response(&buf, &response), 0);
    wire_reader_init(&reader, buf.data, buf.len);
    assert_int_equal(exchange_decode_response(&reader, &got), 0);
    assert_true(wire_done(&reader));
    assert_int_equal(got.status, 503);
    assert_int_equal(got.retry_after_ms, 1500);
    assert_int_equal(got.body.len, 3);
    assert_false(got.truncated);
    assert_int_equal(got.nheaders, 2);
    assert_string_equal(got.headers[0].value, "caf?  ");
    assert_string_equal(got.headers[1].key, "b");
    assert_int_equal(got.http_version, 20);
    assert_int_equal(got.total_us, 10);
    assert_int_equal(got.certificate_expires_ms, INT64_C(1800000000000));
    exchange_finish_response(&got);

    response.status = 1000;
    buf_clear(&buf);
    assert_int_equal(exchange_encode_response(&buf, &response), 0);
    wire_reader_init(&reader, buf.data, buf.len);
    assert_int_equal(exchange_decode_response(&reader, &got), -EPROTO);
    buf_finish(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_round_trip),
        cmocka_unit_test(test_bad_requests_are_refused),
        cmocka_unit_test(test_response_is_made_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
