/*
 * wire.h: writing and reading of the flat binary encoding in which data crosses between processes.
 *
 * Integers are little endian, strings are a u32 length, the bytes and a NUL (so that a reader can
 * hand out pointers into the frame as C strings).  A reader never trusts a length: after the first
 * violation it is `bad`, and every further read gives 0 or "".  So a decoder reads a whole record
 * and checks `bad` once. Threads: none of its own; a writer or reader belongs to whoever made it.
 */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Writers append to a buf, which remembers if it ran over its cap (buf.failed). */
void wire_put_u8(struct buf *buf, uint8_t value);
void wire_put_u16(struct buf *buf, uint16_t value);
void wire_put_u32(struct buf *buf, uint32_t value);
void wire_put_u64(struct buf *buf, uint64_t value);
void wire_put_i64(struct buf *buf, int64_t value);
void wire_put_f64(struct buf *buf, double value);
/* NULL is written as "". */
void wire_put_str(struct buf *buf, const char *text);
void wire_put_bytes(struct buf *buf, const void *data, size_t len);
/* Overwrites a u32 written before, e.g. a count known only at the end. */
void wire_set_u32(struct buf *buf, size_t offset, uint32_t value);

struct wire_reader {
    const uint8_t *data; /* borrowed */
    size_t len;
    size_t pos;
    bool bad;
};

void wire_reader_init(struct wire_reader *reader, const void *data, size_t len);
uint8_t wire_get_u8(struct wire_reader *reader);
uint16_t wire_get_u16(struct wire_reader *reader);
uint32_t wire_get_u32(struct wire_reader *reader);
uint64_t wire_get_u64(struct wire_reader *reader);
int64_t wire_get_i64(struct wire_reader *reader);
double wire_get_f64(struct wire_reader *reader);
/* A C string inside the frame, valid as long as the frame; at most `max` bytes, no NUL inside and
 * valid UTF-8, else bad. */
const char *wire_get_str(struct wire_reader *reader, size_t max);
/* Bytes inside the frame, anything in them. */
const void *wire_get_bytes(struct wire_reader *reader, size_t max, size_t *ret_len);
/* A count of records that are at least `min_record` bytes each: bad when the rest cannot hold them
 * or it is above `max`, so that a decoder may allocate by it. */
uint32_t wire_get_count(struct wire_reader *reader, uint32_t max, size_t min_record);
/* True when all was read and nothing was bad. */
bool wire_done(const struct wire_reader *reader);

#endif
