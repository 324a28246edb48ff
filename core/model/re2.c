/*
 * re2.c: see re2.h.
 *
 * One walk over the text.  Letters and digits are copied; every other character that stands for
 * itself is written as \x{..}, so that no character of PCRE2's syntax comes through by accident.
 */
#include "model/re2.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/re2_class.h"

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

int re2_wrong(struct re2 *re2, const char *at, const char *format, ...)
{
    va_list args;
    int n =
        snprintf(re2->why, re2->size,
                 "the regular expression is wrong at its byte %zu: ", (size_t)(at - re2->text) + 1);

    if (n >= 0 && (size_t)n < re2->size) {
        va_start(args, format);
        (void)vsnprintf(re2->why + n, re2->size - (size_t)n, format, args);
        va_end(args);
    }
    return -EINVAL;
}

void re2_put(struct re2 *re2, uint32_t c)
{
    if (c < 0x80 && is_alnum((char)c)) {
        buf_putc(re2->buf, (char)c);
    } else {
        buf_printf(re2->buf, "\\x{%x}", (unsigned)c);
    }
}

/* One character as it stands; the text is valid UTF-8. */
uint32_t re2_take(struct re2 *re2)
{
    const unsigned char *p = (const unsigned char *)re2->p;
    uint32_t c = *p;
    int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

    c = more ? c & (0x3fu >> more) : c;
    for (int i = 1; i <= more; i++) {
        c = c << 6 | (p[i] & 0x3fu);
    }
    re2->p += more + 1;
    return c;
}

/* What is not RE2's after "(?", each with the word that people look it up by. */
static const char *name_of_group(const char *p)
{
    static const struct {
        const char *text, *name;
    } groups[] = {
        {"=", "lookahead (?=...)"},
        {"!", "lookahead (?!...)"},
        {"<=", "lookbehind (?<=...)"},
        {"<!", "lookbehind (?<!...)"},
        {"<", "a named group (?<name>...); write (?P<name>...)"},
        {"'", "a named group (?'name'...); write (?P<name>...)"},
        {">", "an atomic group (?>...)"},
        {"|", "a branch reset group (?|...)"},
        {"#", "a comment (?#...)"},
        {"(", "a conditional group (?(...)...)"},
        {"&", "recursion (?&name)"},
        {"R", "recursion (?R)"},
        {"P>", "recursion (?P>name)"},
        {"P=", "a backreference (?P=name)"},
        {"C", "a callout (?C)"},
    };

    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        if (strncmp(p, groups[i].text, strlen(groups[i].text)) == 0) {
            return groups[i].name;
        }
    }
    return (*p >= '0' && *p <= '9') || *p == '+' ? "recursion (?1)" : NULL;
}

static int open_group(struct re2 *re2, const char *start)
{
    if (re2->nopen == RE2_DEPTH) {
        return re2_wrong(re2, start, "it nests deeper than %d", RE2_DEPTH);
    }
    re2->open[re2->nopen++] = start;
    return 0;
}

/* Copies "(", "(?:", "(?P<name>", "(?flags)" and "(?flags:". */
static int group(struct re2 *re2)
{
    const char *start = re2->p, *p = start + 1;
    const char *name;
    size_t flags, off;

    if (*p != '?') {
        buf_putc(re2->buf, '(');
        re2->p = p;
        return open_group(re2, start);
    }
    p++;
    if (strncmp(p, "P<", 2) == 0) {
        const char *end = p + 2;

        while (is_alnum(*end)) {
            end++;
        }
        if (*end != '>' || end == p + 2) {
            return re2_wrong(re2, start, "the name of the group is not of letters and digits");
        }
        re2->p = end + 1;
        buf_append(re2->buf, start, (size_t)(re2->p - start));
        return open_group(re2, start);
    }
    name = name_of_group(p);
    if (name) {
        return re2_wrong(re2, start, "RE2 does not have %s", name);
    }
    flags = strspn(p, "imsU");
    off = p[flags] == '-' ? 1 + strspn(p + flags + 1, "imsU") : 0;
    if (off == 1 || !p[flags + off] || !strchr(":)", p[flags + off])) {
        return re2_wrong(re2, start, "there is no group \"(?%.1s\"",
                         p + flags + (off > 1 ? off : 0));
    }
    re2->p = p + flags + off + 1;
    buf_append(re2->buf, start, (size_t)(re2->p - start));
    return re2->p[-1] == ':' ? open_group(re2, start) : 0;
}

static int close_group(struct re2 *re2)
{
    if (re2->nopen == 0) {
        return re2_wrong(re2, re2->p, "there is no \"(\" for this \")\"");
    }
    re2->nopen--;
    buf_putc(re2->buf, *re2->p++);
    return 0;
}

/* A number of a repetition; -1: there is none. */
static long count(const char **p)
{
    long n = 0;

    if (**p < '0' || **p > '9' || (**p == '0' && (*p)[1] >= '0' && (*p)[1] <= '9')) {
        return -1;
    }
    for (; **p >= '0' && **p <= '9'; ++*p) {
        n = n > 100000 ? n : n * 10 + (**p - '0');
    }
    return n;
}

/* {n}, {n,} or {n,m}; what is none is a brace that stands for itself. */
static int braces(struct re2 *re2, bool *ret_repeats)
{
    const char *p = re2->p + 1;
    long low = count(&p), high = low;

    if (low >= 0 && *p == ',') {
        p++;
        high = *p == '}' ? 0 : count(&p);
    }
    if (low < 0 || high < 0 || *p != '}') {
        *ret_repeats = false;
        re2_put(re2, re2_take(re2));
        return 0;
    }
    if (high < low && p[-1] != ',') {
        return re2_wrong(re2, re2->p, "the repetition runs backwards");
    }
    if (low > 1000 || high > 1000) {
        return re2_wrong(re2, re2->p, "RE2 repeats 1000 times at most");
    }
    *ret_repeats = true;
    buf_append(re2->buf, re2->p, (size_t)(p + 1 - re2->p));
    re2->p = p + 1;
    return 0;
}

/* *, +, ?, {n,m}, each maybe with the "?" that makes it lazy. */
static int repetition(struct re2 *re2, bool *ret_repeats)
{
    const char *start = re2->p;
    int r = 0;

    *ret_repeats = true;
    if (*re2->p == '{') {
        r = braces(re2, ret_repeats);
        if (r < 0 || !*ret_repeats) {
            return r;
        }
    } else {
        buf_putc(re2->buf, *re2->p++);
    }
    if (re2->nothing) {
        return re2_wrong(re2, start, "there is nothing to repeat before \"%c\"", *start);
    }
    if (re2->repeated) {
        return re2_wrong(re2, start, "RE2 does not have %s",
                         *start == '+' ? "possessive quantifiers such as *+"
                                       : "quantifiers of quantifiers such as **");
    }
    if (*re2->p == '?') {
        buf_putc(re2->buf, *re2->p++);
    }
    return r;
}

/* \Q...\E: everything between stands for itself.  Without the end, what Prometheus puts around the
 * expression would be quoted too, and that is an error there. */
static int quoted(struct re2 *re2)
{
    const char *start = re2->p;

    re2->p += 2;
    while (*re2->p && strncmp(re2->p, "\\E", 2) != 0) {
        re2_put(re2, re2_take(re2));
    }
    if (!*re2->p) {
        return re2_wrong(re2, start, "\\Q has no \\E");
    }
    re2->p += 2;
    return 0;
}

/* In brackets, since PCRE2 wants them where one is repeated (which RE2 lets pass). */
static void assertion(struct re2 *re2, size_t len)
{
    buf_printf(re2->buf, "(?:%.*s)", (int)len, re2->p);
    re2->p += len;
}

static int step(struct re2 *re2, bool *ret_repeats)
{
    switch (*re2->p) {
    case '(':
        return group(re2);
    case '*':
    case '+':
    case '?':
    case '{':
        return repetition(re2, ret_repeats);
    case '[':
        return re2_class(re2);
    case '\\':
        if (re2->p[1] == 'Q') {
            return quoted(re2);
        }
        if (re2->p[1] && strchr("AbBz", re2->p[1])) {
            assertion(re2, 2);
            return 0;
        }
        return re2_escape(re2);
    case ')':
        return close_group(re2);
    case '^':
    case '$':
        assertion(re2, 1);
        return 0;
    case '|':
    case '.':
        buf_putc(re2->buf, *re2->p++);
        return 0;
    default:
        re2_put(re2, re2_take(re2));
        return 0;
    }
}

int re2_translate(const char *text, struct buf *buf, char *ret_why, size_t size)
{
    struct re2 re2 = {
        .text = text, .p = text, .buf = buf, .why = ret_why, .size = size, .nothing = true};

    if (!utf8_valid(text, strlen(text))) {
        return re2_wrong(&re2, text, "it is not UTF-8");
    }
    while (*re2.p) {
        const char *start = re2.p;
        bool repeats = false;
        size_t nopen = re2.nopen;
        int r = step(&re2, &repeats);

        if (r < 0) {
            return r;
        }
        re2.repeated = repeats;
        re2.nothing = *start == '|' || re2.nopen > nopen;
    }
    if (re2.nopen > 0) {
        return re2_wrong(&re2, re2.open[re2.nopen - 1], "this \"(\" does not close");
    }
    if (buf->failed) {
        (void)snprintf(ret_why, size, "the regular expression is too long");
        return -E2BIG;
    }
    return 0;
}
