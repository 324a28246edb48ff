/*
 * json_items.c: see json_items.h.
 */
#include "http/json_items.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"

/* What stands between two commas or brackets, not validated. */
struct extent {
    size_t len;
    size_t values; /* about as many are in it */
    size_t depth;
    bool nul; /* a text in it has one, which no string of C can hold */
};

static const char *skip_string(const char *at, const char *end, bool *nul)
{
    for (at++; at < end && *at != '"'; at++) {
        if (*at == '\\') {
            *nul |= end - at >= 6 && memcmp(at, "\\u0000", 6) == 0;
            at++;
        }
    }
    return at < end ? at + 1 : end;
}

static struct extent find_extent(const char *from, const char *end)
{
    struct extent extent = {0};
    const char *at = from;
    size_t depth = 0;

    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end, &extent.nul);
            continue;
        }
        if (depth == 0 && (*at == ',' || *at == ']' || *at == '}')) {
            break;
        }
        if (*at == '{' || *at == '[') {
            depth++;
            extent.depth = depth > extent.depth ? depth : extent.depth;
        }
        if (*at == '}' || *at == ']') {
            depth--;
        }
        extent.values += *at == ',' || *at == ':' || *at == '{' || *at == '[';
        at++;
    }
    extent.len = (size_t)(at - from);
    return extent;
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) {
        at++;
    }
    return at;
}

/* -EINVAL with the position of `at`. */
__attribute__((format(printf, 4, 5))) static int
complain(struct json_items_error *error, const char *body, const char *at, const char *format, ...)
{
    va_list args;

    error->line = error->column = 1;
    for (const char *p = body; p < at; p++) {
        if (*p == '\n') {
            error->line++;
            error->column = 1;
        } else {
            error->column += ((unsigned char)*p & 0xc0) != 0x80;
        }
    }
    va_start(args, format);
    (void)vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return -EINVAL;
}

static json_t *load(const char *text, size_t len, json_error_t *error)
{
    const size_t flags = JSON_DECODE_ANY | JSON_REJECT_DUPLICATES;
    json_t *value = json_loadb(text, len, flags, error);

    /* An integer beyond 64 bits, which JavaScript makes of large numbers. */
    if (!value && json_error_code(error) == json_error_numeric_overflow) {
        value = json_loadb(text, len, flags | JSON_DECODE_INT_AS_REAL, error);
    }
    return value;
}

/* What is wrong with an item that is not looked into; NULL: nothing. */
static const char *refuse(const struct extent *extent)
{
#define TEXT(number) TEXT_OF(number)
#define TEXT_OF(number) #number
    return extent->nul ? "a text in it holds a NUL character"
           : extent->depth > LIMIT_API_DEPTH
               ? "it nests deeper than " TEXT(LIMIT_API_DEPTH) " levels"
           : extent->values > LIMIT_API_VALUES
               ? "it holds more than " TEXT(LIMIT_API_VALUES) " values"
               : NULL;
}

/* What stands there, as a tree. */
static int load_extent(const char *body, const char *at, const struct extent *extent,
                       json_t **ret_value, struct json_items_error *ret_error)
{
    json_error_t error;
    json_t *value = load(at, extent->len, &error);
    size_t offset;

    if (!value && json_error_code(&error) == json_error_out_of_memory) {
        return -ENOMEM;
    }
    if (!value) {
        offset = error.position > 0 ? (size_t)error.position : 0;
        return complain(ret_error, body, at + (offset < extent->len ? offset : extent->len), "%s",
                        error.text);
    }
    *ret_value = value;
    return 0;
}

static int take_item(const struct json_items *items, size_t i, const char *body, const char *at,
                     const struct extent *extent, struct json_items_error *ret_error)
{
    const char *why = refuse(extent);
    json_t *value = NULL;
    int r;

    if (why) {
        return items->take(items->arg, i, NULL, why);
    }
    r = load_extent(body, at, extent, &value, ret_error);
    if (r == 0) {
        r = items->take(items->arg, i, value, NULL);
        json_decref(value);
    }
    return r;
}

static int nothing_behind(const char *body, const char *at, const char *end,
                          struct json_items_error *error)
{
    at = skip_blanks(at, end);
    return at < end ? complain(error, body, at, "something stands behind the end") : 0;
}

int json_items_walk(const struct json_items *items, const char *body, size_t len, size_t *ret_n,
                    struct json_items_error *error)
{
    const char *end = body + len;
    const char *at = skip_blanks(body, end);
    bool list = at < end && *at == '[';
    size_t n = 0;
    int r = 0;

    if (!list && (at == end || *at != '{' || !items->one)) {
        return items->one
                   ? complain(error, body, at, "an %s (an object) or a list of %ss is wanted",
                              items->what, items->what)
                   : complain(error, body, at, "a list of %ss is wanted", items->what);
    }
    at = skip_blanks(at + list, end);
    if (list && at < end && *at == ']') {
        *ret_n = 0;
        return nothing_behind(body, at + 1, end, error);
    }
    for (;;) {
        struct extent extent = find_extent(at, end);

        if (extent.len == 0) {
            return complain(error, body, at, "an %s is missing here", items->what);
        }
        r = items->take ? take_item(items, n, body, at, &extent, error) : 0;
        if (r < 0) {
            return r;
        }
        n++;
        at = skip_blanks(at + extent.len, end);
        if (!list || at == end || *at != ',') {
            break;
        }
        at = skip_blanks(at + 1, end);
    }
    if (list && (at == end || *at++ != ']')) {
        return complain(error, body, at, "the list of %ss does not end", items->what);
    }
    *ret_n = n;
    return nothing_behind(body, at, end, error);
}

int json_items_one(const char *body, size_t len, json_t **ret_value,
                   struct json_items_error *ret_error)
{
    const char *end = body + len;
    const char *at = skip_blanks(body, end);
    struct extent extent = find_extent(at, end);
    const char *why = refuse(&extent);
    json_t *value = NULL;
    int r = why ? complain(ret_error, body, at, "%s", why)
                : load_extent(body, at, &extent, &value, ret_error);

    if (r == 0) {
        r = nothing_behind(body, at + extent.len, end, ret_error);
    }
    if (r < 0) {
        json_decref(value);
        return r;
    }
    *ret_value = value;
    return 0;
}
