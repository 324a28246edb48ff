/*
 * fuzz_mustache.c: a template, its data as JSON and a partial, with NULs between them.  Whatever
 * they say: no more than the cap comes out, in bounded time, and nothing unescaped that was not
 * asked for.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_text.h"
#include "mail/data_json.h"
#include "mail/mustache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUT_BYTES 65536

/* The next part of the input, as a string of its own. */
static char *take(const uint8_t **at, size_t *left)
{
    const uint8_t *stop = *left ? memchr(*at, 0, *left) : NULL;
    const size_t len = stop ? (size_t)(stop - *at) : *left;
    char *text = fuzz_text(*at, len);

    *at += len + (stop != NULL);
    *left -= len + (stop != NULL);
    return text;
}

static struct mustache *compile(const char *text)
{
    struct mustache *template = NULL;
    char why[128];

    if (mustache_compile(text, strlen(text), &template, why, sizeof why) < 0) {
        assert(strchr(why, ':') && strlen(why) < sizeof why);
        return NULL;
    }
    return template;
}

static void render(const struct mustache *template, const struct mustache *partial,
                   const json_t *json)
{
    const struct mustache_partial partials[] = {{"p", partial}};
    struct mail_tree tree;
    struct buf out;

    mail_tree_init(&tree);
    if (mail_tree_from_json(&tree, json) == 0) {
        for (int escape = MUSTACHE_HTML; escape <= MUSTACHE_PLAIN; escape++) {
            buf_init(&out, OUT_BYTES);
            (void)mustache_render(template, &tree.root, (enum mustache_escape)escape, partials,
                                  partial ? 1 : 0, &out);
            assert(out.len <= OUT_BYTES);
            buf_finish(&out);
        }
    }
    mail_tree_finish(&tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = take(&data, &size), *values = take(&data, &size), *other = take(&data, &size);
    struct mustache *template = text && values && other ? compile(text) : NULL;
    struct mustache *partial = template ? compile(other) : NULL;
    json_t *json = template ? json_loads(*values ? values : "{}", 0, NULL) : NULL;

    if (json) {
        render(template, partial, json);
    }
    json_decref(json);
    mustache_destroy(partial);
    mustache_destroy(template);
    free(other);
    free(values);
    free(text);
    return 0;
}
