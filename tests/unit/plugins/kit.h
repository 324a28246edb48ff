/*
 * kit.h: what the tests of plugins share: cmocka, the mock host, a scratch folder.
 */
#ifndef PLUGINS_KIT_H
#define PLUGINS_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mock_host.h"

/* The .so of a plugin in this build; a static buffer. */
static inline const char *kit_plugin(const char *name)
{
    static char path[4096];
    const char *build = getenv("TMON_BUILD");

    (void)snprintf(path, sizeof path, "%s/plugins/%s.so", build == NULL ? "build" : build, name);
    return path;
}

/* A component of ours, its settings accepted and its create() done. */
static inline struct mock_host *kit_start(const char *component, const char *settings)
{
    struct mock_host *mock = mock_open(kit_plugin(component), component, settings);

    assert_string_equal(mock_error(mock), "");
    assert_int_equal(mock_create(mock, 5000), TMON_OK);
    return mock;
}

/* Ends it; nothing that the agent would refuse may have happened. */
static inline void kit_stop(struct mock_host *mock)
{
    assert_string_equal(mock_problem(mock), "");
    mock_close(mock);
}

static inline void kit_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-9 * (1 + fabs(expected)))) {
        fail_msg("%.17g is not %.17g", value, expected);
    }
}

/* Writes a file below a folder, making the folders in between. */
static inline void kit_write(const char *dir, const char *path, const char *text)
{
    char full[4096];
    char *slash;
    FILE *file;

    (void)snprintf(full, sizeof full, "%s/%s", dir, path);
    for (slash = strchr(full + strlen(dir) + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(full, 0755) != 0 && errno != EEXIST) {
            fail_msg("mkdir %s: %s", full, strerror(errno));
        }
        *slash = '/';
    }
    file = fopen(full, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        fail_msg("%s: %s", full, strerror(errno));
    }
}

/* cmocka's setup and teardown: *state is the path of an empty folder that is removed afterwards. */
static inline int kit_scratch(void **state)
{
    char path[] = "/tmp/tmon-kit-XXXXXX";

    *state = mkdtemp(path) == NULL ? NULL : strdup(path);
    return *state == NULL ? -1 : 0;
}

static inline int kit_remove(void **state)
{
    char command[4096];

    (void)umount2(*state, MNT_DETACH); // a test that failed half-way may have left it mounted
    (void)snprintf(command, sizeof command, "rm -rf '%s'", (const char *)*state);
    free(*state);
    return system(command);
}

#endif
