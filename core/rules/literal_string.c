/*
 * literal_string.c: see literal.h; strings.
 */
#include "rules/literal.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void put_utf8(uint32_t c, struct buf *buf)
{
    if (c < 0x80) {
        buf_putc(buf, (char)c);
        return;
    }
    if (c < 0x800) {
        buf_putc(buf, (char)(0xc0 | c >> 6));
    } else {
        if (c < 0x10000) {
            buf_putc(buf, (char)(0xe0 | c >> 12));
        } else {
            buf_putc(buf, (char)(0xf0 | c >> 18));
            buf_putc(buf, (char)(0x80 | (c >> 12 & 0x3f)));
        }
        buf_putc(buf, (char)(0x80 | (c >> 6 & 0x3f)));
    }
    buf_putc(buf, (char)(0x80 | (c & 0x3f)));
}

/* Exactly n digits; what is between the quotes ends before the quote, which is no digit. */
static bool digits(const char **p, int n, unsigned base, uint32_t *ret_c)
{
    uint32_t c = 0;

    for (int i = 0; i < n; i++, ++*p) {
        int digit = hex_digit(**p);

        if (digit < 0 || (unsigned)digit >= base) {
            return false;
        }
        c = c * base + (unsigned)digit;
    }
    *ret_c = c;
    return true;
}

/* p behind the backslash. */
static bool escape(const char **p, char quote, struct buf *buf)
{
    static const char names[] = "abfnrtv\\", values[] = "\a\b\f\n\r\t\v\\";
    const char *name = **p ? strchr(names, **p) : NULL;
    char c = **p;
    uint32_t value = 0;

    if (name) {
        buf_putc(buf, values[name - names]);
        ++*p;
        return true;
    }
    if (c == quote) {
        buf_putc(buf, c);
        ++*p;
        return true;
    }
    if (c >= '0' && c <= '7') {
        if (!digits(p, 3, 8, &value) || value > 255) {
            return false;
        }
        buf_putc(buf, (char)value); /* a byte, as it is */
        return true;
    }
    ++*p;
    switch (c) {
    case 'x':
        if (!digits(p, 2, 16, &value)) {
            return false;
        }
        buf_putc(buf, (char)value);
        return true;
    case 'u':
    case 'U':
        if (!digits(p, c == 'u' ? 4 : 8, 16, &value) || value > 0x10ffff ||
            (value >= 0xd800 && value < 0xe000)) {
            return false;
        }
        put_utf8(value, buf);
        return true;
    default:
        return false;
    }
}

bool literal_string(const char *text, size_t len, struct buf *buf, size_t *ret_at, char *ret_why,
                    size_t size)
{
    const char *p = text + 1, *end = text + len - 1;

    *ret_at = 0;
    while (p < end) {
        const char *at = p;

        if (*text == '`' || *p != '\\') {
            buf_putc(buf, *p++);
            continue;
        }
        p++;
        if (!escape(&p, *text, buf)) {
            *ret_at = (size_t)(at - text);
            (void)snprintf(ret_why, size, "the escape \\%.1s is not known or not complete", at + 1);
            return false;
        }
    }
    if (strlen(buf_str(buf)) != buf->len || !utf8_valid(buf_str(buf), buf->len)) {
        (void)snprintf(ret_why, size, "the string is not UTF-8 without NUL");
        return false;
    }
    return true;
}
