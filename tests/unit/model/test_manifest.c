/* core/model/manifest*.c and settings.c: declared once, arrives whole; every rule of plugin_api.h
 * is enforced. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "model/manifest.h"
#include "model/settings.h"

static tmon_rc check(struct tmon_call *call, void *self)
{
    return TMON_OK;
}

static tmon_rc judge(struct tmon_call *call, void *self, const struct tmon_response *response)
{
    return TMON_OK;
}

static const struct tmon_option table_options[] = {
    {.name = "name", .type = TMON_STRING, .flags = TMON_REQUIRED, .help = "The table."},
    {0},
};
static const struct tmon_option options[] = {
    {.name = "dsn",
     .type = TMON_STRING,
     .flags = TMON_REQUIRED | TMON_SECRET,
     .help = "Where it is."},
    {.name = "slow",
     .type = TMON_DURATION,
     .fallback = "1s",
     .min = 1,
     .max = 60000,
     .help = "Too slow."},
    {.name = "mode", .type = TMON_CHOICE, .choices = "a|b", .fallback = "b", .help = "How."},
    {.name = "tables", .type = TMON_GROUPS, .group = table_options, .help = "What is counted."},
    {0},
};

/* Encodes and decodes one component; gives the manifest or the refusal. */
static int round_trip(const struct tmon_plugin *plugin, struct manifest **ret_manifest, char *why,
                      size_t size)
{
    struct buf buf;
    const char *static_why = NULL;
    int r;

    buf_init(&buf, LIMIT_MANIFEST_BYTES);
    r = manifest_encode(plugin, &buf, &static_why);
    if (r == 0) {
        r = manifest_decode(buf.data, buf.len, ret_manifest, why, size);
    } else {
        strncpy(why, static_why, size - 1);
    }
    buf_finish(&buf);
    return r;
}

static int try_component(const struct tmon_component *component, struct manifest **ret_manifest,
                         char *why, size_t size)
{
    const struct tmon_component *const components[] = {component, NULL};
    const struct tmon_plugin plugin = {sizeof plugin, TMON_API_MAJOR, TMON_API_MINOR, "p",
                                       "1.0",         "MIT",          components};

    return round_trip(&plugin, ret_manifest, why, size);
}

static void test_arrives_whole(void **state)
{
    const struct tmon_component component = {.size = sizeof component,
                                             .flags = TMON_SPAWNS,
                                             .name = "postgres",
                                             .summary = "A database.",
                                             .options = options,
                                             .check = check};
    struct manifest *manifest = NULL;
    const struct manifest_component *found;
    char why[256] = "";

    assert_int_equal(try_component(&component, &manifest, why, sizeof why), 0);
    found = manifest_find(manifest, "postgres");
    assert_non_null(found);
    assert_null(manifest_find(manifest, "other"));
    assert_int_equal(found->abilities, ABILITY_CHECK);
    assert_int_equal(found->flags, TMON_SPAWNS);
    assert_int_equal(found->noptions, 4);
    assert_string_equal(found->options[1].fallback, "1s");
    assert_null(found->options[0].fallback);
    assert_string_equal(found->options[3].group[0].name, "name");
    manifest_destroy(manifest);
}

static void expect_refused(struct tmon_component component, const char *part)
{
    struct manifest *manifest = NULL;
    char why[256] = "";

    component.size = sizeof component;
    assert_int_equal(try_component(&component, &manifest, why, sizeof why), -EPROTO);
    if (!strstr(why, part)) {
        fail_msg("\"%s\" does not say \"%s\"", why, part);
    }
}

#define ONE_OPTION(...)                                                                            \
    .options = (const struct tmon_option[])                                                        \
    {                                                                                              \
        {__VA_ARGS__},                                                                             \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

static void test_rules(void **state)
{
    expect_refused((struct tmon_component){.name = "Bad-Name", .check = check}, "[a-z][a-z0-9_]*");
    expect_refused((struct tmon_component){.name = "x"}, "no ability");
    expect_refused((struct tmon_component){.name = "x", .check = check, .flags = 1u << 20},
                   "unknown flags");
    expect_refused((struct tmon_component){.name = "x", .judge = judge}, "without format()");
    expect_refused((struct tmon_component){.name = "x",
                                           .check = check,
                                           ONE_OPTION(.name = "interval", .type = TMON_INT)},
                   "taken by the agent");
    expect_refused(
        (struct tmon_component){.name = "x", .check = check, ONE_OPTION(.name = "a", .type = 99)},
        "unknown type");
    expect_refused(
        (struct tmon_component){.name = "x",
                                .check = check,
                                ONE_OPTION(.name = "a", .type = TMON_INT, .fallback = "ten")},
        "the default");
    expect_refused((struct tmon_component){.name = "x",
                                           .check = check,
                                           ONE_OPTION(.name = "a", .type = TMON_INT,
                                                      .fallback = "11", .min = 1, .max = 10)},
                   "the default");
    expect_refused((struct tmon_component){.name = "x",
                                           .check = check,
                                           ONE_OPTION(.name = "a", .type = TMON_INT,
                                                      .fallback = "1", .flags = TMON_REQUIRED)},
                   "required and has a default");
    expect_refused((struct tmon_component){.name = "x",
                                           .check = check,
                                           ONE_OPTION(.name = "a", .type = TMON_CHOICE)},
                   "choices");
    expect_refused((struct tmon_component){.name = "x",
                                           .check = check,
                                           ONE_OPTION(.name = "a", .type = TMON_GROUPS)},
                   "group");
    expect_refused(
        (struct tmon_component){.name = "x",
                                .check = check,
                                ONE_OPTION(.name = "a", .type = TMON_INT, .min = 2, .max = 1)},
        "min above");
    expect_refused((struct tmon_component){.name = "x",
                                           .check = check,
                                           ONE_OPTION(.name = "a\xff", .type = TMON_INT)},
                   "malformed");
}

static void test_versions(void **state)
{
    struct tmon_plugin plugin = {
        sizeof plugin, TMON_API_MAJOR, TMON_API_MINOR + 1, "new", "2.0", "MIT", NULL};
    struct manifest *manifest = NULL;
    char why[256] = "";

    assert_int_equal(round_trip(&plugin, &manifest, why, sizeof why), -EPROTONOSUPPORT);
    assert_non_null(strstr(why, "upgrade toiletmon"));
    assert_non_null(strstr(why, "0.4, this agent has 0.3"));
    plugin.api_major = TMON_API_MAJOR + 1;
    assert_int_equal(round_trip(&plugin, &manifest, why, sizeof why), -EPROTONOSUPPORT);
    plugin = (struct tmon_plugin){4, TMON_API_MAJOR, TMON_API_MINOR, "short", "1", "MIT", NULL};
    assert_int_equal(round_trip(&plugin, &manifest, why, sizeof why), -EPROTO);
    assert_int_equal(round_trip(NULL, &manifest, why, sizeof why), -EPROTO);
}

static void test_settings_round_trip(void **state)
{
    struct settings *settings = settings_create(3);
    struct settings *copy = NULL;
    struct wire_reader reader;
    struct buf buf;

    settings->settings[0] = (struct setting){
        .name = strdup("url"), .type = TMON_URL, .set = true, .text = strdup("http://a/")};
    settings->settings[1] =
        (struct setting){.name = strdup("n"), .type = TMON_DURATION, .num = 1500};
    settings->settings[2] = (struct setting){.name = strdup("headers"),
                                             .type = TMON_MAP,
                                             .set = true,
                                             .secret = true,
                                             .count = 1,
                                             .items = calloc(1, sizeof(char *)),
                                             .values = calloc(1, sizeof(char *))};
    settings->settings[2].items[0] = strdup("X-Key");
    settings->settings[2].values[0] = strdup("v");
    buf_init(&buf, 4096);
    settings_encode(settings, &buf);
    wire_reader_init(&reader, buf.data, buf.len);
    assert_int_equal(settings_decode(&reader, &copy), 0);
    assert_true(wire_done(&reader));
    assert_true(settings_equal(settings, copy));
    assert_string_equal(settings_config_string(settings_as_config(copy), "url"), "http://a/");
    assert_int_equal(settings_config_int(settings_as_config(copy), "n"), 1500);
    assert_false(settings_config_has(settings_as_config(copy), "n"));
    assert_string_equal(settings_config_pair(settings_as_config(copy), "headers", 0).key, "X-Key");
    copy->settings[2].values[0][0] = 'w';
    assert_false(settings_equal(settings, copy));
    settings_destroy(copy);
    for (size_t len = 0; len < buf.len; len++) {
        wire_reader_init(&reader, buf.data, len);
        assert_int_equal(settings_decode(&reader, &copy), -EPROTO);
    }
    settings_destroy(settings);
    buf_finish(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrives_whole),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_settings_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
