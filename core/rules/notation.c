/*
 * notation.c: see notation.h.
 */
#include "rules/notation.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "model/labels.h"
#include "store/history.h"

#define VALUES_MOST 5000000 /* of one series: a year of 10 s would not fit, and need not */

/* ---- metrics ---- */

static const char *skip_blanks(const char *p)
{
    while (isspace((unsigned char)*p)) {
        p++;
    }
    return p;
}

static size_t name_length(const char *p, bool colons)
{
    size_t len = 0;

    while (isalpha((unsigned char)p[len]) || p[len] == '_' || (colons && p[len] == ':') ||
           (len > 0 && isdigit((unsigned char)p[len]))) {
        len++;
    }
    return len;
}

/* Appends the text in quotes at *p; false: it is not closed. */
static bool read_quoted(const char **p, struct buf *text)
{
    static const char letters[] = "abfnrtv\\\"'", means[] = "\a\b\f\n\r\t\v\\\"'";
    char quote = *(*p)++;

    while (**p && **p != quote) {
        char c = *(*p)++;
        const char *found;

        if (c == '\\' && quote != '`') {
            found = **p ? strchr(letters, **p) : NULL;
            if (!found) {
                return false;
            }
            c = means[found - letters];
            (*p)++;
        }
        buf_putc(text, c);
    }
    return *(*p)++ == quote;
}

struct metric {
    struct buf text; /* all names and values, each with a NUL */
    size_t offsets[2 * (LIMIT_LABELS + 1)];
    size_t n;
};

static void begin_text(struct metric *metric, size_t i)
{
    metric->offsets[i] = metric->text.len;
}

static void end_text(struct metric *metric)
{
    buf_putc(&metric->text, '\0');
}

static int read_label(struct metric *metric, const char **at)
{
    const char *p = skip_blanks(*at);
    size_t len = name_length(p, false);

    if (len == 0 || metric->n > LIMIT_LABELS) {
        return -EINVAL;
    }
    begin_text(metric, 2 * metric->n);
    buf_append(&metric->text, p, len);
    end_text(metric);
    p = skip_blanks(p + len);
    if (*p++ != '=') {
        return -EINVAL;
    }
    p = skip_blanks(p);
    if (!*p || !strchr("\"'`", *p)) {
        return -EINVAL;
    }
    begin_text(metric, 2 * metric->n + 1);
    if (!read_quoted(&p, &metric->text)) {
        return -EINVAL;
    }
    end_text(metric);
    metric->n++;
    *at = skip_blanks(p);
    return 0;
}

static int read_metric(struct metric *metric, const char *p)
{
    size_t len;
    int r = 0;

    p = skip_blanks(p);
    len = name_length(p, true);
    if (len > 0) {
        begin_text(metric, 0);
        buf_puts(&metric->text, "__name__");
        end_text(metric);
        begin_text(metric, 1);
        buf_append(&metric->text, p, len);
        end_text(metric);
        metric->n = 1;
    }
    p = skip_blanks(p + len);
    if (*p == '{') {
        p = skip_blanks(p + 1);
        while (*p != '}' && r == 0) {
            r = read_label(metric, &p);
            if (r == 0 && *p == ',') {
                p = skip_blanks(p + 1);
            } else if (*p != '}') {
                r = -EINVAL;
            }
        }
        p += r == 0;
    } /* nothing at all is a series too: {} */
    return r == 0 && *skip_blanks(p) ? -EINVAL : r;
}

int notation_metric(const char *text, struct tmon_pair **ret_labels, size_t *ret_n, char *ret_why,
                    size_t size)
{
    struct metric metric = {.n = 0};
    struct tmon_pair pairs[LIMIT_LABELS + 1];
    long n = 0;
    int r;

    buf_init(&metric.text, LIMIT_SETTING_BYTES);
    r = read_metric(&metric, text);
    for (size_t i = 0; i < metric.n && r == 0; i++) {
        pairs[i] = (struct tmon_pair){metric.text.data + metric.offsets[2 * i],
                                      metric.text.data + metric.offsets[2 * i + 1]};
    }
    if (r == 0) {
        n = labels_normalize(pairs, metric.n);
        r = n < 0 ? -EINVAL : labels_copy(pairs, (size_t)n, ret_labels);
    }
    if (r == 0) {
        *ret_n = (size_t)n;
    } else if (r == -EINVAL) {
        (void)snprintf(ret_why, size, "\"%.128s\" is no series: write name{label=\"value\"}", text);
    }
    buf_finish(&metric.text);
    return r;
}

/* ---- values ---- */

struct values {
    struct notation_value *items;
    size_t n, size;
};

static int add(struct values *values, bool omitted, double value, uint64_t times, double step)
{
    if (times > VALUES_MOST || values->n + times > VALUES_MOST) {
        return -E2BIG;
    }
    if (values->n + times > values->size) {
        size_t wanted = (values->n + times) * 2;
        struct notation_value *bigger = realloc(values->items, wanted * sizeof *bigger);

        if (!bigger) {
            return -ENOMEM;
        }
        values->items = bigger;
        values->size = wanted;
    }
    for (uint64_t i = 0; i < times; i++) {
        values->items[values->n++] = (struct notation_value){omitted, value};
        value += step;
    }
    return 0;
}

/* A number without a sign; hexadecimal ones are none, since 0x3 is four zeros. */
static bool read_number(const char **p, double *ret_value)
{
    char text[64], *end;
    size_t len = 0;

    if (strncasecmp(*p, "inf", 3) == 0 || strncasecmp(*p, "nan", 3) == 0) {
        *ret_value = tolower((unsigned char)**p) == 'i' ? INFINITY : NAN;
        *p += 3;
        return !isalnum((unsigned char)**p);
    }
    while (isdigit((unsigned char)(*p)[len]) || (*p)[len] == '.') {
        len++;
    }
    if (len > 0 && tolower((unsigned char)(*p)[len]) == 'e') {
        size_t more = len + 1 + strspn(*p + len + 1, "+-");

        if (isdigit((unsigned char)(*p)[more])) {
            len = more + strspn(*p + more, "0123456789");
        }
    }
    if (len == 0 || len >= sizeof text) {
        return false;
    }
    memcpy(text, *p, len);
    text[len] = '\0';
    *ret_value = strtod(text, &end);
    *p += len;
    return *end == '\0';
}

static bool read_sign(const char **p, double *ret_sign)
{
    *ret_sign = **p == '-' ? -1 : 1;
    if (**p != '-' && **p != '+') {
        return false;
    }
    (*p)++;
    return true;
}

/* x5: six values, for the one at the start is not counted. */
static bool read_times(const char **p, uint64_t *ret_times)
{
    char *end;

    if (**p != 'x') {
        *ret_times = 1;
        return true;
    }
    if (!isdigit((unsigned char)(*p)[1])) {
        return false;
    }
    errno = 0;
    *ret_times = strtoull(*p + 1, &end, 10);
    *p = end;
    if (errno || *ret_times > VALUES_MOST) {
        return false;
    }
    (*ret_times)++;
    return true;
}

static int read_item(const char **p, struct values *values)
{
    double value, sign, step = 0;
    uint64_t times;

    if (**p == '_') {
        (*p)++;
        if (**p != 'x') {
            return add(values, true, 0, 1, 0);
        }
        return read_times(p, &times) ? add(values, true, 0, times - 1, 0) : -EINVAL;
    }
    if (strncmp(*p, "stale", 5) == 0) {
        *p += 5;
        value = double_from_bits(HISTORY_STALE_BITS);
        return add(values, false, value, 1, 0);
    }
    (void)read_sign(p, &sign);
    if (!read_number(p, &value)) {
        return -EINVAL;
    }
    value *= sign;
    if (**p == '+' || **p == '-') {
        (void)read_sign(p, &sign);
        if (!read_number(p, &step) || **p != 'x') {
            return -EINVAL;
        }
        step *= sign;
    }
    return read_times(p, &times) ? add(values, false, value, times, step) : -EINVAL;
}

int notation_values(const char *text, struct notation_value **ret_values, size_t *ret_n,
                    char *ret_why, size_t size)
{
    struct values values = {0};
    const char *p = skip_blanks(text), *at = p;
    int r = add(&values, false, 0, 0, 0);

    while (*p && r == 0) {
        at = p;
        r = read_item(&p, &values);
        if (r == 0 && *p && !isspace((unsigned char)*p)) {
            r = -EINVAL;
        }
        p = skip_blanks(p);
    }
    if (r < 0) {
        (void)snprintf(ret_why, size,
                       r == -E2BIG ? "at \"%.32s\": more than %d values"
                                   : "at \"%.32s\": this is no value; write 1, 1+2x5, _ or stale",
                       at, VALUES_MOST);
        free(values.items);
        return r == -ENOMEM ? r : -EINVAL;
    }
    *ret_values = values.items;
    *ret_n = values.n;
    return 0;
}
