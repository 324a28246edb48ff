/*
 * schema.c: settings against declared options.  Runs where a configuration is loaded.
 *
 * What stands in a message: the position, the setting's name, what it must be, and the value only
 * when it was written in the file, is no secret and no URL (URLs carry passwords).  Never what came
 * from the environment.
 */
#include "config/schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/suggest.h"
#include "config/secret.h"
#include "model/value.h"

struct checker {
    const struct schema *schema;
    struct config_errors *errors;
    bool fallback; /* it is the manifest's default that is read */
    bool no_memory;
};

static struct settings *check_mapping(struct checker *checker, const struct schema *schema,
                                      const struct node *mapping, struct config_position at);

/* " (it is 'abc')", or "" where the value is not to be shown.  In `space`. */
static const char *quote(const struct manifest_option *option, const struct node *node, char *space,
                         size_t size)
{
    space[0] = '\0';
    if (!(option->flags & TMON_SECRET) && option->type != TMON_URL && strlen(node->text) <= 64) {
        snprintf(space, size, node->replaced ? ", and '%s' is not" : ", not '%s'", node->text);
    }
    return space;
}

/* ", did you mean" for a choice. */
static const char *suggest_choice(const struct manifest_option *option, const struct node *node,
                                  char space[static SUGGESTION_SIZE])
{
    const char *names[32];
    size_t n = 0;
    char *copy, *save = NULL;

    space[0] = '\0';
    if (option->type != TMON_CHOICE || option->flags & TMON_SECRET ||
        !(copy = strdup(option->choices))) {
        return space;
    }
    for (char *name = strtok_r(copy, "|", &save); name && n < 32;
         name = strtok_r(NULL, "|", &save)) {
        names[n++] = name;
    }
    suggest_ending(node->value, names, n, space);
    free(copy);
    return space;
}

/* One scalar as a value of the option's type.  An owned text in *ret_text and the number in
 * *ret_value, or false. */
static bool read_scalar(struct checker *checker, const struct manifest_option *option,
                        const struct node *node, struct value *ret_value, char **ret_text)
{
    const struct value_rule rule = {option->type, option->min, option->max, option->choices};
    char why[256], quoted[128], suggestion[SUGGESTION_SIZE];
    char *text = NULL;

    if (node->kind != NODE_SCALAR) {
        config_error(checker->errors, node->at, "'%s' takes text here, not %s", option->name,
                     node_kind_name(node));
        return false;
    }
    if (node->unset) {
        return false;
    }
    // Only what the operator wrote: neither the environment nor a plugin's default may make us read
    // files.
    if (option->flags & TMON_SECRET && !checker->fallback && strncmp(node->text, "file:", 5) == 0) {
        int r = 0;

        if (checker->schema->lenient) {
            return false;
        }
        r = secret_read(node->value + 5, node->at, option->name, checker->errors, &text);
        if (r) {
            checker->no_memory |= r == -ENOMEM;
            return false;
        }
    } else {
        text = strdup(node->value);
    }
    if (!text) {
        checker->no_memory = true;
        return false;
    }
    if (value_parse(&rule, text, ret_value, why, sizeof why)) {
        config_error(checker->errors, node->at, "'%s' %s%s%s", option->name, why,
                     quote(option, node, quoted, sizeof quoted),
                     suggest_choice(option, node, suggestion));
    } else if (!*text && option->flags & TMON_REQUIRED) {
        config_error(checker->errors, node->at, "'%s' must not be empty", option->name);
    } else {
        *ret_text = text;
        return true;
    }
    free(text);
    return false;
}

/* An array of pointers; NULL when there are too many or no memory, which is noted. */
static void *reserve(struct checker *checker, const struct manifest_option *option,
                     const struct node *node, size_t count)
{
    void **array;

    if (count > LIMIT_SETTING_ITEMS) {
        config_error(checker->errors, node->at, "'%s' has %zu entries, more than %d", option->name,
                     count, LIMIT_SETTING_ITEMS);
        return NULL;
    }
    array = calloc(count ? count : 1, sizeof *array);
    checker->no_memory |= !array;
    return array;
}

static void read_list(struct checker *checker, const struct manifest_option *option,
                      const struct node *node, struct setting *setting)
{
    struct value none;

    if (node->kind == NODE_MAPPING) {
        config_error(checker->errors, node->at,
                     "'%s' must be a list, such as [a, b], not a mapping", option->name);
        return;
    }
    setting->items = reserve(checker, option, node, node->kind == NODE_SCALAR ? 1 : node->count);
    if (!setting->items) {
        return;
    }
    setting->set = true;
    if (node->kind == NODE_SCALAR) { // one item needs no brackets
        setting->count = read_scalar(checker, option, node, &none, &setting->items[0]) ? 1 : 0;
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node_is_null(node->items[i])) {
            config_error(checker->errors, node->items[i]->at, "'%s' has an item without a value",
                         option->name);
        } else if (read_scalar(checker, option, node->items[i], &none,
                               &setting->items[setting->count])) {
            setting->count++;
        }
    }
    if (option->flags & TMON_REQUIRED && node->count == 0) {
        config_error(checker->errors, node->at, "'%s' must not be empty", option->name);
    }
}

static void read_map(struct checker *checker, const struct manifest_option *option,
                     const struct node *node, struct setting *setting)
{
    struct manifest_option item = *option;

    item.type = TMON_STRING;
    if (node->kind != NODE_MAPPING) {
        config_error(checker->errors, node->at,
                     "'%s' must be a mapping, such as {key: value}, not %s", option->name,
                     node_kind_name(node));
        return;
    }
    setting->items = reserve(checker, option, node, node->count);
    setting->values = setting->items ? reserve(checker, option, node, node->count) : NULL;
    if (!setting->values) {
        return;
    }
    setting->set = true;
    for (size_t i = 0; i < node->count; i++) {
        struct value none;
        char *key, *value = NULL;

        if (node_is_null(node->items[i])) {
            config_error(checker->errors, node->items[i]->at,
                         "'%s' in '%s' has no value; write \"\" for an empty one",
                         node->keys[i]->text, option->name);
            continue;
        }
        if (!read_scalar(checker, &item, node->items[i], &none, &value)) {
            continue;
        }
        key = strdup(node->keys[i]->text);
        if (!key) {
            free(value);
            checker->no_memory = true;
            return;
        }
        setting->items[setting->count] = key;
        setting->values[setting->count++] = value;
    }
}

static void read_groups(struct checker *checker, const struct manifest_option *option,
                        const struct node *node, struct setting *setting)
{
    struct schema inner = {
        .options = option->group, .noptions = option->ngroup, .lenient = checker->schema->lenient};
    bool one = option->flags & SCHEMA_ONE;

    if (node->kind != (one ? NODE_MAPPING : NODE_SEQUENCE) && !(one && node_is_null(node))) {
        config_error(checker->errors, node->at, "'%s' must be %s, not %s", option->name,
                     one ? "a mapping" : "a list of mappings, each starting with '- '",
                     node_kind_name(node));
        return;
    }
    setting->groups = reserve(checker, option, node, one ? 1 : node->count);
    if (!setting->groups) {
        return;
    }
    setting->set = true;
    for (size_t i = 0; i < (one ? 1 : node->count); i++) {
        const struct node *item = one ? node : node->items[i];
        struct settings *group;

        if (item->kind != NODE_MAPPING && !one) {
            config_error(checker->errors, item->at, "each entry of '%s' must be a mapping, not %s",
                         option->name, node_kind_name(item));
            continue;
        }
        group = check_mapping(checker, &inner, item->kind == NODE_MAPPING ? item : NULL, item->at);
        if (group) {
            setting->groups[setting->count++] = group;
        }
    }
    if (option->flags & TMON_REQUIRED && !one && node->count == 0) {
        config_error(checker->errors, node->at, "'%s' must not be empty", option->name);
    }
}

static void read_setting(struct checker *checker, const struct manifest_option *option,
                         const struct node *node, struct setting *setting)
{
    struct value value = {0};

    if (node_is_null(node) && !(option->flags & SCHEMA_ONE)) {
        config_error(checker->errors, node->at, "'%s' has no value; write one, or remove the line",
                     option->name);
        return;
    }
    switch (option->type) {
    case TMON_LIST:
        read_list(checker, option, node, setting);
        return;
    case TMON_MAP:
        read_map(checker, option, node, setting);
        return;
    case TMON_GROUPS:
        read_groups(checker, option, node, setting);
        return;
    default:
        break;
    }
    if (!read_scalar(checker, option, node, &value, &setting->text)) {
        return;
    }
    setting->set = true;
    setting->num = value.num;
    setting->real = value.real;
    if (option->type != TMON_STRING && option->type != TMON_CHOICE && option->type != TMON_URL) {
        free(setting->text);
        setting->text = NULL;
    }
}

/* The default, which the manifest's check has found good. */
static void use_fallback(struct checker *checker, const struct manifest_option *option,
                         struct config_position at, struct setting *setting)
{
    struct node node = {
        .kind = NODE_SCALAR, .at = at, .text = option->fallback, .value = option->fallback};
    size_t n = 0;

    if (option->flags & SCHEMA_ONE) {
        struct node empty = {.kind = NODE_MAPPING, .at = at};

        read_groups(checker, option, &empty, setting);
        return;
    }
    if (!option->fallback) {
        return;
    }
    if (option->type != TMON_LIST) {
        checker->fallback = true;
        read_setting(checker, option, &node, setting);
        checker->fallback = false;
        return;
    }
    setting->items = reserve(checker, option, &node, LIMIT_SETTING_ITEMS);
    if (!setting->items) {
        return;
    }
    setting->set = true;
    for (char *item; n < LIMIT_SETTING_ITEMS && (item = value_list_item(option->fallback, n));
         n++) {
        setting->items[setting->count++] = item;
    }
}

static bool is_other(const struct schema *schema, const char *key)
{
    if (schema->others_unknown) {
        return true;
    }
    for (size_t i = 0; schema->others && schema->others[i]; i++) {
        if (strcmp(schema->others[i], key) == 0) {
            return true;
        }
    }
    return false;
}

static void unknown_key(struct checker *checker, const struct schema *schema,
                        const struct node *key)
{
    const char *names[LIMIT_OPTIONS + 64];
    char suggestion[SUGGESTION_SIZE];
    size_t n = 0;

    for (size_t i = 0; i < schema->noptions && n < LIMIT_OPTIONS; i++) {
        names[n++] = schema->options[i].name;
    }
    for (size_t i = 0; schema->others && schema->others[i] && n < LIMIT_OPTIONS + 64; i++) {
        names[n++] = schema->others[i];
    }
    config_error(checker->errors, key->at, "there is no setting '%.64s'%s", key->text,
                 suggest_ending(key->text, names, n, suggestion));
}

static struct settings *check_mapping(struct checker *checker, const struct schema *schema,
                                      const struct node *mapping, struct config_position at)
{
    struct settings *settings = settings_create(schema->noptions);

    if (!settings) {
        checker->no_memory = true;
        return NULL;
    }
    for (size_t i = 0; mapping && i < mapping->count; i++) {
        bool known = is_other(schema, mapping->keys[i]->text);

        for (size_t j = 0; !known && j < schema->noptions; j++) {
            known = strcmp(schema->options[j].name, mapping->keys[i]->text) == 0;
        }
        if (!known) {
            unknown_key(checker, schema, mapping->keys[i]);
        }
    }
    for (size_t i = 0; i < schema->noptions; i++) {
        const struct manifest_option *option = &schema->options[i];
        struct setting *setting = &settings->settings[i];
        const struct node *node = node_get(mapping, option->name, NULL);

        setting->type = option->type;
        setting->secret = option->flags & TMON_SECRET;
        setting->name = strdup(option->name);
        if (!setting->name) {
            checker->no_memory = true;
            break;
        }
        if (node) {
            read_setting(checker, option, node, setting);
        } else if (option->flags & TMON_REQUIRED) {
            config_error(checker->errors, at, "the setting '%s' is missing%s%s", option->name,
                         *option->help ? ": " : "", option->help);
        } else {
            use_fallback(checker, option, at, setting);
        }
    }
    return settings;
}

int schema_check(const struct schema *schema, const struct node *mapping, struct config_position at,
                 struct config_errors *errors, struct settings **ret_settings)
{
    struct checker checker = {.schema = schema, .errors = errors};
    size_t before = errors->errors;
    struct settings *settings = check_mapping(&checker, schema, mapping, at);

    if (checker.no_memory || errors->errors != before) {
        settings_destroy(settings);
        return checker.no_memory ? -ENOMEM : -EINVAL;
    }
    *ret_settings = settings;
    return 0;
}

struct manifest_option *schema_options(const struct tmon_option *table, size_t *ret_count)
{
    struct manifest_option *options;
    size_t n = 0;

    while (table[n].name) {
        n++;
    }
    options = calloc(n ? n : 1, sizeof *options);
    if (!options) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        options[i] = (struct manifest_option){
            .name = (char *)table[i].name,
            .type = table[i].type,
            .flags = table[i].flags,
            .fallback = (char *)table[i].fallback,
            .min = table[i].min,
            .max = table[i].max,
            .choices = (char *)table[i].choices,
            .help = (char *)(table[i].help ? table[i].help : ""),
        };
        if (table[i].group) {
            options[i].group = schema_options(table[i].group, &options[i].ngroup);
            if (!options[i].group) {
                schema_free_options(options, n);
                return NULL;
            }
        }
    }
    *ret_count = n;
    return options;
}

void schema_free_options(struct manifest_option *options, size_t count)
{
    for (size_t i = 0; options && i < count; i++) {
        schema_free_options(options[i].group, options[i].ngroup);
    }
    free(options);
}
