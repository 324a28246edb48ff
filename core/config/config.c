/*
 * config.c: joins the main file and conf.d into one configuration.  Runs on the thread that starts
 * or reloads.
 *
 * Files are joined section by section and never override each other: a key that stands twice is an
 * error that names both places, since "the last one wins" has surprised everybody who ever had to
 * look for it.
 */
#include "config/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/suggest.h"
#include "config/resolve.h"
#include "config/schema.h"
#include "config/sections.h"

struct loader {
    struct config *config;
    const struct config_env *env;
    struct config_errors *errors;
    struct node *agent; /* all keys of all files */
    struct node *plugins;
    struct node *routes;
    struct node *inhibit_rules;
    struct node *heartbeat;
    struct map agent_keys;
    struct map names;
    struct map heartbeat_keys;
};

/* Sections that the design has and this version has not. */
static const struct {
    const char *name;
    const char *what;
} later[] = {
    {"mail", "e-mail"},
    {"actions", "actions"},
    {"cache", "the cache"},
    {"ingest", "pushed metrics"},
};

static int load_file(struct loader *loader, const char *path, bool may_be_empty)
{
    struct config *config = loader->config;
    struct tree **trees = realloc(config->trees, (config->ntrees + 1) * sizeof *trees);
    int r;

    if (!trees) {
        return -ENOMEM;
    }
    config->trees = trees;
    r = tree_load(path, loader->errors, &trees[config->ntrees]);
    if (r) {
        config->instances_missed = true;
        return r == -ENOMEM ? r
                            : 0; // the errors are noted; go on and find those of the other files
    }
    config->ntrees++;
    if (!trees[config->ntrees - 1]->root && !may_be_empty) {
        config_error(
            loader->errors, (struct config_position){path, 0, 0},
            "the file is empty; an agent that watches nothing has at least a line 'plugins: {}'");
    }
    return 0;
}

static int wanted(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return entry->d_name[0] != '.' && dot &&
           (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name); // the same on every machine, unlike strcoll()
}

static int load_directory(struct loader *loader, const char *main_path)
{
    const char *slash = strrchr(main_path, '/');
    struct dirent **entries = NULL;
    char *directory = NULL, *path = NULL;
    int n = 0, loaded = 0, r = -ENOMEM;

    if (asprintf(&directory, "%.*sconf.d", slash ? (int)(slash + 1 - main_path) : 0, main_path) <
        0) {
        directory = NULL;
        goto out;
    }
    n = scandir(directory, &entries, wanted, by_bytes);
    if (n < 0) {
        r = errno == ENOMEM ? -ENOMEM : 0;
        if (errno != ENOENT) {
            config_error(loader->errors, (struct config_position){directory, 0, 0},
                         "cannot be read: %s", log_errno(errno));
        }
        n = 0;
        goto out;
    }
    r = 0;
    for (int i = 0; i < n && r == 0; i++) {
        if (asprintf(&path, "%s/%s", directory, entries[i]->d_name) < 0) {
            path = NULL;
            r = -ENOMEM;
        } else if (strcmp(strrchr(path, '.'), ".yml") == 0) {
            config_warning(loader->errors, (struct config_position){path, 0, 0},
                           "is not read; call it .yaml");
        } else if (++loaded > LIMIT_CONFIG_FILES) {
            config_error(loader->errors, (struct config_position){directory, 0, 0},
                         "holds more than %d files", LIMIT_CONFIG_FILES);
            i = n;
        } else {
            r = load_file(loader, path, true);
        }
        free(path);
        path = NULL;
    }
out:
    for (int i = 0; i < n; i++) {
        free(entries[i]);
    }
    free(entries);
    free(directory);
    return r;
}

/* Adds the keys of one file's section to those of the others. */
static int join_section(struct loader *loader, const struct node *key, const struct node *section,
                        struct node *all, struct map *names, const char *what)
{
    if (node_is_null(section)) {
        return 0; // a heading above nothing but comments
    }
    if (section->kind != NODE_MAPPING) {
        config_error(loader->errors, section->at, "'%s' must be a mapping, not %s", key->text,
                     node_kind_name(section));
        loader->config->instances_missed =
            loader->config->instances_missed || all == loader->plugins;
        return 0;
    }
    for (size_t i = 0; i < section->count; i++) {
        struct node *name = section->keys[i];
        struct node *other = map_get(names, name->text, strlen(name->text));

        if (other) {
            config_error(loader->errors, name->at,
                         "%s '%.64s' is already in %s:%u:%u; remove one of them", what, name->text,
                         other->at.file, other->at.line, other->at.column);
        } else if (map_put(names, name->text, strlen(name->text), name) ||
                   node_append(all, name, section->items[i])) {
            return -ENOMEM;
        }
    }
    return 0;
}

/* Appends one file's list of routes or inhibit rules: the files' order is theirs. */
static int join_list(struct loader *loader, const char *name, const struct node *section,
                     struct node *joined)
{
    if (node_is_null(section)) {
        return 0;
    }
    if (section->kind != NODE_SEQUENCE) {
        config_error(loader->errors, section->at,
                     "'%s' must be a list, each entry starting with '- ', not %s", name,
                     node_kind_name(section));
        return 0;
    }
    for (size_t i = 0; i < section->count; i++) {
        if (node_append(joined, NULL, section->items[i])) {
            return -ENOMEM;
        }
    }
    return 0;
}

/* Rules of files: each name or pattern is relative to the file that it stands in. */
static int read_rule_files(struct loader *loader, struct node *section)
{
    struct config_rules *rules = &loader->config->rules;
    int r;

    if (node_is_null(section)) {
        return 0;
    }
    if (section->kind == NODE_MAPPING) {
        config_error(loader->errors, section->at,
                     "'rule_files' must be a list of names of files, not a mapping");
        return 0;
    }
    r = resolve_node(section, loader->env, false, loader->errors);
    for (size_t i = 0; i < (section->kind == NODE_SCALAR ? 1 : section->count) && r == 0; i++) {
        const struct node *item = section->kind == NODE_SCALAR ? section : section->items[i];

        if (item->kind != NODE_SCALAR || !*item->text) {
            config_error(loader->errors, item->at, "'rule_files' takes names of files, not %s",
                         node_kind_name(item));
        } else if (!item->unset) {
            r = config_rules_glob(item->value, item->at.file, item->at, true, loader->errors,
                                  rules);
        }
    }
    return r;
}

static void unknown_section(struct loader *loader, const struct node *key)
{
    static const char *const known[] = {"agent",  "plugins",    "routes",   "inhibit_rules",
                                        "groups", "rule_files", "flapping", "heartbeat"};
    char suggestion[SUGGESTION_SIZE];

    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        if (strcmp(key->text, later[i].name) == 0) {
            config_error(loader->errors, key->at,
                         "this version of toiletmon has no %s yet, so '%s' would do nothing; take "
                         "it out for now",
                         later[i].what, key->text);
            return;
        }
    }
    if (strcmp(key->text, "silences") == 0) {
        config_error(loader->errors, key->at,
                     "silences are not configured; they are made while the agent runs, with "
                     "'toiletmon silence add'");
        return;
    }
    suggest_ending(key->text, known, sizeof known / sizeof known[0], suggestion);
    config_error(loader->errors, key->at, "there is no section '%.64s'%s", key->text,
                 *suggestion
                     ? suggestion
                     : "; there are 'agent', 'plugins', 'routes', 'inhibit_rules', 'groups', "
                       "'rule_files', 'flapping' and 'heartbeat'");
}

static int join_file(struct loader *loader, const struct node *root)
{
    if (root->kind != NODE_MAPPING) {
        loader->config->instances_missed = true;
        config_error(loader->errors, root->at,
                     "a configuration is a mapping with 'agent', 'plugins' and 'routes', not %s",
                     node_kind_name(root));
        return 0;
    }
    for (size_t i = 0; i < root->count; i++) {
        const struct node *key = root->keys[i];
        int r = 0;

        if (strcmp(key->text, "agent") == 0) {
            r = join_section(loader, key, root->items[i], loader->agent, &loader->agent_keys,
                             "the agent's setting");
        } else if (strcmp(key->text, "plugins") == 0) {
            r = join_section(loader, key, root->items[i], loader->plugins, &loader->names,
                             "the instance");
        } else if (strcmp(key->text, "routes") == 0) {
            r = join_list(loader, key->text, root->items[i], loader->routes);
        } else if (strcmp(key->text, "inhibit_rules") == 0) {
            r = join_list(loader, key->text, root->items[i], loader->inhibit_rules);
        } else if (strcmp(key->text, "groups") == 0) {
            r = config_rules_groups(root->items[i], loader->errors, &loader->config->rules);
        } else if (strcmp(key->text, "rule_files") == 0) {
            r = read_rule_files(loader, root->items[i]);
        } else if (strcmp(key->text, "flapping") == 0) {
            r = flapping_read(root->items[i], loader->env, loader->errors, loader->config);
        } else if (strcmp(key->text, "heartbeat") == 0) {
            r = join_section(loader, key, root->items[i], loader->heartbeat,
                             &loader->heartbeat_keys, "the heartbeat's setting");
        } else {
            unknown_section(loader, key);
        }
        if (r) {
            return r;
        }
    }
    return 0;
}

static int read_instances(struct loader *loader)
{
    struct config *config = loader->config;
    struct manifest_option *options = NULL;
    size_t noptions = 0, n = loader->plugins->count;
    int r = 0;

    if (n > LIMIT_INSTANCES) {
        config_error(loader->errors, loader->plugins->keys[LIMIT_INSTANCES]->at,
                     "there are more than %d instances", LIMIT_INSTANCES);
        config->instances_missed = true;
        return 0;
    }
    options = schema_options(instance_core_options, &noptions);
    config->instances = calloc(n ? n : 1, sizeof *config->instances);
    if (!options || !config->instances) {
        r = -ENOMEM;
    }
    for (size_t i = 0; i < n && r == 0; i++) {
        struct config_instance *instance = &config->instances[config->ninstances++];
        const size_t before = loader->errors->errors;

        r = instance_read(loader->plugins->keys[i], loader->plugins->items[i], options, noptions,
                          loader->env, loader->errors, instance);
        if (r == 0) {
            instance->faulty = loader->errors->errors > before;
            r = map_put(&config->by_name, instance->name, strlen(instance->name), instance);
        }
    }
    schema_free_options(options, noptions);
    return r;
}

/* As it stands in the file: what came out of a variable is shown nowhere. */
void section_unknown_instance(const struct config *config, const char *key, const char *name,
                              const struct node *node, struct config_position at,
                              struct config_errors *errors)
{
    char suggestion[SUGGESTION_SIZE] = "";
    const char **names;

    if (config->instances_missed) {
        return; // it may be there
    }
    names = calloc(config->ninstances + 1, sizeof *names);
    for (size_t i = 0; names && i < config->ninstances; i++) {
        names[i] = config->instances[i].name;
    }
    if (names) {
        suggest_ending(name, names, config->ninstances, suggestion);
    }
    free(names);
    config_error(errors, at, "'%s' names the instance '%.64s', which is not there%s", key,
                 node && node->kind == NODE_SCALAR ? node->text : name, suggestion);
}

/* The names in `ready:` must be instances. */
static void check_ready(struct loader *loader)
{
    struct config *config = loader->config;
    const struct node *node = node_get(loader->agent, "ready", NULL);

    for (size_t i = 0; i < config->agent.nready; i++) {
        const char *name = config->agent.ready[i];

        if (!config_find(config, name)) {
            const struct node *item = section_item(node, i);

            section_unknown_instance(config, "ready", name, item, item->at, loader->errors);
        }
    }
}

/* How far it is along failovers from one instance to another, or back to itself. */
static void check_failovers(struct loader *loader)
{
    struct config *config = loader->config;

    for (size_t i = 0; i < config->ninstances; i++) {
        const struct config_instance *first = &config->instances[i], *at = first;

        if (!first->failover) {
            continue;
        }
        if (strcmp(first->failover, CONFIG_LOG_INSTANCE) != 0 &&
            !config_find(config, first->failover)) {
            section_unknown_instance(config, "failover", first->failover,
                                     node_get(first->node, "failover", NULL), first->failover_at,
                                     loader->errors);
            continue;
        }
        for (size_t steps = 0; at && at->failover && steps < config->ninstances; steps++) {
            at = config_find(config, at->failover);
            if (at == first) {
                config_error(loader->errors, first->failover_at,
                             "'failover' leads back to '%s' itself", first->name);
                break;
            }
        }
    }
}

/* Where nothing of it is written there is none. */
static int read_heartbeat(struct loader *loader)
{
    struct node *node = loader->heartbeat;
    int r;

    if (node->count == 0) {
        return 0;
    }
    node->at = node->keys[0]->at;
    r = resolve_node(node, loader->env, false, loader->errors);
    return r ? r
             : heartbeat_section_read(node, node->at, loader->errors, &loader->config->heartbeat);
}

static int read_sections(struct loader *loader)
{
    struct config_position at = {loader->config->path, 0, 0};
    struct tree *tree = loader->config->trees[0];
    int r = 0;

    loader->agent = tree_node(tree, NODE_MAPPING, at);
    loader->plugins = tree_node(tree, NODE_MAPPING, at);
    loader->routes = tree_node(tree, NODE_SEQUENCE, at);
    loader->inhibit_rules = tree_node(tree, NODE_SEQUENCE, at);
    loader->heartbeat = tree_node(tree, NODE_MAPPING, at);
    if (!loader->agent || !loader->plugins || !loader->routes || !loader->inhibit_rules ||
        !loader->heartbeat) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < loader->config->ntrees && r == 0; i++) {
        if (loader->config->trees[i]->root) {
            r = join_file(loader, loader->config->trees[i]->root);
        }
    }
    if (r == 0) {
        r = resolve_node(loader->agent, loader->env, false, loader->errors);
    }
    if (r == 0) {
        const size_t before = loader->errors->errors;

        r = agent_section_read(loader->agent, at, loader->errors, &loader->config->agent);
        loader->config->dirs_missed =
            loader->config->instances_missed || loader->errors->errors > before;
    }
    if (r == 0) {
        r = read_heartbeat(loader);
    }
    if (r == 0) {
        r = read_instances(loader);
    }
    if (r == 0) {
        r = resolve_node(loader->routes, loader->env, false, loader->errors);
    }
    if (r == 0) {
        r = routes_read(loader->routes, loader->errors, loader->config);
    }
    if (r == 0) {
        r = resolve_node(loader->inhibit_rules, loader->env, false, loader->errors);
    }
    if (r == 0) {
        r = inhibit_read(loader->inhibit_rules, loader->errors, loader->config);
    }
    if (r == 0) {
        check_ready(loader);
        check_failovers(loader);
    }
    return r;
}

int config_load(const char *path, const struct config_env *env, struct config_errors *errors,
                struct config **ret_config)
{
    struct config *config = NULL;
    int r = config_read(path, env, errors, &config);

    if (r < 0) {
        config_destroy(config);
    } else {
        *ret_config = config;
    }
    return r;
}

int config_read(const char *path, const struct config_env *env, struct config_errors *errors,
                struct config **ret_config)
{
    struct loader loader = {.env = env, .errors = errors};
    size_t before = errors->errors;
    int r = -ENOMEM;

    map_init(&loader.agent_keys);
    map_init(&loader.names);
    map_init(&loader.heartbeat_keys);
    loader.config = calloc(1, sizeof *loader.config);
    if (!loader.config) {
        goto out;
    }
    map_init(&loader.config->by_name);
    loader.config->path = strdup(path);
    if (!loader.config->path) {
        goto out;
    }
    r = load_file(&loader, path, false);
    if (r == 0) {
        r = load_directory(&loader, path);
    }
    if (r == 0 && loader.config->ntrees > 0) {
        r = read_sections(&loader);
    }
    if (r == 0) {
        r = errors->errors != before ? -EINVAL : 0;
        if (loader.config->ntrees > 0) {
            *ret_config = loader.config;
            loader.config = NULL;
        }
    }
out:
    config_destroy(loader.config);
    map_finish(&loader.agent_keys);
    map_finish(&loader.names);
    map_finish(&loader.heartbeat_keys);
    return r;
}

void config_destroy(struct config *config)
{
    if (!config) {
        return;
    }
    for (size_t i = 0; i < config->ninstances; i++) {
        instance_finish(&config->instances[i]);
    }
    free(config->instances);
    routes_finish(config->routes, config->nroutes);
    inhibit_finish(config->inhibit, config->ninhibit);
    config_rules_finish(&config->rules);
    map_finish(&config->by_name);
    agent_section_finish(&config->agent);
    heartbeat_section_finish(&config->heartbeat);
    for (size_t i = 0; i < config->ntrees; i++) {
        tree_destroy(config->trees[i]);
    }
    free(config->trees);
    free(config->path);
    free(config);
}

const struct config_instance *config_find(const struct config *config, const char *name)
{
    return map_get(&config->by_name, name, strlen(name));
}
