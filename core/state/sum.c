/*
 * sum.c: checksums of rows.  CRC-32 finds every burst of up to 32 flipped bits; it is no protection
 * from somebody who means harm, who could write the file as well.  A tag and the length stand
 * before each value, so that bytes that move from one column to the next are seen.
 */
#include <zlib.h>

#include "state/state.h"

static uint32_t add(uint32_t sum, unsigned char tag, uint64_t value)
{
    unsigned char bytes[9] = {tag};

    for (int i = 0; i < 8; i++) {
        bytes[i + 1] = (unsigned char)(value >> (8 * i));
    }
    return (uint32_t)crc32(sum, bytes, sizeof bytes);
}

uint32_t state_sum_int(uint32_t sum, int64_t value)
{
    return add(sum, 'i', (uint64_t)value);
}

uint32_t state_sum_bytes(uint32_t sum, const void *data, size_t len)
{
    sum = add(sum, 'b', len);
    return len > 0 ? (uint32_t)crc32_z(sum, data, len) : sum;
}
