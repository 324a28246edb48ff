/*
 * show.c: settings for people, without their secrets; and settings from NAME=VALUE pairs.  Any
 * thread.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "config/config.h"
#include "config/schema.h"

const char *config_duration(int64_t ms, char space[static CONFIG_DURATION_SIZE])
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    size_t len = 0;

    snprintf(space, CONFIG_DURATION_SIZE, "0s");
    for (size_t i = 0; i < sizeof units / sizeof *units && ms > 0; i++) {
        if (ms >= units[i].ms) {
            len += (size_t)snprintf(space + len, CONFIG_DURATION_SIZE - len, "%" PRId64 "%s",
                                    ms / units[i].ms, units[i].name);
            ms %= units[i].ms;
        }
    }
    return space;
}

/* A URL without user and password. */
static void show_url(const char *url, struct buf *buf)
{
    const char *host = strstr(url, "://");
    size_t end = host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : 0;
    const char *at = host ? memrchr(url, '@', end) : NULL;

    if (!at || at < host) {
        buf_puts(buf, url);
        return;
    }
    buf_append(buf, url, (size_t)(host + 3 - url));
    buf_puts(buf, "<secret>");
    buf_puts(buf, at);
}

static void show(const struct settings *settings, int indent, struct buf *buf);

static void show_value(const struct setting *setting, int indent, struct buf *buf)
{
    char space[CONFIG_DURATION_SIZE];

    switch (setting->type) {
    case TMON_INT:
    case TMON_BYTES:
        buf_printf(buf, "%" PRId64, setting->num);
        break;
    case TMON_DURATION:
        buf_puts(buf, config_duration(setting->num, space));
        break;
    case TMON_BOOL:
        buf_puts(buf, setting->num ? "true" : "false");
        break;
    case TMON_FLOAT:
        buf_printf(buf, "%.15g", setting->real);
        break;
    case TMON_URL:
        show_url(setting->text, buf);
        break;
    case TMON_LIST:
    case TMON_MAP:
        for (size_t i = 0; i < setting->count; i++) {
            buf_printf(buf, "%s%s", i ? ", " : "", setting->items[i]);
            if (setting->type == TMON_MAP) {
                buf_printf(buf, "=%s", setting->values[i]);
            }
        }
        break;
    case TMON_GROUPS:
        for (size_t i = 0; i < setting->count; i++) {
            buf_printf(buf, "\n%*s-", indent + 2, "");
            buf_putc(buf, '\n');
            show(setting->groups[i], indent + 4, buf);
        }
        break;
    default:
        buf_puts(buf, setting->text ? setting->text : "");
        break;
    }
}

static void show(const struct settings *settings, int indent, struct buf *buf)
{
    for (size_t i = 0; i < settings->count; i++) {
        const struct setting *setting = &settings->settings[i];

        if (!setting->set) {
            continue;
        }
        buf_printf(buf, "%*s%s: ", indent, "", setting->name);
        if (setting->secret) {
            buf_puts(buf, "<secret>");
        } else {
            show_value(setting, indent, buf);
        }
        if (buf->len && buf_str(buf)[buf->len - 1] != '\n') {
            buf_putc(buf, '\n');
        }
    }
}

void config_settings_show(const struct settings *settings, struct buf *buf)
{
    show(settings, 0, buf);
}

/* ---- from pairs */

static struct node *scalar(struct tree *tree, struct config_position at, const char *text,
                           size_t len)
{
    struct node *node = tree_node(tree, NODE_SCALAR, at);

    if (node) {
        node->text = strndup(text, len);
        node->value = strndup(text, len);
        node = node->text && node->value ? node : NULL;
    }
    return node;
}

/* a,b or a=b,c=d as a sequence or a mapping. */
static struct node *split(struct tree *tree, struct config_position at, const char *text,
                          enum node_kind kind)
{
    struct node *node = tree_node(tree, kind, at), *key = NULL, *item;

    while (node && *text) {
        size_t len = strcspn(text, ","), klen = strcspn(text, ",=");

        if (kind == NODE_MAPPING) {
            key = scalar(tree, at, text, klen);
            klen += klen < len;
        } else {
            klen = 0;
        }
        item = scalar(tree, at, text + klen, len - klen);
        if ((kind == NODE_MAPPING && !key) || !item || node_append(node, key, item)) {
            return NULL;
        }
        text += len + (text[len] == ',');
    }
    return node;
}

int config_settings_from_pairs(const char *where, const struct tmon_pair *pairs, size_t npairs,
                               const struct manifest_component *component,
                               struct config_errors *errors, struct settings **ret_settings)
{
    struct config_position at = {where, 0, 0};
    struct schema schema = {.options = component->options, .noptions = component->noptions};
    struct tree *tree = calloc(1, sizeof *tree);
    struct node *mapping = tree ? tree_node(tree, NODE_MAPPING, at) : NULL;
    int r = mapping ? 0 : -ENOMEM;

    for (size_t i = 0; i < npairs && r == 0; i++) {
        tmon_type type = TMON_STRING;
        struct node *key, *item;

        for (size_t j = 0; j < component->noptions; j++) {
            if (strcmp(component->options[j].name, pairs[i].key) == 0) {
                type = component->options[j].type;
            }
        }
        if (node_get(mapping, pairs[i].key, NULL)) {
            config_error(errors, at, "'%s' is given twice", pairs[i].key);
            r = -EINVAL;
            break;
        }
        key = scalar(tree, at, pairs[i].key, strlen(pairs[i].key));
        item = type == TMON_LIST  ? split(tree, at, pairs[i].value, NODE_SEQUENCE)
               : type == TMON_MAP ? split(tree, at, pairs[i].value, NODE_MAPPING)
                                  : scalar(tree, at, pairs[i].value, strlen(pairs[i].value));
        if (!key || !item || node_append(mapping, key, item)) {
            r = -ENOMEM;
        }
    }
    if (r == 0) {
        r = schema_check(&schema, mapping, at, errors, ret_settings);
    }
    tree_destroy(tree);
    return r;
}
