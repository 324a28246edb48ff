/*
 * mock_settings.h: the settings of a mocked instance.  Private to the mock; tests use mock_host.h.
 */
#ifndef MOCK_SETTINGS_H
#define MOCK_SETTINGS_H

#include "plugin_api.h"

/* Reads `text` (see mock_open()) by the declared options, fills in defaults and checks all of it.
 * Returns an owned object, or NULL with a sentence in `why`.  The object is heap memory of its own,
 * so that a plugin that uses a setting after destroy() is seen by a sanitizer. */
struct tmon_config *mock_settings_create(const struct tmon_option *options, const char *text,
                                         char *why, size_t size);
void mock_settings_destroy(struct tmon_config *config);

/* Whether `url` begins with scheme, host and port of one of the URL settings, groups included. */
bool mock_settings_allow(const struct tmon_config *config, const char *url);

/* The functions for struct tmon_host.  A name that is not declared, or one of another type, aborts.
 */
bool mock_config_has(const struct tmon_config *config, const char *name);
const char *mock_config_string(const struct tmon_config *config, const char *name);
int64_t mock_config_int(const struct tmon_config *config, const char *name);
double mock_config_float(const struct tmon_config *config, const char *name);
size_t mock_config_count(const struct tmon_config *config, const char *name);
const char *mock_config_item(const struct tmon_config *config, const char *name, size_t i);
struct tmon_pair mock_config_pair(const struct tmon_config *config, const char *name, size_t i);
const struct tmon_config *mock_config_group(const struct tmon_config *config, const char *name,
                                            size_t i);

#endif
