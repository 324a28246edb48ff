/* HTTP answers within their limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fetch/answer.h"

static int feed(struct answer *answer, const char *line)
{
    return answer_header(answer, line, strlen(line));
}

static void collects_headers_and_body(void **state)
{
    struct answer answer;
    struct tmon_response response = {0};

    answer_init(&answer, 100);
    assert_int_equal(feed(&answer, "HTTP/1.1 100 Continue\r\n"), 0);
    assert_int_equal(feed(&answer, "X-Early: gone\r\n"), 0);
    assert_int_equal(feed(&answer, "\r\n"), 0);
    assert_int_equal(feed(&answer, "HTTP/1.1 429 Slow Down\r\n"), 0);
    assert_int_equal(feed(&answer, "Retry-After:  30 \r\n"), 0);
    assert_int_equal(feed(&answer, "X-Odd: a\x01z\xff\r\n"), 0);
    assert_int_equal(feed(&answer, "X-Name: J\xc3\xb6rg\r\n"), 0);
    assert_int_equal(feed(&answer, " folded\r\n"), 0);
    assert_int_equal(feed(&answer, "no colon\r\n"), 0);
    assert_int_equal(feed(&answer, ": no name\r\n"), 0);
    assert_int_equal(feed(&answer, "Empty:\r\n"), 0);
    assert_int_equal(feed(&answer, "\r\n"), 0);
    assert_true(answer_body(&answer, "hello", 5));
    answer_response(&answer, 0, &response);
    assert_int_equal(response.nheaders, 4);
    assert_string_equal(response.headers[0].key, "retry-after");
    assert_string_equal(response.headers[0].value, "30");
    assert_string_equal(response.headers[1].value, "a?z?");
    assert_string_equal(response.headers[2].value, "J\xc3\xb6rg");
    assert_string_equal(response.headers[3].key, "empty");
    assert_string_equal(response.headers[3].value, "");
    assert_int_equal(response.retry_after_ms, 30000);
    assert_int_equal(response.body.len, 5);
    assert_memory_equal(response.body.data, "hello", 5);
    assert_false(response.truncated);
    answer_finish(&answer);
}

static void cuts_the_body(void **state)
{
    struct answer answer;
    struct tmon_response response = {0};

    answer_init(&answer, 8);
    assert_true(answer_body(&answer, "12345678", 8)); // exactly what fits is not cut
    assert_false(answer_body(&answer, "9", 1));
    answer_response(&answer, 0, &response);
    assert_true(response.truncated);
    assert_int_equal(response.body.len, 8);
    assert_int_equal(response.retry_after_ms, -1);
    answer_finish(&answer);
}

static void bounds_headers(void **state)
{
    struct answer answer;
    char line[1024];
    int r = 0;
    size_t n;

    answer_init(&answer, 8);
    for (n = 0; r == 0 && n < 10000; n++) {
        r = feed(&answer, "A: b\r\n");
    }
    assert_int_equal(r, -EMSGSIZE);
    assert_int_equal(n, LIMIT_HTTP_HEADERS + 1);
    answer_finish(&answer);

    answer_init(&answer, 8); // 1xx answers without end
    memset(line, 'x', sizeof line);
    memcpy(line, "X: ", 3);
    for (n = 0, r = 0; r == 0 && n < 10000; n++) {
        r = feed(&answer, "HTTP/1.1 103 Early Hints\r\n");
        if (r == 0) {
            r = answer_header(&answer, line, sizeof line);
        }
    }
    assert_int_equal(r, -EMSGSIZE);
    assert_true(n < 100);
    answer_finish(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collects_headers_and_body),
        cmocka_unit_test(cuts_the_body),
        cmocka_unit_test(bounds_headers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
