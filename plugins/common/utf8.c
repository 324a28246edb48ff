/*
 * utf8.c: see utf8.h.  Linked into several plugins; keeps no state of its own.
 */
#include "utf8.h"

#include <stdbool.h>
#include <string.h>

void utf8_line(char *dest, size_t size, const char *text)
{
    static const char bad[] = "\xef\xbf\xbd", dots[] = "...";
    size_t len = 0, whole = 0, n; // whole: the longest that leaves room for the dots
    bool blank = false;

    for (; *text != '\0'; text += n) {
        const uint32_t code = utf8_next(text, &n);
        const enum utf8_class class = utf8_class(code);
        const bool replaced = code == UTF8_BAD;
        const size_t width = replaced ? sizeof bad - 1 : n;

        if (class == UTF8_NOTHING) {
            continue;
        }
        if (class != UTF8_PLAIN || code == ' ') {
            blank = len > 0;
            continue;
        }
        if (len + blank + width + 1 > size) {
            memcpy(dest + whole, dots, sizeof dots);
            return;
        }
        if (blank) {
            dest[len++] = ' ';
            blank = false;
        }
        memcpy(dest + len, replaced ? bad : text, width);
        len += width;
        if (len + sizeof dots <= size) {
            whole = len;
        }
    }
    dest[len] = '\0';
}
