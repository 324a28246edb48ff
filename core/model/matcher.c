/*
 * matcher.c: see matcher.h.
 */
#include "model/matcher.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/labels.h"

static int init(struct matcher *matcher, const char *name, enum matcher_op op, const char *value,
                enum regex_flavor flavor, char *ret_why, size_t size)
{
    struct matcher made = {.op = op, .flavor = flavor};
    int r = 0;

    if (!labels_name_ok(name)) {
        (void)snprintf(ret_why, size, "\"%.64s\" is no name of a label: [a-zA-Z_][a-zA-Z0-9_]*",
                       name);
        return -EINVAL;
    }
    made.name = strdup(name);
    made.value = strdup(value);
    if (!made.name || !made.value) {
        r = -ENOMEM;
    } else if (op == MATCHER_REGEX || op == MATCHER_NOT_REGEX) {
        r = regex_create(value, flavor, &made.code, ret_why, size);
    }
    if (r < 0) {
        matcher_finish(&made);
        return r;
    }
    *matcher = made;
    return 0;
}

int matcher_init(struct matcher *matcher, const char *name, enum matcher_op op, const char *value,
                 char *ret_why, size_t size)
{
    return init(matcher, name, op, value, REGEX_PCRE2, ret_why, size);
}

int matcher_init_re2(struct matcher *matcher, const char *name, enum matcher_op op,
                     const char *value, char *ret_why, size_t size)
{
    return init(matcher, name, op, value, REGEX_RE2, ret_why, size);
}

int matcher_copy(const struct matcher *from, struct matcher *matcher)
{
    char why[1]; /* it compiled before */

    return init(matcher, from->name, from->op, from->value, from->flavor, why, sizeof why) < 0
               ? -ENOMEM
               : 0;
}

void matcher_finish(struct matcher *matcher)
{
    free(matcher->name);
    free(matcher->value);
    regex_destroy(matcher->code);
    *matcher = (struct matcher){0};
}

void matchers_free(struct matcher *matchers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        matcher_finish(&matchers[i]);
    }
    free(matchers);
}

static const char *skip_blanks(const char *p)
{
    while (isspace((unsigned char)*p)) {
        p++;
    }
    return p;
}

static bool read_operator(const char **p, enum matcher_op *ret_op)
{
    static const struct {
        char text[3];
        enum matcher_op op;
    } operators[] = {{"=~", MATCHER_REGEX},
                     {"!~", MATCHER_NOT_REGEX},
                     {"!=", MATCHER_NOT_EQUAL},
                     {"=", MATCHER_EQUAL}};

    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        size_t len = strlen(operators[i].text);

        if (strncmp(*p, operators[i].text, len) == 0) {
            *p += len;
            *ret_op = operators[i].op;
            return true;
        }
    }
    return false;
}

/* The value in place: takes quotes and escapes away.  False: a quote is missing, or one too many.
 */
static bool unquote(char *value)
{
    char *out = value;
    const char *p = value;
    bool quoted = *p == '"', closed;

    for (p += quoted; *p; p++) {
        if (*p == '"') {
            break;
        }
        if (*p == '\\' && p[1] && strchr("\"\\n", p[1])) {
            p++;
            *out++ = *p == 'n' ? '\n' : *p;
        } else {
            *out++ = *p;
        }
    }
    closed = quoted ? p[0] == '"' && p[1] == '\0' : *p == '\0';
    *out = '\0'; /* maybe where p is */
    return closed;
}

int matcher_split(const char *text, char **ret_name, enum matcher_op *ret_op, char **ret_value)
{
    const char *p = skip_blanks(text);
    size_t name_len = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    char *name = strndup(p, name_len), *value = NULL;
    size_t len;
    int r = -EINVAL;

    p = skip_blanks(p + name_len);
    if (!name) {
        return -ENOMEM;
    }
    if (!labels_name_ok(name) || !read_operator(&p, ret_op)) {
        goto out;
    }
    p = skip_blanks(p);
    len = strlen(p);
    while (len > 0 && isspace((unsigned char)p[len - 1])) {
        len--;
    }
    value = strndup(p, len);
    r = !value ? -ENOMEM : unquote(value) ? 0 : -EILSEQ;
out:
    if (r < 0) {
        free(name);
        free(value);
        return r;
    }
    *ret_name = name;
    *ret_value = value;
    return 0;
}

int matcher_parse(struct matcher *matcher, const char *text, char *ret_why, size_t size)
{
    char *name = NULL, *value = NULL;
    enum matcher_op op;
    int r = matcher_split(text, &name, &op, &value);

    if (r == -EINVAL) {
        (void)snprintf(ret_why, size,
                       "\"%.64s\" is no matcher: write name=\"value\", name!=\"value\", "
                       "name=~\"regex\" or name!~\"regex\"",
                       text);
    } else if (r == -EILSEQ) {
        (void)snprintf(ret_why, size, "the quotes of the value in \"%.64s\" do not close", text);
    } else if (r == 0) {
        r = matcher_init(matcher, name, op, value, ret_why, size);
    }
    free(name);
    free(value);
    return r == -EILSEQ ? -EINVAL : r;
}

bool matcher_matches(const struct matcher *matcher, const char *value)
{
    switch (matcher->op) {
    case MATCHER_EQUAL:
        return strcmp(matcher->value, value) == 0;
    case MATCHER_NOT_EQUAL:
        return strcmp(matcher->value, value) != 0;
    case MATCHER_REGEX:
        return regex_match(matcher->code, value, strlen(value)) > 0;
    case MATCHER_NOT_REGEX:
        return regex_match(matcher->code, value, strlen(value)) <= 0;
    }
    return false;
}

bool matchers_match(const struct matcher *matchers, size_t n, const struct tmon_pair *labels,
                    size_t nlabels)
{
    for (size_t i = 0; i < n; i++) {
        if (!matcher_matches(&matchers[i], labels_get(labels, nlabels, matchers[i].name))) {
            return false;
        }
    }
    return true;
}

void matcher_show(const struct matcher *matcher, struct buf *buf)
{
    static const char *const operators[] = {"=", "!=", "=~", "!~"};

    buf_puts(buf, matcher->name);
    buf_puts(buf, operators[matcher->op]);
    labels_quote(matcher->value, buf);
}

void matchers_show(const struct matcher *matchers, size_t n, struct buf *buf)
{
    buf_putc(buf, '{');
    for (size_t i = 0; i < n; i++) {
        buf_puts(buf, i ? "," : "");
        matcher_show(&matchers[i], buf);
    }
    buf_putc(buf, '}');
}
