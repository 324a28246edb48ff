/*
 * manifest.c: decoding of manifests, and what is asked about one that was decoded.  See manifest.h;
 * encoding is in manifest_encode.c, because only that side touches a plugin's own memory;
 * validation in manifest_check.c.
 */
#include "model/manifest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "model/manifest_check.h"

/* The keys that the core takes from every instance; docs/configuration.md explains them. */
static const char *const reserved[] = {
    "use",     "interval",    "timeout",    "enabled", "enabled_if",    "limits",
    "affects", "fail_after",  "pass_after", "scope",   "labels",        "alerts",
    "workers", "concurrency", "failover",   "budget",  "give_up_after", NULL,
};

static const char *const type_names[] = {
    NULL,    "string", "int", "float", "bool", "duration",
    "bytes", "choice", "URL", "list",  "map",  "groups",
};

static const char *const ability_names[ABILITIES] = {
    "check", "collect", "watch", "format", "judge", "deliver", "actions", "cache", "lease",
};

const char *manifest_ability_name(enum ability ability)
{
    return ability_names[__builtin_ctz(ability)];
}

const char *const *manifest_reserved_names(void)
{
    return reserved;
}

bool manifest_name_reserved(const char *name)
{
    for (size_t i = 0; reserved[i]; i++) {
        if (strcmp(reserved[i], name) == 0) {
            return true;
        }
    }
    return false;
}

const char *manifest_type_name(tmon_type type)
{
    return type >= TMON_STRING && type <= TMON_GROUPS ? type_names[type] : "unknown";
}

static void options_destroy(struct manifest_option *options, size_t n)
{
    for (size_t i = 0; options && i < n; i++) {
        free(options[i].name);
        free(options[i].fallback);
        free(options[i].choices);
        free(options[i].help);
        options_destroy(options[i].group, options[i].ngroup);
    }
    free(options);
}

void manifest_destroy(struct manifest *manifest)
{
    if (!manifest) {
        return;
    }
    for (size_t i = 0; manifest->components && i < manifest->ncomponents; i++) {
        struct manifest_component *component = &manifest->components[i];

        free(component->name);
        free(component->summary);
        options_destroy(component->options, component->noptions);
        for (size_t j = 0; component->actions && j < component->nactions; j++) {
            free(component->actions[j].name);
            free(component->actions[j].summary);
            options_destroy(component->actions[j].params, component->actions[j].nparams);
        }
        free(component->actions);
    }
    free(manifest->components);
    free(manifest->name);
    free(manifest->version);
    free(manifest->license);
    free(manifest);
}

const struct manifest_component *manifest_find(const struct manifest *manifest,
                                               const char *component)
{
    for (size_t i = 0; i < manifest->ncomponents; i++) {
        if (strcmp(manifest->components[i].name, component) == 0) {
            return &manifest->components[i];
        }
    }
    return NULL;
}

/* Owned copies; a failed allocation makes the reader bad, and so the whole manifest. */
static char *get_copy(struct wire_reader *reader, size_t max)
{
    char *copy = strdup(wire_get_str(reader, max));

    if (!copy) {
        reader->bad = true;
    }
    return copy;
}

static char *get_optional(struct wire_reader *reader, size_t max)
{
    return wire_get_u8(reader) ? get_copy(reader, max) : NULL;
}

/* calloc for a count that wire_get_count() has bounded. */
static void *get_array(struct wire_reader *reader, size_t n, size_t size)
{
    void *array = calloc(n ? n : 1, size);

    if (!array) {
        reader->bad = true;
    }
    return array;
}

static struct manifest_option *get_options(struct wire_reader *reader, int depth, size_t *ret_n)
{
    uint32_t n = wire_get_count(reader, LIMIT_OPTIONS, 37);
    struct manifest_option *options;

    *ret_n = 0;
    if (depth > LIMIT_OPTION_DEPTH) {
        reader->bad = true;
    }
    if (reader->bad) {
        return NULL;
    }
    options = get_array(reader, n, sizeof *options);
    if (!options) {
        return NULL;
    }
    *ret_n = n;
    for (uint32_t i = 0; i < n && !reader->bad; i++) {
        struct manifest_option *option = &options[i];

        option->name = get_copy(reader, LIMIT_NAME_BYTES);
        option->type = wire_get_u8(reader);
        option->flags = wire_get_u32(reader);
        option->fallback = get_optional(reader, LIMIT_HELP_BYTES);
        option->min = wire_get_f64(reader);
        option->max = wire_get_f64(reader);
        option->choices = get_optional(reader, LIMIT_HELP_BYTES);
        option->help = get_copy(reader, LIMIT_HELP_BYTES);
        option->group = get_options(reader, depth + 1, &option->ngroup);
    }
    return options;
}

static void get_actions(struct wire_reader *reader, struct manifest_component *component)
{
    uint32_t n = wire_get_count(reader, LIMIT_ACTIONS, 18);

    component->actions = get_array(reader, n, sizeof *component->actions);
    component->nactions = component->actions ? n : 0;
    for (uint32_t i = 0; i < component->nactions && !reader->bad; i++) {
        struct manifest_action *action = &component->actions[i];

        action->name = get_copy(reader, LIMIT_NAME_BYTES);
        action->summary = get_copy(reader, LIMIT_HELP_BYTES);
        action->flags = wire_get_u32(reader);
        action->params = get_options(reader, 0, &action->nparams);
    }
}

static void get_manifest(struct wire_reader *reader, struct manifest *manifest)
{
    uint32_t n;

    manifest->api_major = wire_get_u16(reader);
    manifest->api_minor = wire_get_u16(reader);
    manifest->name = get_copy(reader, LIMIT_NAME_BYTES);
    manifest->version = get_copy(reader, LIMIT_NAME_BYTES);
    manifest->license = get_copy(reader, LIMIT_NAME_BYTES);
    n = wire_get_count(reader, LIMIT_COMPONENTS, 26);
    manifest->components = get_array(reader, n, sizeof *manifest->components);
    manifest->ncomponents = manifest->components ? n : 0;
    for (uint32_t i = 0; i < manifest->ncomponents && !reader->bad; i++) {
        struct manifest_component *component = &manifest->components[i];

        component->name = get_copy(reader, LIMIT_NAME_BYTES);
        component->summary = get_copy(reader, LIMIT_HELP_BYTES);
        component->flags = wire_get_u32(reader);
        component->abilities = wire_get_u32(reader);
        component->options = get_options(reader, 0, &component->noptions);
        get_actions(reader, component);
    }
}

int manifest_decode(const void *data, size_t len, struct manifest **ret_manifest, char *ret_why,
                    size_t size)
{
    struct wire_reader reader;
    struct manifest *manifest = calloc(1, sizeof *manifest);
    int r;

    if (!manifest) {
        (void)snprintf(ret_why, size, "out of memory");
        return -ENOMEM;
    }
    wire_reader_init(&reader, data, len);
    get_manifest(&reader, manifest);
    if (!wire_done(&reader)) {
        (void)snprintf(
            ret_why, size,
            "its manifest is malformed: names and texts must be valid UTF-8 and within the "
            "limits of plugin_api.h; rebuild it with this version's header");
        r = -EPROTO;
        goto out;
    }
    r = manifest_check(manifest, ret_why, size);
    if (r < 0) {
        goto out;
    }
    *ret_manifest = manifest;
    manifest = NULL;
out:
    manifest_destroy(manifest);
    return r;
}
