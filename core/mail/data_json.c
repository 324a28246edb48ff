/*
 * data_json.c: see data_json.h.
 */
#include "mail/data_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

static int fill(struct mail_tree *tree, struct mail_data *data, const json_t *json, int depth);

static void set_text(struct mail_tree *tree, struct mail_data *data, const char *text, size_t len)
{
    data->len = len;
    data->text = text ? pool_copy(&tree->pool, text, len) : NULL;
    data->kind = data->text ? MAIL_TEXT : MAIL_NULL;
    tree->failed = tree->failed || !data->text;
}

static void set_number(struct mail_tree *tree, struct mail_data *data, const json_t *json)
{
    char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

    set_text(tree, data, text, text ? strlen(text) : 0);
    free(text);
}

static int fill_many(struct mail_tree *tree, struct mail_data *data, const json_t *json, int depth)
{
    const char *key;
    json_t *value;
    size_t i;
    int r = 0;

    if (depth == 0) {
        return -E2BIG;
    }
    data->kind = json_is_array(json) ? MAIL_LIST : MAIL_MAP;
    if (json_is_array(json)) {
        json_array_foreach(json, i, value)
        {
            r = r < 0 ? r : fill(tree, mail_add(tree, data, NULL, MAIL_NULL), value, depth - 1);
        }
        return r;
    }
    json_object_foreach((json_t *)json, key, value)
    {
        r = r < 0 ? r : fill(tree, mail_add(tree, data, key, MAIL_NULL), value, depth - 1);
    }
    return r;
}

static int fill(struct mail_tree *tree, struct mail_data *data, const json_t *json, int depth)
{
    if (tree->failed) {
        return tree->nodes >= LIMIT_MUSTACHE_VALUES ? -E2BIG : -ENOMEM;
    }
    switch (json_typeof(json)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        return fill_many(tree, data, json, depth);
    case JSON_STRING:
        set_text(tree, data, json_string_value(json), json_string_length(json));
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        set_number(tree, data, json);
        break;
    case JSON_TRUE:
        data->kind = MAIL_TRUE;
        break;
    case JSON_FALSE:
        data->kind = MAIL_FALSE;
        break;
    case JSON_NULL:
        data->kind = MAIL_NULL;
        break;
    }
    return tree->failed ? -ENOMEM : 0;
}

int mail_tree_from_json(struct mail_tree *tree, const json_t *json)
{
    return fill(tree, &tree->root, json, LIMIT_API_DEPTH);
}
