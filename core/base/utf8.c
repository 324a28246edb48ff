/*
 * utf8.c: a table-free check, one code point at a time, with a fast run over ASCII since nearly all
 * text is.
 */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* Length of the valid code point at p, or 0. */
static size_t utf8_point(const unsigned char *p, size_t len)
{
    size_t n;
    uint32_t min, code;

    if (p[0] < 0x80) {
        return 1;
    }
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        n = 2, min = 0x80, code = p[0] & 0x1fu;
    } else if ((p[0] & 0xf0) == 0xe0) {
        n = 3, min = 0x800, code = p[0] & 0x0fu;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        n = 4, min = 0x10000, code = p[0] & 0x07u;
    } else {
        return 0;
    }
    if (len < n) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (p[i] & 0x3fu);
    }
    if (code < min || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        return 0;
    }
    return n;
}

bool utf8_valid(const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *)text;
    const unsigned char *end = p + len;

    while (p < end) {
        uint64_t eight;
        size_t n;

        if (end - p >= 8) {
            memcpy(&eight, p, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                p += 8;
                continue;
            }
        }
        n = utf8_point(p, (size_t)(end - p));
        if (n == 0) {
            return false;
        }
        p += n;
    }
    return true;
}

size_t utf8_cut(const char *text, size_t len, size_t max)
{
    size_t cut = max;

    if (len <= max) {
        return len;
    }
    while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80) {
        cut--;
    }
    return cut;
}

void utf8_copy(char *dest, size_t size, const char *text)
{
    size_t len = strlen(text);
    size_t out = 0;

    for (size_t i = 0; i < len;) {
        size_t n = utf8_point((const unsigned char *)text + i, len - i);
        size_t width = n ? n : 1;

        if (out + width >= size) {
            break;
        }
        if (n) {
            memcpy(dest + out, text + i, n);
        } else {
            dest[out] = '?';
        }
        out += width;
        i += width;
    }
    dest[out] = '\0';
}
