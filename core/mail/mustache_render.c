/*
 * mustache_render.c: a template with its data becomes text.  See mustache.h.
 *
 * Steps are counted for every node that is run and every value that is looked at, because sections
 * in sections over long lists could run for hours without writing a byte.
 */
#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "mail/mustache_private.h"

/* A partial in a partial is indented by both. */
struct indent {
    const struct indent *outer;
    const char *text;
    size_t len;
};

struct renderer {
    enum mustache_escape escape;
    const struct mustache_partial *partials;
    size_t npartials;
    struct buf *out;
    const struct mail_data *stack[LIMIT_MUSTACHE_STACK]; /* the innermost last */
    size_t depth, npartial;
    size_t steps;
    int error;
};

static void run(struct renderer *renderer, const struct mustache *template, size_t from, size_t end,
                const struct indent *indent);

static bool step(struct renderer *renderer)
{
    if (++renderer->steps > LIMIT_MUSTACHE_STEPS && !renderer->error) {
        renderer->error = -EOVERFLOW;
    }
    if (renderer->out->failed && !renderer->error) {
        renderer->error = -E2BIG;
    }
    return renderer->error == 0;
}

/* ---- names ---- */

static const struct mail_data *child(struct renderer *renderer, const struct mail_data *map,
                                     const char *key, size_t len)
{
    if (map->kind != MAIL_MAP) {
        return NULL;
    }
    for (const struct mail_data *data = map->first; data && step(renderer); data = data->next) {
        if (strncmp(data->key, key, len) == 0 && data->key[len] == '\0') {
            return data;
        }
    }
    return NULL;
}

/* The first part of a name is looked for from the inside to the outside, the rest in what it is. */
static const struct mail_data *look_up(struct renderer *renderer, const char *name, size_t len)
{
    const struct mail_data *data = NULL;
    const char *dot = memchr(name, '.', len);
    size_t part = dot ? (size_t)(dot - name) : len;

    if (len == 1 && dot) {
        return renderer->stack[renderer->depth - 1];
    }
    for (size_t i = renderer->depth; i > 0 && !data; i--) {
        data = child(renderer, renderer->stack[i - 1], name, part);
    }
    while (data && part < len) {
        name += part + 1;
        len -= part + 1;
        dot = memchr(name, '.', len);
        part = dot ? (size_t)(dot - name) : len;
        data = child(renderer, data, name, part);
    }
    return data;
}

static bool is_something(const struct mail_data *data)
{
    if (!data) {
        return false;
    }
    switch (data->kind) {
    case MAIL_TEXT:
        return data->len > 0;
    case MAIL_LIST:
        return data->first != NULL;
    case MAIL_TRUE:
    case MAIL_MAP:
        return true;
    case MAIL_NULL:
    case MAIL_FALSE:
        break;
    }
    return false;
}

/* ---- output ---- */

static void put_indent(struct buf *out, const struct indent *indent)
{
    if (indent) {
        put_indent(out, indent->outer);
        buf_append(out, indent->text, indent->len);
    }
}

static void put_text(struct renderer *renderer, const struct mustache *template,
                     const struct node *node, const struct indent *indent)
{
    const char *at = template->text + node->at, *end = at + node->len;
    bool begins = node->begins_line;

    if (!indent) {
        buf_append(renderer->out, at, node->len);
        return;
    }
    do {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const char *next = stop ? stop + 1 : end;

        if (begins && !(at < end && (*at == '\n' || (*at == '\r' && stop == at + 1)))) {
            put_indent(renderer->out, indent);
        }
        buf_append(renderer->out, at, (size_t)(next - at));
        at = next;
        begins = true;
    } while (at < end && step(renderer));
}

static void put_value(struct renderer *renderer, const struct mail_data *data,
                      enum mustache_escape escape)
{
    if (!data) {
        return;
    }
    if (data->kind == MAIL_TEXT) {
        mustache_put(renderer->out, data->text, data->len, escape);
    } else if (data->kind == MAIL_TRUE || data->kind == MAIL_FALSE) {
        buf_puts(renderer->out, data->kind == MAIL_TRUE ? "true" : "false");
    }
}

/* ---- nodes ---- */

static void run_inside(struct renderer *renderer, const struct mustache *template, size_t from,
                       size_t end, const struct mail_data *data, const struct indent *indent)
{
    if (renderer->depth == LIMIT_MUSTACHE_STACK) {
        renderer->error = -ELOOP;
        return;
    }
    renderer->stack[renderer->depth++] = data;
    run(renderer, template, from, end, indent);
    renderer->depth--;
}

static void run_section(struct renderer *renderer, const struct mustache *template, size_t at,
                        const struct indent *indent)
{
    const struct node *node = &template->nodes[at];
    const struct mail_data *data = look_up(renderer, template->text + node->at, node->len);

    if (node->kind == NODE_INVERTED) {
        if (!is_something(data)) {
            run(renderer, template, at + 1, node->jump, indent);
        }
        return;
    }
    if (!is_something(data)) {
        return;
    }
    if (data->kind != MAIL_LIST) {
        run_inside(renderer, template, at + 1, node->jump, data, indent);
        return;
    }
    for (data = data->first; data && step(renderer); data = data->next) {
        run_inside(renderer, template, at + 1, node->jump, data, indent);
    }
}

static void run_partial(struct renderer *renderer, const struct mustache *template,
                        const struct node *node, const struct indent *indent)
{
    const char *name = template->text + node->at;
    const struct indent inner = {indent, template->text + node->indent_end - node->jump,
                                 node->jump};
    const struct mustache *partial = NULL;

    for (size_t i = 0; i < renderer->npartials && !partial; i++) {
        if (strncmp(renderer->partials[i].name, name, node->len) == 0 &&
            renderer->partials[i].name[node->len] == '\0') {
            partial = renderer->partials[i].template;
        }
    }
    if (!partial) {
        return;
    }
    if (renderer->npartial == LIMIT_MUSTACHE_PARTIALS) {
        renderer->error = -ELOOP;
        return;
    }
    renderer->npartial++;
    /* In a line with something else the tag is in its middle: nothing is indented. */
    run(renderer, partial, 0, partial->count, node->jump > 0 ? &inner : NULL);
    renderer->npartial--;
}

static void run(struct renderer *renderer, const struct mustache *template, size_t from, size_t end,
                const struct indent *indent)
{
    for (size_t i = from; i < end && step(renderer); i++) {
        const struct node *node = &template->nodes[i];

        switch (node->kind) {
        case NODE_TEXT:
            put_text(renderer, template, node, indent);
            break;
        case NODE_ESCAPED:
        case NODE_RAW:
            put_value(renderer, look_up(renderer, template->text + node->at, node->len),
                      node->kind == NODE_RAW ? MUSTACHE_PLAIN : renderer->escape);
            break;
        case NODE_SECTION:
        case NODE_INVERTED:
            run_section(renderer, template, i, indent);
            i = node->jump;
            break;
        case NODE_PARTIAL:
            run_partial(renderer, template, node, indent);
            break;
        case NODE_CLOSE:
            break;
        }
    }
}

int mustache_render(const struct mustache *template, const struct mail_data *data,
                    enum mustache_escape escape, const struct mustache_partial *partials,
                    size_t npartials, struct buf *out)
{
    struct renderer renderer = {.escape = escape,
                                .partials = partials,
                                .npartials = npartials,
                                .out = out,
                                .stack = {data},
                                .depth = 1};

    run(&renderer, template, 0, template->count, NULL);
    (void)step(&renderer);
    return renderer.error;
}
