/*
 * rule.c: one rule of a rule file.  Runs where a configuration is loaded.
 *
 * What Prometheus refuses is refused, and nothing more: a file that it takes must not fail here for
 * reasons of taste.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/suggest.h"
#include "config/rules_read.h"
#include "config/sections.h"
#include "model/labels.h"

static const char *const keys[] = {"record", "alert",       "expr",    "for", "keep_firing_for",
                                   "labels", "annotations", "no_data", NULL};

/* ---- what all readers of rules need ---- */

void rules_unknown_keys(const struct node *mapping, const char *const *known, const char *what,
                        struct config_errors *errors)
{
    size_t n = 0;

    while (known[n]) {
        n++;
    }
    for (size_t i = 0; i < mapping->count; i++) {
        const struct node *key = mapping->keys[i];
        char suggestion[SUGGESTION_SIZE];
        bool found = false;

        for (size_t j = 0; j < n && !found; j++) {
            found = strcmp(key->text, known[j]) == 0;
        }
        if (!found) {
            (void)suggest_ending(key->text, known, n, suggestion);
            config_error(errors, key->at, "%s has no key '%.64s'%s", what, key->text, suggestion);
        }
    }
}

const char *rules_text(const struct node *mapping, const char *key, struct config_errors *errors)
{
    const struct node *node = node_get(mapping, key, NULL);

    if (!node || node_is_null(node)) {
        return NULL;
    }
    if (node->kind != NODE_SCALAR) {
        config_error(errors, node->at, "'%s' must be text, not %s", key, node_kind_name(node));
        return NULL;
    }
    return node->text;
}

void rules_duration(const struct node *mapping, const char *key, struct config_errors *errors,
                    int64_t *ret_ms)
{
    const char *text = rules_text(mapping, key, errors);

    if (text && config_prometheus_duration(text, ret_ms) < 0) {
        config_error(errors, node_get(mapping, key, NULL)->at,
                     "'%s' is no duration: \"%.32s\"; write 30s, 5m, 1h30m or 1d", key, text);
    }
}

/* ---- labels and annotations ---- */

static int by_name(const void *a, const void *b)
{
    const struct config_rule_pair *left = a, *right = b;

    return strcmp(left->name, right->name);
}

static void check_pair(const struct node *name, const struct node *value, const char *key,
                       bool labels, struct config_errors *errors)
{
    if (!labels_name_ok(name->text) || (labels && strcmp(name->text, "__name__") == 0)) {
        config_error(errors, name->at, "'%s': \"%.64s\" is no name: [a-zA-Z_][a-zA-Z0-9_]*%s", key,
                     name->text, labels ? ", and not __name__" : "");
    } else if (strlen(name->text) > LIMIT_NAME_BYTES) {
        config_error(errors, name->at, "'%s': this name is longer than %d bytes", key,
                     LIMIT_NAME_BYTES);
    }
    if (value->kind != NODE_SCALAR) {
        config_error(errors, value->at, "'%s': the value of '%.64s' must be text, not %s", key,
                     name->text, node_kind_name(value));
    }
}

static int read_pairs(const struct node *mapping, const char *key, struct config_errors *errors,
                      size_t *ret_n, struct config_rule_pair **ret_pairs)
{
    const struct node *node = node_get(mapping, key, NULL);
    bool labels = strcmp(key, "labels") == 0;

    if (!node || node_is_null(node)) {
        return 0;
    }
    if (node->kind != NODE_MAPPING) {
        config_error(errors, node->at, "'%s' must be a mapping, not %s", key, node_kind_name(node));
        return 0;
    }
    if (node->count > LIMIT_PAIRS) {
        config_error(errors, node->at, "'%s' has more than %d entries", key, LIMIT_PAIRS);
        return 0;
    }
    *ret_pairs = calloc(node->count + 1, sizeof **ret_pairs);
    if (!*ret_pairs) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < node->count; i++) {
        struct config_rule_pair *pair = &(*ret_pairs)[(*ret_n)++];
        const struct node *value = node->items[i];

        check_pair(node->keys[i], value, key, labels, errors);
        if (labels && value->kind == NODE_SCALAR) {
            section_look_at_severity(node->keys[i]->text, value->text, value->at, errors);
        }
        pair->at = value->at;
        pair->name = strdup(node->keys[i]->text);
        pair->value = strdup(value->kind == NODE_SCALAR && !node_is_null(value) ? value->text : "");
        if (!pair->name || !pair->value) {
            return -ENOMEM;
        }
    }
    qsort(*ret_pairs, *ret_n, sizeof **ret_pairs, by_name);
    return 0;
}

/* ---- the rule ---- */

/* [a-zA-Z_:][a-zA-Z0-9_:]* */
static bool metric_name_ok(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:0123456789");

    return len > 0 && name[len] == '\0' && !(name[0] >= '0' && name[0] <= '9') &&
           len <= LIMIT_METRIC_NAME_BYTES;
}

static int read_name(const struct node *node, struct config_errors *errors,
                     struct config_rule *rule)
{
    const char *record = rules_text(node, "record", errors);
    const char *alert = rules_text(node, "alert", errors);
    const char *name = record ? record : alert;

    if (record && alert) {
        config_error(errors, node->at, "a rule has either 'record' or 'alert', not both");
    } else if (!name || !*name) {
        config_error(errors, node->at,
                     "a rule needs 'alert' (the alert's name) or 'record' (the name of a series)");
    }
    rule->recording = record != NULL;
    if (record && *record && !metric_name_ok(record)) {
        config_error(errors, node_get(node, "record", NULL)->at,
                     "\"%.64s\" is no name of a series: [a-zA-Z_:][a-zA-Z0-9_:]*", record);
    }
    if (alert && strlen(alert) > LIMIT_LABEL_VALUE_BYTES) {
        config_error(errors, node_get(node, "alert", NULL)->at, "the name is longer than %d bytes",
                     LIMIT_LABEL_VALUE_BYTES);
    }
    rule->name = strdup(name ? name : "");
    return rule->name ? 0 : -ENOMEM;
}

static int read_expr(const struct node *node, struct config_errors *errors,
                     struct config_rule *rule)
{
    const struct node *expr = node_get(node, "expr", NULL);
    const char *text = rules_text(node, "expr", errors);

    rule->expr_at = expr ? expr->at : node->at;
    if (!text || !*text) {
        config_error(errors, rule->expr_at, "a rule needs 'expr'");
    }
    rule->expr = strdup(text ? text : "");
    return rule->expr ? 0 : -ENOMEM;
}

static void read_no_data(const struct node *node, struct config_errors *errors,
                         struct config_rule *rule)
{
    static const char *const choices[] = {"keep", "resolve", "alert"};
    const char *text = rules_text(node, "no_data", errors);
    char suggestion[SUGGESTION_SIZE];

    for (size_t i = 0; text && i < 3; i++) {
        if (strcmp(text, choices[i]) == 0) {
            rule->no_data = CONFIG_NO_DATA_KEEP + (enum config_no_data)i;
            return;
        }
    }
    if (text) {
        (void)suggest_ending(text, choices, 3, suggestion);
        config_error(errors, node_get(node, "no_data", NULL)->at,
                     "'no_data' is keep, resolve or alert%s", suggestion);
    }
}

/* What makes sense for alerts alone. */
static void refuse_in_recording(const struct node *node, struct config_errors *errors)
{
    static const char *const refused[] = {"for", "keep_firing_for", "annotations", "no_data"};

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct node *key = NULL;
        const struct node *item = node_get(node, refused[i], &key);

        if (item && !node_is_null(item)) {
            config_error(errors, key->at, "a rule with 'record' has no '%s'", refused[i]);
        }
    }
}

int rule_read(const struct node *node, struct config_errors *errors, struct config_rule *rule)
{
    int r;

    rule->at = node->at;
    if (node->kind != NODE_MAPPING) {
        config_error(errors, node->at,
                     "each entry of 'rules' must be a mapping with 'alert' and 'expr', not %s",
                     node_kind_name(node));
        rule->name = strdup("");
        rule->expr = strdup("");
        return rule->name && rule->expr ? 0 : -ENOMEM;
    }
    rules_unknown_keys(node, keys, "a rule", errors);
    r = read_name(node, errors, rule);
    if (r == 0) {
        r = read_expr(node, errors, rule);
    }
    if (r == 0) {
        r = read_pairs(node, "labels", errors, &rule->nlabels, &rule->labels);
    }
    if (r == 0 && rule->recording) {
        refuse_in_recording(node, errors);
        return 0;
    }
    rules_duration(node, "for", errors, &rule->for_ms);
    rules_duration(node, "keep_firing_for", errors, &rule->keep_firing_ms);
    read_no_data(node, errors, rule);
    if (r == 0) {
        r = read_pairs(node, "annotations", errors, &rule->nannotations, &rule->annotations);
    }
    return r;
}

static void free_pairs(struct config_rule_pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(pairs[i].name);
        free(pairs[i].value);
    }
    free(pairs);
}

void rule_finish(struct config_rule *rule)
{
    free(rule->name);
    free(rule->expr);
    free_pairs(rule->labels, rule->nlabels);
    free_pairs(rule->annotations, rule->nannotations);
}
