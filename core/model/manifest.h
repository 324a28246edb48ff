/*
 * manifest.h: the agent's own copy of what a plugin declares.
 *
 * Encoded by whoever loaded the .so (a worker, or the agent for its own few), decoded and validated
 * by the agent like any frame.  Immutable once decoded; all strings and arrays are owned by the
 * manifest.
 */
#ifndef MODEL_MANIFEST_H
#define MODEL_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "plugin_api.h"

enum ability {
    ABILITY_CHECK = 1u << 0,
    ABILITY_COLLECT = 1u << 1,
    ABILITY_WATCH = 1u << 2,
    ABILITY_FORMAT = 1u << 3,
    ABILITY_JUDGE = 1u << 4,
    ABILITY_DELIVER = 1u << 5,
    ABILITY_ACTIONS = 1u << 6,
    ABILITY_CACHE = 1u << 7,
    ABILITY_LEASE = 1u << 8,
};
#define ABILITIES 9 /* bits, from the lowest on */

struct manifest_option {
    char *name;
    tmon_type type;
    uint32_t flags; /* TMON_REQUIRED, TMON_SECRET */
    char *fallback; /* NULL: none */
    double min, max;
    char *choices; /* NULL: none */
    char *help;    /* never NULL */
    size_t ngroup;
    struct manifest_option *group; /* of TMON_GROUPS */
};

struct manifest_action {
    char *name;
    char *summary;
    uint32_t flags;
    size_t nparams;
    struct manifest_option *params;
};

struct manifest_component {
    char *name;
    char *summary;
    uint32_t flags;
    uint32_t abilities; /* of enum ability */
    size_t noptions;
    struct manifest_option *options;
    size_t nactions;
    struct manifest_action *actions;
};

struct manifest {
    uint16_t api_major, api_minor;
    char *name;
    char *version;
    char *license;
    size_t ncomponents;
    struct manifest_component *components;
};

/*
 * Checks a plugin's raw manifest and encodes it.  Runs where the .so is loaded.  When the versions
 * do not fit it still encodes names and versions, with no components, so that the agent can say
 * what is wrong.  Returns 0, or -EPROTO with a sentence in *ret_why (a static or thread-local
 * string) when it cannot even be read.
 */
int manifest_encode(const struct tmon_plugin *plugin, struct buf *buf, const char **ret_why);

/*
 * Decodes and validates: names, types, flags, duplicate and reserved names, defaults that fit their
 * type, limits, versions.  On success the manifest is owned by the caller.  On failure returns
 * -EPROTO (malformed, bad) or -EPROTONOSUPPORT (version) or -ENOMEM and puts a sentence for the
 * operator, which says what to do, into ret_why (cut to size).
 */
int manifest_decode(const void *data, size_t len, struct manifest **ret_manifest, char *ret_why,
                    size_t size);
void manifest_destroy(struct manifest *manifest);

/* NULL when it declares none of that name. */
const struct manifest_component *manifest_find(const struct manifest *manifest,
                                               const char *component);

/* Whether the core takes this key from every instance (use, interval, ...), so that no component
 * may. */
bool manifest_name_reserved(const char *name);
/* Whether it delivers notifications. */
static inline bool manifest_is_sink(const struct manifest_component *component)
{
    return (component->abilities & (ABILITY_FORMAT | ABILITY_DELIVER)) != 0;
}
/* Whether it is called at intervals. */
static inline bool manifest_is_scheduled(const struct manifest_component *component)
{
    return (component->abilities & (ABILITY_CHECK | ABILITY_COLLECT)) != 0;
}
/* All of them, ending with NULL. */
const char *const *manifest_reserved_names(void);
/* "string", "duration", ... */
const char *manifest_type_name(tmon_type type);
/* "check", "collect", ...: of one ability. */
const char *manifest_ability_name(enum ability ability);

#endif
