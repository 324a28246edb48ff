/*
 * manifest_encode.c: reads a plugin's own memory.  Runs where the .so is loaded: in a worker, so
 * that a manifest of wild pointers costs that worker; or in the agent for components of ours.
 *
 * `size` says how much of a struct the plugin knows of: what lies beyond is not read.  A plugin of
 * another version is encoded with its names alone, since the agent must be able to say which
 * version it is.
 */
#include "model/manifest.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"

/* Copies the part of a growing struct that the plugin has; `size` is its first member. */
#define COPY_SIZED(dest_, src_)                                                                    \
    do {                                                                                           \
        size_t size_ = (src_)->size < sizeof *(dest_) ? (src_)->size : sizeof *(dest_);            \
        memset((dest_), 0, sizeof *(dest_));                                                       \
        memcpy((dest_), (src_), size_);                                                            \
    } while (0)

static void put_optional(struct buf *buf, const char *text)
{
    wire_put_u8(buf, text != NULL);
    if (text) {
        wire_put_str(buf, text);
    }
}

static void put_options(struct buf *buf, const struct tmon_option *options, int depth)
{
    size_t at = buf->len;
    uint32_t n = 0;

    wire_put_u32(buf, 0);
    if (depth > LIMIT_OPTION_DEPTH) {
        buf->failed = true;
    }
    for (; options && options[n].name && !buf->failed; n++) {
        const struct tmon_option *option = &options[n];

        wire_put_str(buf, option->name);
        wire_put_u8(buf, option->type > 0 && option->type < 256 ? (uint8_t)option->type : 0);
        wire_put_u32(buf, option->flags);
        put_optional(buf, option->fallback);
        wire_put_f64(buf, option->min);
        wire_put_f64(buf, option->max);
        put_optional(buf, option->choices);
        wire_put_str(buf, option->help);
        put_options(buf, option->type == TMON_GROUPS ? option->group : NULL, depth + 1);
    }
    wire_set_u32(buf, at, n);
}

static void put_actions(struct buf *buf, const struct tmon_action *const *actions)
{
    size_t at = buf->len;
    uint32_t n = 0;

    wire_put_u32(buf, 0);
    for (; actions && actions[n] && !buf->failed; n++) {
        struct tmon_action action;

        COPY_SIZED(&action, actions[n]);
        wire_put_str(buf, action.name);
        wire_put_str(buf, action.summary);
        wire_put_u32(buf, action.flags);
        put_options(buf, action.params, 0);
    }
    wire_set_u32(buf, at, n);
}

static uint32_t abilities_of(const struct tmon_component *component)
{
    return (component->check ? ABILITY_CHECK : 0u) | (component->collect ? ABILITY_COLLECT : 0u) |
           (component->watch ? ABILITY_WATCH : 0u) | (component->format ? ABILITY_FORMAT : 0u) |
           (component->judge ? ABILITY_JUDGE : 0u) | (component->deliver ? ABILITY_DELIVER : 0u) |
           (component->actions && component->actions[0] ? ABILITY_ACTIONS : 0u) |
           (component->cache ? ABILITY_CACHE : 0u) | (component->lease ? ABILITY_LEASE : 0u);
}

static void put_components(struct buf *buf, const struct tmon_component *const *components)
{
    size_t at = buf->len;
    uint32_t n = 0;

    wire_put_u32(buf, 0);
    for (; components && components[n] && !buf->failed; n++) {
        struct tmon_component component;

        COPY_SIZED(&component, components[n]);
        wire_put_str(buf, component.name);
        wire_put_str(buf, component.summary);
        wire_put_u32(buf, component.flags);
        wire_put_u32(buf, abilities_of(&component));
        put_options(buf, component.options, 0);
        put_actions(buf, component.actions);
    }
    wire_set_u32(buf, at, n);
}

int manifest_encode(const struct tmon_plugin *plugin, struct buf *buf, const char **ret_why)
{
    const size_t head = offsetof(struct tmon_plugin, components) + sizeof plugin->components;
    bool readable;

    if (!plugin) {
        *ret_why =
            "toiletmon_plugin() returned NULL: it must return the manifest (see TMON_PLUGIN)";
        return -EPROTO;
    }
    if (plugin->size < head || plugin->size > 65536) {
        *ret_why = "its manifest has an impossible size: set `size` to sizeof(struct tmon_plugin) "
                   "(see TMON_PLUGIN)";
        return -EPROTO;
    }
    readable = plugin->api_major == TMON_API_MAJOR && plugin->api_minor <= TMON_API_MINOR;
    wire_put_u16(buf, plugin->api_major);
    wire_put_u16(buf, plugin->api_minor);
    wire_put_str(buf, plugin->name);
    wire_put_str(buf, plugin->version);
    wire_put_str(buf, plugin->license);
    put_components(buf, readable ? plugin->components : NULL);
    if (buf->failed) {
        *ret_why = "its manifest is too large or its groups are nested too deeply";
        return -EPROTO;
    }
    return 0;
}
