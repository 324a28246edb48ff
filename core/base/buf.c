/*
 * buf.c: see buf.h.  Growth doubles, and never passes the cap; a failed append leaves what was
 * there, so that a half-written record is never mistaken for a whole one only because `failed` was
 * looked at late.
 */
#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST_BYTES 64

void buf_init(struct buf *buf, size_t cap)
{
    *buf = (struct buf){.cap = cap};
}

void buf_finish(struct buf *buf)
{
    if (!buf) {
        return;
    }
    free(buf->data);
    *buf = (struct buf){.cap = buf->cap};
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->data) {
        buf->data[0] = '\0';
    }
}

char *buf_reserve(struct buf *buf, size_t len)
{
    size_t need;
    size_t size = buf->size ? buf->size : BUF_FIRST_BYTES;
    char *data;

    if (buf->failed || len > buf->cap - buf->len) {
        buf->failed = true;
        return NULL;
    }
    need = buf->len + len + 1;
    if (need <= buf->size) {
        return buf->data + buf->len;
    }
    while (size < need) {
        size *= 2;
    }
    if (size > buf->cap + 1) {
        size = buf->cap + 1;
    }
    data = realloc(buf->data, size);
    if (!data) {
        buf->failed = true;
        return NULL;
    }
    buf->data = data;
    buf->size = size;
    data[buf->len] = '\0';
    return data + buf->len;
}

void buf_advance(struct buf *buf, size_t len)
{
    assert(buf->len + len < buf->size);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_append(struct buf *buf, const void *data, size_t len)
{
    char *room = buf_reserve(buf, len);

    if (!room) {
        return;
    }
    if (len > 0) {
        memcpy(room, data, len);
    }
    buf_advance(buf, len);
}

void buf_puts(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_putc(struct buf *buf, char c)
{
    buf_append(buf, &c, 1);
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
    size_t spare = buf->data && !buf->failed ? buf->size - buf->len : 0;
    va_list again;
    int n;
    char *room;

    va_copy(again, args);
    n = vsnprintf(spare > 0 ? buf->data + buf->len : NULL, spare, format, again);
    va_end(again);
    if (n >= 0 && (size_t)n < spare) {
        buf_advance(buf, (size_t)n);
        return;
    }
    if (spare > 0) {
        buf->data[buf->len] = '\0'; /* it did not fit */
    }
    room = n < 0 ? NULL : buf_reserve(buf, (size_t)n);
    if (!room) {
        buf->failed = true;
        return;
    }
    (void)vsnprintf(room, (size_t)n + 1, format, args);
    buf_advance(buf, (size_t)n);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_vprintf(buf, format, args);
    va_end(args);
}

void buf_consume(struct buf *buf, size_t len)
{
    assert(len <= buf->len);
    if (len == 0) {
        return;
    }
    memmove(buf->data, buf->data + len, buf->len - len + 1);
    buf->len -= len;
}

const char *buf_str(const struct buf *buf)
{
    return buf->data ? buf->data : "";
}

char *buf_take(struct buf *buf)
{
    char *text;

    if (buf->failed || !buf_reserve(buf, 0)) {
        buf_finish(buf);
        return NULL;
    }
    text = buf->data;
    *buf = (struct buf){.cap = buf->cap};
    return text;
}
