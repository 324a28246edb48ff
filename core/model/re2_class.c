/*
 * re2_class.c: see re2_class.h.
 */
#include "model/re2_class.h"

#include <errno.h>
#include <string.h>

/* The classes of one letter, outside and inside brackets.  RE2's \s has no vertical tab. */
static const struct {
    char letter;
    const char *outside, *inside;
} letters[] = {
    {'d', "\\d", "\\d"},
    {'D', "\\D", "\\D"},
    {'w', "\\w", "\\w"},
    {'W', "\\W", "\\W"},
    {'s', "[\\t\\n\\f\\r\\x{20}]", "\\t\\n\\f\\r\\x{20}"},
    {'S', "[^\\t\\n\\f\\r\\x{20}]", "\\x{0}-\\x{8}\\x{b}\\x{e}-\\x{1f}\\x{21}-\\x{10ffff}"},
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \x41, \x{41}; p behind the x. */
static bool hex(const char **p, uint32_t *ret_c)
{
    bool braces = **p == '{';
    uint32_t c = 0;
    int n = 0;

    *p += braces;
    for (; hex_digit(**p) >= 0 && c <= 0x10ffff && (braces || n < 2); n++) {
        c = c * 16 + (uint32_t)hex_digit(*(*p)++);
    }
    if (braces ? n == 0 || **p != '}' : n != 2) {
        return false;
    }
    *p += braces;
    *ret_c = c;
    return c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

/* An escape that stands for one character; p at the backslash. */
static int character(struct re2 *re2, uint32_t *ret_c)
{
    static const char names[] = "afnrtv", values[] = "\a\f\n\r\t\v";
    const char *p = re2->p + 1;
    char c = *p;
    const char *name;

    if (!c) {
        return re2_wrong(re2, re2->p, "it ends with a backslash");
    }
    p++;
    name = strchr(names, c);
    if (name) {
        *ret_c = (unsigned char)values[name - names];
    } else if (c == 'x') {
        if (!hex(&p, ret_c)) {
            return re2_wrong(re2, re2->p, "\\x wants two hexadecimal digits, or some in braces");
        }
    } else if (c == '0' || (c >= '1' && c <= '7' && *p >= '0' && *p <= '7')) {
        *ret_c = (uint32_t)(c - '0');
        for (int i = 1; i < 3 && *p >= '0' && *p <= '7'; i++) {
            *ret_c = *ret_c * 8 + (uint32_t)(*p++ - '0');
        }
    } else if (c >= '1' && c <= '9') {
        return re2_wrong(re2, re2->p, "RE2 does not have backreferences such as \\%c", c);
    } else if (c == 'k' || c == 'g') {
        return re2_wrong(re2, re2->p, "RE2 does not have backreferences such as \\%c{name}", c);
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') {
        return re2_wrong(re2, re2->p, "RE2 does not have \\%c", c);
    } else if ((unsigned char)c >= 0x80) {
        return re2_wrong(re2, re2->p, "RE2 has no backslash before letters");
    } else {
        *ret_c = (unsigned char)c;
    }
    re2->p = p;
    return 0;
}

/* \pL, \p{Lu}, \p{^Lu} and with P.  General categories only, and of those not the ones of code
 * points that a newer Unicode may assign. */
static int property(struct re2 *re2)
{
    const char *start = re2->p, *p = start + 2;
    bool braces = *p == '{', not = start[1] == 'P';
    const char *name, *main;
    size_t len;

    p += braces;
    if (braces && *p == '^') {
        not = !not ;
        p++;
    }
    name = p;
    main = *p ? strchr("LMNPSZ", *p) : NULL;
    len = braces ? strcspn(p, "}") : 1;
    if (!main || len > 2 || (len == 2 && !strchr("ultmoncedpsifkrqx", p[1])) ||
        (braces && p[len] != '}')) {
        return re2_wrong(re2, start,
                         "of \\p only the general categories L, M, N, P, S, Z and their parts "
                         "(such as \\p{Lu}) mean the same everywhere");
    }
    re2->p = p + len + braces;
    buf_printf(re2->buf, "\\%c{%.*s}", not ? 'P' : 'p', (int)len, name);
    return 0;
}

/* A class of one letter or a property.  1: there was one. */
static int letter(struct re2 *re2, bool inside)
{
    char c = re2->p[1];

    if (c == 'p' || c == 'P') {
        int r = property(re2);

        return r < 0 ? r : 1;
    }
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        if (letters[i].letter == c) {
            buf_puts(re2->buf, inside ? letters[i].inside : letters[i].outside);
            re2->p += 2;
            return 1;
        }
    }
    return 0;
}

int re2_escape(struct re2 *re2)
{
    uint32_t c = 0;
    int r = letter(re2, false);

    if (r != 0) {
        return r < 0 ? r : 0;
    }
    r = character(re2, &c);
    if (r == 0) {
        re2_put(re2, c);
    }
    return r;
}

/* [:alpha:] or [:^alpha:] inside brackets.  1: there was one. */
static int named(struct re2 *re2)
{
    static const char *const names[] = {"alnum", "alpha", "ascii", "blank", "cntrl",
                                        "digit", "graph", "lower", "print", "punct",
                                        "space", "upper", "word",  "xdigit"};
    const char *p = re2->p + 2, *end = strstr(p, ":]");
    size_t len;

    if (!end) {
        return 0;
    }
    p += *p == '^';
    len = (size_t)(end - p);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i]) == len && strncmp(names[i], p, len) == 0) {
            buf_append(re2->buf, re2->p, (size_t)(end + 2 - re2->p));
            re2->p = end + 2;
            return 1;
        }
    }
    return re2_wrong(re2, re2->p, "there is no class \"%.*s\"", (int)(len > 20 ? 20 : len + 4),
                     re2->p);
}

static int one(struct re2 *re2, uint32_t *ret_c)
{
    if (*re2->p == '\\') {
        return character(re2, ret_c);
    }
    *ret_c = re2_take(re2);
    return 0;
}

/* One character, or a range of them. */
static int range(struct re2 *re2)
{
    const char *start = re2->p;
    uint32_t low = 0, high = 0;
    int r = one(re2, &low);

    if (r < 0) {
        return r;
    }
    re2_put(re2, low);
    if (re2->p[0] != '-' || re2->p[1] == ']' || re2->p[1] == '\0') {
        return 0;
    }
    re2->p++;
    r = one(re2, &high);
    if (r < 0) {
        return r;
    }
    if (high < low) {
        return re2_wrong(re2, start, "the range runs backwards");
    }
    buf_putc(re2->buf, '-');
    re2_put(re2, high);
    return 0;
}

int re2_class(struct re2 *re2)
{
    const char *start = re2->p++;
    bool first = true;

    buf_putc(re2->buf, '[');
    if (*re2->p == '^') {
        buf_putc(re2->buf, *re2->p++);
    }
    for (; *re2->p && (*re2->p != ']' || first); first = false) {
        int r = 0;

        if (strncmp(re2->p, "[:", 2) == 0) {
            r = named(re2);
        } else if (*re2->p == '\\') {
            r = letter(re2, true);
        }
        if (r == 0) {
            r = range(re2);
        }
        if (r < 0) {
            return r;
        }
    }
    if (!*re2->p) {
        return re2_wrong(re2, start, "the bracket does not close");
    }
    buf_putc(re2->buf, *re2->p++);
    return 0;
}
