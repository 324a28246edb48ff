/*
 * v2_error.c: see v2_error.h.
 */
#include "http/v2_error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json_text.h"
#include "base/utf8.h"

__attribute__((format(printf, 5, 0))) static int set(struct v2_error *error, unsigned status,
                                                     int code, size_t from, const char *format,
                                                     va_list args)
{
    size_t len;

    error->status = status;
    error->code = code;
    (void)vsnprintf(error->text + from, sizeof error->text - from, format, args);
    len = utf8_cut(error->text, strlen(error->text), sizeof error->text - 5);
    error->text[len] = '\0';
    return -EINVAL;
}

int v2_invalid(struct v2_error *error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)set(error, 400, 0, 0, format, args);
    va_end(args);
    return -EINVAL;
}

int v2_unreadable(struct v2_error *error, const char *body, const char *format, ...)
{
    size_t from = (size_t)snprintf(error->text, sizeof error->text,
                                   "parsing %s body from \"\" failed, because ", body);
    va_list args;

    va_start(args, format);
    (void)set(error, 400, 400, from, format, args);
    va_end(args);
    return -EINVAL;
}

int v2_against_schema(struct v2_error *error, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)set(error, 422, code, 0, format, args);
    va_end(args);
    return -EINVAL;
}

void v2_error_put(struct buf *buf, int code, const char *text)
{
    if (code == 0) {
        json_text_string(buf, text);
        buf_putc(buf, '\n');
        return;
    }
    buf_putc(buf, '{');
    json_text_put_int(buf, "code", code);
    json_text_put_string(buf, "message", text);
    buf_putc(buf, '}');
}
