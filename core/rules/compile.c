/*
 * compile.c: from what stands in files to what is evaluated, see rule.h.
 *
 * A rule's key is its name and its labels as they stand, so that its alerts and their timers stay
 * when its expression, its threshold or its place in the group changes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/labels.h"
#include "rules/active.h"
#include "rules/rule.h"

#define KEY_BYTES 65536

static int compile_pairs(const struct config_rule_pair *from, size_t n, bool templates,
                         struct config_errors *errors, size_t *ret_n, struct rule_pair **ret_pairs)
{
    struct rule_pair *pairs = calloc(n + 1, sizeof *pairs);

    *ret_pairs = pairs;
    if (!pairs) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        char why[512];
        int r = 0;

        pairs[i].name = strdup(from[i].name);
        pairs[i].text = strdup(from[i].value);
        (*ret_n)++;
        if (!pairs[i].name || !pairs[i].text) {
            return -ENOMEM;
        }
        if (templates) {
            r = template_parse(from[i].value, &pairs[i].template, why, sizeof why);
        }
        if (r == -EINVAL) {
            config_error(errors, from[i].at, "'%s': in the template at %s", from[i].name, why);
        } else if (r < 0) {
            return r;
        }
    }
    return 0;
}

static int make_key(struct rule *rule)
{
    struct buf key;
    unsigned same = 0;

    buf_init(&key, KEY_BYTES);
    buf_printf(&key, "%s:%s", rule->recording ? "record" : "alert", rule->name);
    for (size_t i = 0; i < rule->nlabels; i++) {
        buf_printf(&key, ";%s=", rule->labels[i].name);
        labels_quote(rule->labels[i].text, &key);
    }
    for (const struct rule *other = rule->group->rules; other < rule; other++) {
        size_t len = key.len;

        same += strncmp(other->key, buf_str(&key), len) == 0 &&
                (other->key[len] == '\0' || other->key[len] == '#');
    }
    if (same > 0) {
        buf_printf(&key, "#%u", same + 1);
    }
    rule->key = buf_take(&key);
    return rule->key ? 0 : -ENOMEM;
}

int64_t rule_selector_keep_ms(const struct expr_selector *selector)
{
    int64_t back = selector->range_ms > EXPR_LOOKBACK_MS ? selector->range_ms : EXPR_LOOKBACK_MS;

    return back + (selector->offset_ms > 0 ? selector->offset_ms : 0);
}

static void measure(struct rule *rule)
{
    for (size_t i = 0; i < expr_selectors(rule->expr); i++) {
        const struct expr_selector *selector = expr_selector(rule->expr, i);
        int64_t range = selector->range_ms + (selector->offset_ms > 0 ? selector->offset_ms : 0);

        rule->range_ms = range > rule->range_ms ? range : rule->range_ms;
    }
}

static int compile_expr(const struct config_rule *from, struct config_errors *errors,
                        struct rule *rule)
{
    static const char *const kinds[] = {"a scalar", "a text", "a vector", "a range of samples"};
    char why[1024];
    enum expr_type type;
    int r;

    if (!*from->expr) {
        return 0; /* which was told already */
    }
    r = expr_parse(from->expr, &rule->expr, why, sizeof why);
    if (r == -EINVAL) {
        config_error(errors, from->expr_at, "'expr' of \"%.64s\", at its %s", from->name, why);
    }
    if (r < 0) {
        return r == -EINVAL ? 0 : r;
    }
    type = expr_type(rule->expr);
    if (type != EXPR_SCALAR && type != EXPR_VECTOR) {
        config_error(errors, from->expr_at,
                     "'expr' of \"%.64s\" must give a vector or a scalar, not %s", from->name,
                     kinds[type]);
    }
    measure(rule);
    return 0;
}

static int compile_rule(const struct config_rule *from, struct rules_group *group,
                        struct config_errors *errors, struct rule *rule)
{
    int r;

    *rule = (struct rule){.group = group,
                          .recording = from->recording,
                          .for_ms = from->for_ms,
                          .keep_firing_ms = from->keep_firing_ms,
                          .no_data = from->no_data,
                          .timer_ms = -1,
                          .no_data_since_ms = -1};
    map_init(&rule->active);
    map_init(&rule->emitted);
    rule->name = strdup(from->name);
    rule->text = strdup(from->expr);
    if (!rule->name || !rule->text) {
        return -ENOMEM;
    }
    r = compile_expr(from, errors, rule);
    if (r == 0) {
        r = compile_pairs(from->labels, from->nlabels, !from->recording, errors, &rule->nlabels,
                          &rule->labels);
    }
    if (r == 0) {
        r = compile_pairs(from->annotations, from->nannotations, true, errors, &rule->nannotations,
                          &rule->annotations);
    }
    return r < 0 ? r : make_key(rule);
}

static int compile_group(const struct config_rule_group *from, int64_t default_interval_ms,
                         struct config_errors *errors, struct rules_group *group)
{
    int r = 0;

    *group = (struct rules_group){.name = strdup(from->name),
                                  .key = strdup(from->key),
                                  .file = strdup(from->at.file ? from->at.file : ""),
                                  .line = from->at.line,
                                  .interval_ms = from->interval_ms > 0 ? from->interval_ms
                                                                       : default_interval_ms,
                                  .limit = from->limit,
                                  .rules = calloc(from->nrules + 1, sizeof *group->rules)};
    if (!group->name || !group->key || !group->file || !group->rules) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < from->nrules && r == 0; i++) {
        group->n++;
        r = compile_rule(&from->rules[i], group, errors, &group->rules[i]);
    }
    return r;
}

/* Whether an expression looks at a series of this name. */
static bool looks_at(const struct rules_set *set, const char *name)
{
    for (size_t g = 0; g < set->ngroups; g++) {
        for (size_t i = 0; i < set->groups[g].n; i++) {
            const struct expr *expr = set->groups[g].rules[i].expr;

            for (size_t s = 0; expr && s < expr_selectors(expr); s++) {
                const struct expr_selector *selector = expr_selector(expr, s);
                bool may = true;

                for (size_t m = 0; m < selector->nmatchers && may; m++) {
                    may = strcmp(selector->matchers[m].name, "__name__") != 0 ||
                          matcher_matches(&selector->matchers[m], name);
                }
                if (may) {
                    return true;
                }
            }
        }
    }
    return false;
}

int rules_compile(const struct config_rules *config, int64_t default_interval_ms,
                  struct config_errors *errors, struct rules_set **ret_set)
{
    struct rules_set *set = calloc(1, sizeof *set);
    size_t before = errors->errors;
    bool own_series;
    int r = 0;

    if (!set || !(set->groups = calloc(config->ngroups + 1, sizeof *set->groups))) {
        free(set);
        return -ENOMEM;
    }
    for (size_t i = 0; i < config->ngroups && r == 0; i++) {
        set->ngroups++;
        r = compile_group(&config->groups[i], default_interval_ms, errors, &set->groups[i]);
        set->nrules += set->groups[i].n;
    }
    if (r == 0 && errors->errors > before) {
        r = -EINVAL;
    }
    if (r < 0) {
        rules_set_destroy(set);
        return r;
    }
    own_series = looks_at(set, "ALERTS") || looks_at(set, "ALERTS_FOR_STATE");
    for (size_t g = 0; g < set->ngroups; g++) {
        for (size_t i = 0; i < set->groups[g].n; i++) {
            set->groups[g].rules[i].own_series = own_series;
        }
    }
    *ret_set = set;
    return 0;
}

/* ---- freed ---- */

static void free_pairs(struct rule_pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(pairs[i].name);
        free(pairs[i].text);
        template_destroy(pairs[i].template);
    }
    free(pairs);
}

static void rule_finish(struct rule *rule)
{
    struct rule_emitted *emitted;
    struct active *active;

    for (size_t pos = 0; (active = map_next(&rule->active, &pos));) {
        active_destroy(active);
    }
    for (size_t pos = 0; (emitted = map_next(&rule->emitted, &pos));) {
        free(emitted->key);
        free(emitted->labels);
        free(emitted);
    }
    map_finish(&rule->active);
    map_finish(&rule->emitted);
    free(rule->name);
    free(rule->key);
    free(rule->text);
    free(rule->error);
    free(rule->handles);
    expr_destroy(rule->expr);
    free_pairs(rule->labels, rule->nlabels);
    free_pairs(rule->annotations, rule->nannotations);
}

void rules_set_destroy(struct rules_set *set)
{
    if (!set) {
        return;
    }
    for (size_t g = 0; g < set->ngroups; g++) {
        struct rules_group *group = &set->groups[g];

        for (size_t i = 0; i < group->n; i++) {
            rule_finish(&group->rules[i]);
        }
        free(group->rules);
        free(group->name);
        free(group->key);
        free(group->file);
    }
    free(set->groups);
    free(set);
}

void rule_take_state(struct rule *rule, struct rule *from)
{
    struct map active = rule->active, emitted = rule->emitted;
    struct active *each;

    rule->active = from->active;
    rule->emitted = from->emitted;
    from->active = active;
    from->emitted = emitted;
    for (size_t pos = 0; (each = map_next(&rule->active, &pos));) {
        each->rule = rule;
    }
    rule->round = from->round;
    rule->evaluated_ms = from->evaluated_ms;
    rule->timer_ms = from->timer_ms;
    rule->took_ns = from->took_ns;
    rule->nresults = from->nresults;
    rule->no_data_since_ms = from->no_data_since_ms;
    free(rule->error);
    rule->error = from->error;
    from->error = NULL;
}
