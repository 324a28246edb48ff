/*
 * plugin_test.c: `toiletmon plugin test`: the conformance kit on a plugin, and its report.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/client.h"
#include "cli/kit.h"
#include "cli/probe.h"
#include "config/config.h"
#include "model/value.h"

#define DEFAULT_RUNS 20
#define DEFAULT_TIMEOUT_MS 5000

static const char *const levels[] = {"ok", "note", "FAULT"};

static int read_number(const struct cli *cli, const char *name, tmon_type type, double min,
                       double max, int64_t *number)
{
    const struct value_rule rule = {.type = type, .min = min, .max = max};
    const char *text = cli_value(cli, name);
    struct value value;
    char why[128];

    if (!text) {
        return CLI_OK;
    }
    if (value_parse(&rule, text, &value, why, sizeof why)) {
        return cli_usage(cli, "--%s %s", name, why);
    }
    *number = value.num;
    return CLI_OK;
}

/* -s NAME=VALUE; the names are cut off in place of the '='. */
static int read_settings(const struct cli *cli, struct tmon_pair *pairs, size_t *ret_n)
{
    const char *text;
    size_t n = 0;

    for (; n < CLI_VALUES && (text = cli_value_at(cli, "set", n)); n++) {
        char *equals = strchr(text, '=');

        if (!equals || equals == text) {
            return cli_usage(cli, "-s needs NAME=VALUE, not '%.64s'", text);
        }
        *equals = '\0'; // argv is ours
        pairs[n] = (struct tmon_pair){text, equals + 1};
    }
    *ret_n = n;
    return CLI_OK;
}

static int read_expect(const struct cli *cli, int *ret_expect)
{
    static const char *const words[] = {"pass", "warn", "fail"};
    const char *text = cli_value(cli, "expect");

    *ret_expect = -1;
    for (int i = 0; text && i < 3; i++) {
        if (strcmp(text, words[i]) == 0) {
            *ret_expect = i;
            return CLI_OK;
        }
    }
    return text ? cli_usage(cli, "--expect takes pass, warn or fail") : CLI_OK;
}

/* What can be said without running it. */
static void look_at_options(struct kit *kit, const struct manifest_option *options, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!*options[i].help) {
            kit_finding(kit, KIT_NOTE, "the setting %s has no help", options[i].name);
        }
        look_at_options(kit, options[i].group, options[i].ngroup);
    }
}

static bool look_at_component(struct kit *kit, const struct manifest_component *component)
{
    const uint32_t called = ABILITY_CHECK | ABILITY_COLLECT | ABILITY_FORMAT | ABILITY_JUDGE;
    char names[64] = "";

    look_at_options(kit, component->options, component->noptions);
    if (!*component->summary) {
        kit_finding(kit, KIT_NOTE, "it has no summary");
    }
    for (unsigned i = 0; i < ABILITIES; i++) {
        if (component->abilities & called & 1u << i) {
            size_t len = strlen(names);

            (void)snprintf(names + len, sizeof names - len, ", %s", manifest_ability_name(1u << i));
        }
    }
    if (!component->abilities) {
        kit_finding(kit, KIT_FAULT, "it has no ability: set check, collect or another one");
    } else if (!*names) {
        kit_finding(kit, KIT_NOTE,
                    component->abilities & ABILITY_DELIVER
                        ? "deliver is not called, since it would: configure it, and ask "
                          "`toiletmon sinks test NAME`"
                        : "it has neither check, collect nor format: this kit cannot call the rest "
                          "yet");
    } else {
        kit_finding(kit, KIT_GOOD, "manifest: %zu settings%s", component->noptions, names);
    }
    return *names != '\0';
}

static int test_component(const struct cli *cli, struct kit *kit,
                          const struct manifest_component *component, int expect)
{
    struct config_errors errors;
    struct settings *settings = NULL;
    int r = CLI_OK;

    kit->component = component->name;
    kit->options.expect = component->abilities & ABILITY_CHECK ? expect : -1;
    config_errors_init(&errors);
    if (config_settings_from_pairs(component->name, kit->options.settings, kit->options.nsettings,
                                   component, &errors, &settings)) {
        for (size_t i = 0; i < errors.count; i++) {
            fprintf(stderr, "toiletmon: %s\n", errors.entries[i].text);
        }
        r = cli_usage(
            cli, "give settings with -s NAME=VALUE, and --component where the plugin has several");
    } else if (look_at_component(kit, component)) {
        kit_component(kit, component, settings);
    } else {
        settings_destroy(settings);
    }
    config_errors_finish(&errors);
    return r;
}

static int report(const struct cli *cli, const struct kit *kit, const struct manifest *manifest)
{
    json_t *list = json_array();
    const char *last = "";

    for (size_t i = 0; i < kit->nfindings; i++) {
        const struct kit_finding *finding = &kit->findings[i];

        (void)json_array_append_new(
            list, json_pack("{s:s, s:s, s:s}", "component", finding->component, "level",
                            finding->level == KIT_FAULT ? "fault" : levels[finding->level], "text",
                            finding->text));
    }
    if (cli_flag(cli, "json")) {
        json_t *all =
            json_pack("{s:s, s:s, s:s, s:b, s:I, s:O}", "file", kit->path, "plugin", manifest->name,
                      "version", manifest->version, "ok", kit->faults == 0, "faults",
                      (json_int_t)kit->faults, "findings", list);

        (void)client_print(all);
        json_decref(all);
    } else {
        printf("%s %s, plugin API %u.%u, %s\n", manifest->name, manifest->version,
               manifest->api_major, manifest->api_minor, manifest->license);
        for (size_t i = 0; i < kit->nfindings; i++) {
            const struct kit_finding *finding = &kit->findings[i];

            if (strcmp(finding->component, last) != 0) {
                printf("%s\n", finding->component);
                last = finding->component;
            }
            printf("  %-5s  %s\n", levels[finding->level], finding->text);
        }
        printf("%s: %zu fault%s\n", kit->faults ? "not conformant" : "conformant", kit->faults,
               kit->faults == 1 ? "" : "s");
    }
    json_decref(list);
    return kit->faults ? CLI_FAILED : CLI_OK;
}

static int run_kit(const struct cli *cli, struct kit *kit, const struct manifest *manifest,
                   int expect)
{
    const char *only = cli_value(cli, "component");
    bool found = false;
    int r = loop_create(&kit->loop);

    if (r || (r = fetch_broker_create(kit->loop, kit->spawner, &kit->fetch))) {
        return cli_failed("the kit cannot start: %s", log_errno(r));
    }
    for (size_t i = 0; i < manifest->ncomponents && r == CLI_OK; i++) {
        if (!only || strcmp(only, manifest->components[i].name) == 0) {
            found = true;
            r = test_component(cli, kit, &manifest->components[i], expect);
        }
    }
    if (!found) {
        r = cli_usage(cli, "%s has no component '%.64s'", manifest->name, only);
    }
    return r == CLI_OK ? report(cli, kit, manifest) : r;
}

int cli_plugin_test(struct cli *cli)
{
    struct tmon_pair pairs[CLI_VALUES];
    struct kit *kit = calloc(1, sizeof *kit);
    struct manifest *manifest = NULL;
    char *path = NULL;
    int64_t runs = DEFAULT_RUNS, timeout_ms = DEFAULT_TIMEOUT_MS;
    int r, expect = -1;

    if (!kit) {
        return cli_failed("there is not enough memory");
    }
    buf_init(&kit->samples, LIMIT_CALL_RESULT_BYTES);
    buf_init(&kit->request, LIMIT_CALL_RESULT_BYTES);
    kit->component = "";
    kit->options.settings = pairs;
    r = read_settings(cli, pairs, &kit->options.nsettings);
    r = r ? r : read_number(cli, "runs", TMON_INT, 1, 100000, &runs);
    r = r ? r : read_number(cli, "timeout", TMON_DURATION, 100, 3600000, &timeout_ms);
    r = r ? r : read_expect(cli, &expect);
    r = r ? r : probe_spawner(&kit->spawner);
    r = r ? r : probe_one(kit->spawner, cli->arguments[0], &manifest);
    if (r == CLI_OK) {
        path = realpath(cli->arguments[0], NULL);
        kit->path = path ? path : cli->arguments[0];
        kit->options.runs = (uint32_t)runs;
        kit->options.timeout_ms = timeout_ms;
        r = run_kit(cli, kit, manifest, expect);
    }
    fetch_broker_destroy(kit->fetch);
    loop_destroy(kit->loop);
    spawner_destroy(kit->spawner);
    manifest_destroy(manifest);
    for (size_t i = 0; i < kit->nfindings; i++) {
        free(kit->findings[i].component);
        free(kit->findings[i].text);
    }
    buf_finish(&kit->samples);
    buf_finish(&kit->request);
    free(path);
    free(kit);
    return r;
}
