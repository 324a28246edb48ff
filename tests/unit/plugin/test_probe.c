/* What a .so declares, or why it cannot be known; whatever it does, nothing of it stays. */
#include "kit.h"

#include <sys/eventfd.h>

#include "model/settings.h"
#include "plugin/probe.h"

struct expected {
    const char *fixture;
    const char *why; /* part of the reason; NULL: there is a manifest */
};

static const struct expected all[] = {
    {"api_check", NULL},
    {"abi_old", NULL},
    {"abi_new", "0.99"},
    {"abi_major", "7.0"},
    {"no_symbol", "toiletmon_plugin"},
    {"constructor_exit", "ended with exit status"},
    {"constructor_hang", "did not answer within"},
    {"crash", NULL},
    {"bad_manifest_null", ""},
    {"bad_manifest_size", ""},
    {"bad_manifest_wild", ""},
    {"bad_manifest_duplicate", ""},
    {"bad_manifest_reserved", "interval"},
    {"bad_manifest_utf8", "UTF-8"},
    {"bad_manifest_component", ""},
    {"bad_manifest_default", ""},
    {"bad_manifest_name", ""},
    {"bad_manifest_options", ""},
    {"bad_manifest_ability", ""},
    {"no_such_file", "cannot find"},
};
#define N (sizeof all / sizeof all[0])

static void knows_each_fixture(void **state)
{
    size_t before = kit_descriptors();
    struct spawner *spawner = kit_spawner();
    struct probe probes[N] = {0};
    char *paths[N];

    for (size_t i = 0; i < N; i++) {
        paths[i] = strdup(kit_fixture(all[i].fixture));
        probes[i].path = paths[i];
    }
    assert_int_equal(probe_files(spawner, probes, N, 1500, -1), 0);
    for (size_t i = 0; i < N; i++) {
        if (!all[i].why) {
            if (!probes[i].manifest) {
                fail_msg("%s: %s", all[i].fixture, probes[i].why);
            }
            assert_true(probes[i].manifest->ncomponents > 0);
#ifndef TMON_SANITIZED
            assert_true(probes[i].layers & 1);
#endif
        } else if (probes[i].manifest || !*probes[i].why || !strstr(probes[i].why, all[i].why)) {
            fail_msg("%s: \"%s\" does not say \"%s\"", all[i].fixture, probes[i].why, all[i].why);
        }
        manifest_destroy(probes[i].manifest);
        free(paths[i]);
    }
    spawner_destroy(spawner);
    kit_no_children();
    assert_int_equal(kit_descriptors(), before);
}

static void names_both_versions(void **state)
{
    struct spawner *spawner = kit_spawner();
    struct probe probe = {.path = kit_fixture("abi_new")};
    char ours[16];

    assert_int_equal(probe_files(spawner, &probe, 1, 5000, -1), 0);
    assert_null(probe.manifest);
    (void)snprintf(ours, sizeof ours, "%d.%d", TMON_API_MAJOR, TMON_API_MINOR);
    assert_non_null(strstr(probe.why, ours));
    assert_non_null(strstr(probe.why, "0.99"));
    spawner_destroy(spawner);
}

static void tries_settings(void **state)
{
    static const struct {
        const char *fixture;
        const char *why; /* part of the reason; NULL: create() is content */
    } cases[] = {{"leak", NULL}, {"hang_create", "within 1 s while its settings were tried"}};
    size_t before = kit_descriptors();
    struct spawner *spawner = kit_spawner();
    struct settings *settings = settings_create(0);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct probe probe = {.path = kit_fixture(cases[i].fixture),
                              .component = cases[i].fixture,
                              .instance = "trial",
                              .settings = settings};

        assert_int_equal(probe_files(spawner, &probe, 1, cases[i].why ? 1000 : 5000, -1), 0);
        assert_non_null(probe.manifest);
        assert_int_equal(probe.rc, TMON_OK); /* silence is no refusal */
        if (cases[i].why ? !strstr(probe.why, cases[i].why) : *probe.why != '\0') {
            fail_msg("%s: %s", cases[i].fixture, probe.why);
        }
        manifest_destroy(probe.manifest);
    }
    settings_destroy(settings);
    spawner_destroy(spawner);
    kit_no_children();
    assert_int_equal(kit_descriptors(), before);
}

static void takes_none(void **state)
{
    struct spawner *spawner = kit_spawner();

    assert_int_equal(probe_files(spawner, NULL, 0, 1000, -1), 0);
    spawner_destroy(spawner);
}

static void can_be_cancelled(void **state)
{
    size_t before = kit_descriptors();
    struct spawner *spawner = kit_spawner();
    char *path = strdup(kit_fixture("constructor_hang"));
    struct probe probes[12] = {0};
    int cancel = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    int64_t began = clock_mono_ns();

    for (size_t i = 0; i < 12; i++) {
        probes[i].path = path;
    }
    assert_int_equal(probe_files(spawner, probes, 12, 60000, cancel), -ECANCELED);
    assert_true(clock_mono_ns() - began < 30 * NS_PER_S);
    for (size_t i = 0; i < 12; i++) {
        assert_null(probes[i].manifest);
        assert_string_equal(probes[i].why, "");
    }
    (void)close(cancel);
    free(path);
    spawner_destroy(spawner);
    kit_no_children();
    assert_int_equal(kit_descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_each_fixture), cmocka_unit_test(names_both_versions),
        cmocka_unit_test(tries_settings),     cmocka_unit_test(takes_none),
        cmocka_unit_test(can_be_cancelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
