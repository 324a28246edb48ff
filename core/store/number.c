/*
 * number.c: see number.h.
 *
 * A sample is nearly always a whole number or a decimal of a few digits, so these come first:
 * digits in pairs from a table, and n / 1000 == value as the proof that n's digits mean the same
 * double (both are exact and division rounds correctly; below 10^15 no shorter decimal can be
 * meant).  What is left takes the general way, Giulietti's "Schubfach": scale the double and its
 * two neighbours' midpoints by a 128-bit power of ten and take the shortest decimal between them.
 * printf's %.17g takes ten times as long and prints 0.10000000000000001.
 */
#include "store/number.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/bits.h"
#include "store/pow10_table.h"

#define UNLIKELY(x) __builtin_expect(!!(x), 0)

static const char pairs[201] = "00010203040506070809101112131415161718192021222324"
                               "25262728293031323334353637383940414243444546474849"
                               "50515253545556575859606162636465666768697071727374"
                               "75767778798081828384858687888990919293949596979899";

static void put_pair(char *out, uint32_t value)
{
    memcpy(out, pairs + (size_t)value * 2, 2);
}

/* Exactly four and eight digits, zeros in front. */
static void put4(char *out, uint32_t value)
{
    put_pair(out, value / 100);
    put_pair(out + 2, value % 100);
}

static void put8(char *out, uint32_t value)
{
    put4(out, value / 10000);
    put4(out + 4, value % 10000);
}

static char *put_u32(char *out, uint32_t value)
{
    if (value < 100) {
        if (value < 10) {
            *out = (char)('0' + value);
            return out + 1;
        }
        put_pair(out, value);
        return out + 2;
    }
    if (value < 10000) {
        if (value < 1000) {
            *out = (char)('0' + value / 100);
            put_pair(out + 1, value % 100);
            return out + 3;
        }
        put4(out, value);
        return out + 4;
    }
    if (value < 100000000) {
        out = put_u32(out, value / 10000);
        put4(out, value % 10000);
        return out + 4;
    }
    out = put_u32(out, value / 100000000);
    put8(out, value % 100000000);
    return out + 8;
}

char *number_put_u64(char *out, uint64_t value)
{
    if (value <= UINT32_MAX) {
        return put_u32(out, (uint32_t)value);
    }
    out = number_put_u64(out, value / 100000000);
    put8(out, (uint32_t)(value % 100000000));
    return out + 8;
}

char *number_put_i64(char *out, int64_t value)
{
    uint64_t magnitude = (uint64_t)value;

    if (value < 0) {
        *out++ = '-';
        magnitude = 0 - magnitude;
    }
    return number_put_u64(out, magnitude);
}

/* n / 10^places, n > 0, zeros at the end left out. */
static char *put_fixed(char *out, uint64_t n, uint32_t places, uint64_t scale)
{
    uint64_t whole = n / scale;
    uint64_t fraction = n % scale;
    char *end;

    out = number_put_u64(out, whole);
    *out++ = '.';
    for (uint32_t i = places; i-- > 0;) {
        out[i] = (char)('0' + fraction % 10);
        fraction /= 10;
    }
    end = out + places;
    while (end[-1] == '0') {
        end--;
    }
    return end;
}

/* digits * 10^exponent */
struct decimal {
    uint64_t digits;
    int32_t exponent;
};

/* The upper 64 bits of factor * c / 2^64, the rest kept as a sticky lowest bit. */
static uint64_t scale_odd(const uint64_t factor[2], uint64_t c)
{
    __extension__ typedef unsigned __int128 u128;
    u128 low = (u128)factor[1] * c;
    u128 sum = (u128)factor[0] * c + (uint64_t)(low >> 64);

    return (uint64_t)(sum >> 64) | ((uint64_t)sum > 1);
}

/* floor(value / 2^bits); C leaves >> of what is negative to the compiler. */
static int32_t floor_shift(int32_t value, int bits)
{
    return value < 0 ? -((-value + (1 << bits) - 1) >> bits) : value >> bits;
}

/* The shortest decimal of a positive finite double that rounds to it; the closest of these. */
static struct decimal shortest(uint64_t bits)
{
    uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
    int32_t biased = (int32_t)(bits >> 52);
    uint64_t c = biased ? fraction | (UINT64_C(1) << 52) : fraction;
    int32_t q = (biased ? biased : 1) - 1075;
    bool narrow = fraction == 0 && biased > 1; // the neighbour below is half as far away
    uint64_t open = c & 1;                     // a midpoint itself rounds to the even neighbour
    // floor(log10(2^q)), of 3/4 of it where narrow; and the shift that aligns the scaled numbers
    int32_t k = floor_shift(q * 1262611 - (narrow ? 524031 : 0), 22);
    int32_t shift = q + floor_shift(-k * 1741647, 19) + 1;
    const uint64_t *factor = pow10_table[-k - POW10_FIRST];
    uint64_t lower = scale_odd(factor, (4 * c - 2 + narrow) << shift) + open;
    uint64_t value = scale_odd(factor, (4 * c) << shift);
    uint64_t upper = scale_odd(factor, (4 * c + 2) << shift) - open;
    uint64_t s = value / 4;

    if (s >= 10) {
        uint64_t tens = s / 10;
        bool down_fits = lower <= 40 * tens;
        bool up_fits = 40 * tens + 40 <= upper;

        if (down_fits != up_fits) {
            return (struct decimal){tens + up_fits, k + 1};
        }
    }
    {
        bool down_fits = lower <= 4 * s;
        bool up_fits = 4 * s + 4 <= upper;
        bool up = value > 4 * s + 2 || (value == 4 * s + 2 && (s & 1));

        return (struct decimal){s + (down_fits != up_fits ? up_fits : up), k};
    }
}

static struct decimal strip_zeros(struct decimal d)
{
    if (d.digits % 100000000 == 0) {
        d.digits /= 100000000;
        d.exponent += 8;
    }
    while (d.digits % 10 == 0) {
        d.digits /= 10;
        d.exponent++;
    }
    return d;
}

/* Up to 17 digits into out[0..16]; how many. */
static uint32_t put_digits(char *out, uint64_t digits)
{
    return (uint32_t)(number_put_u64(out, digits) - out);
}

/* d.dddde+XX where the first digit's power of ten is below `least` or from `most` on; else all
 * places. */
static char *put_decimal(char *out, struct decimal d, int32_t least, int32_t most)
{
    char digits[40]; // copied in fixed lengths, whatever stands behind
    uint32_t n = put_digits(digits, d.digits);
    int32_t power = d.exponent + (int32_t)n - 1;

    if (power < least || power >= most) {
        *out++ = digits[0];
        if (n > 1) {
            *out++ = '.';
            memcpy(out, digits + 1, 16);
            out += n - 1;
        }
        *out++ = 'e';
        *out++ = power < 0 ? '-' : '+';
        power = power < 0 ? -power : power;
        if (power < 10) {
            *out++ = '0';
        }
        return put_u32(out, (uint32_t)power);
    }
    if (power < 0) {
        memcpy(out, "0.00000000", 8);
        out += 1 - power;
        memcpy(out, digits, 17);
        return out + n;
    }
    if (d.exponent >= 0) {
        memcpy(out, digits, 17);
        memset(out + n, '0', (size_t)d.exponent);
        return out + n + d.exponent;
    }
    memcpy(out, digits, 16);
    out[power + 1] = '.';
    memcpy(out + power + 2, digits + power + 1, 16);
    return out + n + 1;
}

static __attribute__((noinline)) char *put_special(char *out, double value)
{
    memcpy(out, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf", 4);
    return out + (isnan(value) ? 3 : 4);
}

/* Finite, > 0. */
static char *put_general(char *out, double value, int32_t least, int32_t most)
{
    return put_decimal(out, strip_zeros(shortest(double_to_bits(value))), least, most);
}

char *number_put(char *out, double value)
{
    double magnitude = fabs(value);

    if (UNLIKELY(!(magnitude < INFINITY))) {
        return put_special(out, value);
    }
    *out = '-';
    out += signbit(value) != 0;
    if (magnitude < 1e15) {
        uint64_t n = (uint64_t)(int64_t)magnitude;

        if ((double)(int64_t)n == magnitude) {
            return number_put_u64(out, n);
        }
        if (magnitude < 1e9 && magnitude >= 1e-3) {
            n = (uint64_t)(int64_t)(magnitude * 1e3 + 0.5);
            if ((double)(int64_t)n / 1e3 == magnitude) {
                return put_fixed(out, n, 3, 1000);
            }
            n = (uint64_t)(int64_t)(magnitude * 1e6 + 0.5);
            if ((double)(int64_t)n / 1e6 == magnitude) {
                return put_fixed(out, n, 6, 1000000);
            }
        }
    }
    return put_general(out, magnitude, -6, 21);
}

char *number_put_bound(char *out, double value, int canonical)
{
    char *start = out;

    if (!isfinite(value)) {
        return put_special(out, value);
    }
    if (signbit(value)) {
        *out++ = '-';
    }
    if (value == 0) {
        *out++ = '0';
    } else {
        out = put_general(out, fabs(value), -4, 6);
    }
    if (canonical && !memchr(start, '.', (size_t)(out - start)) &&
        !memchr(start, 'e', (size_t)(out - start))) {
        memcpy(out, ".0", 2);
        out += 2;
    }
    return out;
}
