/*
 * form.c: see form.h.
 */
#include "http/form.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* %XX that is none stands for itself, as browsers have it. */
static int decode(const char *text, size_t len, char *ret_value, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        char c = text[i] == '+' ? ' ' : text[i];

        if (c == '%' && i + 2 < len && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
            c = (char)(digit(text[i + 1]) * 16 + digit(text[i + 2]));
            i += 2;
        }
        if (c == '\0' || n + 1 >= size) {
            return -EINVAL;
        }
        ret_value[n++] = c;
    }
    ret_value[n] = '\0';
    return utf8_valid(ret_value, n) ? 0 : -EINVAL;
}

int form_field(const char *body, size_t len, const char *name, char *ret_value, size_t size)
{
    const char *at = body, *end = body + len;
    size_t name_len = strlen(name);

    while (at < end) {
        const char *stop = memchr(at, '&', (size_t)(end - at));

        stop = stop ? stop : end;
        if ((size_t)(stop - at) > name_len && memcmp(at, name, name_len) == 0 &&
            at[name_len] == '=') {
            at += name_len + 1;
            return decode(at, (size_t)(stop - at), ret_value, size);
        }
        at = stop + (stop < end);
    }
    ret_value[0] = '\0';
    return 0;
}
