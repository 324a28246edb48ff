/*
 * inhibit.c: see inhibit.h.  Runs where a configuration is loaded.
 */
#include "config/inhibit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "config/schema.h"
#include "config/sections.h"

static const struct tmon_option options[] = {
    {"source_match", TMON_MAP, 0, NULL, 0, 0, NULL, "labels of the alerts that inhibit", NULL},
    {"source_matchers", TMON_LIST, 0, NULL, 0, 0, NULL,
     "conditions on the alerts that inhibit, such as severity=\"critical\"", NULL},
    {"target_match", TMON_MAP, 0, NULL, 0, 0, NULL, "labels of the alerts that are inhibited",
     NULL},
    {"target_matchers", TMON_LIST, 0, NULL, 0, 0, NULL,
     "conditions on the alerts that are inhibited", NULL},
    {"equal", TMON_LIST, 0, NULL, 0, 0, NULL, "labels that must be the same in both", NULL},
    {0},
};

/* Alertmanager's older keys, which are allowed to be there so that one can say what to write. */
static const char *const others[] = {"source_match_re", "target_match_re", NULL};

static void tell_old_keys(const struct node *mapping, struct config_errors *errors)
{
    for (size_t i = 0; others[i]; i++) {
        struct node *key = NULL;

        if (node_get(mapping, others[i], &key)) {
            config_error(errors, key->at,
                         "'%s' is not known here; write name=~\"regex\" in '%.6s_matchers'",
                         others[i], others[i]);
        }
    }
}

static void need_matchers(const char *side, size_t n, const struct node *mapping, const char *what,
                          struct config_errors *errors)
{
    if (n == 0) {
        config_error(errors, mapping->at, "'%s_matchers' is missing; without it every alert %s",
                     side, what);
    }
}

static int read_rule(const struct node *mapping, const struct schema *schema,
                     struct config_errors *errors, struct config_inhibit *rule)
{
    struct settings *settings = NULL;
    size_t before = errors->errors;
    int r;

    *rule = (struct config_inhibit){.at = mapping->at};
    if (mapping->kind != NODE_MAPPING) {
        config_error(
            errors, mapping->at,
            "each entry of 'inhibit_rules' must be a mapping, such as {source_matchers: "
            "[severity=critical], target_matchers: [severity=warning], equal: [instance]}, "
            "not %s",
            node_kind_name(mapping));
        return 0;
    }
    tell_old_keys(mapping, errors);
    r = schema_check(schema, mapping, mapping->at, errors, &settings);
    if (r == 0) {
        r = section_matchers(mapping, settings, "source_match", "source_matchers", errors,
                             &rule->nsource, &rule->source);
    }
    if (r == 0) {
        r = section_matchers(mapping, settings, "target_match", "target_matchers", errors,
                             &rule->ntarget, &rule->target);
    }
    if (r == 0) {
        r = section_label_names(mapping, settings, "equal", "", errors, &rule->nequal,
                                &rule->equal);
    }
    if (r == 0 && errors->errors == before) {
        need_matchers("source", rule->nsource, mapping, "would inhibit", errors);
        need_matchers("target", rule->ntarget, mapping, "would be inhibited", errors);
    }
    settings_destroy(settings);
    return r == -EINVAL ? 0 : r; /* the mistakes of the next ones are told too */
}

int inhibit_read(const struct node *list, struct config_errors *errors, struct config *config)
{
    struct schema schema = {.others = others};
    struct manifest_option *made = schema_options(options, &schema.noptions);
    int r = 0;

    schema.options = made;
    config->inhibit = calloc(list->count ? list->count : 1, sizeof *config->inhibit);
    if (!made || !config->inhibit) {
        r = -ENOMEM;
    }
    for (size_t i = 0; i < list->count && r == 0; i++) {
        if (i == LIMIT_INHIBIT_RULES) {
            config_error(errors, list->items[i]->at, "there are more than %d inhibit rules",
                         LIMIT_INHIBIT_RULES);
            break;
        }
        config->ninhibit = i + 1;
        r = read_rule(list->items[i], &schema, errors, &config->inhibit[i]);
    }
    if (made) {
        schema_free_options(made, schema.noptions);
    }
    return r;
}

void inhibit_finish(struct config_inhibit *rules, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        matchers_free(rules[i].source, rules[i].nsource);
        matchers_free(rules[i].target, rules[i].ntarget);
        for (size_t j = 0; j < rules[i].nequal; j++) {
            free(rules[i].equal[j]);
        }
        free(rules[i].equal);
    }
    free(rules);
}
