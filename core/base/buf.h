/*
 * buf.h: a growing run of bytes with a cap.
 *
 * The bytes are always followed by a NUL that is not counted, so `data` is a C string once anything
 * was appended.  An append that would pass the cap or finds no memory changes nothing and sets
 * `failed`; callers append freely and look at `failed` once at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* owned; NULL until something is appended */
    size_t len;
    size_t size; /* allocated */
    size_t cap;  /* len never passes it */
    bool failed;
};

/* cap: the most bytes that it may ever hold. */
void buf_init(struct buf *buf, size_t cap);
void buf_finish(struct buf *buf);
/* Empties it, keeps the memory, clears `failed`. */
void buf_clear(struct buf *buf);
void buf_append(struct buf *buf, const void *data, size_t len);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
/* Room for `len` more bytes, written by the caller and then counted with buf_advance(); NULL if
 * there is none (failed is set). */
char *buf_reserve(struct buf *buf, size_t len);
void buf_advance(struct buf *buf, size_t len);
/* Drops the first `len` bytes. */
void buf_consume(struct buf *buf, size_t len);
/* The text as a C string, never NULL; borrowed until the next append. */
const char *buf_str(const struct buf *buf);
/* Hands over the memory as a C string to be freed by the caller, and leaves the buf empty.  NULL
 * when nothing could be allocated or it failed. */
char *buf_take(struct buf *buf);

#endif
