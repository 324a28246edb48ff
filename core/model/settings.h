/*
 * settings.h: the validated settings of one instance, the same object in the agent and in a worker.
 *
 * Built by the config room from YAML and a component's declared options, encoded into the create
 * frame, decoded by the worker, and handed to the plugin as its opaque `struct tmon_config`.
 * Immutable once built. A settings object holds a value for every declared option: the operator's,
 * the default, or "unset".
 */
#ifndef MODEL_SETTINGS_H
#define MODEL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "plugin_api.h"

/* struct tmon_config of the public header *is* struct settings: the cast is hidden here. */
struct settings;

struct setting {
    char *name; /* owned */
    tmon_type type;
    bool set;                 /* written by the operator or by a default */
    bool secret;              /* text, items and values must not be shown */
    int64_t num;              /* INT, DURATION (ms), BYTES, BOOL */
    double real;              /* FLOAT */
    char *text;               /* STRING, CHOICE, URL; owned, NULL when unset */
    size_t count;             /* of items, pairs or groups */
    char **items;             /* LIST; MAP: the keys; owned */
    char **values;            /* MAP: the values; owned */
    struct settings **groups; /* GROUPS; owned */
};

struct settings {
    size_t count;
    struct setting *settings;
};

/* Takes nothing; n zeroed settings.  NULL when out of memory. */
struct settings *settings_create(size_t count);
void settings_destroy(struct settings *settings);

void settings_encode(const struct settings *settings, struct buf *buf);
/* Returns an owned object.  -EPROTO for anything malformed or beyond the limits, -ENOMEM. */
int settings_decode(struct wire_reader *reader, struct settings **ret_settings);
/* Returns owned; NULL: no memory. */
struct settings *settings_copy(const struct settings *settings);
/* Whether two mean the same; NULL equals NULL. */
bool settings_equal(const struct settings *a, const struct settings *b);
/* NULL when there is none. */
const struct setting *settings_find(const struct settings *settings, const char *name);

/* Every URL setting's value, groups included, in order: fn is called with the borrowed text. */
void settings_each_url(const struct settings *settings, void (*fn)(void *owner, const char *url),
                       void *owner);

/* The functions that go into struct tmon_host.  A wrong name or type ends the process with a
 * message: see plugin_api.h.  `die` may be replaced by tests and by the agent's own thread. */
const struct tmon_config *settings_as_config(const struct settings *settings);
bool settings_config_has(const struct tmon_config *config, const char *name);
const char *settings_config_string(const struct tmon_config *config, const char *name);
int64_t settings_config_int(const struct tmon_config *config, const char *name);
double settings_config_float(const struct tmon_config *config, const char *name);
size_t settings_config_count(const struct tmon_config *config, const char *name);
const char *settings_config_item(const struct tmon_config *config, const char *name, size_t i);
struct tmon_pair settings_config_pair(const struct tmon_config *config, const char *name, size_t i);
const struct tmon_config *settings_config_group(const struct tmon_config *config, const char *name,
                                                size_t i);

#endif
