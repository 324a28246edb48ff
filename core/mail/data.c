/*
 * data.c: see data.h.
 */
#include "mail/data.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"

void mail_tree_init(struct mail_tree *tree)
{
    *tree = (struct mail_tree){.root.kind = MAIL_MAP};
    pool_init(&tree->pool, 4096);
}

void mail_tree_finish(struct mail_tree *tree)
{
    pool_finish(&tree->pool);
}

struct mail_data *mail_add(struct mail_tree *tree, struct mail_data *parent, const char *key,
                           enum mail_kind kind)
{
    struct mail_data *data = NULL;

    if (tree->nodes < LIMIT_MUSTACHE_VALUES && parent != &tree->spare) {
        data = pool_get(&tree->pool, sizeof *data);
    }
    if (data) {
        *data = (struct mail_data){.kind = kind};
    }
    if (data && key) {
        data->key = pool_copy(&tree->pool, key, strlen(key));
    }
    if (!data || (key && !data->key)) {
        tree->failed = true;
        tree->spare = (struct mail_data){.kind = kind};
        return &tree->spare;
    }
    tree->nodes++;
    if (parent->last) {
        parent->last->next = data;
    } else {
        parent->first = data;
    }
    parent->last = data;
    return data;
}

void mail_add_text(struct mail_tree *tree, struct mail_data *parent, const char *key,
                   const char *text, size_t len)
{
    struct mail_data *data = mail_add(tree, parent, key, MAIL_TEXT);

    data->text = pool_copy(&tree->pool, text, len);
    data->len = len;
    if (!data->text) {
        tree->failed = true;
        data->kind = MAIL_NULL;
    }
}

void mail_add_string(struct mail_tree *tree, struct mail_data *parent, const char *key,
                     const char *text)
{
    mail_add_text(tree, parent, key, text, strlen(text));
}

void mail_add_number(struct mail_tree *tree, struct mail_data *parent, const char *key,
                     unsigned long long number)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%llu", number);
    mail_add_string(tree, parent, key, text);
}
