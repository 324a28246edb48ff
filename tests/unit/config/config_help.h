/* What the tests of this room share: files in a directory of their own, an environment, and errors
 * as one text. */
#ifndef TESTS_CONFIG_HELP_H
#define TESTS_CONFIG_HELP_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"

/* NAME, value, NAME, value, ..., NULL */
static const char *const *help_variables;

static inline const char *help_lookup(void *owner, const char *name)
{
    for (const char *const *at = help_variables; at && *at; at += 2) {
        if (strcmp(at[0], name) == 0) {
            return at[1];
        }
    }
    return NULL;
}

static const struct config_env help_env = {help_lookup, NULL};

static char help_directory[64];

static inline int help_setup(void **state)
{
    strcpy(help_directory, "/tmp/toiletmon-config-XXXXXX");
    help_variables = NULL;
    return mkdtemp(help_directory) && chdir(help_directory) == 0 && mkdir("conf.d", 0755) == 0 ? 0
                                                                                               : -1;
}

static inline int help_teardown(void **state)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", help_directory);
    return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static inline void help_write(const char *path, const char *text, size_t len)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* All entries, a line each. */
static inline const char *help_text(const struct config_errors *errors)
{
    static char text[32768];

    text[0] = '\0';
    for (size_t i = 0; i < errors->count; i++) {
        strncat(text, errors->entries[i].text, sizeof text - strlen(text) - 1);
        strncat(text, "\n", sizeof text - strlen(text) - 1);
    }
    return text;
}

/* Loads c.yaml; the errors' text, "" if it is good. */
static inline const char *help_load(const char *yaml)
{
    struct config_errors errors;
    struct config *config = NULL;
    const char *text;
    int r;

    help_write("c.yaml", yaml, strlen(yaml));
    config_errors_init(&errors);
    r = config_load("c.yaml", &help_env, &errors, &config);
    assert_int_equal(r, errors.errors ? -EINVAL : 0);
    assert_int_equal(r == 0, config != NULL);
    text = help_text(&errors);
    config_destroy(config);
    config_errors_finish(&errors);
    return text;
}

/* The same, but it must be good; to be destroyed. */
static inline struct config *help_good(const char *yaml)
{
    struct config_errors errors;
    struct config *config = NULL;

    help_write("c.yaml", yaml, strlen(yaml));
    config_errors_init(&errors);
    if (config_load("c.yaml", &help_env, &errors, &config)) {
        fail_msg("%s", help_text(&errors));
    }
    assert_string_equal(help_text(&errors), "");
    config_errors_finish(&errors);
    return config;
}

#endif
