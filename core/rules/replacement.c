/*
 * replacement.c: see replacement.h.
 *
 * Templates are Go's: $1, ${1}, $name, ${name}, $$; a name is as long as it can be, so that $1x is
 * the group "1x" and not $1 and an x; a group that is not there is empty.
 */
#include "rules/replacement.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "model/regex.h"

#define TEXT SIZE_MAX      /* a part that is no group */
#define NO_GROUP 100000000 /* one that no expression has */

struct replacement_part {
    const char *text;
    size_t len, group;
};

/* A leading zero or a letter makes it a name. */
static size_t group_of(const struct regex *regex, const char *name, size_t len)
{
    size_t number = 0;

    for (size_t i = 0; i < len; i++) {
        if (name[i] < '0' || name[i] > '9' || number >= NO_GROUP || (name[0] == '0' && len > 1)) {
            number = regex_named(regex, name, len);
            return number > 0 ? number : NO_GROUP;
        }
        number = number * 10 + (size_t)(name[i] - '0');
    }
    return number;
}

/* The group behind a dollar.  False: the dollar stands for itself. */
static bool reference(struct regex *names, const struct regex *regex, const char **p,
                      size_t *ret_group)
{
    bool braces = **p == '{';
    const char *name = *p + braces;
    size_t start, end;

    if (regex_match(names, name, strlen(name)) <= 0 || !regex_group(names, 1, &start, &end) ||
        (braces && name[end] != '}')) {
        return false;
    }
    *ret_group = group_of(regex, name, end);
    *p = name + end + braces;
    return true;
}

static void split(struct replacement *replacement, struct replacement_part *parts,
                  struct regex *names, const char *p)
{
    size_t n = 0;

    while (*p) {
        size_t plain = strcspn(p, "$"), group;

        if (plain > 0) {
            parts[n++] = (struct replacement_part){p, plain, TEXT};
            p += plain;
            continue;
        }
        p++;
        if (*p != '$' && reference(names, replacement->regex, &p, &group)) {
            parts[n++] = (struct replacement_part){NULL, 0, group};
            continue;
        }
        parts[n++] = (struct replacement_part){"$", 1, TEXT};
        p += *p == '$';
    }
    replacement->parts = parts;
    replacement->nparts = n;
}

int replacement_create(struct pool *pool, const char *regex, const char *text,
                       struct replacement **ret_replacement, char *ret_why, size_t size)
{
    struct replacement *replacement = pool_get(pool, sizeof *replacement);
    struct replacement_part *parts = pool_get(pool, (strlen(text) + 1) * sizeof *parts);
    struct regex *names = NULL;
    int r = replacement && parts ? 0 : -ENOMEM;

    if (r == 0) {
        *replacement = (struct replacement){0};
        r = regex_create("([\\p{L}\\p{Nd}_]+).*", REGEX_PCRE2, &names, ret_why, size);
    }
    if (r == 0) {
        r = regex_create(regex, REGEX_RE2, &replacement->regex, ret_why, size);
    }
    if (r == 0) {
        split(replacement, parts, names, text);
        *ret_replacement = replacement;
    }
    regex_destroy(names);
    return r;
}

void replacement_finish(struct replacement *replacement)
{
    regex_destroy(replacement->regex);
}

int replacement_apply(const struct replacement *replacement, const char *value, struct buf *buf)
{
    int r = regex_match(replacement->regex, value, strlen(value));

    if (r <= 0) {
        return r;
    }
    for (size_t i = 0; i < replacement->nparts; i++) {
        const struct replacement_part *part = &replacement->parts[i];
        size_t start, end;

        if (part->group == TEXT) {
            buf_append(buf, part->text, part->len);
        } else if (regex_group(replacement->regex, part->group, &start, &end)) {
            buf_append(buf, value + start, end - start);
        }
    }
    return buf->failed ? -E2BIG : 1;
}
