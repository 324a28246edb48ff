/* Dates of HTTP and of certificates; Retry-After. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/limits.h"
#include "fetch/date.h"

#define MOMENT INT64_C(784111777000) // 1994-11-06 08:49:37

static void reads_all_forms(void **state)
{
    static const char *const forms[] = {
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Nov  6 08:49:37 1994 GMT",
    };
    int64_t ms;

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        assert_int_equal(date_parse(forms[i], &ms), 0);
        assert_int_equal(ms, MOMENT);
    }
    assert_int_equal(date_parse("", &ms), -EINVAL);
    assert_int_equal(date_parse("soon", &ms), -EINVAL);
    assert_int_equal(date_parse("Sun, 06 Nov 1994 08:49:37 GMT and more", &ms), -EINVAL);
}

static void reads_retry_after(void **state)
{
    assert_int_equal(date_retry_after_ms("0", MOMENT), 0);
    assert_int_equal(date_retry_after_ms("120", MOMENT), 120000);
    assert_int_equal(date_retry_after_ms("86400", MOMENT), LIMIT_HTTP_RETRY_AFTER_MS);
    assert_int_equal(date_retry_after_ms("99999999999999999999999999", MOMENT),
                     LIMIT_HTTP_RETRY_AFTER_MS);
    assert_int_equal(date_retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", MOMENT - 5000), 5000);
    assert_int_equal(date_retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", MOMENT + 5000), 0);
    assert_int_equal(date_retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", 0),
                     LIMIT_HTTP_RETRY_AFTER_MS);
    assert_int_equal(date_retry_after_ms("", MOMENT), -1);
    assert_int_equal(date_retry_after_ms("-5", MOMENT), -1);
    assert_int_equal(date_retry_after_ms("1.5", MOMENT), -1);
    assert_int_equal(date_retry_after_ms("later", MOMENT), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_forms),
        cmocka_unit_test(reads_retry_after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
