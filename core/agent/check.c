/*
 * check.c: `toiletmon check`: the way of `run`, up to and excluding the creation of instances.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "agent/plan.h"
#include "base/plural.h"

/* What the machine has left, from /proc/meminfo; 0: unknown. */
static uint64_t memory_available(void)
{
    FILE *file = fopen("/proc/meminfo", "re");
    char line[128];
    unsigned long long kib = 0;

    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1) {
            break;
        }
    }
    if (file) {
        (void)fclose(file);
    }
    return kib * 1024;
}

struct totals {
    size_t instances, disabled, refused, workers;
    uint64_t worker_limit; /* bytes, if every worker used what it may */
};

static struct totals count(const struct plan *plan)
{
    struct totals totals = {.instances = plan->config->ninstances};

    for (size_t i = 0; i < plan->n; i++) {
        const struct plan_instance *instance = &plan->instances[i];

        if (!instance->config->enabled) {
            totals.disabled++;
        } else if (!instance->component) {
            totals.refused++;
        } else if (!instance->file->own) {
            totals.workers++;
            totals.worker_limit += instance->config->memory_bytes;
        }
    }
    return totals;
}

static void print_people(const char *path, const struct plan *plan)
{
    struct totals totals = count(plan);
    uint64_t available = memory_available();
    const double mib = 1024.0 * 1024.0;

    (void)printf("%s is good: %zu instance%s", path, totals.instances, plural(totals.instances));
    if (totals.disabled > 0) {
        (void)printf(", %zu of them disabled", totals.disabled);
    }
    if (totals.refused > 0) {
        (void)printf(", %zu that cannot run", totals.refused);
    }
    (void)printf("\n");
    for (size_t i = 0; i < plan->n; i++) {
        const struct config_instance *config = plan->instances[i].config;

        if (!config->enabled) {
            (void)printf("  %s is disabled: %s\n", config->name,
                         config->disabled_reason ? config->disabled_reason : "enabled: false");
        }
    }
    if (totals.workers > 0 && available > 0) {
        uint64_t each = totals.worker_limit / totals.workers;

        (void)printf("%zu worker%s, which may use up to %.0f MiB of memory together; %.0f MiB are "
                     "available here, enough "
                     "for %llu of that size\n",
                     totals.workers, plural(totals.workers), (double)totals.worker_limit / mib,
                     (double)available / mib,
                     (unsigned long long)(each > 0 ? available / each : 0));
    }
}

static int print_json(const struct config_errors *errors, const struct plan *plan, bool ok)
{
    json_t *object = json_object();
    json_t *lists[2] = {json_array(), json_array()};
    char *text;

    for (size_t i = 0; i < errors->count; i++) {
        (void)json_array_append_new(lists[errors->entries[i].warning],
                                    json_string(errors->entries[i].text));
    }
    (void)json_object_set_new(object, "ok", json_boolean(ok));
    (void)json_object_set_new(object, "errors", lists[0]);
    (void)json_object_set_new(object, "warnings", lists[1]);
    if (plan) {
        struct totals totals = count(plan);

        (void)json_object_set_new(object, "instances", json_integer((json_int_t)totals.instances));
        (void)json_object_set_new(object, "disabled", json_integer((json_int_t)totals.disabled));
        (void)json_object_set_new(object, "refused", json_integer((json_int_t)totals.refused));
        (void)json_object_set_new(object, "workers", json_integer((json_int_t)totals.workers));
        (void)json_object_set_new(object, "worker_memory_limit_bytes",
                                  json_integer((json_int_t)totals.worker_limit));
        (void)json_object_set_new(object, "memory_available_bytes",
                                  json_integer((json_int_t)memory_available()));
    }
    text = json_dumps(object, JSON_INDENT(2));
    json_decref(object);
    if (!text) {
        return -ENOMEM;
    }
    (void)puts(text);
    free(text);
    return 0;
}

int agent_check(const struct agent_options *options, bool strict, bool json)
{
    struct config_errors errors;
    struct config *config = NULL;
    struct spawner *spawner = NULL;
    struct plan *plan = NULL;
    struct buf why;
    bool ok;
    int r;

    config_errors_init(&errors);
    buf_init(&why, 4096);
    r = config_read(options->config_path, &config_env_process, &errors, &config);
    if (config) { // also one with mistakes: there may be more
        r = spawner_create(&why, &spawner);
        if (r < 0) {
            (void)fprintf(stderr, "plugins cannot be looked at: %s\n", buf_str(&why));
            config_destroy(config);
        } else {
            r = plan_create(config, spawner, NULL, -1, &errors, &plan);
        }
    }
    ok = r == 0 && (!strict || errors.count == 0);
    if (json) {
        (void)print_json(&errors, plan, ok);
    } else {
        for (size_t i = 0; i < errors.count; i++) {
            (void)fprintf(stderr, "%s\n", errors.entries[i].text);
        }
        if (r < 0 && r != -EINVAL) {
            (void)fprintf(stderr, "%s: %s\n", options->config_path, log_errno(r));
        }
        if (ok) {
            print_people(options->config_path, plan);
        } else {
            (void)fprintf(stderr, "%s is not good: %zu error%s\n", options->config_path,
                          errors.errors, plural(errors.errors));
        }
    }
    plan_destroy(plan);
    spawner_destroy(spawner);
    config_errors_finish(&errors);
    buf_finish(&why);
    return ok ? 0 : 1;
}
