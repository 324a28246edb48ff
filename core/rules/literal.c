/*
 * literal.c: see literal.h; numbers and durations.
 *
 * strtod() does the work where it can, but it also takes what Go does not (hexadecimal numbers
 * without an exponent, nan(...)), so the text is checked first.
 */
#include "rules/literal.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NUMBER_BYTES 2048 /* as long as the value of a label */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_digit(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool special(const char *text, double *ret_value)
{
    bool minus = *text == '-', sign = minus || *text == '+';

    if (strcasecmp(text, "nan") == 0) {
        *ret_value = (double)NAN;
        return true;
    }
    text += sign;
    if (strcasecmp(text, "inf") == 0 || strcasecmp(text, "infinity") == 0) {
        *ret_value = minus ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    return false;
}

/* [+-] digits [. digits] [e [+-] digits], or hexadecimal ones with a p that must be there. */
static bool well_formed(const char *p)
{
    bool hex, digits = false, dot = false;

    p += *p == '+' || *p == '-';
    hex = p[0] == '0' && (p[1] | 0x20) == 'x';
    p += hex ? 2 : 0;
    for (; *p == '.' || (hex ? hex_digit(*p) >= 0 : is_digit(*p)); p++) {
        if (*p == '.' && dot) {
            return false;
        }
        dot = dot || *p == '.';
        digits = digits || *p != '.';
    }
    if (!digits || (hex && !*p)) {
        return false;
    }
    if ((*p | 0x20) == (hex ? 'p' : 'e')) {
        p++;
        p += *p == '+' || *p == '-';
        if (!is_digit(*p)) {
            return false;
        }
        while (is_digit(*p)) {
            p++;
        }
    }
    return !*p;
}

bool literal_float(const char *text, size_t len, double *ret_value)
{
    char copy[NUMBER_BYTES + 1];
    double value;

    if (len == 0 || len > NUMBER_BYTES || memchr(text, '\0', len)) {
        return false;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (special(copy, ret_value)) {
        return true;
    }
    if (!well_formed(copy)) {
        return false;
    }
    value = strtod(copy, NULL);
    if (isinf(value)) {
        return false;
    }
    *ret_value = value;
    return true;
}

/* 0x1f and 017: whole numbers of at most 63 bits. */
static bool whole(const char *text, size_t len, double *ret_value)
{
    unsigned base = 8;
    uint64_t n = 0;
    size_t i = 1;

    if (len < 2 || text[0] != '0') {
        return false;
    }
    if ((text[1] | 0x20) == 'x') {
        base = 16;
        i = 2;
    }
    if (i == len) {
        return false;
    }
    for (; i < len; i++) {
        int digit = hex_digit(text[i]);

        if (digit < 0 || (unsigned)digit >= base || n > INT64_MAX / base) {
            return false;
        }
        n = n * base + (unsigned)digit;
    }
    if (n > INT64_MAX) {
        return false;
    }
    *ret_value = (double)(int64_t)n;
    return true;
}

bool literal_number(const char *text, size_t len, double *ret_value)
{
    return whole(text, len, ret_value) || literal_float(text, len, ret_value);
}

bool literal_duration(const char *text, size_t len, int64_t *ret_ms, char *ret_why, size_t size)
{
    static const struct {
        char text[3];
        int64_t ms;
    } units[] = {{"y", INT64_C(31536000000)},
                 {"w", 604800000},
                 {"d", 86400000},
                 {"h", 3600000},
                 {"m", 60000},
                 {"s", 1000},
                 {"ms", 1}};
    const int64_t most = INT64_MAX / 1000000; /* Prometheus counts nanoseconds */
    const char *p = text, *end = text + len;
    int64_t total = 0;
    size_t unit = 0;

    while (p < end) {
        int64_t n = 0;
        size_t unit_len = 0;

        if (!is_digit(*p)) {
            break;
        }
        for (; p < end && is_digit(*p); p++) {
            n = n > most ? n : n * 10 + (*p - '0');
        }
        while (p + unit_len < end && !is_digit(p[unit_len])) {
            unit_len++;
        }
        for (; unit < 7; unit++) {
            if (strlen(units[unit].text) == unit_len &&
                strncmp(units[unit].text, p, unit_len) == 0) {
                break;
            }
        }
        if (unit == 7) {
            break;
        }
        if (n > (most - total) / units[unit].ms) {
            (void)snprintf(ret_why, size, "the duration %.*s is longer than 292 years",
                           (int)(len > 40 ? 40 : len), text);
            return false;
        }
        total += n * units[unit++].ms;
        p += unit_len;
    }
    if (p != end || len == 0) {
        (void)snprintf(ret_why, size,
                       "%.*s is no duration: units are y, w, d, h, m, s, ms, each "
                       "once and in this order",
                       (int)(len > 40 ? 40 : len), text);
        return false;
    }
    if (total == 0) {
        (void)snprintf(ret_why, size, "a duration must be above 0");
        return false;
    }
    *ret_ms = total;
    return true;
}
