/*
 * hex.h: numbers in hexadecimal where printf would cost more than the rest.  Any thread.
 */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stdint.h>

#define HEX_MOST 16 /* digits of a 64 bit number */

/* Writes at least `least` digits (up to HEX_MOST), small letters, without a NUL; returns the end.
 */
static inline char *hex_put(char *at, uint64_t value, int least)
{
    int digits = 1;

    while (digits < HEX_MOST && (digits < least || value >> (4 * digits) != 0)) {
        digits++;
    }
    for (int i = digits - 1; i >= 0; i--) {
        *at++ = "0123456789abcdef"[(value >> (4 * i)) & 15];
    }
    return at;
}

#endif
