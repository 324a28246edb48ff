/*
 * utf8.h: text from outside, one code point at a time, and what of it people get to see.
 *
 * All functions take strings that end with NUL and never look behind it.
 */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_BAD 0xfffdu /* stands for what is no text: U+FFFD, the replacement character */

/*
 * The code point at `text`, whose first byte is not NUL, and how many bytes it has.  What is not
 * valid (overlong forms, surrogates, stray bytes) is UTF8_BAD, byte by byte, as Go reads it.  A
 * U+FFFD that was written as such has a length of 3, a bad byte one of 1.
 */
static inline uint32_t utf8_next(const char *text, size_t *ret_len)
{
    const unsigned char *p = (const unsigned char *)text;
    uint32_t code;

    *ret_len = 1;
    if (p[0] < 0x80) {
        return p[0];
    }
    if (p[0] >= 0xc2 && p[0] <= 0xdf && (p[1] & 0xc0) == 0x80) {
        *ret_len = 2;
        return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
    }
    if (p[0] >= 0xe0 && p[0] <= 0xef && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80) {
        code = (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
        if (code >= 0x800 && (code < 0xd800 || code > 0xdfff)) {
            *ret_len = 3;
            return code;
        }
    }
    if (p[0] >= 0xf0 && p[0] <= 0xf4 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80 &&
        (p[3] & 0xc0) == 0x80) {
        code = (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
        if (code >= 0x10000 && code <= 0x10ffff) {
            *ret_len = 4;
            return code;
        }
    }
    return UTF8_BAD;
}

enum utf8_class {
    UTF8_PLAIN,
    UTF8_LINE,   /* ends a line */
    UTF8_BLANK,  /* a control character: for people it is a blank */
    UTF8_NOTHING /* turns text around, and is left out */
};

/*
 * For text that people read.  Left out are the characters that order others: embeddings, overrides
 * and isolates (U+202A to U+202E, U+2066 to U+2069) and the deprecated ones behind them, since with
 * one of these a title could reorder what stands beside it.  Letters of right-to-left scripts stay,
 * and the marks U+200E, U+200F and U+061C too, which Arabic and Hebrew need and which move nothing
 * but punctuation.
 */
static inline enum utf8_class utf8_class(uint32_t code)
{
    if (code < 0x20) {
        return code == '\n' ? UTF8_LINE : UTF8_BLANK;
    }
    if (code < 0x7f) {
        return UTF8_PLAIN;
    }
    if (code <= 0x9f) {
        return UTF8_BLANK;
    }
    if (code == 0x2028 || code == 0x2029) {
        return UTF8_LINE;
    }
    if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x206f)) {
        return UTF8_NOTHING;
    }
    return UTF8_PLAIN;
}

/*
 * One line for people: control characters and line ends are blanks, of which never two stand side
 * by side nor one at an end, bad bytes are U+FFFD.  Cut on a code point, with "..." in the place of
 * what was cut, and always ended with NUL; size >= 8.
 */
void utf8_line(char *dest, size_t size, const char *text);

#endif
