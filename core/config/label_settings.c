/*
 * label_settings.c: settings that are about labels, as routes and inhibit rules have them:
 * matchers, and names.  Runs where a configuration is loaded.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/suggest.h"
#include "config/sections.h"
#include "model/labels.h"

const struct node *section_item(const struct node *node, size_t i)
{
    return node->kind == NODE_SEQUENCE && i < node->count ? node->items[i] : node;
}

struct config_position section_item_at(const struct node *node, size_t i)
{
    return section_item(node, i)->at;
}

/* What went wrong with it is said; -ENOMEM. */
static int take_matcher(struct config_errors *errors, size_t *n, int r, struct config_position at,
                        const char *key, const char *why)
{
    if (r == 0) {
        ++*n;
    } else if (r != -ENOMEM) {
        config_error(errors, at, "'%s': %s", key, why);
    }
    return r == -ENOMEM ? r : 0;
}

void section_look_at_severity(const char *name, const char *value, struct config_position at,
                              struct config_errors *errors)
{
    static const char *const words[] = {"info", "warning", "critical"};
    const char *meant = strcmp(name, "severity") == 0 ? suggest(value, words, 3) : NULL;

    if (meant && strcmp(meant, value) != 0) {
        config_warning(errors, at, "the severity '%.64s' counts as a warning; did you mean '%s'?",
                       value, meant);
    }
}

int section_matchers(const struct node *mapping, const struct settings *settings,
                     const char *match_key, const char *matchers_key, struct config_errors *errors,
                     size_t *ret_n, struct matcher **ret_matchers)
{
    const struct setting *match = settings_find(settings, match_key);
    const struct setting *matchers = settings_find(settings, matchers_key);
    const struct node *node = node_get(mapping, match_key, NULL);
    struct matcher *made = calloc(match->count + matchers->count + 1, sizeof *made);
    char why[256];
    int r = 0;

    if (!made) {
        return -ENOMEM;
    }
    *ret_matchers = made;
    for (size_t i = 0; i < match->count && r == 0; i++) {
        r = matcher_init(&made[*ret_n], match->items[i], MATCHER_EQUAL, match->values[i], why,
                         sizeof why);
        r = take_matcher(errors, ret_n, r, node->keys[i]->at, match_key, why);
        section_look_at_severity(match->items[i], match->values[i], node->keys[i]->at, errors);
    }
    node = node_get(mapping, matchers_key, NULL);
    for (size_t i = 0; i < matchers->count && r == 0; i++) {
        r = matcher_parse(&made[*ret_n], matchers->items[i], why, sizeof why);
        r = take_matcher(errors, ret_n, r, section_item_at(node, i), matchers_key, why);
    }
    return r;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_there(char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

int section_label_names(const struct node *mapping, const struct settings *settings,
                        const char *key, const char *besides, struct config_errors *errors,
                        size_t *ret_n, char ***ret_names)
{
    const struct setting *setting = settings_find(settings, key);
    const struct node *node = node_get(mapping, key, NULL);
    char **names = calloc(setting->count ? setting->count : 1, sizeof *names);

    if (!names) {
        return -ENOMEM;
    }
    *ret_names = names;
    for (size_t i = 0; i < setting->count; i++) {
        const char *name = setting->items[i];

        if (*besides && strcmp(name, "...") == 0) {
            continue;
        }
        if (is_there(names, *ret_n, name)) {
            config_error(errors, section_item_at(node, i), "'%s' names this label twice", key);
            continue;
        }
        if (!labels_name_ok(name) || strlen(name) > LIMIT_NAME_BYTES) {
            config_error(errors, section_item_at(node, i), "'%s' takes names of labels%s", key,
                         besides);
            continue;
        }
        names[*ret_n] = strdup(name);
        if (!names[*ret_n]) {
            return -ENOMEM;
        }
        ++*ret_n;
    }
    qsort(names, *ret_n, sizeof *names, compare_names);
    return 0;
}
