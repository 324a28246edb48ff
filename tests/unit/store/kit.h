/*
 * kit.h: what the tests of the store share: making batches, scraping into a string, and a strict
 * reader of both formats, which knows nothing of the store and says what Prometheus would not like.
 */
#ifndef TEST_STORE_KIT_H
#define TEST_STORE_KIT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "model/sample.h"
#include "store/exposition.h"
#include "store/store.h"

/* Appends `name{key="value"} value` of a kind; key NULL: no label. */
static inline bool kit_sample(struct buf *batch, tmon_metric_kind kind, const char *name,
                              const char *key, const char *value, double number)
{
    const struct tmon_pair label = {key, value};
    const char *why = NULL;
    struct tmon_metric metric = {
        .size = sizeof metric,
        .kind = kind,
        .name = name,
        .help = "A metric of the tests.",
        .value = number,
        .labels = &label,
        .nlabels = key ? 1 : 0,
    };

    return sample_encode(batch, &metric, &why) == 0;
}

/* A whole scrape in blocks of `block` bytes; to be freed.  ret_len may be NULL. */
static inline char *kit_scrape(struct store *store, enum exposition_format format, bool gzip,
                               size_t block, int64_t now_ms, size_t *ret_len)
{
    struct exposition *exposition = NULL;
    size_t size = 4096;
    size_t len = 0;
    char *text = malloc(size);
    ssize_t n = 1;

    if (!text || exposition_create(store, format, gzip, now_ms, &exposition) < 0) {
        abort();
    }
    while (n > 0) {
        if (size - len < block + 1) {
            size = size * 2 + block;
            text = realloc(text, size);
            if (!text) {
                abort();
            }
        }
        n = exposition_read(exposition, text + len, block);
        if (n < 0) {
            abort();
        }
        len += (size_t)n;
    }
    exposition_destroy(exposition);
    text[len] = '\0';
    if (ret_len) {
        *ret_len = len;
    }
    return text;
}

struct kit_reader {
    const char *at;
    const char *end;
    bool openmetrics;
    struct map families; /* every TYPE so far */
    struct map series;   /* every series so far */
    const char *family;
    size_t family_len;
    char type[16];
    unsigned samples;
    char error[256];
};

__attribute__((format(printf, 2, 3))) static inline bool kit_fail(struct kit_reader *reader,
                                                                  const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(reader->error, sizeof reader->error, format, args);
    va_end(args);
    return false;
}

static inline size_t kit_name(const char *at, const char *end, bool colons)
{
    const char *start = at;

    while (at < end && ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || *at == '_' ||
                        (colons && *at == ':') || (at > start && *at >= '0' && *at <= '9'))) {
        at++;
    }
    return (size_t)(at - start);
}

static inline bool kit_is_type(const struct kit_reader *reader, const char *type)
{
    return strcmp(reader->type, type) == 0;
}

/* `TYPE name type` or `HELP name text`, after "# ". */
static inline bool kit_head(struct kit_reader *reader, const char *at, const char *end)
{
    bool type = strncmp(at, "TYPE ", 5) == 0;
    size_t len;

    if (!type && strncmp(at, "HELP ", 5) != 0) {
        return kit_fail(reader, "a comment: %.60s", at);
    }
    at += 5;
    len = kit_name(at, end, true);
    if (len == 0 || at[len] != ' ') {
        return kit_fail(reader, "a bad name: %.60s", at);
    }
    if (!reader->family || len != reader->family_len || memcmp(at, reader->family, len) != 0) {
        if (map_get(&reader->families, at, len)) {
            return kit_fail(reader, "the family comes in two pieces: %.60s", at);
        }
        (void)map_put(&reader->families, at, len, reader);
        reader->family = at;
        reader->family_len = len;
        reader->type[0] = '\0';
    }
    if (type) {
        size_t text = (size_t)(end - at) - len - 1;

        if (reader->type[0] || text >= sizeof reader->type) {
            return kit_fail(reader, "a second or odd TYPE: %.60s", at);
        }
        memcpy(reader->type, at + len + 1, text);
        reader->type[text] = '\0';
        if (!strstr(reader->openmetrics ? " unknown gauge counter histogram summary "
                                        : " untyped gauge counter histogram summary ",
                    reader->type)) {
            return kit_fail(reader, "a bad type: %s", reader->type);
        }
    }
    return true;
}

/* What may follow the family's name in a sample. */
static inline bool kit_suffix_ok(const struct kit_reader *reader, const char *suffix, size_t len)
{
#define KIT_IS(text_) (len == sizeof(text_) - 1 && memcmp(suffix, (text_), len) == 0)
    if (kit_is_type(reader, "histogram")) {
        return KIT_IS("_bucket") || KIT_IS("_sum") || KIT_IS("_count");
    }
    if (kit_is_type(reader, "summary")) {
        return len == 0 || KIT_IS("_sum") || KIT_IS("_count");
    }
    if (kit_is_type(reader, "counter") && reader->openmetrics) {
        return KIT_IS("_total");
    }
    return len == 0;
#undef KIT_IS
}

/* `{key="value",...}`; NULL: bad. */
static inline const char *kit_labels(const char *at, const char *end)
{
    at++;
    for (;;) {
        size_t len = kit_name(at, end, false);

        if (len == 0 || end - at < (ptrdiff_t)len + 4 || at[len] != '=' || at[len + 1] != '"') {
            return NULL;
        }
        for (at += len + 2; at < end && *at != '"'; at++) {
            if (*at == '\\') {
                at++;
                if (at == end || (*at != '\\' && *at != '"' && *at != 'n')) {
                    return NULL;
                }
            }
        }
        if (end - at < 2) {
            return NULL;
        }
        at++;
        if (*at == '}') {
            return at + 1;
        }
        if (*at++ != ',') {
            return NULL;
        }
    }
}

static inline const char *kit_number(const char *at)
{
    char *stop;

    if (strncmp(at, "NaN", 3) == 0) {
        return at + 3;
    }
    if (strncmp(at, "+Inf", 4) == 0 || strncmp(at, "-Inf", 4) == 0) {
        return at + 4;
    }
    if (!strchr("-0123456789", *at)) {
        return NULL;
    }
    (void)strtod(at, &stop);
    for (const char *p = at; p < stop; p++) {
        if (!strchr("0123456789.e+-", *p)) {
            return NULL;
        }
    }
    return stop;
}

static inline bool kit_line(struct kit_reader *reader, const char *at, const char *end)
{
    const char *start = at;
    size_t len = kit_name(at, end, true);

    if (!reader->family || len < reader->family_len ||
        memcmp(at, reader->family, reader->family_len) != 0 ||
        !kit_suffix_ok(reader, at + reader->family_len, len - reader->family_len)) {
        return kit_fail(reader, "not of the family: %.60s", at);
    }
    at += len;
    if (*at == '{') {
        at = kit_labels(at, end);
        if (!at) {
            return kit_fail(reader, "bad labels: %.60s", start);
        }
    }
    if (map_get(&reader->series, start, (size_t)(at - start))) {
        return kit_fail(reader, "a series comes twice: %.60s", start);
    }
    (void)map_put(&reader->series, start, (size_t)(at - start), reader);
    reader->samples++;
    if (*at != ' ' || !(at = kit_number(at + 1))) {
        return kit_fail(reader, "a bad value: %.60s", start);
    }
    if (at < end && *at == ' ') {
        at = kit_number(at + 1);
    }
    if (at != end) {
        return kit_fail(reader, "rubbish behind: %.60s", start);
    }
    return true;
}

/* Whether it is a whole, valid exposition (the text ends with NUL); how many samples; else error
 * says why. */
static inline bool kit_read(const char *text, size_t len, bool openmetrics, unsigned *ret_samples,
                            char ret_error[static 256])
{
    struct kit_reader reader = {.at = text, .end = text + len, .openmetrics = openmetrics};
    bool ok = true;
    bool ended = false;

    map_init(&reader.families);
    map_init(&reader.series);
    if (strlen(text) != len) {
        ok = kit_fail(&reader, "a NUL in it");
    }
    while (ok && reader.at < reader.end) {
        const char *end = strchr(reader.at, '\n');

        if (!end || ended) {
            ok = kit_fail(&reader, "not ended, or more after the end: %.60s", reader.at);
            break;
        }
        if (openmetrics && strncmp(reader.at, "# EOF\n", 6) == 0) {
            ended = true;
        } else if (reader.at[0] == '#' && reader.at[1] == ' ') {
            ok = kit_head(&reader, reader.at + 2, end);
        } else {
            ok = kit_line(&reader, reader.at, end);
        }
        reader.at = end + 1;
    }
    if (ok && openmetrics && !ended) {
        ok = kit_fail(&reader, "no # EOF");
    }
    memcpy(ret_error, reader.error, sizeof reader.error);
    *ret_samples = reader.samples;
    map_finish(&reader.families);
    map_finish(&reader.series);
    return ok;
}

#endif
