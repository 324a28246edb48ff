/*
 * text.h: reading numbers and words from the kernel's files.
 *
 * All functions move a cursor along a string that ends with NUL and never look behind it, so that a
 * line that is cut anywhere is read as far as it goes.  Numbers that do not fit become the largest
 * that does.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline const char *text_skip_blank(const char *at)
{
    while (*at == ' ' || *at == '\t') {
        at++;
    }
    return at;
}

/* Blanks, then digits.  False, with the cursor where it was, when there are no digits. */
static inline bool text_u64(const char **at, uint64_t *ret_value)
{
    const char *p = text_skip_blank(*at);
    uint64_t value = 0;

    if (*p < '0' || *p > '9') {
        return false;
    }
    for (; *p >= '0' && *p <= '9'; p++) {
        const uint64_t digit = (uint64_t)(*p - '0');

        value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
    }
    *ret_value = value;
    *at = p;
    return true;
}

/* As text_u64, with a sign or not. */
static inline bool text_i64(const char **at, int64_t *ret_value)
{
    const char *p = text_skip_blank(*at);
    const bool negative = *p == '-';
    uint64_t value;

    p += negative;
    if (*p < '0' || *p > '9' || !text_u64(&p, &value)) {
        return false;
    }
    value = value > INT64_MAX ? INT64_MAX : value;
    *ret_value = negative ? -(int64_t)value : (int64_t)value;
    *at = p;
    return true;
}

/* Digits with a fraction or not, "0.25"; no exponents, the kernel writes none. */
static inline bool text_decimal(const char **at, double *ret_value)
{
    uint64_t whole;
    const char *p = *at;
    double value, scale = 1;

    if (!text_u64(&p, &whole)) {
        return false;
    }
    value = (double)whole;
    if (*p == '.') {
        uint64_t fraction = 0;

        for (p++; *p >= '0' && *p <= '9'; p++) {
            if (scale < 1e15) {
                fraction = fraction * 10 + (uint64_t)(*p - '0');
                scale *= 10;
            }
        }
        value += (double)fraction / scale;
    }
    *ret_value = value;
    *at = p;
    return true;
}

/* Blanks, then a word; the word ends at a blank or the end and is not copied.  False when there is
 * none. */
static inline bool text_word(const char **at, const char **ret_word, size_t *ret_len)
{
    const char *p = text_skip_blank(*at);
    const char *end = p;

    while (*end != '\0' && *end != ' ' && *end != '\t') {
        end++;
    }
    if (end == p) {
        return false;
    }
    *ret_word = p;
    *ret_len = (size_t)(end - p);
    *at = end;
    return true;
}

static inline bool text_is(const char *word, size_t len, const char *literal)
{
    return strlen(literal) == len && memcmp(word, literal, len) == 0;
}

/* When the line starts with `prefix`, moves the cursor behind it. */
static inline bool text_prefix(const char **at, const char *prefix)
{
    const size_t len = strlen(prefix);

    if (strncmp(*at, prefix, len) != 0) {
        return false;
    }
    *at += len;
    return true;
}

/* Copies a span into an array of `size` bytes and ends it with NUL.  False when it does not fit. */
static inline bool text_copy(char *to, size_t size, const char *from, size_t len)
{
    if (len >= size) {
        return false;
    }
    memcpy(to, from, len);
    to[len] = '\0';
    return true;
}

#endif
