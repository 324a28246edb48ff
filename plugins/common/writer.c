/*
 * writer.c: see writer.h.  Linked into several plugins; keeps no state of its own.
 *
 * Nearly all bytes of nearly all texts need no escape, so a string is written as runs of such bytes
 * with what lies between them.
 */
#include "writer.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"

#define FIRST_BYTES 4096
#define KEEP_BYTES ((size_t)256 << 10) /* notifications are smaller, but for storms */

#define BIT(c) (UINT64_C(1) << ((c)&63))

/* The ASCII characters that a string has as they are, one bit each. */
static const uint64_t plain[2] = {
    ~UINT64_C(0) << 32 & ~(BIT('"') | BIT('&') | BIT('<') | BIT('>')),
    ~BIT('\\'),
};

static bool is_plain(unsigned char c)
{
    return c < 0x80 && (plain[c >> 6] >> (c & 63) & 1) != 0;
}

void writer_init(struct writer *json, size_t cap)
{
    memset(json, 0, sizeof *json);
    json->cap = cap;
}

void writer_finish(struct writer *json)
{
    free(json->data);
    writer_init(json, 0);
}

void writer_start(struct writer *json)
{
    if (json->size > KEEP_BYTES) {
        free(json->data);
        json->data = NULL;
        json->size = 0;
    }
    json->len = 0;
    json->failed = json->no_memory = false;
}

/* Room for `n` more bytes. */
static bool grow(struct writer *json, size_t n)
{
    size_t size = json->size > 0 ? json->size : FIRST_BYTES;
    char *data;

    if (json->failed) {
        return false;
    }
    if (n > json->cap - json->len) {
        json->failed = true;
        return false;
    }
    while (size < json->len + n) {
        size *= 2;
    }
    size = size < json->cap ? size : json->cap;
    data = realloc(json->data, size);
    if (data == NULL) {
        json->failed = json->no_memory = true;
        return false;
    }
    json->data = data;
    json->size = size;
    return true;
}

void writer_put(struct writer *json, const void *data, size_t len)
{
    if (json->failed || len == 0 || (json->size - json->len < len && !grow(json, len))) {
        return;
    }
    memcpy(json->data + json->len, data, len);
    json->len += len;
}

void writer_number(struct writer *json, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    writer_put(json, digits + at, sizeof digits - at);
}

static void put_escape(struct writer *json, uint32_t code)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', 'u'};

    if (code == '"' || code == '\\') {
        text[1] = (char)code;
        writer_put(json, text, 2);
    } else if (code == '\n' || code == '\r' || code == '\t') {
        text[1] = code == '\n' ? 'n' : code == '\r' ? 'r' : 't';
        writer_put(json, text, 2);
    } else {
        for (int i = 0; i < 4; i++) {
            text[2 + i] = hex[code >> (12 - 4 * i) & 15];
        }
        writer_put(json, text, 6);
    }
}

void writer_string(struct writer *json, const char *text, size_t most)
{
    const char *const from = text;

    writer_literal(json, "\"");
    while (!json->failed) {
        const char *run = text;
        uint32_t code;
        size_t n;

        while (is_plain((unsigned char)*text) && (size_t)(text - from) < most) {
            text++;
        }
        if (text > run) {
            writer_put(json, run, (size_t)(text - run));
        }
        if (*text == '\0') {
            break;
        }
        code = utf8_next(text, &n);
        if ((size_t)(text - from) + n > most) {
            writer_literal(json, "...");
            break;
        }
        if (n > 1 && code != 0x2028 && code != 0x2029) {
            writer_put(json, text, n);
        } else {
            put_escape(json, code); // a bad byte is UTF8_BAD
        }
        text += n;
    }
    writer_literal(json, "\"");
}

void writer_point(struct writer *json, uint32_t code)
{
    char text[4];

    if (code < 0x20 || code == '"' || code == '\\') {
        put_escape(json, code);
        return;
    }
    if (code < 0x80) {
        text[0] = (char)code;
        writer_put(json, text, 1);
    } else if (code < 0x800) {
        text[0] = (char)(0xc0 | code >> 6);
        text[1] = (char)(0x80 | (code & 0x3f));
        writer_put(json, text, 2);
    } else if (code < 0x10000) {
        text[0] = (char)(0xe0 | code >> 12);
        text[1] = (char)(0x80 | (code >> 6 & 0x3f));
        text[2] = (char)(0x80 | (code & 0x3f));
        writer_put(json, text, 3);
    } else {
        text[0] = (char)(0xf0 | code >> 18);
        text[1] = (char)(0x80 | (code >> 12 & 0x3f));
        text[2] = (char)(0x80 | (code >> 6 & 0x3f));
        text[3] = (char)(0x80 | (code & 0x3f));
        writer_put(json, text, 4);
    }
}
