/*
 * pairs.c: see pairs.h.
 */
#include "model/pairs.h"

#include <stdlib.h>

#include "base/json_text.h"
#include "base/limits.h"

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

void pairs_to_json(const struct tmon_pair *pairs, size_t n, struct buf *buf)
{
    buf_putc(buf, '{');
    for (size_t i = 0; i < n && !buf->failed; i++) {
        json_text_item(buf);
        json_text_string(buf, pairs[i].key);
        buf_putc(buf, ':');
        json_text_string(buf, pairs[i].value);
    }
    buf_putc(buf, '}');
}
