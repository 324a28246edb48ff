/*
 * settings.c: see settings.h.  struct tmon_config of the public header is struct settings under
 * another name, so that a plugin's reads cost a walk over a handful of names and no second copy of
 * anything.
 */
#include "model/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

struct settings *settings_create(size_t count)
{
    struct settings *settings = calloc(1, sizeof *settings);

    if (!settings) {
        return NULL;
    }
    settings->settings = calloc(count ? count : 1, sizeof *settings->settings);
    if (!settings->settings) {
        free(settings);
        return NULL;
    }
    settings->count = count;
    return settings;
}

static void setting_finish(struct setting *setting)
{
    for (size_t i = 0; i < setting->count; i++) {
        if (setting->items) {
            free(setting->items[i]);
        }
        if (setting->values) {
            free(setting->values[i]);
        }
        if (setting->groups) {
            settings_destroy(setting->groups[i]);
        }
    }
    free(setting->items);
    free(setting->values);
    free(setting->groups);
    free(setting->name);
    free(setting->text);
}

void settings_destroy(struct settings *settings)
{
    if (!settings) {
        return;
    }
    for (size_t i = 0; i < settings->count; i++) {
        setting_finish(&settings->settings[i]);
    }
    free(settings->settings);
    free(settings);
}

void settings_encode(const struct settings *settings, struct buf *buf)
{
    wire_put_u32(buf, (uint32_t)settings->count);
    for (size_t i = 0; i < settings->count; i++) {
        const struct setting *setting = &settings->settings[i];

        wire_put_str(buf, setting->name);
        wire_put_u8(buf, (uint8_t)setting->type);
        wire_put_u8(buf,
                    (uint8_t)(setting->set | setting->secret << 1 | (setting->text != NULL) << 2));
        wire_put_i64(buf, setting->num);
        wire_put_f64(buf, setting->real);
        wire_put_str(buf, setting->text);
        wire_put_u32(buf, (uint32_t)setting->count);
        for (size_t j = 0; j < setting->count; j++) {
            if (setting->type == TMON_GROUPS) {
                settings_encode(setting->groups[j], buf);
                continue;
            }
            wire_put_str(buf, setting->items[j]);
            if (setting->type == TMON_MAP) {
                wire_put_str(buf, setting->values[j]);
            }
        }
    }
}

static int decode_settings(struct wire_reader *reader, int depth, struct settings **ret_settings);

static char *get_copy(struct wire_reader *reader, size_t max)
{
    char *copy = strdup(wire_get_str(reader, max));

    if (!copy) {
        reader->bad = true;
    }
    return copy;
}

/* The entries of a LIST, MAP or GROUPS; `count` grows with what is there, so that a half-built one
 * can be freed. */
static int decode_entries(struct wire_reader *reader, int depth, struct setting *setting)
{
    uint32_t n = wire_get_count(reader, LIMIT_SETTING_ITEMS, 4);

    if (n == 0) {
        return 0;
    }
    if (setting->type == TMON_GROUPS) {
        setting->groups = calloc(n, sizeof *setting->groups);
    } else {
        setting->items = calloc(n, sizeof *setting->items);
        if (setting->type == TMON_MAP) {
            setting->values = calloc(n, sizeof *setting->values);
        }
    }
    if ((setting->type == TMON_GROUPS && !setting->groups) ||
        (setting->type != TMON_GROUPS && !setting->items) ||
        (setting->type == TMON_MAP && !setting->values)) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < n && !reader->bad; i++) {
        setting->count = i + 1;
        if (setting->type == TMON_GROUPS) {
            int r = decode_settings(reader, depth + 1, &setting->groups[i]);

            if (r < 0) {
                return r;
            }
            continue;
        }
        setting->items[i] = get_copy(reader, LIMIT_SETTING_BYTES);
        if (setting->type == TMON_MAP) {
            setting->values[i] = get_copy(reader, LIMIT_SETTING_BYTES);
        }
    }
    return 0;
}

static int decode_setting(struct wire_reader *reader, int depth, struct setting *setting)
{
    uint8_t bits;
    bool list;
    int r;

    setting->name = get_copy(reader, LIMIT_NAME_BYTES);
    setting->type = wire_get_u8(reader);
    bits = wire_get_u8(reader);
    setting->set = (bits & 1) != 0;
    setting->secret = (bits & 2) != 0;
    setting->num = wire_get_i64(reader);
    setting->real = wire_get_f64(reader);
    setting->text = get_copy(reader, LIMIT_SETTING_BYTES);
    if (setting->text && !(bits & 4)) {
        free(setting->text);
        setting->text = NULL;
    }
    if (reader->bad || bits > 7 || setting->type < TMON_STRING || setting->type > TMON_GROUPS) {
        return -EPROTO;
    }
    list = setting->type >= TMON_LIST;
    if (!list) {
        return wire_get_u32(reader) == 0 && !reader->bad ? 0 : -EPROTO;
    }
    r = decode_entries(reader, depth, setting);
    if (r < 0) {
        return r;
    }
    return reader->bad ? -EPROTO : 0;
}

static int decode_settings(struct wire_reader *reader, int depth, struct settings **ret_settings)
{
    uint32_t n = wire_get_count(reader, LIMIT_OPTIONS, 31);
    struct settings *settings;

    if (reader->bad || depth > LIMIT_OPTION_DEPTH) {
        return -EPROTO;
    }
    settings = settings_create(n);
    if (!settings) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        int r = decode_setting(reader, depth, &settings->settings[i]);

        if (r < 0) {
            settings_destroy(settings);
            return r;
        }
    }
    *ret_settings = settings;
    return 0;
}

int settings_decode(struct wire_reader *reader, struct settings **ret_settings)
{
    return decode_settings(reader, 0, ret_settings);
}

struct settings *settings_copy(const struct settings *settings)
{
    struct settings *copy = NULL;
    struct wire_reader reader;
    struct buf buf;

    buf_init(&buf, LIMIT_SETTINGS_BYTES);
    settings_encode(settings, &buf);
    wire_reader_init(&reader, buf_str(&buf), buf.len);
    if (buf.failed || settings_decode(&reader, &copy) < 0) {
        copy = NULL;
    }
    if (buf.data) {
        explicit_bzero(buf.data, buf.len); // secrets
    }
    buf_finish(&buf);
    return copy;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool setting_equal(const struct setting *a, const struct setting *b)
{
    if (!same_text(a->name, b->name) || a->type != b->type || a->set != b->set ||
        a->num != b->num || memcmp(&a->real, &b->real, sizeof a->real) != 0 ||
        !same_text(a->text, b->text) || a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (a->type == TMON_GROUPS) {
            if (!settings_equal(a->groups[i], b->groups[i])) {
                return false;
            }
        } else if (!same_text(a->items[i], b->items[i]) ||
                   (a->type == TMON_MAP && !same_text(a->values[i], b->values[i]))) {
            return false;
        }
    }
    return true;
}

bool settings_equal(const struct settings *a, const struct settings *b)
{
    if (!a || !b) {
        return a == b;
    }
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (!setting_equal(&a->settings[i], &b->settings[i])) {
            return false;
        }
    }
    return true;
}

const struct setting *settings_find(const struct settings *settings, const char *name)
{
    if (!settings) {
        return NULL;
    }
    for (size_t i = 0; i < settings->count; i++) {
        if (strcmp(settings->settings[i].name, name) == 0) {
            return &settings->settings[i];
        }
    }
    return NULL;
}

void settings_each_url(const struct settings *settings, void (*fn)(void *owner, const char *url),
                       void *owner)
{
    if (!settings) {
        return;
    }
    for (size_t i = 0; i < settings->count; i++) {
        const struct setting *setting = &settings->settings[i];

        if (setting->type == TMON_URL && setting->text && *setting->text) {
            fn(owner, setting->text);
        }
        for (size_t j = 0; setting->type == TMON_GROUPS && j < setting->count; j++) {
            settings_each_url(setting->groups[j], fn, owner);
        }
    }
}

const struct tmon_config *settings_as_config(const struct settings *settings)
{
    return (const struct tmon_config *)(const void *)settings;
}

/* A plugin that asks for what it did not declare has a bug that its author must see at once. */
static const struct setting *need(const struct tmon_config *config, const char *name,
                                  unsigned types)
{
    const struct setting *setting =
        settings_find((const struct settings *)(const void *)config, name);

    if (!setting || !(types & 1u << setting->type)) {
        (void)fprintf(stderr, "toiletmon: the plugin asked for the setting \"%s\", which %s\n",
                      name, setting ? "it declared with another type" : "it did not declare");
        abort();
    }
    return setting;
}

static const struct setting *need_entry(const struct tmon_config *config, const char *name,
                                        unsigned types, size_t i)
{
    const struct setting *setting = need(config, name, types);

    if (i >= setting->count) {
        (void)fprintf(
            stderr,
            "toiletmon: the plugin asked for entry %zu of the setting \"%s\", which has %zu\n", i,
            name, setting->count);
        abort();
    }
    return setting;
}

#define ANY_TYPE (~0u)

bool settings_config_has(const struct tmon_config *config, const char *name)
{
    return need(config, name, ANY_TYPE)->set;
}

const char *settings_config_string(const struct tmon_config *config, const char *name)
{
    const char *text =
        need(config, name, 1u << TMON_STRING | 1u << TMON_CHOICE | 1u << TMON_URL)->text;

    return text ? text : "";
}

int64_t settings_config_int(const struct tmon_config *config, const char *name)
{
    return need(config, name,
                1u << TMON_INT | 1u << TMON_BOOL | 1u << TMON_DURATION | 1u << TMON_BYTES)
        ->num;
}

double settings_config_float(const struct tmon_config *config, const char *name)
{
    return need(config, name, 1u << TMON_FLOAT)->real;
}

size_t settings_config_count(const struct tmon_config *config, const char *name)
{
    return need(config, name, 1u << TMON_LIST | 1u << TMON_MAP | 1u << TMON_GROUPS)->count;
}

const char *settings_config_item(const struct tmon_config *config, const char *name, size_t i)
{
    return need_entry(config, name, 1u << TMON_LIST, i)->items[i];
}

struct tmon_pair settings_config_pair(const struct tmon_config *config, const char *name, size_t i)
{
    const struct setting *setting = need_entry(config, name, 1u << TMON_MAP, i);

    return (struct tmon_pair){setting->items[i], setting->values[i]};
}

const struct tmon_config *settings_config_group(const struct tmon_config *config, const char *name,
                                                size_t i)
{
    return settings_as_config(need_entry(config, name, 1u << TMON_GROUPS, i)->groups[i]);
}
