/*
 * json_text.c: see json_text.h.
 */
#include "base/json_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"

static void separate(struct buf *buf)
{
    char last = buf->len > 0 ? buf->data[buf->len - 1] : '{';

    if (last != '{' && last != '[') {
        buf_putc(buf, ',');
    }
}

void json_text_key(struct buf *buf, const char *key)
{
    separate(buf);
    buf_putc(buf, '"');
    buf_puts(buf, key);
    buf_append(buf, "\":", 2);
}

void json_text_item(struct buf *buf)
{
    separate(buf);
}

static void put_escaped(struct buf *buf, unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
        buf_putc(buf, '\\');
        buf_putc(buf, (char)c);
        break;
    case '\n':
        buf_append(buf, "\\n", 2);
        break;
    case '\t':
        buf_append(buf, "\\t", 2);
        break;
    default:
        buf_printf(buf, "\\u%04x", c);
    }
}

/* Runs of what needs no escape are copied in one piece. */
static void put_valid(struct buf *buf, const char *text)
{
    const char *from = text;

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
            continue;
        }
        buf_append(buf, from, (size_t)(text - from));
        put_escaped(buf, c);
        from = text + 1;
    }
    buf_append(buf, from, (size_t)(text - from));
}

void json_text_string(struct buf *buf, const char *text)
{
    size_t len = text ? strlen(text) : 0;

    buf_putc(buf, '"');
    if (len > 0 && utf8_valid(text, len)) {
        put_valid(buf, text);
    } else if (len > 0) {
        char *copy = malloc(len + 1);

        if (copy) {
            utf8_copy(copy, len + 1, text);
            put_valid(buf, copy);
        } else {
            buf->failed = true;
        }
        free(copy);
    }
    buf_putc(buf, '"');
}

void json_text_int(struct buf *buf, int64_t number)
{
    char digits[24];
    char *at = digits + sizeof digits;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;

    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) {
        *--at = '-';
    }
    buf_append(buf, at, (size_t)(digits + sizeof digits - at));
}

void json_text_bool(struct buf *buf, bool value)
{
    buf_puts(buf, value ? "true" : "false");
}

void json_text_time(struct buf *buf, int64_t real_ms)
{
    char text[CLOCK_RFC3339_SIZE];

    if (real_ms == 0) {
        buf_puts(buf, "null");
        return;
    }
    buf_putc(buf, '"');
    buf_puts(buf, clock_rfc3339(real_ms, text));
    buf_putc(buf, '"');
}

void json_text_put_string(struct buf *buf, const char *key, const char *text)
{
    json_text_key(buf, key);
    json_text_string(buf, text);
}

void json_text_put_int(struct buf *buf, const char *key, int64_t number)
{
    json_text_key(buf, key);
    json_text_int(buf, number);
}

void json_text_put_bool(struct buf *buf, const char *key, bool value)
{
    json_text_key(buf, key);
    json_text_bool(buf, value);
}

void json_text_put_time(struct buf *buf, const char *key, int64_t real_ms)
{
    json_text_key(buf, key);
    json_text_time(buf, real_ms);
}

void json_text_put_strings(struct buf *buf, const char *key, const char *const *texts, size_t n)
{
    json_text_key(buf, key);
    buf_putc(buf, '[');
    for (size_t i = 0; i < n; i++) {
        json_text_item(buf);
        json_text_string(buf, texts[i]);
    }
    buf_putc(buf, ']');
}
