/*
 * literal_put.c: see literal.h; printing, as Go does with %v and %q.
 */
#include "rules/literal.h"

#include <string.h>

#include "store/number.h"

void literal_put_duration(int64_t ms, struct buf *buf)
{
    static const struct {
        const char *text;
        int64_t ms;
        bool exact; /* only if nothing is left: 90d says more than 12w6d */
    } units[] = {{"y", INT64_C(31536000000), true},
                 {"w", 604800000, true},
                 {"d", 86400000, false},
                 {"h", 3600000, false},
                 {"m", 60000, false},
                 {"s", 1000, false},
                 {"ms", 1, false}};

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        int64_t n = ms / units[i].ms;

        if (n > 0 && (!units[i].exact || ms % units[i].ms == 0)) {
            buf_printf(buf, "%lld%s", (long long)n, units[i].text);
            ms -= n * units[i].ms;
        }
    }
}

void literal_put_number(double value, struct buf *buf)
{
    char text[NUMBER_MAX];

    buf_append(buf, text, (size_t)(number_put_bound(text, value, 0) - text));
}

/* Control characters that UTF-8 takes two bytes or more for, and blanks that are not seen. */
static size_t unprintable(const unsigned char *p, unsigned *ret_c)
{
    if (p[0] == 0xc2 && (p[1] < 0xa1 || p[1] == 0xad)) {
        *ret_c = p[1];
        return 2;
    }
    if (p[0] == 0xe2 && p[1] == 0x80 &&
        ((p[2] >= 0x80 && p[2] <= 0x8f) || (p[2] >= 0xa8 && p[2] <= 0xaf))) {
        *ret_c = 0x2000u | (p[2] & 0x3fu);
        return 3;
    }
    if (p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf) {
        *ret_c = 0xfeff;
        return 3;
    }
    return 0;
}

void literal_put_string(const char *text, struct buf *buf)
{
    static const char values[] = "\a\b\f\n\r\t\v\\\"", names[] = "abfnrtv\\\"";

    buf_putc(buf, '"');
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        const char *value = strchr(values, *p);
        unsigned c = 0;
        size_t len = unprintable(p, &c);

        if (value) {
            buf_putc(buf, '\\');
            buf_putc(buf, names[value - values]);
        } else if (*p < 0x20 || *p == 0x7f) {
            buf_printf(buf, "\\x%02x", *p);
        } else if (len > 0) {
            buf_printf(buf, "\\u%04x", c);
            p += len;
            continue;
        } else {
            buf_putc(buf, (char)*p);
        }
        p++;
    }
    buf_putc(buf, '"');
}
