/*
 * manifest_check.c: see manifest_check.h.  Every refusal names the component and the setting, and
 * says what to change: its reader is the plugin's author, or an operator who will forward it to
 * one.
 */
#include "model/manifest_check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "model/value.h"

struct complaint {
    char *text;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static int complain(const struct complaint *complaint,
                                                          const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(complaint->text, complaint->size, format, args);
    va_end(args);
    return -EPROTO;
}

static bool name_ok(const char *name)
{
    if (name[0] < 'a' || name[0] > 'z') {
        return false;
    }
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

static int check_version(const struct manifest *manifest, const struct complaint *complaint)
{
    unsigned theirs, ours;
    const char *remedy;

    if (manifest->api_major == TMON_API_MAJOR && manifest->api_minor <= TMON_API_MINOR) {
        return 0;
    }
    theirs = (unsigned)manifest->api_major << 16 | manifest->api_minor;
    ours = (unsigned)TMON_API_MAJOR << 16 | TMON_API_MINOR;
    remedy = theirs < ours ? "rebuild the plugin with this agent's plugin_api.h"
                           : "upgrade toiletmon, or install a build of the plugin for this version";
    (void)complain(complaint,
                   "plugin \"%s\" %s was built for plugin API %u.%u, this agent has %u.%u: %s",
                   manifest->name, manifest->version, manifest->api_major, manifest->api_minor,
                   TMON_API_MAJOR, TMON_API_MINOR, remedy);
    return -EPROTONOSUPPORT;
}

/* Whether the default could have been written by an operator; else why not. */
static bool fallback_fits(const struct manifest_option *option, char *ret_why, size_t size)
{
    const struct value_rule rule = {option->type, option->min, option->max, option->choices};
    struct value value;

    if (option->type == TMON_MAP || option->type == TMON_GROUPS) {
        (void)snprintf(ret_why, size, "cannot be given for a map or groups");
        return false;
    }
    return value_parse(&rule, option->fallback, &value, ret_why, size) == 0;
}

static int check_options(const struct manifest_option *options, size_t n, bool reserved_too,
                         const char *where, const struct complaint *complaint)
{
    char why[128];

    for (size_t i = 0; i < n; i++) {
        const struct manifest_option *option = &options[i];

        if (!name_ok(option->name)) {
            return complain(complaint, "%s: the setting name \"%s\" must match [a-z][a-z0-9_]*",
                            where, option->name);
        }
        if (reserved_too && manifest_name_reserved(option->name)) {
            return complain(complaint,
                            "%s: the setting name \"%s\" is taken by the agent: choose another",
                            where, option->name);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(options[j].name, option->name) == 0) {
                return complain(complaint, "%s: the setting \"%s\" is declared twice", where,
                                option->name);
            }
        }
        if (option->type < TMON_STRING || option->type > TMON_GROUPS) {
            return complain(complaint, "%s: the setting \"%s\" has the unknown type %d", where,
                            option->name, option->type);
        }
        if (option->flags & ~(uint32_t)(TMON_REQUIRED | TMON_SECRET)) {
            return complain(complaint, "%s: the setting \"%s\" has unknown flags", where,
                            option->name);
        }
        if ((option->type == TMON_CHOICE) != (option->choices != NULL && *option->choices)) {
            return complain(
                complaint,
                "%s: the setting \"%s\" must have `choices` if and only if it is a choice", where,
                option->name);
        }
        if ((option->type == TMON_GROUPS) != (option->ngroup > 0)) {
            return complain(
                complaint,
                "%s: the setting \"%s\" must have a `group` if and only if it is of type groups",
                where, option->name);
        }
        if (!(option->min <= option->max)) {
            return complain(complaint, "%s: the setting \"%s\" has a min above its max", where,
                            option->name);
        }
        if (option->fallback && option->flags & TMON_REQUIRED) {
            return complain(
                complaint, "%s: the setting \"%s\" is required and has a default: drop one of them",
                where, option->name);
        }
        if (option->fallback && !fallback_fits(option, why, sizeof why)) {
            return complain(complaint, "%s: the default \"%s\" of the setting \"%s\" %s", where,
                            option->fallback, option->name, why);
        }
        if (option->type == TMON_GROUPS) {
            int r = check_options(option->group, option->ngroup, false, where, complaint);

            if (r < 0) {
                return r;
            }
        }
    }
    return 0;
}

static int check_component(const struct manifest_component *component,
                           const struct complaint *complaint)
{
    const uint32_t known_flags = TMON_WANTS_HTML | TMON_SPAWNS | TMON_CHANGES_DATA |
                                 TMON_CLUSTER_ONCE | TMON_ONE_ALERT | TMON_2XX_IS_YES |
                                 TMON_CREATE_CHECKS | TMON_WANTS_ACKS;
    const uint32_t all_abilities = (ABILITY_LEASE << 1) - 1;
    char where[LIMIT_NAME_BYTES + 64];
    int r;

    if (!name_ok(component->name)) {
        return complain(complaint, "the component name \"%s\" must match [a-z][a-z0-9_]*",
                        component->name);
    }
    (void)snprintf(where, sizeof where, "component \"%s\"", component->name);
    if (component->flags & ~known_flags) {
        return complain(complaint, "%s has unknown flags", where);
    }
    if (component->abilities == 0 || component->abilities & ~all_abilities) {
        return complain(
            complaint,
            "%s has no ability: set at least one of check, collect, watch, format, deliver, "
            "actions, cache, lease",
            where);
    }
    if (component->abilities & ABILITY_JUDGE && !(component->abilities & ABILITY_FORMAT)) {
        return complain(complaint,
                        "%s has judge() without format(): a sink over HTTP needs format()", where);
    }
    if (component->abilities & ABILITY_FORMAT && component->abilities & ABILITY_DELIVER) {
        return complain(complaint, "%s has both format() and deliver(): keep one of them", where);
    }
    if (component->flags & TMON_WANTS_ACKS && !(component->flags & TMON_ONE_ALERT)) {
        return complain(complaint,
                        "%s has TMON_WANTS_ACKS without TMON_ONE_ALERT: an acknowledgement is of "
                        "one alert",
                        where);
    }
    r = check_options(component->options, component->noptions, true, where, complaint);
    for (size_t i = 0; r == 0 && i < component->nactions; i++) {
        const struct manifest_action *action = &component->actions[i];

        if (!name_ok(action->name)) {
            return complain(complaint, "%s: the action name \"%s\" must match [a-z][a-z0-9_]*",
                            where, action->name);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(component->actions[j].name, action->name) == 0) {
                return complain(complaint, "%s: the action \"%s\" is declared twice", where,
                                action->name);
            }
        }
        r = check_options(action->params, action->nparams, false, where, complaint);
    }
    return r;
}

int manifest_check(const struct manifest *manifest, char *ret_why, size_t size)
{
    const struct complaint complaint = {ret_why, size};
    int r = check_version(manifest, &complaint);

    if (r < 0) {
        return r;
    }
    if (!*manifest->name || !*manifest->version) {
        return complain(&complaint, "the manifest must have a name and a version");
    }
    if (manifest->ncomponents == 0) {
        return complain(&complaint, "plugin \"%s\" declares no component", manifest->name);
    }
    for (size_t i = 0; i < manifest->ncomponents; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(manifest->components[i].name, manifest->components[j].name) == 0) {
                return complain(&complaint, "the component \"%s\" is declared twice",
                                manifest->components[i].name);
            }
        }
        r = check_component(&manifest->components[i], &complaint);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}
