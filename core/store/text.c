/*
 * text.c: the text of a series, which is its identity, and the labels that owners add.
 *
 * Any thread, no lock.  Labels are merged in order of their keys, so the same label set is the same
 * text whoever emits it; that is what makes a collision visible.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "store/series.h"

/* Copies up to `room` bytes of value with what the formats escape; NULL when they do not suffice.
 */
static char *put_escaped(char *out, const char *end, const char *value)
{
    for (; *value; value++) {
        if (end - out < 2) {
            return NULL;
        }
        if (*value == '\\' || *value == '"') {
            *out++ = '\\';
            *out++ = *value;
        } else if (*value == '\n') {
            *out++ = '\\';
            *out++ = 'n';
        } else {
            *out++ = *value;
        }
    }
    return out;
}

static char *put_label(char *out, const char *end, const struct tmon_pair *label)
{
    size_t len = strlen(label->key);

    if ((size_t)(end - out) < len + 4) {
        return NULL;
    }
    memcpy(out, label->key, len);
    out += len;
    *out++ = '=';
    *out++ = '"';
    out = put_escaped(out, end - 2, label->value);
    if (!out) {
        return NULL;
    }
    *out++ = '"';
    *out++ = ',';
    return out;
}

uint32_t text_render(char *text, const char *name, const struct tmon_pair *labels, size_t nlabels,
                     const struct tmon_pair *own, size_t nown)
{
    const char *end = text + (LIMIT_SERIES_TEXT_BYTES - 2);
    size_t len = strlen(name);
    char *out = text + len;
    size_t i = 0;
    size_t j = 0;

    memcpy(text, name, len); // at most LIMIT_METRIC_NAME_BYTES
    if (nlabels == 0 && nown == 0) {
        *out++ = ' ';
        return (uint32_t)(out - text);
    }
    *out++ = '{';
    while (i < nlabels || j < nown) {
        int order = i == nlabels ? 1 : j == nown ? -1 : strcmp(labels[i].key, own[j].key);

        out = put_label(out, end, order < 0 ? &labels[i] : &own[j]);
        if (!out) {
            return 0;
        }
        i += order <= 0;
        j += order >= 0;
    }
    out[-1] = '}'; // in place of the last comma
    *out++ = ' ';
    return (uint32_t)(out - text);
}

static bool key_ok(const char *key)
{
    size_t len = strlen(key);

    if (len == 0 || len > LIMIT_NAME_BYTES || strncmp(key, "__", 2) == 0 ||
        strcmp(key, "le") == 0 || strcmp(key, "quantile") == 0 ||
        (key[0] >= '0' && key[0] <= '9')) {
        return false;
    }
    return strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == len;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct tmon_pair *)a)->key, ((const struct tmon_pair *)b)->key);
}

int text_labels(const struct tmon_pair *labels, size_t nlabels, struct tmon_pair **ret_labels,
                size_t *ret_nlabels)
{
    struct tmon_pair *copy;
    size_t bytes = 0;
    size_t n = 0;
    char *text;

    if (nlabels > LIMIT_LABELS) {
        return -EINVAL;
    }
    for (size_t i = 0; i < nlabels; i++) {
        size_t len = labels[i].value ? strlen(labels[i].value) : 0;

        if (!labels[i].key || !key_ok(labels[i].key) || len > LIMIT_LABEL_VALUE_BYTES ||
            (len > 0 && !utf8_valid(labels[i].value, len))) {
            return -EINVAL;
        }
        bytes += sizeof *copy + strlen(labels[i].key) + 1 + len + 1;
    }
    copy = malloc(bytes + 1);
    if (!copy) {
        return -ENOMEM;
    }
    text = (char *)(copy + nlabels);
    for (size_t i = 0; i < nlabels; i++) {
        size_t key = strlen(labels[i].key) + 1;
        size_t value = labels[i].value ? strlen(labels[i].value) + 1 : 1;

        if (value == 1) {
            continue;
        }
        copy[n].key = memcpy(text, labels[i].key, key);
        copy[n].value = memcpy(text + key, labels[i].value, value);
        text += key + value;
        n++;
    }
    qsort(copy, n, sizeof *copy, by_key);
    for (size_t i = 1; i < n; i++) {
        if (strcmp(copy[i - 1].key, copy[i].key) == 0) {
            free(copy);
            return -EINVAL;
        }
    }
    *ret_labels = copy;
    *ret_nlabels = n;
    return 0;
}
