/*
 * flapping.c: the `flapping:` section: from when on an alert that comes and goes is one notice.
 * Runs where a configuration is loaded.
 */
#include <errno.h>
#include <stdlib.h>

#include "config/resolve.h"
#include "config/schema.h"
#include "config/sections.h"

static const struct tmon_option options[] = {
    {"changes", TMON_INT, 0, "6", 2, 32, NULL, "how often it fires again or resolves", NULL},
    {"window", TMON_DURATION, 0, "10m", 1000, 86400000, NULL,
     "within how long, and for how long it must then be quiet", NULL},
    {0},
};

int flapping_read(struct node *node, const struct config_env *env, struct config_errors *errors,
                  struct config *config)
{
    struct schema schema = {0};
    struct settings *settings = NULL;
    struct manifest_option *made;
    int r;

    if (node->kind != NODE_MAPPING && !node_is_null(node)) {
        config_error(errors, node->at,
                     "'flapping' must be a mapping, such as {changes: 6, window: 10m}, not %s",
                     node_kind_name(node));
        return 0;
    }
    if (config->flapping_changes > 0) {
        config_error(errors, node->at, "'flapping' stands in two files; take one out");
        return 0;
    }
    made = schema_options(options, &schema.noptions);
    if (!made) {
        return -ENOMEM;
    }
    schema.options = made;
    r = resolve_node(node, env, false, errors);
    if (r == 0) {
        r = schema_check(&schema, node_is_null(node) ? NULL : node, node->at, errors, &settings);
    }
    if (r == 0) {
        config->flapping_changes = (uint32_t)section_number(settings, "changes");
        config->flapping_window_ms = section_number(settings, "window");
    }
    settings_destroy(settings);
    schema_free_options(made, schema.noptions);
    return r == -EINVAL ? 0 : r; /* it is in the errors */
}
