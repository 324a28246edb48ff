/*
 * template_function.c: see template_function.h.  The arithmetic follows Prometheus's
 * template/template.go step by step, since the last digit depends on the order of divisions.
 */
#include "rules/template_function.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

struct template_function {
    const char *name;
    enum { TAKES_NUMBER, TAKES_TEXT, TAKES_ANY } takes;
    /* of TAKES_NUMBER */
    void (*number)(double v, struct buf *out);
    /* of TAKES_TEXT */
    void (*text)(const char *text, struct buf *out);
    /* of TAKES_ANY */
    void (*any)(const struct go_value *values, size_t n, struct buf *out);
};

/* ---- humanize and its like ---- */

static void with_prefix(double v, const char *prefix, const char *unit, struct buf *out)
{
    go_float_4g(v, out);
    buf_puts(out, prefix);
    buf_puts(out, unit);
}

static const char *scale_down(double *v, double step, const char *const *prefixes)
{
    const char *prefix = "";

    for (size_t i = 0; i < 8 && fabs(*v) >= step; i++) {
        prefix = prefixes[i];
        *v /= step;
    }
    return prefix;
}

static const char *scale_up(double *v)
{
    static const char *const prefixes[] = {"m", "u", "n", "p", "f", "a", "z", "y"};
    const char *prefix = "";

    for (size_t i = 0; i < 8 && fabs(*v) < 1; i++) {
        prefix = prefixes[i];
        *v *= 1000;
    }
    return prefix;
}

static void humanize(double v, struct buf *out)
{
    static const char *const prefixes[] = {"k", "M", "G", "T", "P", "E", "Z", "Y"};
    const char *prefix = "";

    if (v != 0 && isfinite(v)) {
        prefix = fabs(v) >= 1 ? scale_down(&v, 1000, prefixes) : scale_up(&v);
    }
    with_prefix(v, prefix, "", out);
}

static void humanize1024(double v, struct buf *out)
{
    static const char *const prefixes[] = {"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"};
    const char *prefix = "";

    if (fabs(v) > 1 && isfinite(v)) {
        prefix = scale_down(&v, 1024, prefixes);
    }
    with_prefix(v, prefix, "", out);
}

/* Of what is 1 s at least. */
static void long_duration(double v, struct buf *out)
{
    const char *sign = v < 0 ? "-" : "";
    int64_t duration, seconds, minutes, hours, days;

    v = fabs(v);
    duration = v < 9223372036854775808.0 ? (int64_t)v : INT64_MIN; /* as Go on x86 and ours */
    seconds = duration % 60;
    minutes = (duration / 60) % 60;
    hours = (duration / 3600) % 24;
    days = duration / 86400;
    buf_puts(out, sign);
    if (days != 0) {
        buf_printf(out, "%lldd %lldh %lldm %llds", (long long)days, (long long)hours,
                   (long long)minutes, (long long)seconds);
    } else if (hours != 0) {
        buf_printf(out, "%lldh %lldm %llds", (long long)hours, (long long)minutes,
                   (long long)seconds);
    } else if (minutes != 0) {
        buf_printf(out, "%lldm %llds", (long long)minutes, (long long)seconds);
    } else {
        with_prefix(v, "", "s", out);
    }
}

static void humanize_duration(double v, struct buf *out)
{
    if (!isfinite(v)) {
        go_float_4g(v, out);
    } else if (fabs(v) >= 1) {
        long_duration(v, out);
    } else {
        const char *prefix = v == 0 ? "" : scale_up(&v);

        with_prefix(v, prefix, "s", out);
    }
}

static void humanize_percentage(double v, struct buf *out)
{
    go_float_4g(v * 100, out);
    buf_putc(out, '%');
}

/* ---- texts ---- */

static void put_rune(unsigned long rune, struct buf *out)
{
    if (rune < 0x80) {
        buf_putc(out, (char)rune);
    } else if (rune < 0x800) {
        buf_putc(out, (char)(0xc0 | rune >> 6));
        buf_putc(out, (char)(0x80 | (rune & 0x3f)));
    } else if (rune < 0x10000) {
        buf_putc(out, (char)(0xe0 | rune >> 12));
        buf_putc(out, (char)(0x80 | (rune >> 6 & 0x3f)));
        buf_putc(out, (char)(0x80 | (rune & 0x3f)));
    } else {
        buf_putc(out, (char)(0xf0 | rune >> 18));
        buf_putc(out, (char)(0x80 | (rune >> 12 & 0x3f)));
        buf_putc(out, (char)(0x80 | (rune >> 6 & 0x3f)));
        buf_putc(out, (char)(0x80 | (rune & 0x3f)));
    }
}

/* The next character of valid UTF-8. */
static unsigned long take_rune(const char **p)
{
    const unsigned char *at = (const unsigned char *)*p;
    size_t more = at[0] < 0xc0 ? 0 : at[0] < 0xe0 ? 1 : at[0] < 0xf0 ? 2 : 3;
    unsigned long rune = more == 0 ? at[0] : at[0] & (0x3fu >> more);

    (*p)++;
    for (; more > 0 && (**p & 0xc0) == 0x80; more--, (*p)++) {
        rune = rune << 6 | ((unsigned char)**p & 0x3f);
    }
    return rune;
}

enum change { UPPER, LOWER, TITLE };

static bool separates(unsigned long rune, locale_t locale)
{
    if (rune < 0x80) {
        return !isalnum((int)rune) && rune != '_';
    }
    return !iswalnum_l((wint_t)rune, locale) && iswspace_l((wint_t)rune, locale);
}

/* Only what is not ASCII needs the tables of a locale, which are opened for it. */
static void change_case(const char *text, enum change change, struct buf *out)
{
    bool ascii = true, at_start = true;
    locale_t locale = (locale_t)0;

    for (const char *p = text; *p && ascii; p++) {
        ascii = (unsigned char)*p < 0x80;
    }
    if (!ascii) {
        locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    }
    while (*text) {
        unsigned long rune = take_rune(&text);
        bool up = change == UPPER || (change == TITLE && at_start);

        at_start = locale || rune < 0x80 ? separates(rune, locale) : false;
        if (rune < 0x80) {
            rune = (unsigned long)(up                ? toupper((int)rune)
                                   : change == LOWER ? tolower((int)rune)
                                                     : (int)rune);
        } else if (locale && (up || change == LOWER)) {
            rune = (unsigned long)(up ? towupper_l((wint_t)rune, locale)
                                      : towlower_l((wint_t)rune, locale));
        }
        put_rune(rune, out);
    }
    if (locale) {
        freelocale(locale);
    }
}

static void to_upper(const char *text, struct buf *out)
{
    change_case(text, UPPER, out);
}

static void to_lower(const char *text, struct buf *out)
{
    change_case(text, LOWER, out);
}

static void title(const char *text, struct buf *out)
{
    change_case(text, TITLE, out);
}

static void print(const struct go_value *values, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && values[i].kind != GO_STRING && values[i - 1].kind != GO_STRING) {
            buf_putc(out, ' ');
        }
        go_print(&values[i], out);
    }
}

static void print_format(const struct go_value *values, size_t n, struct buf *out)
{
    go_printf(values[0].text, values + 1, n - 1, out);
}

/* ---- the table ---- */

static const struct template_function functions[] = {
    {"humanize", TAKES_NUMBER, .number = humanize},
    {"humanize1024", TAKES_NUMBER, .number = humanize1024},
    {"humanizeDuration", TAKES_NUMBER, .number = humanize_duration},
    {"humanizePercentage", TAKES_NUMBER, .number = humanize_percentage},
    {"title", TAKES_TEXT, .text = title},
    {"toUpper", TAKES_TEXT, .text = to_upper},
    {"toLower", TAKES_TEXT, .text = to_lower},
    {"print", TAKES_ANY, .any = print},
    {"printf", TAKES_ANY, .any = print_format},
};
#define NFUNCTIONS (sizeof functions / sizeof functions[0])

const struct template_function *template_function_find(const char *name)
{
    for (size_t i = 0; i < NFUNCTIONS; i++) {
        if (strcmp(functions[i].name, name) == 0) {
            return &functions[i];
        }
    }
    return NULL;
}

void template_function_suggest(const char *name, char space[static SUGGESTION_SIZE])
{
    const char *names[NFUNCTIONS];

    for (size_t i = 0; i < NFUNCTIONS; i++) {
        names[i] = functions[i].name;
    }
    (void)suggest_ending(name, names, NFUNCTIONS, space);
}

/* Verbs whose output go_format.h does not make as Go would. */
static int check_format(const char *format, const enum go_kind *kinds, size_t n, char *ret_why,
                        size_t size)
{
    size_t used = 0;

    for (const char *p = strchr(format, '%'); p; p = strchr(p + 1, '%')) {
        p += 1 + strspn(p + 1, "+-# 0123456789.");
        if (*p == '\0') {
            break;
        }
        if (*p == '%') {
            continue;
        }
        if (*p == '*' || *p == '[' || !strchr("vsqdeEfFgGtxXbo", *p) ||
            (used < n && ((kinds[used] == GO_FLOAT && strchr("xXb", *p)) ||
                          (kinds[used] == GO_INT && *p == 'q')))) {
            (void)snprintf(ret_why, size,
                           "printf: this use of '%%%.1s' is outside of what templates take here",
                           p);
            return -EINVAL;
        }
        used++;
    }
    return 0;
}

int template_function_check(const struct template_function *function, const enum go_kind *kinds,
                            size_t n, const struct go_value *first, char *ret_why, size_t size)
{
    if (function->takes != TAKES_ANY && n != 1) {
        (void)snprintf(ret_why, size, "%s takes one value, not %zu", function->name, n);
        return -EINVAL;
    }
    if (function->takes == TAKES_TEXT && kinds[0] != GO_STRING) {
        (void)snprintf(ret_why, size, "%s takes a text, not a number", function->name);
        return -EINVAL;
    }
    if (function->takes == TAKES_NUMBER && kinds[0] == GO_BOOL) {
        (void)snprintf(ret_why, size, "%s takes a number", function->name);
        return -EINVAL;
    }
    if (function->any == print_format) {
        if (!first || first->kind != GO_STRING) {
            (void)snprintf(ret_why, size,
                           "printf takes a format in quotes first, such as \"%%.2f\"");
            return -EINVAL;
        }
        return check_format(first->text, kinds + 1, n - 1, ret_why, size);
    }
    return 0;
}

static int as_number(const struct go_value *value, double *ret_number, char *ret_why, size_t size)
{
    char *end = NULL;

    if (value->kind == GO_FLOAT) {
        *ret_number = value->number;
    } else if (value->kind == GO_INT) {
        *ret_number = (double)value->whole;
    } else {
        *ret_number = strtod(value->text, &end);
        if (end == value->text || *end || isspace((unsigned char)*value->text)) {
            (void)snprintf(ret_why, size, "\"%.64s\" is no number", value->text);
            return -EINVAL;
        }
    }
    return 0;
}

int template_function_call(const struct template_function *function, const struct go_value *values,
                           size_t n, struct buf *out, char *ret_why, size_t size)
{
    double number = 0;
    int r = 0;

    switch (function->takes) {
    case TAKES_NUMBER:
        r = as_number(&values[0], &number, ret_why, size);
        if (r == 0) {
            function->number(number, out);
        }
        break;
    case TAKES_TEXT:
        function->text(values[0].text, out);
        break;
    default:
        function->any(values, n, out);
        break;
    }
    return r;
}
