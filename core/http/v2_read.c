/*
 * v2_read.c: see v2_read.h.
 */
#include "http/v2_read.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "model/labels.h"

const json_t *v2_member(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_null(value) ? NULL : value;
}

const char *v2_quoted(const char *text, char space[static V2_QUOTED_SIZE])
{
    char cut[128];
    size_t len = utf8_cut(text, strlen(text), sizeof cut - 1);
    struct buf buf;

    memcpy(cut, text, len);
    cut[len] = '\0';
    buf_init(&buf, V2_QUOTED_SIZE - 1);
    labels_quote(cut, &buf);
    (void)snprintf(space, V2_QUOTED_SIZE, "%s", buf_str(&buf));
    buf_finish(&buf);
    return space;
}

int v2_string(const struct v2_place *place, const json_t *object, const char *key,
              const char **ret_text, struct v2_error *error)
{
    const json_t *value = v2_member(object, key);

    if (value && !json_is_string(value)) {
        return v2_unreadable(error, place->body, "%s%s must be a string", place->prefix, key);
    }
    if (value) {
        *ret_text = json_string_value(value);
    }
    return 0;
}

int v2_bool(const struct v2_place *place, const json_t *object, const char *key, bool *ret_value,
            struct v2_error *error)
{
    const json_t *value = v2_member(object, key);

    if (value && !json_is_boolean(value)) {
        return v2_unreadable(error, place->body, "%s%s must be true or false", place->prefix, key);
    }
    if (value) {
        *ret_value = json_is_true(value);
    }
    return 0;
}

/* One without an offset is in UTC. */
static int parse_time(const char *text, int64_t *ret_ms)
{
    char utc[64];

    if (clock_parse_rfc3339(text, ret_ms) == 0) {
        return 0;
    }
    return (size_t)snprintf(utc, sizeof utc, "%sZ", text) < sizeof utc
               ? clock_parse_rfc3339(utc, ret_ms)
               : -EINVAL;
}

int v2_time(const struct v2_place *place, const json_t *object, const char *key, int64_t *ret_ms,
            struct v2_error *error)
{
    char space[V2_QUOTED_SIZE];
    const char *text = "";

    *ret_ms = V2_UNSET_MS;
    if (v2_string(place, object, key, &text, error) < 0) {
        return -EINVAL;
    }
    if (*text && parse_time(text, ret_ms) < 0) {
        return v2_unreadable(error, place->body,
                             "parsing time %s: %s%s must be as RFC 3339 has it, such as "
                             "2026-01-02T03:04:05Z",
                             v2_quoted(text, space), place->prefix, key);
    }
    return 0;
}

static bool escapes_ok(const char *text, const char *end)
{
    for (; text < end; text++) {
        if (*text == '%' && (end - text < 3 || !isxdigit((unsigned char)text[1]) ||
                             !isxdigit((unsigned char)text[2]))) {
            return false;
        }
    }
    return true;
}

static bool authority_ok(const char *text, const char *end)
{
    const char *port = NULL, *bracket = memchr(text, '[', (size_t)(end - text));

    if (memchr(text, ' ', (size_t)(end - text)) || memchr(text, '\\', (size_t)(end - text))) {
        return false;
    }
    if (bracket) {
        bracket = memchr(bracket, ']', (size_t)(end - bracket));
        port = bracket ? bracket + 1 : NULL;
        if (!port || (port < end && *port != ':')) {
            return false;
        }
    } else {
        for (const char *p = text; p < end; p++) {
            port = *p == '@' ? NULL : *p == ':' ? p : port;
        }
    }
    for (port = port && port < end ? port + 1 : end; port < end; port++) {
        if (!isdigit((unsigned char)*port)) {
            return false;
        }
    }
    return escapes_ok(text, end);
}

static size_t scheme_len(const char *text)
{
    size_t len = 0;

    while (isalpha((unsigned char)text[len]) ||
           (len > 0 &&
            (isdigit((unsigned char)text[len]) || (text[len] && strchr("+-.", text[len]))))) {
        len++;
    }
    return len > 0 && text[len] == ':' ? len + 1 : 0;
}

bool v2_uri_ok(const char *text)
{
    size_t scheme = scheme_len(text);
    const char *rest = text + scheme, *end = rest + strcspn(rest, "?");

    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f) {
            return false;
        }
    }
    if (strcmp(text, "*") == 0) {
        return true;
    }
    if (*rest != '/') {
        return scheme > 0;
    }
    if (scheme > 0 && rest[1] == '/') {
        const char *path = rest + 2 + strcspn(rest + 2, "/?");

        return authority_ok(rest + 2, path) && escapes_ok(path, end);
    }
    return escapes_ok(rest, end);
}

bool v2_uuid_ok(const char *text)
{
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i])) {
            return false;
        }
    }
    return text[36] == '\0';
}
