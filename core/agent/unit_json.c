/*
 * unit_json.c: what the API tells of one instance.  Main thread.
 */
#include "agent/json_put.h"
#include "agent/unit.h"
#include "base/clock.h"
#include "plugin/frame.h"

const char *unit_state(const struct unit *unit)
{
    return unit->disabled  ? "disabled"
           : unit->refused ? "refused"
                           : instance_state_name(instance_state(unit->instance));
}

const char *unit_reason(const struct unit *unit)
{
    return unit->disabled  ? unit->disabled
           : unit->refused ? unit->refused
                           : instance_reason(unit->instance);
}

static json_t *layers_json(uint32_t layers)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = {
        {FRAME_LAYER_NO_NEW_PRIVS, "no_new_privs"}, {FRAME_LAYER_LIMITS, "limits"},
        {FRAME_LAYER_SECCOMP, "seccomp"},           {FRAME_LAYER_LANDLOCK, "landlock"},
        {FRAME_LAYER_SCOPE, "landlock_scope"},
    };
    json_t *array = json_array();

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (layers & names[i].bit) {
            (void)json_array_append_new(array, json_string(names[i].name));
        }
    }
    return array;
}

/* Of all its workers. */
static json_int_t restarts_of(const struct unit *unit)
{
    json_int_t restarts = 0;

    for (size_t i = 0; i < unit->nworkers; i++) {
        uint64_t starts = instance_counters(unit->workers[i].instance)->starts;

        restarts += starts > 0 ? (json_int_t)starts - 1 : 0;
    }
    return restarts;
}

json_t *unit_json(const struct unit *unit)
{
    json_t *object = json_object();
    char when[CLOCK_RFC3339_SIZE];

    json_put(object, "name", json_string(unit->name));
    json_put(object, "component", json_string(unit->component));
    json_put(object, "plugin", unit->plugin ? json_string(unit->plugin) : json_null());
    json_put(object, "state", json_string(unit_state(unit)));
    json_put(object, "reason", json_string(unit_reason(unit)));
    json_put(object, "interval",
             unit->abilities && !unit->scheduled
                 ? json_null()
                 : json_real((double)unit->config->interval_ms / 1e3));
    json_put(object, "timeout", json_real((double)unit->config->timeout_ms / 1e3));
    json_put(object, "runs", json_integer((json_int_t)unit->runs));
    json_put(object, "failures", json_integer((json_int_t)unit->failures));
    json_put(object, "missed", json_integer((json_int_t)unit->entry.missed));
    json_put(object, "series", json_integer(unit->owner ? store_owner_series(unit->owner) : 0));
    json_put(object, "last_error",
             unit->last_error_ms ? json_string(unit->last_error) : json_null());
    json_put(object, "last_error_at",
             unit->last_error_ms ? json_string(clock_rfc3339(unit->last_error_ms, when))
                                 : json_null());
    if (unit->instance) {
        const struct instance_counters *counters = instance_counters(unit->instance);

        json_put(object, "restarts", json_integer(restarts_of(unit)));
        json_put(object, "timeouts", json_integer((json_int_t)counters->timeouts));
        json_put(object, "quarantines", json_integer((json_int_t)counters->quarantines));
        json_put(object, "pid", json_integer(instance_pid(unit->instance)));
        json_put(object, "sandbox", layers_json(instance_layers(unit->instance)));
    } else {
        json_put(object, "restarts", json_integer(0));
    }
    return object;
}
