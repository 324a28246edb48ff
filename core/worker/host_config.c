/*
 * host_config.c: a plugin reads its settings.  See host.h.
 *
 * Asking for what was not declared is a bug of the plugin's that its author must see at once, so it
 * ends the worker; and since a worker's stderr leads nowhere, the reason leaves as a line of the
 * log first.
 */
#include "worker/host.h"

#include <stdio.h>
#include <stdlib.h>

#include "worker/channel.h"

static _Noreturn void die(const char *text)
{
    struct buf frame;

    buf_init(&frame, LIMIT_FRAME_BYTES);
    wire_put_u8(&frame, TMON_ERROR);
    wire_put_str(&frame, text);
    wire_put_u32(&frame, 0);
    if (!frame.failed) {
        channel_send(FRAME_LOG, 0, frame.data, frame.len);
    }
    abort();
}

static const struct tmon_config *need(const struct tmon_config *config, const char *name,
                                      unsigned types, size_t i)
{
    const struct setting *setting =
        settings_find((const struct settings *)(const void *)config, name);
    char text[512];

    if (!setting) {
        (void)snprintf(text, sizeof text,
                       "the plugin asked for the setting \"%.64s\", which it did not declare",
                       name);
        die(text);
    }
    if (!(types & 1u << setting->type)) {
        (void)snprintf(
            text, sizeof text,
            "the plugin asked for the setting \"%.64s\" as another type than it declared", name);
        die(text);
    }
    if (i != SIZE_MAX && i >= setting->count) {
        (void)snprintf(text, sizeof text,
                       "the plugin asked for entry %zu of the setting \"%.64s\", which has %zu", i,
                       name, setting->count);
        die(text);
    }
    return config;
}

#define T(type_) (1u << TMON_##type_)
#define NO_ENTRY SIZE_MAX

bool host_config_has(const struct tmon_config *config, const char *name)
{
    return settings_config_has(need(config, name, ~0u, NO_ENTRY), name);
}

const char *host_config_string(const struct tmon_config *config, const char *name)
{
    return settings_config_string(need(config, name, T(STRING) | T(CHOICE) | T(URL), NO_ENTRY),
                                  name);
}

int64_t host_config_int(const struct tmon_config *config, const char *name)
{
    const unsigned types = T(INT) | T(BOOL) | T(DURATION) | T(BYTES);

    return settings_config_int(need(config, name, types, NO_ENTRY), name);
}

double host_config_float(const struct tmon_config *config, const char *name)
{
    return settings_config_float(need(config, name, T(FLOAT), NO_ENTRY), name);
}

size_t host_config_count(const struct tmon_config *config, const char *name)
{
    return settings_config_count(need(config, name, T(LIST) | T(MAP) | T(GROUPS), NO_ENTRY), name);
}

const char *host_config_item(const struct tmon_config *config, const char *name, size_t i)
{
    return settings_config_item(need(config, name, T(LIST), i), name, i);
}

struct tmon_pair host_config_pair(const struct tmon_config *config, const char *name, size_t i)
{
    return settings_config_pair(need(config, name, T(MAP), i), name, i);
}

const struct tmon_config *host_config_group(const struct tmon_config *config, const char *name,
                                            size_t i)
{
    return settings_config_group(need(config, name, T(GROUPS), i), name, i);
}
