/* Messages: no text begins a header, every line is short, and what was given can be read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mail/mime.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *header(const char *value)
{
    static char shown[8192];
    struct buf out;

    buf_init(&out, sizeof shown - 1);
    mime_put_header(&out, "Subject", value);
    (void)snprintf(shown, sizeof shown, "%s", buf_str(&out));
    buf_finish(&out);
    return shown;
}

static void headers(void **state)
{
    static const struct {
        const char *value, *shown;
    } cases[] = {
        {"a short one", "Subject: a short one\r\n"},
        {"", "Subject:\r\n"},
        {"one\r\nBcc: evil@example.com", "Subject: one Bcc: evil@example.com\r\n"},
        {"a\x01\x1b[1m\x7f", "Subject: a [1m\r\n"},
        {"Gr\xc3\xbc\xc3\x9f"
         "e",
         "Subject: =?UTF-8?B?R3LDvMOfZQ==?=\r\n"},
        {"=?UTF-8?B?ZXZpbA==?=", "Subject: =?UTF-8?B?PT9VVEYtOD9CP1pYWnBiQT09Pz0=?=\r\n"},
        {"\xff", "Subject: =?UTF-8?B?77+9?=\r\n"},
        {"\xe2\x80\xae"
         "evil",
         "Subject: evil\r\n"},
        {"many words that are together longer than one line may be, which is why they are folded",
         "Subject: many words that are together longer than one line may be, which is\r\n"
         " why they are folded\r\n"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_string_equal(header(cases[i].value), cases[i].shown);
    }
}

/* Each line of a header is short and, but for the first, begins with a blank. */
static void check_lines(const char *text)
{
    while (*text != '\0') {
        const char *end = strstr(text, "\r\n");

        assert_non_null(end);
        assert_true(end - text <= 78);
        text = end + 2;
        assert_true(*text == ' ' || *text == '\0');
    }
}

static void long_headers(void **state)
{
    static const char *const parts[] = {"\xc3\xa9", "\xf0\x9f\x9a\xbd", "x", "x y", "&", "\xff"};

    for (size_t i = 0; i < COUNT(parts); i++) {
        char value[1400] = "";
        size_t len = 0;

        while (len + strlen(parts[i]) < sizeof value) {
            memcpy(value + len, parts[i], strlen(parts[i]) + 1);
            len += strlen(parts[i]);
        }
        check_lines(header(value));
    }
}

static const char *encoded(void (*put)(struct buf *, const char *, size_t), const char *text)
{
    static char shown[8192];
    struct buf out;

    buf_init(&out, sizeof shown - 1);
    put(&out, text, strlen(text));
    (void)snprintf(shown, sizeof shown, "%s", buf_str(&out));
    buf_finish(&out);
    return shown;
}

static void quoted_printable(void **state)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"", ""},
        {"a=b", "a=3Db\r\n"},
        {"a\nb\r\nc", "a\r\nb\r\nc\r\n"},
        {"a\rb", "a=0Db\r\n"},
        {"end \n\tx\t", "end=20\r\n=09x=09\r\n"},
        {".\n..\nx.", "=2E\r\n=2E.\r\nx.\r\n"},
        {"\xc3\xa9", "=C3=A9\r\n"},
        {"0123456789012345678901234567890123456789012345678901234567890123456789012345",
         "012345678901234567890123456789012345678901234567890123456789012345678901234=\r\n5\r\n"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_string_equal(encoded(mime_put_quoted, cases[i].text), cases[i].shown);
    }
}

static void base64(void **state)
{
    assert_string_equal(encoded(mime_put_base64, ""), "");
    assert_string_equal(encoded(mime_put_base64, "a"), "YQ==");
    assert_string_equal(encoded(mime_put_base64, "ab"), "YWI=");
    assert_string_equal(encoded(mime_put_base64, "abc"), "YWJj");
    assert_string_equal(
        encoded(mime_put_base64, "012345678901234567890123456789012345678901234567890123456"),
        "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2");
    assert_string_equal(
        encoded(mime_put_base64, "0123456789012345678901234567890123456789012345678901234567"),
        "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2\r\nNw==");
}

static void addresses(void **state)
{
    static const char *const bad[] = {
        "",          "a",          "@b",        "a@",     "a@b c",          "a b@c",
        "a@b,c@d",   "<a@b",       "x <a@b> y", "a@b\n",  "a\r\n@b",        "\"a\"@b\x01",
        "a@[1.2.3]", "\xff <a@b>", "a@b@c",     "a..b@c", ".a@b",           "a@\xc3\xa9.example",
        "a.@b",      "a@b..c",     "a@.b",      "<>",     "Name <a@b\r\n>",
    };
    struct mime_address address;

    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_non_null(mime_address_read(&address, bad[i]));
    }
    assert_null(mime_address_read(&address, " a+b@c.example "));
    assert_string_equal(address.address, "a+b@c.example");
    assert_string_equal(address.name, "");
    assert_null(mime_address_read(&address, "\"The \xc3\xa9t\xc3\xa9 Team\" <a@c.example>"));
    assert_string_equal(address.name, "The \xc3\xa9t\xc3\xa9 Team");
    assert_string_equal(mime_address_domain(&address), "c.example");
}

static void a_message(void **state)
{
    const struct mime_address from = {"O\"Neil", "a@b.example"};
    const struct mime_address to[] = {{"", "c@d.example"}, {"\xc3\xa9", "e@f.example"}};
    static const char *const references[] = {"<r1@b>", "<r2@b>"};
    struct mime_mail mail = {.from = &from,
                             .to = to,
                             .nto = 2,
                             .subject = "S",
                             .id = "<i@b>",
                             .references = references,
                             .nreferences = 2,
                             .date_ms = INT64_C(1795453309719),
                             .text = "text",
                             .html = "\xc3\xa9\xc3\xa9"};
    struct buf out;

    buf_init(&out, 4096);
    assert_int_equal(mime_write(&out, &mail), 0);
    assert_string_equal(
        buf_str(&out),
        "Date: Mon, 23 Nov 2026 17:01:49 +0000\r\n"
        "From: \"O\\\"Neil\" <a@b.example>\r\n"
        "To: c@d.example,\r\n =?UTF-8?B?w6k=?= <e@f.example>\r\n"
        "Subject: S\r\nMessage-ID: <i@b>\r\nIn-Reply-To: <r1@b>\r\nReferences: <r1@b>\r\n "
        "<r2@b>\r\n"
        "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/alternative;\r\n boundary=\"=_toiletmon_part\"\r\n\r\n"
        "--=_toiletmon_part\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\ntext\r\n"
        "--=_toiletmon_part\r\nContent-Type: text/html; charset=utf-8\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\nw6nDqQ==\r\n--=_toiletmon_part--\r\n");
    buf_finish(&out);
    buf_init(&out, 100);
    assert_true(mime_write(&out, &mail) < 0);
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers),          cmocka_unit_test(long_headers),
        cmocka_unit_test(quoted_printable), cmocka_unit_test(base64),
        cmocka_unit_test(addresses),        cmocka_unit_test(a_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
