/*
 * escape.c: texts in HTML and in JSON.  See mustache.h.
 */
#include <string.h>

#include "common/utf8.h"
#include "mail/mustache.h"

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static void put_html(struct buf *out, const char *text, size_t len)
{
    const char *run = text, *end = text + len;

    for (; text < end; text++) {
        const char *name = entity(*text);

        if (name) {
            buf_append(out, run, (size_t)(text - run));
            buf_puts(out, name);
            run = text + 1;
        }
    }
    buf_append(out, run, (size_t)(end - run));
}

/* `text` ends with NUL behind `len`, so that a cut sequence at its end is seen as one. */
static void put_json(struct buf *out, const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end) {
        size_t n = 1;
        const uint32_t code = *text ? utf8_next(text, &n) : 0;

        if (code == '"' || code == '\\') {
            buf_putc(out, '\\');
            buf_putc(out, (char)code);
        } else if (code < 0x20 || code == 0x7f || code == 0x2028 || code == 0x2029) {
            buf_printf(out, "\\u%04x", (unsigned)code);
        } else if (code == UTF8_BAD && n == 1) {
            buf_puts(out, "\\ufffd");
        } else {
            buf_append(out, text, n);
        }
        text += n;
    }
}

void mustache_put(struct buf *out, const char *text, size_t len, enum mustache_escape escape)
{
    switch (escape) {
    case MUSTACHE_HTML:
        put_html(out, text, len);
        break;
    case MUSTACHE_JSON:
        put_json(out, text, len);
        break;
    case MUSTACHE_PLAIN:
        buf_append(out, text, len);
        break;
    }
}
