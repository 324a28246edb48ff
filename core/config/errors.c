/*
 * errors.c: collects what is wrong.  Owned by whoever loads a configuration, on that thread.
 *
 * All errors of all files are collected before anything is refused: an operator who mends one typo
 * per restart is an operator who stops reading.
 */
#include "config/errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"

#define MESSAGE_BYTES 2048

void config_errors_init(struct config_errors *errors)
{
    memset(errors, 0, sizeof *errors);
}

void config_errors_finish(struct config_errors *errors)
{
    if (!errors) {
        return;
    }
    for (size_t i = 0; i < errors->count; i++) {
        free(errors->entries[i].text);
    }
    free(errors->entries);
    memset(errors, 0, sizeof *errors);
}

/* A key or a file name may hold anything; a message is one line. */
static void keep_on_one_line(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f) {
            *text = '?';
        }
    }
}

__attribute__((format(printf, 4, 0))) static void add(struct config_errors *errors, bool warning,
                                                      struct config_position at, const char *format,
                                                      va_list args)
{
    struct config_error *entries;
    struct buf buf;
    char *text;

    if (!warning) {
        errors->errors++;
    }
    if (errors->count >= LIMIT_CONFIG_ERRORS) {
        errors->dropped++;
        return;
    }
    buf_init(&buf, MESSAGE_BYTES);
    buf_puts(&buf, at.file ? at.file : "configuration");
    if (at.line) {
        buf_printf(&buf, ":%u:%u", at.line, at.column);
    }
    buf_puts(&buf, warning ? ": warning: " : ": ");
    buf_vprintf(&buf, format, args);
    if (buf.failed && buf.len < MESSAGE_BYTES / 2) {
        buf_puts(&buf, "there is a mistake here, too long to be shown");
    }
    text = buf_take(&buf);
    entries = text ? realloc(errors->entries, (errors->count + 1) * sizeof *entries) : NULL;
    if (!entries) {
        free(text);
        errors->dropped++;
        return;
    }
    keep_on_one_line(text);
    errors->entries = entries;
    entries[errors->count].warning = warning;
    entries[errors->count].text = text;
    errors->count++;
}

void config_error(struct config_errors *errors, struct config_position at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(errors, false, at, format, args);
    va_end(args);
}

void config_warning(struct config_errors *errors, struct config_position at, const char *format,
                    ...)
{
    va_list args;

    va_start(args, format);
    add(errors, true, at, format, args);
    va_end(args);
}
