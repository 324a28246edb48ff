/*
 * report.c: what the API tells of the agent, its instances and its plugins.  Main thread.
 */
#include <string.h>

#include <unistd.h>

#include "agent/json_put.h"
#include "agent/state.h"
#include "base/clock.h"
#include "tmon_build.h"

static json_t *time_json(int64_t real_ms)
{
    char text[CLOCK_RFC3339_SIZE];

    return real_ms ? json_string(clock_rfc3339(real_ms, text)) : json_null();
}

static json_t *lines_json(const char *lines)
{
    json_t *array = json_array();

    for (const char *p = lines; p && *p;) {
        size_t len = strcspn(p, "\n");

        if (len > 0) {
            (void)json_array_append_new(array, json_stringn(p, len));
        }
        p += len + (p[len] == '\n');
    }
    return array;
}

json_t *report_reload(const struct agent *agent)
{
    const struct reload_outcome *reload = &agent->reload;
    json_t *object = json_object();

    json_put(object, "ok", json_boolean(reload->ok));
    json_put(object, "at", time_json(reload->at_ms));
    if (reload->ok) {
        json_put(object, "kept", json_integer((json_int_t)reload->kept));
        json_put(object, "changed", json_integer((json_int_t)reload->changed));
        json_put(object, "added", json_integer((json_int_t)reload->added));
        json_put(object, "removed", json_integer((json_int_t)reload->removed));
        if (reload->notes) {
            json_put(object, "notes", lines_json(reload->notes));
        }
    } else {
        json_put(object, "error",
                 json_string("the configuration is not good; nothing has changed"));
        json_put(object, "errors", lines_json(reload->errors));
    }
    return object;
}

static json_t *states_json(const struct agent *agent)
{
    json_t *states = json_object();

    for (const struct unit *unit = agent->units; unit; unit = unit->next) {
        const char *state = unit_state(unit);

        if (!unit->implied) {
            json_put(states, state,
                     json_integer(json_integer_value(json_object_get(states, state)) + 1));
        }
    }
    return states;
}

json_t *report_status(const struct agent *agent)
{
    json_t *object = json_object();
    struct store_stats stats;
    struct verdicts_summary summary;

    store_stats(agent->store, &stats);
    verdicts_summary(agent->verdicts, &summary);
    json_put(object, "status", json_string(health_name(summary.health)));
    json_put(object, "version", json_string(TMON_VERSION));
    json_put(object, "pid", json_integer(getpid()));
    json_put(object, "uptime",
             json_real((double)((clock_mono_ns() - agent->started_ns) / NS_PER_MS) / 1e3));
    json_put(object, "config", json_string(agent->options->config_path));
    json_put(object, "state_dir",
             agent->options->state_dir ? json_string(agent->options->state_dir)
             : agent->plan             ? json_string(agent->plan->config->agent.state_dir)
                                       : json_null());
    json_put(object, "instances", states_json(agent));
    json_put(object, "series", json_integer(stats.series));
    json_put(object, "series_bytes", json_integer((json_int_t)stats.bytes));
    json_put(object, "last_reload", report_reload(agent));
    json_put(object, "heartbeat", deadman_report(&agent->deadman));
    return object;
}

static json_t *file_json(const struct registry_file *file)
{
    json_t *object = json_object();
    json_t *components = json_array();

    json_put(object, "file", json_string(file->path));
    if (file->manifest) {
        char api[32];

        (void)snprintf(api, sizeof api, "%u.%u", file->manifest->api_major,
                       file->manifest->api_minor);
        json_put(object, "name", json_string(file->manifest->name));
        json_put(object, "version", json_string(file->manifest->version));
        json_put(object, "api", json_string(api));
        json_put(object, "license", json_string(file->manifest->license));
        for (size_t i = 0; i < file->manifest->ncomponents; i++) {
            (void)json_array_append_new(components,
                                        json_string(file->manifest->components[i].name));
        }
    } else {
        json_put(object, "name", json_string(file->name));
    }
    json_put(object, "state", json_string(file->manifest ? "loaded" : "refused"));
    json_put(object, "reason", json_string(file->why ? file->why : ""));
    json_put(object, "runs_in", json_string(file->own ? "agent" : "worker"));
    json_put(object, "components", components);
    return object;
}

json_t *report_plugins(const struct agent *agent)
{
    json_t *object = json_object();
    json_t *plugins = json_array();
    json_t *instances = json_array();

    for (size_t i = 0; agent->plan && i < agent->plan->registry->nfiles; i++) {
        (void)json_array_append_new(plugins, file_json(&agent->plan->registry->files[i]));
    }
    for (const struct unit *unit = agent->units; unit; unit = unit->next) {
        (void)json_array_append_new(instances, unit_json(unit));
    }
    json_put(object, "plugins", plugins);
    json_put(object, "instances", instances);
    return object;
}
