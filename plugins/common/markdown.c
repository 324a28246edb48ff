/*
 * markdown.c: see markdown.h.  Linked into several plugins; keeps no state of its own.
 *
 * A backslash before any punctuation stands for that, in all of Markdown's dialects.  The colon is
 * escaped so that no address becomes a link by itself, the at sign so that nobody is called.
 */
#include "markdown.h"

#define URL_BYTES 1000

const char *markdown_escape(uint32_t code)
{
    static const char marks[] = "\\`*_~|<>[]#:@";
    static const char escaped[][3] = {"\\\\", "\\`", "\\*", "\\_", "\\~", "\\|", "\\<",
                                      "\\>",  "\\[", "\\]", "\\#", "\\:", "\\@"};
    const char *at = code > 0 && code < 0x80 ? strchr(marks, (int)code) : NULL;

    return at == NULL ? NULL : escaped[at - marks];
}

/* What neither ends the link's place nor begins something else there. */
static bool stands_in_place(unsigned char c)
{
    return c > 0x20 && c < 0x7f && strchr("()<>[]\"`\\^{|}", c) == NULL;
}

void markdown_link(struct prose *prose, const char *before, const char *label, const char *url)
{
    char place[3 * URL_BYTES + 1];

    if (!prose_is_web(url) || strlen(url) > URL_BYTES) {
        return;
    }
    prose_percent(place, url, stands_in_place);
    if (strlen(before) + strlen(label) + strlen(place) + 4 > prose_room(prose) / 2) {
        return;
    }
    prose_markup(prose, before);
    prose_markup(prose, "[");
    prose_markup(prose, label);
    prose_markup(prose, "](");
    prose_markup(prose, place);
    prose_markup(prose, ")");
}
