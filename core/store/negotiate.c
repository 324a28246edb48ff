/*
 * negotiate.c: which format a scraper wants, from its Accept and Accept-Encoding.
 *
 * Any thread.  Prometheus lists what it takes with falling q, and its list differs from version to
 * version; we take the highest q among what we have, and where nothing fits, plain text: a scrape
 * that fails for a header is of no use to anybody.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/exposition.h"

#define MAX_ELEMENTS 64 /* of one header; what comes later has the lowest q anyway */

/* A piece of a header, not ended by NUL. */
struct piece {
    const char *text;
    size_t len;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts the next piece off *rest at `separator` (not within quotes), blanks around it removed; false
 * at the end. */
static bool next_piece(const char **rest, const char *end, char separator, struct piece *ret_piece)
{
    const char *start = *rest;
    const char *stop;
    bool quoted = false;

    if (!start || start > end) {
        return false;
    }
    for (stop = start; stop < end && (quoted || *stop != separator); stop++) {
        quoted ^= *stop == '"';
    }
    *rest = stop + 1;
    while (start < stop && is_space(*start)) {
        start++;
    }
    while (stop > start && is_space(stop[-1])) {
        stop--;
    }
    *ret_piece = (struct piece){start, (size_t)(stop - start)};
    return true;
}

static bool is(struct piece piece, const char *text)
{
    return piece.len == strlen(text) && strncasecmp(piece.text, text, piece.len) == 0;
}

/* The value of `name=value` or `name="value"`. */
static bool parameter(struct piece piece, const char *name, struct piece *ret_value)
{
    size_t len = strlen(name);
    const char *end = piece.text + piece.len;
    const char *value;

    if (piece.len <= len || strncasecmp(piece.text, name, len) != 0) {
        return false;
    }
    value = piece.text + len;
    while (value < end && is_space(*value)) {
        value++;
    }
    if (value == end || *value != '=') {
        return false;
    }
    value++;
    while (value < end && is_space(*value)) {
        value++;
    }
    if (end - value >= 2 && *value == '"' && end[-1] == '"') {
        value++;
        end--;
    }
    *ret_value = (struct piece){value, (size_t)(end - value)};
    return true;
}

/* Thousandths, 0 to 1000; what cannot be read counts as 0, not as the best. */
static int quality(struct piece piece)
{
    int scale = 1000;
    int q = 0;

    for (size_t i = 0; i < piece.len; i++) {
        char c = piece.text[i];

        if (i == 1 && c == '.') {
            continue;
        }
        if (c < '0' || c > '9' || (i == 0 && c > '1') || i > 4) {
            return 0;
        }
        q += (c - '0') * scale;
        scale /= 10;
    }
    return q > 1000 ? 1000 : q;
}

struct element {
    struct piece type;
    struct piece version; /* empty: not given */
    int q;
};

static void parse_element(struct piece piece, struct element *ret_element)
{
    const char *rest = piece.text;
    const char *end = piece.text + piece.len;
    struct piece part;

    *ret_element = (struct element){.q = 1000};
    if (next_piece(&rest, end, ';', &part)) {
        ret_element->type = part;
    }
    while (next_piece(&rest, end, ';', &part)) {
        struct piece value;

        if (parameter(part, "q", &value)) {
            ret_element->q = quality(value);
        } else if (parameter(part, "version", &value)) {
            ret_element->version = value;
        }
    }
}

/* Whether we have what the element asks for. */
static bool format_of(const struct element *element, enum exposition_format *ret_format)
{
    bool any_version = element->version.len == 0;

    if (is(element->type, "application/openmetrics-text")) {
        if (any_version || is(element->version, "1.0.0")) {
            *ret_format = EXPOSITION_OPENMETRICS;
            return true;
        }
        *ret_format = EXPOSITION_OPENMETRICS_0_0_1;
        return is(element->version, "0.0.1");
    }
    *ret_format = EXPOSITION_TEXT;
    if (is(element->type, "text/plain")) {
        return any_version || is(element->version, "0.0.4");
    }
    return is(element->type, "text/*") || is(element->type, "*/*");
}

enum exposition_format exposition_negotiate(const char *accept)
{
    enum exposition_format best = EXPOSITION_TEXT;
    const char *rest = accept;
    const char *end = accept ? accept + strlen(accept) : NULL;
    struct piece piece;
    int best_q = 0;

    for (int i = 0; i < MAX_ELEMENTS && next_piece(&rest, end, ',', &piece); i++) {
        enum exposition_format format;
        struct element element;

        parse_element(piece, &element);
        if (element.q > best_q && format_of(&element, &format)) {
            best = format;
            best_q = element.q;
        }
    }
    return best;
}

bool exposition_accepts_gzip(const char *accept_encoding)
{
    const char *rest = accept_encoding;
    const char *end = accept_encoding ? accept_encoding + strlen(accept_encoding) : NULL;
    struct piece piece;
    int named = -1;
    int any = 0;

    for (int i = 0; i < MAX_ELEMENTS && next_piece(&rest, end, ',', &piece); i++) {
        struct element element;

        parse_element(piece, &element);
        if (is(element.type, "gzip") || is(element.type, "x-gzip")) {
            named = element.q;
        } else if (is(element.type, "*")) {
            any = element.q;
        }
    }
    return named >= 0 ? named > 0 : any > 0;
}

const char *exposition_content_type(enum exposition_format format)
{
    switch (format) {
    case EXPOSITION_OPENMETRICS:
        return "application/openmetrics-text; version=1.0.0; charset=utf-8";
    case EXPOSITION_OPENMETRICS_0_0_1:
        return "application/openmetrics-text; version=0.0.1; charset=utf-8";
    case EXPOSITION_TEXT:
        break;
    }
    return "text/plain; version=0.0.4; charset=utf-8";
}
