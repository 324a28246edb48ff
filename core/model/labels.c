/*
 * labels.c: see labels.h.
 */
#include "model/labels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct tmon_pair *)a)->key, ((const struct tmon_pair *)b)->key);
}

static bool sorted(const struct tmon_pair *pairs, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (strcmp(pairs[i - 1].key, pairs[i].key) >= 0) {
            return false;
        }
    }
    return true;
}

long labels_normalize(struct tmon_pair *pairs, size_t n)
{
    size_t kept = 0;

    if (!sorted(pairs, n)) {
        qsort(pairs, n, sizeof *pairs, by_name);
    }
    for (size_t i = 1; i < n; i++) {
        if (strcmp(pairs[i - 1].key, pairs[i].key) == 0) {
            return -EEXIST;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (*pairs[i].value) {
            pairs[kept++] = pairs[i];
        }
    }
    return (long)kept;
}

static uint64_t fnv(uint64_t hash, const char *text)
{
    const uint64_t prime = UINT64_C(0x100000001b3);

    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        hash = (hash ^ *p) * prime;
    }
    return (hash ^ 0xff) * prime;
}

uint64_t labels_fingerprint(const struct tmon_pair *pairs, size_t n)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < n; i++) {
        hash = fnv(fnv(hash, pairs[i].key), pairs[i].value);
    }
    return hash;
}

const char *labels_get(const struct tmon_pair *pairs, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(pairs[i].key, name) == 0) {
            return pairs[i].value;
        }
    }
    return "";
}

bool labels_name_ok(const char *name)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";

    return *name && strchr(first, *name) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") ==
               strlen(name);
}

void labels_quote(const char *text, struct buf *buf)
{
    buf_putc(buf, '"');
    for (const char *p = text; *p; p++) {
        size_t plain = strcspn(p, "\"\\\n");

        buf_append(buf, p, plain);
        p += plain;
        if (!*p) {
            break;
        }
        buf_putc(buf, '\\');
        buf_putc(buf, *p == '\n' ? 'n' : *p);
    }
    buf_putc(buf, '"');
}

void labels_show(const struct tmon_pair *pairs, size_t n, struct buf *buf)
{
    buf_putc(buf, '{');
    for (size_t i = 0; i < n; i++) {
        buf_puts(buf, i ? ", " : "");
        buf_puts(buf, pairs[i].key);
        buf_putc(buf, '=');
        labels_quote(pairs[i].value, buf);
    }
    buf_putc(buf, '}');
}

/* The text at *at, which moves behind it. */
static const char *put_text(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*at, text, size);

    *at += size;
    return copy;
}

int labels_copy(const struct tmon_pair *pairs, size_t n, struct tmon_pair **ret_pairs)
{
    size_t size = n * sizeof *pairs;
    struct tmon_pair *copy;
    char *at;

    for (size_t i = 0; i < n; i++) {
        size += strlen(pairs[i].key) + strlen(pairs[i].value) + 2;
    }
    copy = malloc(size ? size : 1);
    if (!copy) {
        return -ENOMEM;
    }
    at = (char *)(copy + n);
    for (size_t i = 0; i < n; i++) {
        copy[i].key = put_text(&at, pairs[i].key);
        copy[i].value = put_text(&at, pairs[i].value);
    }
    *ret_pairs = copy;
    return 0;
}
