/*
 * unit_test_read.c: a file of unit tests as promtool takes it.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/rules_read.h"
#include "config/tree.h"
#include "model/labels.h"
#include "rules/unit_test_private.h"

static const char *const file_keys[] = {"rule_files", "evaluation_interval", "group_eval_order",
                                        "tests", NULL};
static const char *const group_keys[] = {
    "interval",         "input_series",    "name",         "alert_rule_test",
    "promql_expr_test", "external_labels", "external_url", NULL};
static const char *const input_keys[] = {"series", "values", NULL};
static const char *const alert_test_keys[] = {"eval_time", "alertname", "exp_alerts", NULL};
static const char *const alert_keys[] = {"exp_labels", "exp_annotations", NULL};
static const char *const expr_test_keys[] = {"expr", "eval_time", "exp_samples", NULL};
static const char *const sample_keys[] = {"labels", "value", NULL};

/* The list under a key, each item of which must be a mapping with these keys; NULL: there is none,
 * or it is wrong. */
static const struct node *list_of(const struct node *mapping, const char *key,
                                  const char *const *keys, struct config_errors *errors)
{
    const struct node *list = node_get(mapping, key, NULL);
    bool good = true;

    if (!list || node_is_null(list)) {
        return NULL;
    }
    if (list->kind != NODE_SEQUENCE) {
        config_error(errors, list->at, "'%s' must be a list, not %s", key, node_kind_name(list));
        return NULL;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i]->kind != NODE_MAPPING) {
            config_error(errors, list->items[i]->at, "each entry of '%s' must be a mapping, not %s",
                         key, node_kind_name(list->items[i]));
            good = false;
        } else {
            rules_unknown_keys(list->items[i], keys, "this entry", errors);
        }
    }
    return good && list->count > 0 ? list : NULL;
}

static int by_name(const void *a, const void *b)
{
    const struct tmon_pair *left = a, *right = b;

    return strcmp(left->key, right->key);
}

/* With one pair more than there is text for, `extra`, which may be NULL. */
static int read_labels(const struct node *mapping, const char *key, const char *extra,
                       struct config_errors *errors, struct unit_labels *labels)
{
    const struct node *node = node_get(mapping, key, NULL);
    struct tmon_pair *pairs;
    long n = 0;
    int r;

    if (node && node_is_null(node)) {
        node = NULL;
    }
    if (node && node->kind != NODE_MAPPING) {
        config_error(errors, node->at, "'%s' must be a mapping, not %s", key, node_kind_name(node));
        node = NULL;
    }
    pairs = calloc((node ? node->count : 0) + 2, sizeof *pairs);
    if (!pairs) {
        return -ENOMEM;
    }
    for (size_t i = 0; node && i < node->count; i++) {
        const struct node *value = node->items[i];

        if (extra && strcmp(node->keys[i]->text, "alertname") == 0) {
            continue;
        }
        if (value->kind != NODE_SCALAR) {
            config_error(errors, value->at, "this must be text");
        }
        pairs[n++] = (struct tmon_pair){
            node->keys[i]->text,
            value->kind == NODE_SCALAR && !node_is_null(value) ? value->text : ""};
    }
    if (extra) {
        pairs[n++] = (struct tmon_pair){"alertname", extra};
    }
    qsort(pairs, (size_t)n, sizeof *pairs, by_name);
    r = labels_copy(pairs, (size_t)n, &labels->pairs);
    labels->n = (size_t)n;
    free(pairs);
    return r;
}

static void read_value(const struct node *mapping, struct config_errors *errors, double *ret_value)
{
    const struct node *node = node_get(mapping, "value", NULL);
    char text[64], *end;
    const char *p;
    size_t len = 0;

    if (!node || node_is_null(node)) {
        return;
    }
    if (node->kind != NODE_SCALAR || !node->plain) {
        config_error(errors, node->at, "'value' must be a number without quotes");
        return;
    }
    p = node->text + (node->text[0] == '-' || node->text[0] == '+');
    if (strcasecmp(p, ".inf") == 0) {
        *ret_value = node->text[0] == '-' ? -INFINITY : INFINITY;
        return;
    }
    if (strcasecmp(p, ".nan") == 0) {
        *ret_value = NAN;
        return;
    }
    for (p = node->text; *p && len < sizeof text - 1; p++) {
        if (*p != '_') {
            text[len++] = *p;
        }
    }
    text[len] = '\0';
    *ret_value = strtod(text, &end);
    if (end == text || *end || strpbrk(text, "iInN")) {
        config_error(errors, node->at, "'value' is no number (.inf and .nan are)");
    }
}

static int read_input(const struct node *node, struct config_errors *errors,
                      struct unit_input *input)
{
    const char *series = rules_text(node, "series", errors);
    const char *values = rules_text(node, "values", errors);
    char why[256];
    int r;

    r = notation_metric(series ? series : "", &input->labels, &input->nlabels, why, sizeof why);
    if (r == -EINVAL) {
        config_error(errors, node->at, "'series': %s", why);
        return 0;
    }
    if (r == 0) {
        r = notation_values(values ? values : "", &input->values, &input->n, why, sizeof why);
    }
    if (r == -EINVAL) {
        config_error(errors, node->at, "'values': %s", why);
        return 0;
    }
    return r;
}

static int read_alert_test(const struct node *node, struct config_errors *errors,
                           struct unit_alert_test *test)
{
    const struct node *list = list_of(node, "exp_alerts", alert_keys, errors);
    int r = 0;

    test->alertname = rules_text(node, "alertname", errors);
    rules_duration(node, "eval_time", errors, &test->at_ms);
    if (!test->alertname || !*test->alertname) {
        config_error(errors, node->at, "an item of 'alert_rule_test' needs 'alertname'");
        return 0;
    }
    test->alerts = calloc((list ? list->count : 0) + 1, sizeof *test->alerts);
    if (!test->alerts) {
        return -ENOMEM;
    }
    for (size_t i = 0; list && i < list->count && r == 0; i++) {
        struct unit_alert *alert = &test->alerts[test->n++];

        r = read_labels(list->items[i], "exp_labels", test->alertname, errors, &alert->labels);
        if (r == 0) {
            r = read_labels(list->items[i], "exp_annotations", NULL, errors, &alert->annotations);
        }
    }
    return r;
}

static int read_expr_test(const struct node *node, struct config_errors *errors,
                          struct unit_expr_test *test)
{
    const struct node *list = list_of(node, "exp_samples", sample_keys, errors);
    const char *expr = rules_text(node, "expr", errors);

    test->expr = expr ? expr : "";
    rules_duration(node, "eval_time", errors, &test->at_ms);
    test->samples = calloc((list ? list->count : 0) + 1, sizeof *test->samples);
    if (!test->samples) {
        return -ENOMEM;
    }
    for (size_t i = 0; list && i < list->count; i++) {
        struct unit_sample *sample = &test->samples[test->n++];
        const char *text = rules_text(list->items[i], "labels", errors);

        sample->text = text ? text : "";
        read_value(list->items[i], errors, &sample->value);
    }
    return 0;
}

static int read_group(const struct node *node, int64_t interval_ms, struct config_errors *errors,
                      struct unit_group *group)
{
    const struct node *inputs = list_of(node, "input_series", input_keys, errors);
    const struct node *alerts = list_of(node, "alert_rule_test", alert_test_keys, errors);
    const struct node *exprs = list_of(node, "promql_expr_test", expr_test_keys, errors);
    int r;

    group->name = rules_text(node, "name", errors);
    group->external_url = rules_text(node, "external_url", errors);
    group->interval_ms = interval_ms;
    rules_duration(node, "interval", errors, &group->interval_ms);
    if (group->interval_ms <= 0) {
        config_error(errors, node->at, "'interval' must be longer than 0s");
    }
    r = read_labels(node, "external_labels", NULL, errors, &group->external_labels);
    group->inputs = calloc((inputs ? inputs->count : 0) + 1, sizeof *group->inputs);
    group->alert_tests = calloc((alerts ? alerts->count : 0) + 1, sizeof *group->alert_tests);
    group->expr_tests = calloc((exprs ? exprs->count : 0) + 1, sizeof *group->expr_tests);
    if (!group->inputs || !group->alert_tests || !group->expr_tests) {
        return -ENOMEM;
    }
    for (size_t i = 0; inputs && i < inputs->count && r == 0; i++) {
        r = read_input(inputs->items[i], errors, &group->inputs[group->ninputs++]);
    }
    for (size_t i = 0; alerts && i < alerts->count && r == 0; i++) {
        r = read_alert_test(alerts->items[i], errors, &group->alert_tests[group->nalert_tests++]);
    }
    for (size_t i = 0; exprs && i < exprs->count && r == 0; i++) {
        r = read_expr_test(exprs->items[i], errors, &group->expr_tests[group->nexpr_tests++]);
    }
    return r;
}

static int read_texts(const struct node *mapping, const char *key, struct config_errors *errors,
                      const struct node **ret_list)
{
    const struct node *list = node_get(mapping, key, NULL);

    if (!list || node_is_null(list)) {
        return 0;
    }
    if (list->kind != NODE_SEQUENCE) {
        config_error(errors, list->at, "'%s' must be a list, not %s", key, node_kind_name(list));
        return 0;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i]->kind != NODE_SCALAR) {
            config_error(errors, list->items[i]->at, "'%s' takes texts", key);
            return 0;
        }
    }
    *ret_list = list;
    return 0;
}

static int read_order(struct config_errors *errors, struct unit_file *file)
{
    const struct node *list = NULL;
    int r = read_texts(file->tree->root, "group_eval_order", errors, &list);

    file->order = calloc((list ? list->count : 0) + 1, sizeof *file->order);
    if (!file->order) {
        return -ENOMEM;
    }
    for (size_t i = 0; list && i < list->count; i++) {
        for (size_t j = 0; j < file->norder; j++) {
            if (strcmp(file->order[j], list->items[i]->text) == 0) {
                config_error(errors, list->items[i]->at,
                             "group name repeated in evaluation order: %s", file->order[j]);
            }
        }
        file->order[file->norder++] = list->items[i]->text;
    }
    return r;
}

int unit_file_read(const char *path, struct config_errors *errors, struct unit_file *file)
{
    const struct node *list = NULL, *tests;
    int r = tree_load(path, errors, &file->tree);

    if (r < 0) {
        return r == -ENOMEM ? r : 0;
    }
    if (!file->tree->root || file->tree->root->kind != NODE_MAPPING) {
        config_error(errors, (struct config_position){path, 0, 0},
                     "a file of unit tests is a mapping with 'rule_files' and 'tests'");
        return 0;
    }
    rules_unknown_keys(file->tree->root, file_keys, "a file of unit tests", errors);
    file->interval_ms = 0;
    rules_duration(file->tree->root, "evaluation_interval", errors, &file->interval_ms);
    if (file->interval_ms == 0) {
        file->interval_ms = 60000;
    }
    r = read_texts(file->tree->root, "rule_files", errors, &list);
    for (size_t i = 0; list && i < list->count && r == 0; i++) {
        r = config_rules_glob(list->items[i]->text, path, list->items[i]->at, false, errors,
                              &file->rules);
    }
    if (r == 0) {
        r = read_order(errors, file);
    }
    tests = list_of(file->tree->root, "tests", group_keys, errors);
    file->groups = calloc((tests ? tests->count : 0) + 1, sizeof *file->groups);
    if (r == 0 && !file->groups) {
        r = -ENOMEM;
    }
    for (size_t i = 0; tests && i < tests->count && r == 0; i++) {
        r = read_group(tests->items[i], file->interval_ms, errors, &file->groups[file->ngroups++]);
    }
    return r;
}

static void group_finish(struct unit_group *group)
{
    for (size_t i = 0; i < group->ninputs; i++) {
        free(group->inputs[i].labels);
        free(group->inputs[i].values);
    }
    for (size_t i = 0; i < group->nalert_tests; i++) {
        for (size_t j = 0; j < group->alert_tests[i].n; j++) {
            free(group->alert_tests[i].alerts[j].labels.pairs);
            free(group->alert_tests[i].alerts[j].annotations.pairs);
        }
        free(group->alert_tests[i].alerts);
    }
    for (size_t i = 0; i < group->nexpr_tests; i++) {
        free(group->expr_tests[i].samples);
    }
    free(group->inputs);
    free(group->alert_tests);
    free(group->expr_tests);
    free(group->external_labels.pairs);
}

void unit_file_finish(struct unit_file *file)
{
    for (size_t i = 0; i < file->ngroups; i++) {
        group_finish(&file->groups[i]);
    }
    free(file->groups);
    free(file->order);
    config_rules_finish(&file->rules);
    tree_destroy(file->tree);
}
