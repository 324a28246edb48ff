/*
 * bits.h: a double as the 64 bits that it is of (IEEE 754), and back.  Any thread.
 */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include <stdint.h>

static inline uint64_t double_to_bits(double value)
{
    union {
        double value;
        uint64_t bits;
    } both = {.value = value};

    return both.bits;
}

static inline double double_from_bits(uint64_t bits)
{
    union {
        uint64_t bits;
        double value;
    } both = {.bits = bits};

    return both.value;
}

#endif
