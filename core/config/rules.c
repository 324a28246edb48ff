/*
 * rules.c: see rules.h.  Runs where a configuration is loaded, and in `toiletmon rules test`.
 *
 * A group is known by the last name of its file and its own: timers of alerts that are pending
 * survive that a configuration is moved, or deployed under another path.
 */
#include "config/rules.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "config/rules_read.h"

static const char *const group_keys[] = {"name", "interval", "limit", "rules", NULL};
static const char *const file_keys[] = {"groups", NULL};

int config_prometheus_duration(const char *text, int64_t *ret_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"y", 31536000000}, {"w", 604800000}, {"d", 86400000}, {"h", 3600000},
                 {"m", 60000},       {"s", 1000},      {"ms", 1}};
    const char *p = text;
    int64_t total = 0;
    size_t next = 0;

    if (strcmp(text, "0") == 0) {
        *ret_ms = 0;
        return 0;
    }
    while (*p) {
        uint64_t number = 0;
        size_t len, i;

        if (!isdigit((unsigned char)*p)) {
            return -EINVAL;
        }
        for (; isdigit((unsigned char)*p); p++) {
            number = number * 10 + (uint64_t)(*p - '0');
            if (number > (uint64_t)INT64_MAX / 1000000) {
                return -EINVAL;
            }
        }
        len = strspn(p, "ywdhms");
        for (i = next; i < sizeof units / sizeof units[0]; i++) { /* each once, large ones first */
            if (strlen(units[i].unit) == len && strncmp(p, units[i].unit, len) == 0) {
                break;
            }
        }
        if (i == sizeof units / sizeof units[0] ||
            (number > 0 && units[i].ms > (INT64_MAX / 1000000 - total) / (int64_t)number)) {
            return -EINVAL;
        }
        total += (int64_t)number * units[i].ms;
        next = i + 1;
        p += len;
    }
    if (p == text) {
        return -EINVAL;
    }
    *ret_ms = total;
    return 0;
}

/* ---- groups ---- */

/* The same name twice in one file, which Prometheus refuses. */
static void check_unique(const struct config_rules *rules, const struct config_rule_group *group,
                         struct config_position at, struct config_errors *errors)
{
    for (const struct config_rule_group *other = rules->groups; other < group; other++) {
        if (strcmp(other->name, group->name) == 0 && other->at.file && at.file &&
            strcmp(other->at.file, at.file) == 0) {
            config_error(errors, at, "the group \"%.64s\" is already in line %u", group->name,
                         other->at.line);
            return;
        }
    }
}

static int name_group(struct config_rules *rules, struct config_rule_group *group)
{
    const char *file = group->at.file ? group->at.file : "";
    const char *slash = strrchr(file, '/');
    unsigned same = 0;

    file = slash ? slash + 1 : file;
    if (asprintf(&group->key, "%s;%s", file, group->name) < 0) {
        group->key = NULL;
        return -ENOMEM;
    }
    for (const struct config_rule_group *other = rules->groups; other < group; other++) {
        size_t len = strlen(group->key);

        same += strncmp(other->key, group->key, len) == 0 &&
                (other->key[len] == '\0' || other->key[len] == ';');
    }
    if (same > 0) {
        char *longer = NULL;

        if (asprintf(&longer, "%s;%u", group->key, same + 1) < 0) {
            return -ENOMEM;
        }
        free(group->key);
        group->key = longer;
    }
    return 0;
}

/* Prometheus takes 0 for what is not said, so it is no mistake. */
static void read_interval(const struct node *mapping, struct config_errors *errors,
                          struct config_rule_group *group)
{
    const size_t before = errors->errors;

    rules_duration(mapping, "interval", errors, &group->interval_ms);
    if (rules_text(mapping, "interval", errors) && group->interval_ms == 0 &&
        errors->errors == before) {
        config_warning(errors, node_get(mapping, "interval", NULL)->at,
                       "'interval: 0' is the default, 15s, as if it were left out");
    }
}

static void read_limit(const struct node *mapping, struct config_errors *errors,
                       struct config_rule_group *group)
{
    const char *text = rules_text(mapping, "limit", errors);
    char *end = NULL;
    long value;

    if (!text) {
        return;
    }
    value = strtol(text, &end, 10);
    if (end == text || *end || value < 0 || value > INT32_MAX) {
        config_error(errors, node_get(mapping, "limit", NULL)->at,
                     "'limit' is a whole number, 0 for none");
        return;
    }
    group->limit = (uint32_t)value;
}

static bool pairs_alike(const struct config_rule *a, const struct config_rule *b)
{
    for (size_t i = 0; i < a->nlabels; i++) {
        if (strcmp(a->labels[i].name, b->labels[i].name) != 0 ||
            strcmp(a->labels[i].value, b->labels[i].value) != 0) {
            return false;
        }
    }
    return true;
}

/* Prometheus takes them, promtool complains: one of the two is probably a copy that was to be
 * changed. */
static void warn_twice(const struct config_rule_group *group, struct config_errors *errors)
{
    for (size_t i = 1; i < group->nrules; i++) {
        const struct config_rule *rule = &group->rules[i];

        for (size_t j = 0; j < i; j++) {
            const struct config_rule *other = &group->rules[j];

            if (other->recording == rule->recording && *rule->name &&
                strcmp(other->name, rule->name) == 0 && other->nlabels == rule->nlabels &&
                pairs_alike(other, rule)) {
                config_warning(errors, rule->at,
                               "the rule \"%.64s\" with the same labels is already in line %u",
                               rule->name, other->at.line);
                break;
            }
        }
    }
}

static int read_rules(const struct node *mapping, struct config_errors *errors,
                      struct config_rules *rules, struct config_rule_group *group)
{
    const struct node *list = node_get(mapping, "rules", NULL);
    int r = 0;

    if (!list || node_is_null(list)) {
        return 0;
    }
    if (list->kind != NODE_SEQUENCE) {
        config_error(errors, list->at,
                     "'rules' must be a list, each entry starting with '- ', not "
                     "%s",
                     node_kind_name(list));
        return 0;
    }
    group->rules = calloc(list->count + 1, sizeof *group->rules);
    if (!group->rules) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < list->count && r == 0; i++) {
        if (++rules->nrules > LIMIT_RULES) {
            config_error(errors, list->items[i]->at, "there are more than %d rules", LIMIT_RULES);
            break;
        }
        r = rule_read(list->items[i], errors, &group->rules[group->nrules++]);
    }
    if (r == 0) {
        warn_twice(group, errors);
    }
    return r;
}

static int read_group(const struct node *mapping, struct config_errors *errors,
                      struct config_rules *rules, struct config_rule_group *group)
{
    const char *name = NULL;
    int r;

    group->at = mapping->at;
    if (mapping->kind != NODE_MAPPING) {
        config_error(errors, mapping->at,
                     "each entry of 'groups' must be a mapping with 'name' and 'rules', not %s",
                     node_kind_name(mapping));
    } else {
        rules_unknown_keys(mapping, group_keys, "a group", errors);
        name = rules_text(mapping, "name", errors);
        if (!name || !*name) {
            config_error(errors, mapping->at, "a group needs a 'name'");
        }
        read_interval(mapping, errors, group);
        read_limit(mapping, errors, group);
    }
    group->name = strdup(name ? name : "");
    if (!group->name) {
        return -ENOMEM;
    }
    if (*group->name) {
        check_unique(rules, group, mapping->at, errors);
    }
    r = name_group(rules, group);
    return r < 0 ? r : read_rules(mapping, errors, rules, group);
}

int config_rules_groups(const struct node *list, struct config_errors *errors,
                        struct config_rules *rules)
{
    struct config_rule_group *groups;
    int r = 0;

    if (node_is_null(list)) {
        return 0;
    }
    if (list->kind != NODE_SEQUENCE) {
        config_error(errors, list->at,
                     "'groups' must be a list, each entry starting with '- ', not %s",
                     node_kind_name(list));
        return 0;
    }
    groups = realloc(rules->groups, (rules->ngroups + list->count + 1) * sizeof *groups);
    if (!groups) {
        return -ENOMEM;
    }
    rules->groups = groups;
    for (size_t i = 0; i < list->count && r == 0; i++) {
        if (rules->ngroups == LIMIT_RULE_GROUPS) {
            config_error(errors, list->items[i]->at, "there are more than %d groups of rules",
                         LIMIT_RULE_GROUPS);
            break;
        }
        groups[rules->ngroups] = (struct config_rule_group){0};
        rules->ngroups++;
        r = read_group(list->items[i], errors, rules, &groups[rules->ngroups - 1]);
    }
    return r;
}

/* ---- files ---- */

/* Positions keep the file's name, which goes with the tree. */
static void rename_file(struct config_rules *rules, size_t first, const char *file)
{
    for (size_t i = first; i < rules->ngroups; i++) {
        struct config_rule_group *group = &rules->groups[i];

        group->at.file = file;
        for (size_t j = 0; j < group->nrules; j++) {
            struct config_rule *rule = &group->rules[j];

            rule->at.file = file;
            rule->expr_at.file = file;
            for (size_t k = 0; k < rule->nlabels; k++) {
                rule->labels[k].at.file = file;
            }
            for (size_t k = 0; k < rule->nannotations; k++) {
                rule->annotations[k].at.file = file;
            }
        }
    }
}

/* promtool's unit tests often lie beside the rules, where a pattern finds them. */
static bool tell_tests(const struct node *root, bool found, struct config_errors *errors)
{
    struct node *key = NULL;

    if (!node_get(root, "tests", &key)) {
        return false;
    }
    if (found) {
        config_warning(errors, key->at,
                       "the file holds unit tests of rules, so it is passed over; 'toiletmon rules "
                       "test' runs them");
    } else {
        config_error(
            errors, key->at,
            "the file holds unit tests of rules, which 'toiletmon rules test' runs, and no "
            "rules: take it out of 'rule_files'");
    }
    return true;
}

static int read_document(const struct tree *tree, const char *path, bool found,
                         struct config_errors *errors, struct config_rules *rules)
{
    const struct node *root = tree->root, *groups;

    if (!root || node_is_null(root)) {
        config_warning(errors, (struct config_position){path, 0, 0}, "the file holds no rules");
        return 0;
    }
    if (root->kind != NODE_MAPPING) {
        config_error(errors, root->at, "a file of rules is a mapping with 'groups', not %s",
                     node_kind_name(root));
        return 0;
    }
    if (tell_tests(root, found, errors)) {
        return 0;
    }
    rules_unknown_keys(root, file_keys, "a file of rules", errors);
    groups = node_get(root, "groups", NULL);
    return groups ? config_rules_groups(groups, errors, rules) : 0;
}

/* `found`: a pattern found it, and nobody named it. */
static int read_file(const char *path, struct config_position at, bool found,
                     struct config_errors *errors, struct config_rules *rules)
{
    struct tree *tree = NULL;
    size_t first = rules->ngroups;
    char **files;
    int r;

    for (size_t i = 0; i < rules->nfiles; i++) {
        if (strcmp(rules->files[i], path) == 0) {
            return 0;
        }
    }
    if (rules->nfiles == LIMIT_RULE_FILES) {
        config_error(errors, at, "there are more than %d files of rules", LIMIT_RULE_FILES);
        return 0;
    }
    files = realloc(rules->files, (rules->nfiles + 1) * sizeof *files);
    if (!files) {
        return -ENOMEM;
    }
    rules->files = files;
    files[rules->nfiles] = strdup(path);
    if (!files[rules->nfiles]) {
        return -ENOMEM;
    }
    rules->nfiles++;
    if (at.line > 0 && access(path, R_OK) < 0) { // told where it is named
        config_error(errors, at, "'%.256s' cannot be read: %s", path, log_errno(errno));
        return 0;
    }
    r = tree_load(path, errors, &tree);
    if (r < 0) {
        return r == -ENOMEM ? r : 0; /* what is wrong is noted */
    }
    r = read_document(tree, path, found, errors, rules);
    rename_file(rules, first, files[rules->nfiles - 1]);
    tree_destroy(tree);
    return r;
}

int config_rules_file(const char *path, struct config_position at, struct config_errors *errors,
                      struct config_rules *rules)
{
    return read_file(path, at, false, errors, rules);
}

int config_rules_glob(const char *pattern, const char *from, struct config_position at, bool must,
                      struct config_errors *errors, struct config_rules *rules)
{
    const char *slash = pattern[0] == '/' ? NULL : strrchr(from, '/');
    bool plain = must && !strpbrk(pattern, "*?[");
    glob_t found = {0};
    char *path = NULL;
    int r;

    if (asprintf(&path, "%.*s%s", slash ? (int)(slash + 1 - from) : 0, from, pattern) < 0) {
        return -ENOMEM;
    }
    r = plain ? 0 : glob(path, 0, NULL, &found);
    if (plain) {
        r = config_rules_file(path, at, errors, rules);
    } else if (r == GLOB_NOSPACE) {
        r = -ENOMEM;
    } else if (r == GLOB_NOMATCH) {
        config_warning(errors, at, "no file matches '%.256s'", pattern);
        r = 0;
    } else if (r != 0) {
        config_error(errors, at, "'%.256s' cannot be looked for", pattern);
        r = 0;
    }
    for (size_t i = 0; i < found.gl_pathc && r == 0; i++) {
        r = read_file(found.gl_pathv[i], at, true, errors, rules);
    }
    if (!plain) {
        globfree(&found);
    }
    free(path);
    return r;
}

void config_rules_finish(struct config_rules *rules)
{
    for (size_t i = 0; i < rules->ngroups; i++) {
        struct config_rule_group *group = &rules->groups[i];

        for (size_t j = 0; j < group->nrules; j++) {
            rule_finish(&group->rules[j]);
        }
        free(group->rules);
        free(group->name);
        free(group->key);
    }
    for (size_t i = 0; i < rules->nfiles; i++) {
        free(rules->files[i]);
    }
    free(rules->groups);
    free(rules->files);
    *rules = (struct config_rules){0};
}
