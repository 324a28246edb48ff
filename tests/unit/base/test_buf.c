/* core/base/buf.c and wire.c: caps hold, failures stick, hostile lengths are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "base/wire.h"

static void test_grows_to_its_cap(void **state)
{
    struct buf buf;

    buf_init(&buf, 100);
    for (int i = 0; i < 10; i++) {
        buf_puts(&buf, "0123456789");
    }
    assert_int_equal(buf.len, 100);
    assert_false(buf.failed);
    buf_putc(&buf, 'x');
    assert_true(buf.failed);
    assert_int_equal(buf.len, 100);
    buf_clear(&buf);
    assert_false(buf.failed);
    assert_string_equal(buf_str(&buf), "");
    buf_printf(&buf, "%d-%s", 7, "a");
    assert_string_equal(buf_str(&buf), "7-a");
    buf_consume(&buf, 2);
    assert_string_equal(buf_str(&buf), "a");
    buf_finish(&buf);
}

static void test_printf_beyond_cap_changes_nothing(void **state)
{
    struct buf buf;

    buf_init(&buf, 8);
    buf_puts(&buf, "abc");
    buf_printf(&buf, "%s", "0123456789");
    assert_true(buf.failed);
    assert_string_equal(buf_str(&buf), "abc");
    assert_null(buf_take(&buf));
    buf_finish(&buf);
}

static void test_take_hands_over(void **state)
{
    struct buf buf;
    char *text;

    buf_init(&buf, 8);
    buf_puts(&buf, "abc");
    text = buf_take(&buf);
    assert_string_equal(text, "abc");
    assert_int_equal(buf.len, 0);
    free(text);
    buf_finish(&buf);
}

static void test_wire_round_trip(void **state)
{
    struct buf buf;
    struct wire_reader reader;
    size_t len;

    buf_init(&buf, 1024);
    wire_put_u8(&buf, 200);
    wire_put_u16(&buf, 65535);
    wire_put_u32(&buf, 0);
    wire_put_u64(&buf, UINT64_MAX);
    wire_put_i64(&buf, INT64_MIN);
    wire_put_f64(&buf, -0.1);
    wire_put_str(&buf, "grün");
    wire_put_str(&buf, NULL);
    wire_put_bytes(&buf, "a\0b", 3);
    wire_set_u32(&buf, 3, 0xdeadbeef);
    wire_reader_init(&reader, buf.data, buf.len);
    assert_int_equal(wire_get_u8(&reader), 200);
    assert_int_equal(wire_get_u16(&reader), 65535);
    assert_int_equal(wire_get_u32(&reader), 0xdeadbeef);
    assert_true(wire_get_u64(&reader) == UINT64_MAX);
    assert_true(wire_get_i64(&reader) == INT64_MIN);
    assert_true(wire_get_f64(&reader) == -0.1);
    assert_string_equal(wire_get_str(&reader, 10), "grün");
    assert_string_equal(wire_get_str(&reader, 10), "");
    assert_memory_equal(wire_get_bytes(&reader, 10, &len), "a\0b", 3);
    assert_int_equal(len, 3);
    assert_true(wire_done(&reader));
    buf_finish(&buf);
}

static void expect_bad_string(const void *bytes, size_t len, size_t max)
{
    struct wire_reader reader;

    wire_reader_init(&reader, bytes, len);
    assert_string_equal(wire_get_str(&reader, max), "");
    assert_true(reader.bad);
    assert_int_equal(wire_get_u8(&reader), 0); /* stays bad */
    assert_false(wire_done(&reader));
}

static void test_wire_refuses(void **state)
{
    struct wire_reader reader;

    expect_bad_string("\x05\0\0\0abc", 8, 10); /* longer than what is there */
    expect_bad_string("\xff\xff\xff\xff"
                      "abc",
                      8, 10);                         /* absurd */
    expect_bad_string("\x03\0\0\0abc\0", 8, 2);       /* beyond the caller's cap */
    expect_bad_string("\x03\0\0\0abcd", 8, 10);       /* no NUL behind it */
    expect_bad_string("\x03\0\0\0a\0c\0", 8, 10);     /* NUL inside */
    expect_bad_string("\x02\0\0\0\xc0\x80\0", 7, 10); /* not UTF-8 */
    expect_bad_string("\x02\0", 2, 10);               /* no room for a length */
    wire_reader_init(&reader, "\x03\0\0\0abcdef", 10);
    assert_int_equal(wire_get_count(&reader, 10, 3), 0); /* 3 records of 3 bytes in 6 */
    assert_true(reader.bad);
}

static void test_writer_at_cap_keeps_whole_records(void **state)
{
    struct buf buf;

    buf_init(&buf, 10);
    wire_put_u8(&buf, 1);
    wire_put_str(&buf, "too long");
    assert_true(buf.failed);
    assert_int_equal(buf.len, 1);
    buf_finish(&buf);
}

static void test_utf8(void **state)
{
    char out[8];

    assert_true(utf8_valid("plain ascii text", 16));
    assert_true(utf8_valid("\xf4\x8f\xbf\xbf", 4));
    assert_false(utf8_valid("\xf4\x90\x80\x80", 4)); /* above U+10FFFF */
    assert_false(utf8_valid("\xed\xa0\x80", 3));     /* surrogate */
    assert_false(utf8_valid("\xe0\x80\xaf", 3));     /* overlong */
    assert_false(utf8_valid("12345678\xff", 9));
    assert_int_equal(utf8_cut("aü", 3, 2), 1);
    assert_int_equal(utf8_cut("aü", 3, 3), 3);
    utf8_copy(out, sizeof out,
              "a\xff"
              "b");
    assert_string_equal(out, "a?b");
    utf8_copy(out, 4, "aüü");
    assert_string_equal(out, "aü");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_to_its_cap),
        cmocka_unit_test(test_printf_beyond_cap_changes_nothing),
        cmocka_unit_test(test_take_hands_over),
        cmocka_unit_test(test_wire_round_trip),
        cmocka_unit_test(test_wire_refuses),
        cmocka_unit_test(test_writer_at_cap_keeps_whole_records),
        cmocka_unit_test(test_utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
