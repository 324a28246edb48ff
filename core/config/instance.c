/*
 * instance.c: one entry of `plugins:`.  Runs where a configuration is loaded.
 *
 * Whether an instance is enabled is decided before anything else of it is read, because a disabled
 * one may name variables that are not set: that is what it is disabled for.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/suggest.h"
#include "config/resolve.h"
#include "config/schema.h"
#include "config/sections.h"
#include "model/value.h"

#define DEFAULT_TIMEOUT_MS 10000

static const struct tmon_option worker_limits[] = {
    {"memory", TMON_BYTES, 0, "256MiB", 16 << 20, (double)(INT64_C(1) << 40), NULL,
     "the most memory of its worker", NULL},
    {"descriptors", TMON_INT, 0, "64", 16, 65536, NULL, "the most descriptors of its worker", NULL},
    {"cpu", TMON_INT, 0, "0", 0, 6400, NULL,
     "the most CPU of its worker, in percent of one core; 0: no limit", NULL},
    {0},
};

static const struct tmon_option budget_options[] = {
    {"notifications", TMON_INT, 0, "0", 0, 1000000, NULL, "how many; 0: no limit", NULL},
    {"per", TMON_DURATION, 0, "1m", 1000, 86400000, NULL, "in how long a time", NULL},
    {0},
};

const struct tmon_option instance_core_options[] = {
    {"use", TMON_STRING, 0, NULL, 0, 0, NULL, "the component; left out, it is the instance's name",
     NULL},
    {"interval", TMON_DURATION, 0, "15s", 100, 604800000, NULL, "how often it runs", NULL},
    {"timeout", TMON_DURATION, 0, NULL, 10, 3600000, NULL, "how long a run may take", NULL},
    {"enabled", TMON_BOOL, 0, "true", 0, 0, NULL, "false turns it off", NULL},
    {"enabled_if", TMON_LIST, 0, NULL, 0, 0, NULL,
     "variables that must be set and not empty, else it is off", NULL},
    {"limits", TMON_GROUPS, SCHEMA_ONE, NULL, 0, 0, NULL, "bounds on its worker", worker_limits},
    {"affects", TMON_CHOICE, 0, "fail", 0, 0, "fail|degrade|nothing",
     "what a failing check does to the health", NULL},
    {"fail_after", TMON_INT, 0, "1", 1, 1000, NULL,
     "how many times in a row it must fail to count as failing", NULL},
    {"pass_after", TMON_INT, 0, "1", 1, 1000, NULL,
     "how many times in a row it must pass to count as passing", NULL},
    {"scope", TMON_CHOICE, 0, "node", 0, 0, "node|cluster", "cluster: one agent of several runs it",
     NULL},
    {"labels", TMON_MAP, 0, NULL, 0, 0, NULL, "labels on each of its series", NULL},
    {"alerts", TMON_BOOL, 0, "true", 0, 0, NULL, "false: no alert is made of its failing check",
     NULL},
    {"workers", TMON_INT, 0, "1", 1, 64, NULL, "sinks: how many deliver at a time", NULL},
    {"concurrency", TMON_INT, 0, "0", 0, 1024, NULL,
     "sinks: how many requests are in flight; 0: as the component likes", NULL},
    {"failover", TMON_STRING, 0, NULL, 0, 0, NULL,
     "sinks: who is told instead while this one is down", NULL},
    {"budget", TMON_GROUPS, SCHEMA_ONE, NULL, 0, 0, NULL,
     "sinks: what exceeds it is told in one digest", budget_options},
    {"give_up_after", TMON_DURATION, 0, "72h", 1000, 31536000000, NULL,
     "sinks: how long a notification is tried", NULL},
    {0},
};

static bool name_ok(const char *name)
{
    if (!isalnum((unsigned char)*name) || strlen(name) > LIMIT_NAME_BYTES) {
        return false;
    }
    for (; *name; name++) {
        if (!isalnum((unsigned char)*name) && !strchr("_.-", *name)) {
            return false;
        }
    }
    return true;
}

/* The first reason stays. */
static int disable(struct config_instance *instance, const char *what, const char *why)
{
    if (!instance->enabled) {
        return 0;
    }
    instance->enabled = false;
    if (asprintf(&instance->disabled_reason, "%s is %s", what, why) < 0) {
        instance->disabled_reason = NULL;
        return -ENOMEM;
    }
    return 0;
}

/* One name of `enabled_if`.  It stays as written: "${DATABASE_URL}" there would mean the name that
 * is its value. */
static int read_condition(struct node *node, const struct config_env *env,
                          struct config_errors *errors, struct config_instance *instance)
{
    const char *value;

    if (node->kind != NODE_SCALAR) {
        return 0; // the schema will say it
    }
    node->value = strdup(node->text);
    if (!node->value) {
        return -ENOMEM;
    }
    if (!resolve_is_name(node->text)) {
        if (!node_is_null(node)) {
            config_error(errors, node->at,
                         "'enabled_if' takes names of variables, such as DATABASE_URL, without $ "
                         "and braces");
        }
        return 0;
    }
    value = env->lookup(env->owner, node->text);
    return value && *value ? 0 : disable(instance, node->text, value ? "empty" : "not set");
}

static int read_enabled(const struct node *node, const struct config_env *env,
                        struct config_errors *errors, struct config_instance *instance)
{
    const struct value_rule rule = {.type = TMON_BOOL};
    struct node *enabled = node_get(node, "enabled", NULL),
                *condition = node_get(node, "enabled_if", NULL);
    struct value value;
    char why[64];
    int r = 0;

    instance->enabled = true;
    if (enabled) {
        r = resolve_node(enabled, env, false, errors);
        if (r == 0 && enabled->value &&
            value_parse(&rule, enabled->value, &value, why, sizeof why) == 0 && !value.num) {
            r = disable(instance, "enabled", "false");
        }
    }
    if (condition && condition->kind == NODE_SCALAR && r == 0) {
        r = read_condition(condition, env, errors, instance);
    }
    for (size_t i = 0;
         condition && condition->kind == NODE_SEQUENCE && i < condition->count && r == 0; i++) {
        r = read_condition(condition->items[i], env, errors, instance);
    }
    return r;
}

/* The component's name stays as written: it is shown to everybody, so no variable may get into it.
 */
static int read_use(struct node *use, struct config_errors *errors)
{
    if (!use || use->kind != NODE_SCALAR) {
        return 0;
    }
    if (strchr(use->text, '$')) {
        config_error(errors, use->at, "'use' takes no variables; write the component's name");
        use->unset = true;
        return 0;
    }
    use->value = strdup(use->text);
    return use->value ? 0 : -ENOMEM;
}

static bool label_ok(const char *key)
{
    if (isdigit((unsigned char)*key) || !*key || strncmp(key, "__", 2) == 0 ||
        strlen(key) > LIMIT_NAME_BYTES) {
        return false;
    }
    for (const char *c = key; *c; c++) {
        if (!isalnum((unsigned char)*c) && *c != '_') {
            return false;
        }
    }
    return strcmp(key, "le") != 0 && strcmp(key, "quantile") != 0;
}

static int compare_labels(const void *a, const void *b)
{
    return strcmp(((const struct tmon_pair *)a)->key, ((const struct tmon_pair *)b)->key);
}

static int read_labels(const struct node *node, struct settings *settings,
                       struct config_errors *errors, struct config_instance *instance)
{
    struct setting *setting = (struct setting *)settings_find(settings, "labels");
    struct node *labels = node_get(node, "labels", NULL);

    if (setting->count == 0) {
        return 0;
    }
    if (setting->count > LIMIT_LABELS) {
        config_error(errors, labels->at, "'labels' has %zu labels, more than %d", setting->count,
                     LIMIT_LABELS);
        return 0;
    }
    instance->labels = calloc(setting->count, sizeof *instance->labels);
    if (!instance->labels) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < setting->count; i++) {
        if (!label_ok(setting->items[i])) {
            config_error(errors, labels->keys[i]->at,
                         "'%.64s' cannot be a label: letters, digits and _, not starting with a "
                         "digit or __, not le or quantile",
                         setting->items[i]);
        } else if (!*setting->values[i] || strlen(setting->values[i]) > LIMIT_LABEL_VALUE_BYTES) {
            config_error(errors, labels->items[i]->at,
                         "the label '%s' must have from 1 to %d bytes", setting->items[i],
                         LIMIT_LABEL_VALUE_BYTES);
        }
        instance->labels[i] = (struct tmon_pair){setting->items[i], setting->values[i]};
        setting->items[i] = NULL;
        setting->values[i] = NULL;
    }
    instance->nlabels = setting->count;
    qsort(instance->labels, instance->nlabels, sizeof *instance->labels, compare_labels);
    return 0;
}

static void need_timeout_within(const struct config_instance *instance,
                                struct config_errors *errors)
{
    char space[CONFIG_DURATION_SIZE];

    if (instance->timeout_ms > instance->interval_ms) {
        config_error(errors, instance->timeout_at,
                     "'timeout' must not be longer than 'interval', which is %s",
                     config_duration(instance->interval_ms, space));
    }
}

static void read_times(const struct node *node, const struct settings *settings,
                       struct config_errors *errors, struct config_instance *instance)
{
    struct node *interval = node_get(node, "interval", NULL);
    struct node *timeout = node_get(node, "timeout", NULL);

    instance->interval_ms = section_number(settings, "interval");
    instance->interval_set = interval != NULL;
    instance->timeout_set = timeout != NULL;
    instance->interval_at = interval ? interval->at : instance->at;
    instance->timeout_at = timeout ? timeout->at : instance->at;
    instance->timeout_ms =
        DEFAULT_TIMEOUT_MS < instance->interval_ms ? DEFAULT_TIMEOUT_MS : instance->interval_ms;
    if (timeout) {
        instance->timeout_ms = section_number(settings, "timeout");
    }
    /* With the default interval it depends on the component: see check_times(). */
    if (timeout && interval) {
        need_timeout_within(instance, errors);
    }
}

static void read_budget(const struct node *node, struct settings *settings,
                        struct config_errors *errors, struct config_instance *instance)
{
    const struct settings *budget = section_group(settings, "budget");
    struct node *written = node_get(node, "budget", NULL);
    struct node *failover = node_get(node, "failover", NULL);

    instance->budget = (uint32_t)section_number(budget, "notifications");
    instance->budget_ms = section_number(budget, "per");
    instance->budget_at = written ? written->at : instance->at;
    if (written && !node_get(written, "notifications", NULL)) {
        config_error(errors, written->at,
                     "'budget' needs 'notifications', such as {notifications: "
                     "20, per: 1m}");
    }
    instance->give_up_ms = section_number(settings, "give_up_after");
    instance->failover = section_take_text(settings, "failover");
    instance->failover_at = failover ? failover->at : instance->at;
}

static int read_core_keys(const struct node *node, struct settings *settings,
                          struct config_errors *errors, struct config_instance *instance)
{
    struct settings *limits = section_group(settings, "limits");
    const char *affects = section_text(settings, "affects");
    struct node *use = node_get(node, "use", NULL);

    instance->component = section_take_text(settings, "use");
    if (instance->component) {
        instance->use_at = use->at;
        if (!*instance->component || strlen(instance->component) > LIMIT_NAME_BYTES) {
            config_error(errors, use->at, "'use' must be the name of a component");
        }
    } else {
        instance->use_at = instance->at;
        instance->component = strdup(instance->name);
    }
    read_times(node, settings, errors, instance);
    instance->memory_bytes = (uint64_t)section_number(limits, "memory");
    instance->descriptors = (uint32_t)section_number(limits, "descriptors");
    instance->cpu_percent = (uint32_t)section_number(limits, "cpu");
    instance->affects = strcmp(affects, "fail") == 0      ? CONFIG_AFFECTS_FAIL
                        : strcmp(affects, "degrade") == 0 ? CONFIG_AFFECTS_DEGRADE
                                                          : CONFIG_AFFECTS_NOTHING;
    instance->fail_after = (uint32_t)section_number(settings, "fail_after");
    instance->pass_after = (uint32_t)section_number(settings, "pass_after");
    instance->scope = strcmp(section_text(settings, "scope"), "cluster") == 0 ? CONFIG_SCOPE_CLUSTER
                                                                              : CONFIG_SCOPE_NODE;
    instance->alerts = section_number(settings, "alerts");
    instance->workers = (uint32_t)section_number(settings, "workers");
    instance->concurrency = (uint32_t)section_number(settings, "concurrency");
    read_budget(node, settings, errors, instance);
    if (!instance->component) {
        return -ENOMEM;
    }
    return read_labels(node, settings, errors, instance);
}

/* Of one whose keys are wrong: what it is, so that its settings can be looked at all the same. */
static int read_component(const struct node *node, struct config_instance *instance)
{
    const struct node *use = node_get(node, "use", NULL);
    const char *name = !use ? instance->name : use->kind == NODE_SCALAR ? use->value : NULL;

    instance->use_at = use ? use->at : instance->at;
    if (!name || (use && use->unset)) {
        return 0;
    }
    instance->component = strdup(name);
    return instance->component ? 0 : -ENOMEM;
}

int instance_read(struct node *key, struct node *node, const struct manifest_option *core_options,
                  size_t ncore_options, const struct config_env *env, struct config_errors *errors,
                  struct config_instance *ret_instance)
{
    struct schema schema = {
        .options = core_options, .noptions = ncore_options, .others_unknown = true};
    struct settings *settings = NULL;
    int r;

    memset(ret_instance, 0, sizeof *ret_instance);
    ret_instance->at = key->at;
    ret_instance->node = node;
    ret_instance->name = strdup(key->text);
    if (!ret_instance->name) {
        return -ENOMEM;
    }
    if (!name_ok(key->text)) {
        config_error(
            errors, key->at,
            "'%.64s' cannot name an instance: letters, digits, '_', '-' and '.', at most %d",
            key->text, LIMIT_NAME_BYTES);
    } else if (strcmp(key->text, CONFIG_CHECK_ROUTES) == 0 ||
               strcmp(key->text, CONFIG_CHECK_STATE) == 0) {
        config_error(errors, key->at,
                     "'%s' cannot name an instance: a check of the agent's own has this name",
                     key->text);
    }
    if (node->kind != NODE_MAPPING && !node_is_null(node)) {
        config_error(errors, node->at,
                     "'%.64s' must be a mapping, such as {use: memory, interval: 60s}, not %s",
                     key->text, node_kind_name(node));
        return 0;
    }
    r = read_enabled(node, env, errors, ret_instance);
    if (r == 0) {
        r = read_use(node_get(node, "use", NULL), errors);
    }
    if (r == 0) {
        r = resolve_instance(node, env, !ret_instance->enabled, errors);
    }
    if (r == 0) {
        schema.lenient = !ret_instance->enabled;
        r = schema_check(&schema, node->kind == NODE_MAPPING ? node : NULL, key->at, errors,
                         &settings);
    }
    if (r == 0) {
        r = read_core_keys(node, settings, errors, ret_instance);
    } else if (r == -EINVAL) {
        r = read_component(node, ret_instance);
    }
    settings_destroy(settings);
    return r == -ENOMEM ? r : 0;
}

void instance_finish(struct config_instance *instance)
{
    for (size_t i = 0; i < instance->nlabels; i++) {
        free((char *)instance->labels[i].key);
        free((char *)instance->labels[i].value);
    }
    free(instance->labels);
    free(instance->name);
    free(instance->component);
    free(instance->disabled_reason);
    free(instance->failover);
    memset(instance, 0, sizeof *instance);
}

/* What of the core's keys depends on what the component can do. */
static void check_core_keys(const struct config_instance *instance,
                            const struct manifest_component *component,
                            struct config_errors *errors)
{
    if (!manifest_is_scheduled(component)) {
        if (instance->interval_set) {
            config_warning(errors, instance->interval_at,
                           "'interval' does nothing here: '%s' is told when there is something to "
                           "tell, not at intervals",
                           component->name);
        }
    } else if (instance->timeout_set && !instance->interval_set) {
        need_timeout_within(instance, errors);
    }
    if (!manifest_is_sink(component)) {
        if (instance->failover) {
            config_error(errors, instance->failover_at, "'failover' is for sinks, and '%s' is none",
                         component->name);
        }
        if (instance->budget) {
            config_error(errors, instance->budget_at, "'budget' is for sinks, and '%s' is none",
                         component->name);
        }
    } else if (instance->budget && component->flags & TMON_ONE_ALERT) {
        config_error(errors, instance->budget_at,
                     "'%s' takes one alert at a time, so it cannot be told a digest: take 'budget' "
                     "out; 'inhibit_rules' and narrower routes keep it quiet in a storm",
                     component->name);
    }
}

int config_instance_settings(const struct config_instance *instance,
                             const struct manifest_component *component,
                             struct config_errors *errors, struct settings **ret_settings)
{
    struct schema schema = {
        .options = component->options,
        .noptions = component->noptions,
        .others = manifest_reserved_names(),
        .lenient = !instance->enabled,
    };
    struct settings *settings = NULL;
    struct buf encoded;
    const struct node *node = instance->node;
    int r = schema_check(&schema, node && node->kind == NODE_MAPPING ? node : NULL, instance->at,
                         errors, &settings);

    check_core_keys(instance, component, errors);
    if (r) {
        return r;
    }
    if (!instance->enabled) {
        settings_destroy(settings);
        *ret_settings = NULL;
        return 0;
    }
    buf_init(&encoded, LIMIT_SETTINGS_BYTES);
    settings_encode(settings, &encoded);
    if (encoded.failed) {
        config_error(errors, instance->at, "the settings of '%s' are too large: %d bytes at most",
                     instance->name, LIMIT_SETTINGS_BYTES);
        settings_destroy(settings);
        r = -EINVAL;
    } else {
        *ret_settings = settings;
    }
    buf_finish(&encoded);
    return r;
}

int config_instance_default(const char *name, struct config_instance **ret_instance)
{
    struct node key = {.kind = NODE_SCALAR, .text = (char *)name, .plain = true};
    struct node nothing = {
        .kind = NODE_SCALAR, .text = (char *)"", .value = (char *)"", .plain = true};
    struct config_instance *instance = calloc(1, sizeof *instance);
    struct manifest_option *options;
    struct config_errors errors;
    size_t noptions = 0;
    int r = -ENOMEM;

    config_errors_init(&errors);
    options = schema_options(instance_core_options, &noptions);
    if (instance && options) {
        r = instance_read(&key, &nothing, options, noptions, &config_env_process, &errors,
                          instance);
        instance->node = NULL; // it is written nowhere
    }
    schema_free_options(options, noptions);
    config_errors_finish(&errors);
    if (r < 0) {
        config_instance_destroy(instance);
        return r;
    }
    *ret_instance = instance;
    return 0;
}

void config_instance_destroy(struct config_instance *instance)
{
    if (instance) {
        instance_finish(instance);
        free(instance);
    }
}

void config_unknown_component(const struct config_instance *instance, const char *const *known,
                              size_t count, struct config_errors *errors)
{
    char suggestion[SUGGESTION_SIZE];

    suggest_ending(instance->component, known, count, suggestion);
    config_error(
        errors, instance->use_at, "no plugin offers a component '%.64s'%s", instance->component,
        *suggestion
            ? suggestion
            : "; 'toiletmon plugin list' shows what there is, 'plugin_dirs' says where to look");
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool config_instance_equal(const struct config_instance *a, const struct config_instance *b)
{
    if (a->nlabels != b->nlabels) {
        return false;
    }
    for (size_t i = 0; i < a->nlabels; i++) {
        if (!same(a->labels[i].key, b->labels[i].key) ||
            !same(a->labels[i].value, b->labels[i].value)) {
            return false;
        }
    }
    return same(a->name, b->name) && same(a->component, b->component) &&
           a->interval_ms == b->interval_ms && a->timeout_ms == b->timeout_ms &&
           a->enabled == b->enabled && same(a->disabled_reason, b->disabled_reason) &&
           a->memory_bytes == b->memory_bytes && a->descriptors == b->descriptors &&
           a->cpu_percent == b->cpu_percent && a->affects == b->affects &&
           a->fail_after == b->fail_after && a->pass_after == b->pass_after &&
           a->scope == b->scope && a->workers == b->workers;
}
