/* JSON as text: commas, escapes, and what is no UTF-8. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_text.h"

static void test_members(void **state)
{
    struct buf buf;

    buf_init(&buf, 4096);
    buf_putc(&buf, '{');
    json_text_put_string(&buf, "a", "x");
    json_text_put_int(&buf, "b", -17);
    json_text_key(&buf, "c");
    buf_putc(&buf, '[');
    json_text_item(&buf);
    json_text_string(&buf, "[");
    json_text_item(&buf);
    buf_puts(&buf, "{}");
    json_text_item(&buf);
    json_text_bool(&buf, false);
    buf_putc(&buf, ']');
    json_text_put_time(&buf, "d", 0);
    json_text_put_time(&buf, "e", INT64_C(1767323045678));
    json_text_put_bool(&buf, "f", true);
    buf_putc(&buf, '}');
    assert_false(buf.failed);
    assert_string_equal(buf_str(&buf), "{\"a\":\"x\",\"b\":-17,\"c\":[\"[\",{},false],\"d\":null,"
                                       "\"e\":\"2026-01-02T03:04:05.678Z\",\"f\":true}");
    buf_finish(&buf);
}

static void expect_text(const char *text, const char *wanted)
{
    struct buf buf;

    buf_init(&buf, 4096);
    json_text_string(&buf, text);
    assert_string_equal(buf_str(&buf), wanted);
    buf_finish(&buf);
}

static void test_strings(void **state)
{
    expect_text(NULL, "\"\"");
    expect_text("", "\"\"");
    expect_text("plain", "\"plain\"");
    expect_text("a\"b\\c", "\"a\\\"b\\\\c\"");
    expect_text("\n\t\r\x01\x7f", "\"\\n\\t\\u000d\\u0001\\u007f\"");
    expect_text("\xc3\xa4\xf0\x9f\x98\x80", "\"\xc3\xa4\xf0\x9f\x98\x80\"");
    expect_text("a\xff\"\xc3", "\"a?\\\"?\"");
}

static void test_numbers(void **state)
{
    static const struct {
        int64_t number;
        const char *text;
    } cases[] = {
        {0, "0"},
        {9, "9"},
        {-10, "-10"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf buf;

        buf_init(&buf, 64);
        json_text_int(&buf, cases[i].number);
        assert_string_equal(buf_str(&buf), cases[i].text);
        buf_finish(&buf);
    }
}

static void test_says_that_it_is_full(void **state)
{
    struct buf buf;

    buf_init(&buf, 8);
    json_text_put_string(&buf, "name", "value");
    assert_true(buf.failed);
    assert_true(buf.len <= 8);
    buf_finish(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_says_that_it_is_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
