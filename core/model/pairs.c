/*
 * pairs.c: see pairs.h.
 */
#include "model/pairs.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"

void pairs_encode(struct buf *buf, const struct tmon_pair *pairs, size_t n)
{
    if (n > UINT32_MAX) {
        buf->failed = true;
        return;
    }
    wire_put_u32(buf, (uint32_t)n);
    for (size_t i = 0; i < n && !buf->failed; i++) {
        wire_put_str(buf, pairs[i].key);
        wire_put_str(buf, pairs[i].value);
    }
}

struct tmon_pair *pairs_decode(struct wire_reader *reader, uint32_t max, size_t max_value,
                               size_t *ret_n)
{
    uint32_t n = wire_get_count(reader, max, 10);
    struct tmon_pair *pairs;

    *ret_n = 0;
    if (n == 0) {
        return NULL;
    }
    pairs = calloc(n, sizeof *pairs);
    if (!pairs) {
        reader->bad = true;
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++) {
        pairs[i].key = wire_get_str(reader, LIMIT_NAME_BYTES);
        pairs[i].value = wire_get_str(reader, max_value);
    }
    if (reader->bad) {
        free(pairs);
        return NULL;
    }
    *ret_n = n;
    return pairs;
}

static void put_json_string(struct buf *buf, const char *text)
{
    size_t len = text ? strlen(text) : 0;
    char *copy = malloc(len + 1);

    if (!copy) {
        buf->failed = true;
        return;
    }
    utf8_copy(copy, len + 1, text ? text : "");
    buf_putc(buf, '"');
    for (const char *p = copy; *p; p++) {
        if (*p == '"' || *p == '\\') {
            buf_putc(buf, '\\');
            buf_putc(buf, *p);
        } else if (*p == '\n') {
            buf_puts(buf, "\\n");
        } else if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            buf_printf(buf, "\\u%04x", (unsigned)(unsigned char)*p);
        } else {
            buf_putc(buf, *p);
        }
    }
    buf_putc(buf, '"');
    free(copy);
}

void pairs_to_json(const struct tmon_pair *pairs, size_t n, struct buf *buf)
{
    buf_putc(buf, '{');
    for (size_t i = 0; i < n && !buf->failed; i++) {
        if (i > 0) {
            buf_putc(buf, ',');
        }
        put_json_string(buf, pairs[i].key);
        buf_putc(buf, ':');
        put_json_string(buf, pairs[i].value);
    }
    buf_putc(buf, '}');
}
