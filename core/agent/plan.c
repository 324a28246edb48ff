/*
 * plan.c: see plan.h.
 */
#include "agent/plan.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/routing_plan.h"
#include "agent/rules_plan.h"
#include "alert/routing.h"
#include "http/http.h"
#include "plugin/probe.h"
#include "rules/rule.h"
#include "tmon_build.h"

/* The default directory: `plugins` beside the executable in a build tree, else where they are
 * installed. */
static void default_directory(const struct spawner *spawner, char *ret_path, size_t size)
{
    struct stat there;

    (void)snprintf(ret_path, size, "%s/plugins", spawner_directory(spawner));
    if (stat(ret_path, &there) < 0 || !S_ISDIR(there.st_mode)) {
        (void)snprintf(ret_path, size, "%s", TMON_PLUGINDIR);
    }
}

static int scan(struct plan *plan, struct spawner *spawner, const struct registry *previous,
                int cancel_fd)
{
    const struct config_agent *agent = &plan->config->agent;
    const char **directories = calloc(agent->nplugin_dirs + 1, sizeof *directories);
    char first[PATH_MAX];
    int r;

    if (!directories) {
        return -ENOMEM;
    }
    default_directory(spawner, first, sizeof first);
    directories[0] = first;
    for (size_t i = 0; i < agent->nplugin_dirs; i++) {
        directories[i + 1] = agent->plugin_dirs[i];
    }
    r = registry_scan(spawner, directories, agent->nplugin_dirs + 1, previous, cancel_fd,
                      &plan->registry);
    free(directories);
    return r;
}

static void look_at_registry(const struct plan *plan, struct config_errors *errors)
{
    const struct config_position nowhere = {.file = plan->config->path};
    struct buf why;

    for (size_t i = 0; i < plan->registry->nproblems; i++) {
        config_warning(errors, nowhere, "%s", plan->registry->problems[i]);
    }
    buf_init(&why, 65536);
    if (registry_conflicts(plan->registry, &why) > 0) {
        config_error(errors, nowhere, "%s", buf_str(&why));
    }
    buf_finish(&why);
}

/* No plugin offers the component: an error, or a refusal where the plugin's file is there and bad.
 */
static int no_component(const struct plan *plan, struct plan_instance *instance, const char *why,
                        struct config_errors *errors)
{
    if (instance->file) {
        instance->refused = strdup(why);
        if (!instance->refused) {
            return -ENOMEM;
        }
        if (instance->config->enabled) {
            config_warning(errors, instance->config->use_at, "instance \"%s\" cannot run: %s",
                           instance->config->name, why);
        }
        return 0;
    }
    if (instance->config->enabled && instance->config != plan->log && !plan->config->dirs_missed) {
        size_t n = 0;
        const char **names = registry_names(plan->registry, &n);

        config_unknown_component(instance->config, names, n, errors);
        free(names);
    }
    return 0;
}

static int look_at_instance(const struct plan *plan, struct plan_instance *instance,
                            struct config_errors *errors)
{
    struct buf why;
    int r;

    if (!instance->config->component || !*instance->config->component) {
        return 0; // which is told
    }
    buf_init(&why, 8192);
    instance->component =
        registry_find(plan->registry, instance->config->component, &instance->file, &why);
    if (!instance->component) {
        r = no_component(plan, instance, buf_str(&why), errors);
    } else {
        r = config_instance_settings(instance->config, instance->component, errors,
                                     &instance->settings);
        r = r == -EINVAL ? 0 : r; /* it is in `errors`; go on, so that all is told at once */
        if (instance->config->faulty) {
            settings_destroy(instance->settings);
            instance->settings = NULL; // nothing is to be made of them
        }
    }
    buf_finish(&why);
    return r;
}

static void look_at_tls(const struct plan *plan, struct config_errors *errors)
{
    const struct config_agent *agent = &plan->config->agent;
    const struct config_position nowhere = {.file = plan->config->path};
    struct buf why;

    if (!agent->tls_certificate || !agent->tls_key) {
        return;
    }
    buf_init(&why, 4096);
    if (http_check_tls(agent->tls_certificate, agent->tls_key, &why) < 0) {
        config_error(errors, nowhere, "agent.tls: %s", buf_str(&why));
    }
    buf_finish(&why);
}

static bool named_ready(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->agent.nready; i++) {
        if (strcmp(config->agent.ready[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* The `log` that is always there, where nobody wrote it. */
static int add_log(struct plan *plan, struct config_errors *errors)
{
    struct plan_instance *instance = &plan->instances[plan->n];
    int r = config_instance_default(CONFIG_LOG_INSTANCE, &plan->log);

    if (r < 0) {
        return r;
    }
    instance->config = plan->log;
    plan->n++;
    r = look_at_instance(plan, instance, errors);
    if (r == 0 && !instance->component && !instance->refused) {
        instance->refused = strdup("no plugin offers the component 'log'");
        r = instance->refused ? 0 : -ENOMEM;
    }
    return r;
}

static int make_instances(struct plan *plan, struct config_errors *errors)
{
    struct config *config = plan->config;
    int r = 0;

    plan->instances = calloc(config->ninstances + 1, sizeof *plan->instances);
    if (!plan->instances) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < config->ninstances && r == 0; i++) {
        struct plan_instance *instance = &plan->instances[plan->n++];

        instance->config = &config->instances[i];
        instance->ready = named_ready(config, config->instances[i].name);
        r = look_at_instance(plan, instance, errors);
    }
    return r < 0 || config_find(config, CONFIG_LOG_INSTANCE) ? r : add_log(plan, errors);
}

/* Whether its create() may be called only to see what it says. */
static bool can_be_tried(const struct plan_instance *instance)
{
    return instance->config->enabled && instance->component && instance->settings &&
           instance->component->flags & TMON_CREATE_CHECKS;
}

/* What a table of settings cannot say, their component does.  -ECANCELED, -ENOMEM. */
static int try_settings(const struct plan *plan, struct spawner *spawner, int cancel_fd,
                        struct config_errors *errors)
{
    struct probe *probes = calloc(plan->n + 1, sizeof *probes);
    const struct config_instance **tried = calloc(plan->n + 1, sizeof *tried);
    size_t n = 0;
    int r = probes && tried ? 0 : -ENOMEM;

    for (size_t i = 0; i < plan->n && r == 0; i++) {
        const struct plan_instance *instance = &plan->instances[i];

        if (can_be_tried(instance)) {
            tried[n] = instance->config;
            probes[n++] = (struct probe){.path = instance->file->path,
                                         .component = instance->component->name,
                                         .instance = instance->config->name,
                                         .settings = instance->settings};
        }
    }
    if (r == 0 && n > 0) {
        r = probe_files(spawner, probes, n, PROBE_TIMEOUT_MS, cancel_fd);
    }
    for (size_t i = 0; i < n; i++) {
        if (r == 0 && probes[i].rc == TMON_REJECTED) {
            config_error(errors, tried[i]->at, "instance \"%s\": %s", tried[i]->name,
                         probes[i].why);
        } else if (r == 0 && *probes[i].why) { // no mistake of the file: it is tried again later
            config_warning(errors, tried[i]->at, "instance \"%s\" could not be tried: %s",
                           tried[i]->name, probes[i].why);
        }
        manifest_destroy(probes[i].manifest);
    }
    free(tried);
    free(probes);
    return r;
}

int plan_create(struct config *config, struct spawner *spawner, const struct registry *previous,
                int cancel_fd, struct config_errors *errors, struct plan **ret_plan)
{
    struct plan *plan = calloc(1, sizeof *plan);
    int r;

    if (!plan) {
        config_destroy(config);
        return -ENOMEM;
    }
    plan->config = config;
    r = scan(plan, spawner, previous, cancel_fd);
    if (r < 0) {
        goto out;
    }
    look_at_registry(plan, errors);
    look_at_tls(plan, errors);
    r = make_instances(plan, errors);
    if (r == 0) {
        r = try_settings(plan, spawner, cancel_fd, errors);
    }
    if (r == 0) {
        r = routing_plan(plan, errors);
    }
    if (r == 0) {
        r = rules_plan(plan, errors);
    }
    if (r < 0) {
        goto out;
    }
    if (errors->errors > 0) {
        r = -EINVAL;
        goto out;
    }
    *ret_plan = plan;
    return 0;
out:
    plan_destroy(plan);
    return r;
}

void plan_destroy(struct plan *plan)
{
    if (!plan) {
        return;
    }
    for (size_t i = 0; i < plan->n; i++) {
        settings_destroy(plan->instances[i].settings);
        free(plan->instances[i].refused);
    }
    free(plan->instances);
    config_instance_destroy(plan->log);
    routing_destroy(plan->routing);
    rules_set_destroy(plan->rules);
    free(plan->without_sink);
    for (size_t i = 0; plan->state_sinks && i < plan->nstate_sinks; i++) {
        free(plan->state_sinks[i]);
    }
    free(plan->state_sinks);
    registry_destroy(plan->registry);
    config_destroy(plan->config);
    free(plan);
}
