/*
 * wire.c: see wire.h.  Bytes are put together one by one, so the encoding does not depend on the
 * machine; gcc and clang make single loads and stores of it.
 */
#include "base/wire.h"

#include <string.h>

#include "base/bits.h"
#include "base/utf8.h"

static void put_le(struct buf *buf, uint64_t value, size_t n)
{
    unsigned char bytes[8];

    for (size_t i = 0; i < n; i++) {
        bytes[i] = (unsigned char)(value >> (8 * i));
    }
    buf_append(buf, bytes, n);
}

void wire_put_u8(struct buf *buf, uint8_t value)
{
    put_le(buf, value, 1);
}

void wire_put_u16(struct buf *buf, uint16_t value)
{
    put_le(buf, value, 2);
}

void wire_put_u32(struct buf *buf, uint32_t value)
{
    put_le(buf, value, 4);
}

void wire_put_u64(struct buf *buf, uint64_t value)
{
    put_le(buf, value, 8);
}

void wire_put_i64(struct buf *buf, int64_t value)
{
    put_le(buf, (uint64_t)value, 8);
}

void wire_put_f64(struct buf *buf, double value)
{
    put_le(buf, double_to_bits(value), 8);
}

void wire_put_bytes(struct buf *buf, const void *data, size_t len)
{
    char *at;

    if (len > UINT32_MAX - 5) {
        buf->failed = true;
        return;
    }
    at = buf_reserve(buf, len + 5);
    if (!at) {
        return;
    }
    for (size_t i = 0; i < 4; i++) {
        at[i] = (char)(unsigned char)(len >> (8 * i));
    }
    if (len > 0) {
        memcpy(at + 4, data, len);
    }
    at[4 + len] = '\0';
    buf_advance(buf, len + 5);
}

void wire_put_str(struct buf *buf, const char *text)
{
    wire_put_bytes(buf, text ? text : "", text ? strlen(text) : 0);
}

void wire_set_u32(struct buf *buf, size_t offset, uint32_t value)
{
    if (buf->failed) {
        return;
    }
    for (size_t i = 0; i < 4; i++) {
        buf->data[offset + i] = (char)(unsigned char)(value >> (8 * i));
    }
}

void wire_reader_init(struct wire_reader *reader, const void *data, size_t len)
{
    *reader = (struct wire_reader){.data = data, .len = len};
}

static const uint8_t *take(struct wire_reader *reader, size_t n)
{
    const uint8_t *at;

    if (reader->bad || n > reader->len - reader->pos) {
        reader->bad = true;
        return NULL;
    }
    at = reader->data + reader->pos;
    reader->pos += n;
    return at;
}

static uint64_t get_le(struct wire_reader *reader, size_t n)
{
    const uint8_t *at = take(reader, n);
    uint64_t value = 0;

    if (!at) {
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        value |= (uint64_t)at[i] << (8 * i);
    }
    return value;
}

uint8_t wire_get_u8(struct wire_reader *reader)
{
    return (uint8_t)get_le(reader, 1);
}

uint16_t wire_get_u16(struct wire_reader *reader)
{
    return (uint16_t)get_le(reader, 2);
}

uint32_t wire_get_u32(struct wire_reader *reader)
{
    return (uint32_t)get_le(reader, 4);
}

uint64_t wire_get_u64(struct wire_reader *reader)
{
    return get_le(reader, 8);
}

int64_t wire_get_i64(struct wire_reader *reader)
{
    return (int64_t)get_le(reader, 8);
}

double wire_get_f64(struct wire_reader *reader)
{
    return double_from_bits(get_le(reader, 8));
}

const void *wire_get_bytes(struct wire_reader *reader, size_t max, size_t *ret_len)
{
    uint32_t len = wire_get_u32(reader);
    const uint8_t *at;

    if (reader->bad || len > max) {
        reader->bad = true;
        *ret_len = 0;
        return "";
    }
    at = take(reader, (size_t)len + 1);
    if (!at || at[len] != '\0') {
        reader->bad = true;
        *ret_len = 0;
        return "";
    }
    *ret_len = len;
    return at;
}

const char *wire_get_str(struct wire_reader *reader, size_t max)
{
    size_t len;
    const char *text = wire_get_bytes(reader, max, &len);

    if (memchr(text, '\0', len) || !utf8_valid(text, len)) {
        reader->bad = true;
        return "";
    }
    return text;
}

uint32_t wire_get_count(struct wire_reader *reader, uint32_t max, size_t min_record)
{
    uint32_t n = wire_get_u32(reader);

    if (reader->bad || n > max ||
        (min_record > 0 && n > (reader->len - reader->pos) / min_record)) {
        reader->bad = true;
        return 0;
    }
    return n;
}

bool wire_done(const struct wire_reader *reader)
{
    return !reader->bad && reader->pos == reader->len;
}
