/*
 * go_format.c: see go_format.h.
 *
 * C's printf rounds as Go does, so the digits come from it; what differs is which form is chosen,
 * infinities, and what becomes of verbs that do not fit.
 */
#include "rules/go_format.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_SIZE                                                                                \
    1100 /* 310 digits before the point, and as many behind as a precision may ask */
#define WIDTH_MOST 500
#define SHORTEST_EXPONENT 6 /* from here on %v writes 1e+06 */

struct spec {
    bool minus, plus, sharp, space, zero;
    int width, precision; /* -1: none */
};

/* The fewest digits that read back as the same number. */
static int shortest(double number, char *text, size_t size)
{
    int digits = 0;

    for (; digits < 17; digits++) {
        (void)snprintf(text, size, "%.*e", digits, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    return digits;
}

static const char *special(double number)
{
    return isnan(number) ? "NaN" : number > 0 ? "+Inf" : "-Inf";
}

/* Which form the shortest %g takes. */
static bool plain(int exponent)
{
    return exponent >= -4 && exponent < SHORTEST_EXPONENT;
}

/* %e, %f or %g with the fewest digits that tell the number. */
static void shortest_text(double number, char verb, char *text, size_t size)
{
    int digits = shortest(number, text, size);
    int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    char lower = (char)tolower((unsigned char)verb);

    if (lower == 'f' || (lower == 'g' && plain(exponent))) {
        (void)snprintf(text, size, "%.*f", digits > exponent ? digits - exponent : 0, number);
    } else if (verb != lower) {
        *strchr(text, 'e') = 'E';
    }
}

/* precision -1: of %g the shortest, of the others six digits. */
static void number_text(double number, char verb, int precision, bool sharp, char *text,
                        size_t size)
{
    char format[16];

    if (!isfinite(number)) {
        (void)snprintf(text, size, "%s", special(number));
    } else if (precision < 0 && (verb == 'g' || verb == 'G')) {
        shortest_text(number, verb, text, size);
    } else {
        (void)snprintf(format, sizeof format, "%%%s.*%c", sharp ? "#" : "", verb);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(text, size, format, precision < 0 ? 6 : precision, number);
#pragma GCC diagnostic pop
    }
}

void go_float(double number, char verb, struct buf *out)
{
    char text[NUMBER_SIZE];

    if (isfinite(number)) {
        shortest_text(number, verb, text, sizeof text);
    }
    buf_puts(out, isfinite(number) ? text : special(number));
}

static size_t runes(const char *text)
{
    size_t n = 0;

    for (; *text; text++) {
        n += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return n;
}

static void pad(const char *text, const struct spec *spec, bool zero, struct buf *out)
{
    size_t len = runes(text), fill = spec->width > (int)len ? (size_t)spec->width - len : 0;

    if (zero && !spec->minus && (*text == '+' || *text == '-') && fill > 0) {
        buf_putc(out, *text++);
    }
    for (size_t i = 0; i < fill && !spec->minus; i++) {
        buf_putc(out, zero ? '0' : ' ');
    }
    buf_puts(out, text);
    for (size_t i = 0; i < fill && spec->minus; i++) {
        buf_putc(out, ' ');
    }
}

static void put_float(double number, char verb, const struct spec *spec, struct buf *out)
{
    char text[NUMBER_SIZE + 1], *at = text + 1;
    bool finite = isfinite(number);

    number_text(number, verb == 'v' ? 'g' : verb, spec->precision, spec->sharp, text + 1,
                sizeof text - 1);
    if (isnan(number)) {
        if (spec->plus || spec->space) {
            *--at = spec->plus ? '+' : ' ';
        }
    } else if (*at != '-' && *at != '+' && (spec->plus || spec->space)) {
        *--at = spec->plus ? '+' : ' ';
    } else if (*at == '+' && spec->space && !spec->plus) {
        *at = ' ';
    }
    pad(at, spec, spec->zero && finite, out);
}

static void put_int(int64_t whole, char verb, const struct spec *spec, struct buf *out)
{
    char text[80], *at = text + 3;
    uint64_t size = whole < 0 ? -(uint64_t)whole : (uint64_t)whole;
    struct spec with = *spec;

    if (verb == 'b') {
        char *end = text + sizeof text - 1;

        *end = '\0';
        at = end;
        do {
            *--at = (char)('0' + size % 2);
            size /= 2;
        } while (size);
    } else if (verb == 'x') {
        (void)snprintf(at, sizeof text - 3, spec->sharp ? "0x%llx" : "%llx",
                       (unsigned long long)size);
    } else if (verb == 'X') {
        (void)snprintf(at, sizeof text - 3, spec->sharp ? "0X%llX" : "%llX",
                       (unsigned long long)size);
    } else if (verb == 'o') {
        (void)snprintf(at, sizeof text - 3, spec->sharp ? "0%llo" : "%llo",
                       (unsigned long long)size);
    } else {
        (void)snprintf(at, sizeof text - 3, "%llu", (unsigned long long)size);
    }
    if (whole < 0 || spec->plus || spec->space) {
        *--at = whole < 0 ? '-' : spec->plus ? '+' : ' ';
    }
    pad(at, &with, spec->zero, out);
}

void go_quote(const char *text, struct buf *out)
{
    buf_putc(out, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        static const char names[] = "abtnvfr";

        if (c == '"' || c == '\\') {
            buf_putc(out, '\\');
            buf_putc(out, (char)c);
        } else if (c >= 7 && c <= 13) {
            buf_putc(out, '\\');
            buf_putc(out, names[c - 7]);
        } else if (c < ' ' || c == 0x7f) {
            buf_printf(out, "\\x%02x", c);
        } else {
            buf_putc(out, (char)c);
        }
    }
    buf_putc(out, '"');
}

static void put_text(const char *text, char verb, const struct spec *spec, struct buf *out)
{
    struct buf made;
    size_t keep = 0;

    buf_init(&made, SIZE_MAX / 2);
    for (int n = 0; text[keep]; keep++) { /* a precision counts characters */
        if (((unsigned char)text[keep] & 0xc0) != 0x80 && spec->precision >= 0 &&
            n++ == spec->precision) {
            break;
        }
    }
    buf_append(&made, text, keep);
    if (verb == 'x' || verb == 'X') {
        struct buf hex;

        buf_init(&hex, SIZE_MAX / 2);
        for (size_t i = 0; i < made.len; i++) {
            buf_printf(&hex, verb == 'x' ? "%02x" : "%02X", (unsigned char)made.data[i]);
        }
        pad(buf_str(&hex), spec, false, out);
        buf_finish(&hex);
    } else if (verb == 'q') {
        struct buf quoted;

        buf_init(&quoted, SIZE_MAX / 2);
        go_quote(buf_str(&made), &quoted);
        pad(buf_str(&quoted), spec, false, out);
        buf_finish(&quoted);
    } else {
        pad(buf_str(&made), spec, spec->zero, out);
    }
    buf_finish(&made);
}

void go_float_4g(double number, struct buf *out)
{
    const struct spec spec = {.width = -1, .precision = 4};

    put_float(number, 'g', &spec, out);
}

void go_print(const struct go_value *value, struct buf *out)
{
    const struct spec spec = {.width = -1, .precision = -1};

    switch (value->kind) {
    case GO_STRING:
        buf_puts(out, value->text);
        break;
    case GO_FLOAT:
        put_float(value->number, 'g', &spec, out);
        break;
    case GO_INT:
        buf_printf(out, "%lld", (long long)value->whole);
        break;
    case GO_BOOL:
        buf_puts(out, value->whole ? "true" : "false");
        break;
    }
}

static const char *type_name(const struct go_value *value)
{
    static const char *const names[] = {"string", "float64", "int", "bool"};

    return names[value->kind];
}

/* "%!d(float64=3.5)" */
static void put_misfit(const char *verb, size_t verb_len, const struct go_value *value,
                       struct buf *out)
{
    buf_puts(out, "%!");
    buf_append(out, verb, verb_len);
    buf_printf(out, "(%s=", type_name(value));
    go_print(value, out);
    buf_putc(out, ')');
}

static bool fits(const struct go_value *value, char verb)
{
    static const char *const verbs[] = {"vsqxX", "veEfFgG", "vdboxX", "vt"};

    return verb && strchr(verbs[value->kind], verb) != NULL;
}

static void put_value(const struct go_value *value, char verb, const struct spec *spec,
                      struct buf *out)
{
    switch (value->kind) {
    case GO_STRING:
        put_text(value->text, verb, spec, out);
        break;
    case GO_FLOAT:
        put_float(value->number, verb == 'F' ? 'f' : verb, spec, out);
        break;
    case GO_INT:
        put_int(value->whole, verb == 'v' ? 'd' : verb, spec, out);
        break;
    case GO_BOOL:
        pad(value->whole ? "true" : "false", spec, false, out);
        break;
    }
}

static int read_number(const char **p)
{
    int number = -1;

    for (; isdigit((unsigned char)**p); (*p)++) {
        number = (number < 0 ? 0 : number) * 10 + (**p - '0');
        if (number > WIDTH_MOST) {
            number = WIDTH_MOST;
        }
    }
    return number;
}

static const char *read_spec(const char *p, struct spec *spec)
{
    *spec = (struct spec){.precision = -1};
    for (;; p++) {
        if (*p == '-') {
            spec->minus = true;
            spec->zero = false;
        } else if (*p == '+') {
            spec->plus = true;
        } else if (*p == '#') {
            spec->sharp = true;
        } else if (*p == ' ') {
            spec->space = true;
        } else if (*p == '0') {
            spec->zero = !spec->minus;
        } else {
            break;
        }
    }
    spec->width = read_number(&p);
    if (*p == '.') {
        p++;
        spec->precision = read_number(&p);
        if (spec->precision < 0) {
            spec->precision = 0;
        }
    }
    return p;
}

void go_printf(const char *format, const struct go_value *values, size_t n, struct buf *out)
{
    size_t used = 0;
    const char *p = format;

    while (*p) {
        struct spec spec;
        size_t len = strcspn(p, "%");

        buf_append(out, p, len);
        p += len;
        if (!*p) {
            break;
        }
        p = read_spec(p + 1, &spec);
        if (!*p) {
            buf_puts(out, "%!(NOVERB)");
            break;
        }
        len = 1;
        while (((unsigned char)p[len] & 0xc0) == 0x80) {
            len++;
        }
        if (*p == '%') {
            buf_putc(out, '%');
        } else if (used == n) {
            buf_puts(out, "%!");
            buf_append(out, p, len);
            buf_puts(out, "(MISSING)");
        } else if (!fits(&values[used], len == 1 ? *p : '\0')) {
            put_misfit(p, len, &values[used++], out);
        } else {
            put_value(&values[used++], *p, &spec, out);
        }
        p += len;
    }
    if (used < n) {
        buf_puts(out, "%!(EXTRA ");
        for (size_t i = used; i < n; i++) {
            buf_printf(out, "%s%s=", i > used ? ", " : "", type_name(&values[i]));
            go_print(&values[i], out);
        }
        buf_putc(out, ')');
    }
}
