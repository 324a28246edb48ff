/*
 * plugin_describe.c: `toiletmon plugin describe`: the reference of a component's settings, from its
 * manifest.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/client.h"
#include "cli/probe.h"
#include "cli/table.h"
#include "config/config.h"

#define WRAP 80

/* A bound as an operator writes it. */
static const char *bound(tmon_type type, double value, char space[static CONFIG_DURATION_SIZE])
{
    if (type == TMON_DURATION) {
        return config_duration((int64_t)value, space);
    }
    snprintf(space, CONFIG_DURATION_SIZE, "%.15g", value);
    return space;
}

/* "duration, default 1s, from 0s to 1h" */
static void facts(const struct manifest_option *option, struct buf *buf)
{
    char low[CONFIG_DURATION_SIZE], high[CONFIG_DURATION_SIZE];

    if (option->choices) {
        for (const char *c = option->choices; *c; c++) {
            if (*c == '|') {
                buf_puts(buf, " or ");
            } else {
                buf_putc(buf, *c);
            }
        }
    } else {
        buf_puts(buf, manifest_type_name(option->type));
    }
    if (option->min != 0 || option->max != 0) {
        buf_printf(buf, " from %s to %s", bound(option->type, option->min, low),
                   bound(option->type, option->max, high));
    }
    if (option->flags & TMON_REQUIRED) {
        buf_puts(buf, ", required");
    }
    if (option->flags & TMON_SECRET) {
        buf_puts(buf, ", secret (file:/path works)");
    }
    if (option->fallback) {
        buf_printf(buf, ", default %s", *option->fallback ? option->fallback : "empty");
    }
}

/* Words of `text` in lines of WRAP columns behind `indent` blanks. */
static void print_wrapped(const char *text, int indent)
{
    int at = 0;

    while (*text) {
        size_t len = strcspn(text, " ");

        if (at == 0 || at + 1 + (int)len > WRAP - indent) {
            printf("%s%*s", at ? "\n" : "", indent, "");
            at = 0;
        }
        printf("%s%.*s", at ? " " : "", (int)len, text);
        at += (int)len + (at > 0);
        text += len + strspn(text + len, " ");
    }
    if (at) {
        putchar('\n');
    }
}

static void print_options(const struct manifest_option *options, size_t n, int indent)
{
    for (size_t i = 0; i < n; i++) {
        struct buf buf;

        buf_init(&buf, 8192);
        facts(&options[i], &buf);
        printf("%*s%s\n", indent, "", options[i].name);
        print_wrapped(buf_str(&buf), indent + 4);
        print_wrapped(options[i].help, indent + 4);
        buf_finish(&buf);
        if (options[i].ngroup) {
            printf("%*sEach entry has:\n", indent + 4, "");
            print_options(options[i].group, options[i].ngroup, indent + 6);
        }
    }
}

/* What has to be written at least. */
static void print_example(const struct manifest_component *component)
{
    printf("\nIn the configuration:\n\n  plugins:\n    my_%s:\n      use: %s\n", component->name,
           component->name);
    for (size_t i = 0; i < component->noptions; i++) {
        if (component->options[i].flags & TMON_REQUIRED) {
            printf("      %s: ...\n", component->options[i].name);
        }
    }
}

static void print_component(const struct manifest *manifest,
                            const struct manifest_component *component, const char *file)
{
    bool first = true;

    printf("%s: %s\n", component->name, component->summary);
    printf("Plugin %s %s, %s, API %u.%u, %s\nAbilities: ", manifest->name, manifest->version,
           manifest->license, manifest->api_major, manifest->api_minor, file);
    for (unsigned i = 0; i < ABILITIES; i++) {
        if (component->abilities & 1u << i) {
            printf("%s%s", first ? "" : ", ", manifest_ability_name(1u << i));
            first = false;
        }
    }
    printf("%s\n", component->flags & TMON_SPAWNS ? " (starts processes)" : "");
    printf("\nSettings%s:\n\n", component->noptions ? "" : ": none of its own");
    print_options(component->options, component->noptions, 2);
    if (component->nactions) {
        printf("\nActions:\n\n");
    }
    for (size_t i = 0; i < component->nactions; i++) {
        printf("  %s: %s\n", component->actions[i].name, component->actions[i].summary);
        print_options(component->actions[i].params, component->actions[i].nparams, 6);
    }
    print_example(component);
}

/* ---- JSON */

static json_t *options_json(const struct manifest_option *options, size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++) {
        json_t *object = json_pack("{s:s, s:s, s:b, s:b, s:s}", "name", options[i].name, "type",
                                   manifest_type_name(options[i].type), "required",
                                   !!(options[i].flags & TMON_REQUIRED), "secret",
                                   !!(options[i].flags & TMON_SECRET), "help", options[i].help);

        if (options[i].fallback) {
            (void)json_object_set_new(object, "default", json_string(options[i].fallback));
        }
        if (options[i].choices) {
            (void)json_object_set_new(object, "choices", json_string(options[i].choices));
        }
        if (options[i].min != 0 || options[i].max != 0) {
            (void)json_object_set_new(object, "min", json_real(options[i].min));
            (void)json_object_set_new(object, "max", json_real(options[i].max));
        }
        if (options[i].ngroup) {
            (void)json_object_set_new(object, "group",
                                      options_json(options[i].group, options[i].ngroup));
        }
        (void)json_array_append_new(array, object);
    }
    return array;
}

static json_t *component_json(const struct manifest *manifest,
                              const struct manifest_component *component, const char *file)
{
    json_t *can = json_array(), *actions = json_array();

    for (unsigned i = 0; i < ABILITIES; i++) {
        if (component->abilities & 1u << i) {
            (void)json_array_append_new(can, json_string(manifest_ability_name(1u << i)));
        }
    }
    for (size_t i = 0; i < component->nactions; i++) {
        (void)json_array_append_new(
            actions,
            json_pack("{s:s, s:s, s:o}", "name", component->actions[i].name, "summary",
                      component->actions[i].summary, "parameters",
                      options_json(component->actions[i].params, component->actions[i].nparams)));
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "component", component->name,
                     "summary", component->summary, "plugin", manifest->name, "version",
                     manifest->version, "file", file, "abilities", can, "settings",
                     options_json(component->options, component->noptions), "actions", actions);
}

/* ---- what is asked for */

struct found {
    json_t *json; /* an array where JSON is wanted, else NULL */
    size_t n;
};

static void show_component(struct found *found, const struct manifest *manifest,
                           const struct manifest_component *component, const char *file)
{
    if (found->json) {
        (void)json_array_append_new(found->json, component_json(manifest, component, file));
    } else {
        printf("%s", found->n ? "\n" : "");
        print_component(manifest, component, file);
    }
    found->n++;
}

static int describe_file(struct spawner *spawner, const char *path, struct found *found)
{
    struct manifest *manifest = NULL;
    int r = probe_one(spawner, path, &manifest);

    for (size_t i = 0; r == CLI_OK && i < manifest->ncomponents; i++) {
        show_component(found, manifest, &manifest->components[i], path);
    }
    manifest_destroy(manifest);
    return r;
}

static int describe_component(const struct registry *registry, const char *name,
                              struct found *found)
{
    const struct registry_file *file = NULL;
    const struct manifest_component *component;
    struct buf why;
    int r = CLI_OK;

    buf_init(&why, 4096);
    component = registry_find(registry, name, &file, &why);
    if (component) {
        show_component(found, file->manifest, component, file->path);
    } else {
        r = cli_failed("%s; a plugin elsewhere is described by its file, or with -d DIRECTORY",
                       buf_str(&why));
    }
    buf_finish(&why);
    return r;
}

/* Without a name: one line for each component there is. */
static int list_components(const struct registry *registry, struct found *found)
{
    static const char *const headings[] = {"COMPONENT", "PLUGIN", "VERSION", "SUMMARY", NULL};
    struct table table;

    table_init(&table, headings);
    for (size_t i = 0; i < registry->nfiles; i++) {
        const struct manifest *manifest = registry->files[i].manifest;

        for (size_t j = 0; manifest && j < manifest->ncomponents; j++) {
            const char *cells[] = {manifest->components[j].name, manifest->name, manifest->version,
                                   manifest->components[j].summary};

            if (found->json) {
                show_component(found, manifest, &manifest->components[j], registry->files[i].path);
            }
            table_row(&table, cells);
        }
        if (!manifest) {
            (void)cli_failed("%s", registry->files[i].why);
        }
    }
    if (!found->json) {
        table_print(&table, stdout, table_colour());
    }
    table_finish(&table);
    return CLI_OK;
}

int cli_plugin_describe(struct cli *cli)
{
    struct found found = {.json = cli_flag(cli, "json") ? json_array() : NULL};
    struct spawner *spawner = NULL;
    struct registry *registry = NULL;
    int r = probe_spawner(&spawner);

    if (r == CLI_OK && cli->narguments && probe_is_file(cli->arguments[0])) {
        r = describe_file(spawner, cli->arguments[0], &found);
    } else if (r == CLI_OK) {
        r = probe_all(cli, spawner, &registry);
        if (r == CLI_OK) {
            r = cli->narguments ? describe_component(registry, cli->arguments[0], &found)
                                : list_components(registry, &found);
        }
    }
    if (r == CLI_OK && found.json) {
        r = client_print(found.json);
    }
    json_decref(found.json);
    registry_destroy(registry);
    spawner_destroy(spawner);
    return r;
}
