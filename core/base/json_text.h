/*
 * json_text.h: JSON written straight into a buf, where building a tree first would cost too much.
 *
 *     buf_putc(buf, '{');
 *     json_text_key(buf, "name");
 *     json_text_string(buf, name);
 *     buf_putc(buf, '}');
 *
 * Commas come by themselves: a key or an item looks at what stands before it.
 */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Begins a member; `key` is a constant that needs no escapes. */
void json_text_key(struct buf *buf, const char *key);
/* Begins an item of an array. */
void json_text_item(struct buf *buf);
/* What is no UTF-8 becomes '?'.  NULL is "". */
void json_text_string(struct buf *buf, const char *text);
void json_text_int(struct buf *buf, int64_t number);
void json_text_bool(struct buf *buf, bool value);
/* A Unix time in ms as RFC 3339; 0 is null. */
void json_text_time(struct buf *buf, int64_t real_ms);

/* Whole members. */
void json_text_put_string(struct buf *buf, const char *key, const char *text);
void json_text_put_int(struct buf *buf, const char *key, int64_t number);
void json_text_put_bool(struct buf *buf, const char *key, bool value);
void json_text_put_time(struct buf *buf, const char *key, int64_t real_ms);
void json_text_put_strings(struct buf *buf, const char *key, const char *const *texts, size_t n);

#endif
