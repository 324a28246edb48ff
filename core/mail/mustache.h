/*
 * mustache.h: the templates of messages: Mustache without lambdas and without the optional modules.
 *
 *     {{name}} {{a.b}} {{.}}   a text, escaped            {{&name}} {{{name}}}   as it is
 *     {{#name}}...{{/name}}    for each of a list, or once if there is something
 *     {{^name}}...{{/name}}    if there is nothing: not there, null, false, "", an empty list
 *     {{>name}}                another template, indented as the tag is
 *     {{! ... }}               nothing          {{=<% %>=}}   other delimiters
 *
 * A template only reads its data: it cannot call, loop without end or reach anything else.  Its
 * size, depth, steps and output are bounded (base/limits.h), whatever template and data say.
 *
 * A template is immutable and may be rendered by any thread.  This room stands on libc alone, so
 * that plugins of ours can link it.
 */
#ifndef MAIL_MUSTACHE_H
#define MAIL_MUSTACHE_H

#include "base/buf.h"
#include "mail/data.h"

struct mustache;

/* How {{name}} is written. */
enum mustache_escape {
    MUSTACHE_HTML,  /* & < > " ' as entities */
    MUSTACHE_JSON,  /* for the inside of a string in quotes; what is no UTF-8 becomes U+FFFD */
    MUSTACHE_PLAIN, /* as it is */
};

struct mustache_partial {
    const char *name;
    const struct mustache *template;
};

/* Copies the text.  -EINVAL: a sentence that begins with "LINE:COLUMN: "; -E2BIG: it is too long or
 * has too many tags, told too; -ENOMEM. */
int mustache_compile(const char *text, size_t len, struct mustache **ret_template, char *ret_why,
                     size_t size);
/*
 * Whether each name of a template is in `example`: data as it will be, with something in each list.
 * A map that is a member of another is open: it has texts of any name.  Partials are
 * none. -EINVAL: a sentence that begins with "LINE:COLUMN: ", of the first name that is not there.
 */
int mustache_check(const struct mustache *template, const struct mail_data *example, char *ret_why,
                   size_t size);
/* Takes NULL. */
void mustache_destroy(struct mustache *template);
/*
 * Appends to `out`, which may be left with a part of it when that fails.  A partial that is not
 * among the `npartials` is nothing.  -E2BIG: the output passes out's cap, or there is no memory for
 * it; -ELOOP: partials or sections stand too deep in each other; -EOVERFLOW: too many steps.
 */
int mustache_render(const struct mustache *template, const struct mail_data *data,
                    enum mustache_escape escape, const struct mustache_partial *partials,
                    size_t npartials, struct buf *out);

/* One text, as {{name}} would write it. */
void mustache_put(struct buf *out, const char *text, size_t len, enum mustache_escape escape);

#endif
