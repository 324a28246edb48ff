/*
 * mustache_check.c: whether the names of a template are names of its data.  See mustache.h.
 *
 * Mustache takes a name that is not there for nothing, which is right for a label that an alert has
 * not, and wrong for a slip of the pen: that would be found out by whoever gets the message.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/suggest.h"
#include "mail/mustache_private.h"

#define CANDIDATES 128

struct checker {
    const struct mustache *template;
    const struct mail_data *stack[LIMIT_MUSTACHE_DEPTH + 1]; /* NULL: nothing is known of it */
    size_t depth;
    char *why;
    size_t size;
};

/* Of a map that is open, what nobody knows. */
static const struct mail_data some_text = {.kind = MAIL_TEXT};

static bool is_open(const struct mail_data *data)
{
    return !data || (data->kind == MAIL_MAP && data->key);
}

static const struct mail_data *member(const struct mail_data *map, const char *name, size_t len)
{
    const struct mail_data *data = map && map->kind == MAIL_MAP ? map->first : NULL;

    while (data && (strncmp(data->key, name, len) != 0 || data->key[len] != '\0')) {
        data = data->next;
    }
    return data;
}

static size_t add_names(const struct mail_data *map, const char **names, size_t n)
{
    const struct mail_data *data = map && map->kind == MAIL_MAP ? map->first : NULL;

    for (; data && n < CANDIDATES; data = data->next) {
        names[n++] = data->key;
    }
    return n;
}

/* The list of the root's whose items have this name; NULL. */
static const struct mail_data *list_with(const struct checker *checker, const char *name,
                                         size_t len)
{
    const struct mail_data *data = checker->stack[0]->first;

    while (data && (data->kind != MAIL_LIST || !member(data->first, name, len))) {
        data = data->next;
    }
    return data;
}

static int complain(struct checker *checker, const struct node *node, const char *what)
{
    unsigned line, column;

    mustache_place(checker->template->text, node->at, &line, &column);
    (void)snprintf(checker->why, checker->size, "%u:%u: %s", line, column, what);
    return -EINVAL;
}

static int unknown(struct checker *checker, const struct node *node, const char *name, size_t len)
{
    const struct mail_data *list = list_with(checker, name, len);
    const char *names[CANDIDATES];
    char near[SUGGESTION_SIZE] = "", word[65], what[SUGGESTION_SIZE + 256];
    size_t n = 0;

    (void)snprintf(word, sizeof word, "%.*s", (int)(len < 64 ? len : 64), name);
    for (size_t i = 0; i < checker->depth; i++) {
        n = add_names(checker->stack[i], names, n);
    }
    (void)suggest_ending(word, names, n, near);
    if (list) {
        (void)snprintf(what, sizeof what,
                       "'%s' is a name in '%s': it stands between {{#%s}} and {{/%s}}", word,
                       list->key, list->key, list->key);
    } else {
        (void)snprintf(what, sizeof what, "there is no '%s' here%s", word, near);
    }
    return complain(checker, node, what);
}

static int look_up(struct checker *checker, const struct node *node,
                   const struct mail_data **ret_data)
{
    const char *name = checker->template->text + node->at, *dot = memchr(name, '.', node->len);
    const size_t len = dot ? (size_t)(dot - name) : node->len;
    const struct mail_data *data = NULL;
    bool open = false;

    if (dot && node->len == 1) {
        *ret_data = checker->stack[checker->depth - 1];
        return 0;
    }
    for (size_t i = checker->depth; i > 0 && !data && !open; i--) {
        data = member(checker->stack[i - 1], name, len);
        open = is_open(checker->stack[i - 1]);
    }
    if (!data && !open) {
        return unknown(checker, node, name, len);
    }
    if (dot && data && !is_open(data)) {
        return complain(checker, node,
                        data->kind == MAIL_LIST
                            ? "this is a list: a section, {{#name}}...{{/name}}, goes through it"
                            : "this is a text and has no parts; write it without the dot");
    }
    *ret_data = dot || open ? &some_text : data;
    return 0;
}

static int check_node(struct checker *checker, const struct node *node)
{
    const struct mail_data *data = NULL;
    int r = 0;

    switch (node->kind) {
    case NODE_ESCAPED:
    case NODE_RAW:
    case NODE_INVERTED:
    case NODE_SECTION:
        r = look_up(checker, node, &data);
        break;
    case NODE_PARTIAL:
        return complain(checker, node, "{{> }} puts in another template, and there is none here");
    case NODE_CLOSE:
        checker->depth--;
        return 0;
    case NODE_TEXT:
        return 0;
    }
    if (node->kind == NODE_INVERTED) {
        data =
            checker->stack[checker->depth - 1]; // looked into as before, and closed like the other
    }
    if (node->kind == NODE_SECTION || node->kind == NODE_INVERTED) {
        checker->stack[checker->depth++] =
            node->kind == NODE_SECTION && data && data->kind == MAIL_LIST ? data->first : data;
    }
    return r;
}

int mustache_check(const struct mustache *template, const struct mail_data *example, char *ret_why,
                   size_t size)
{
    struct checker checker = {
        .template = template, .stack = {example}, .depth = 1, .why = ret_why, .size = size};
    int r = 0;

    for (size_t i = 0; i < template->count && r == 0; i++) {
        r = check_node(&checker, &template->nodes[i]);
    }
    return r;
}
