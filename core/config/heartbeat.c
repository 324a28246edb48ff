/*
 * heartbeat.c: the `heartbeat:` section, the outgoing one.  Runs where a configuration is loaded.
 */
#include <errno.h>
#include <string.h>

#include "config/schema.h"
#include "config/sections.h"

static const struct tmon_option heartbeat_options[] = {
    {"url", TMON_URL, TMON_REQUIRED | TMON_SECRET, NULL, 0, 0, NULL,
     "what is called while rules are evaluated and notifications delivered", NULL},
    {"interval", TMON_DURATION, 0, "60s", 100, 86400000, NULL, "how often", NULL},
    {"timeout", TMON_DURATION, 0, "10s", 100, 3600000, NULL, "how long the far end has", NULL},
    {0},
};

/* `url: ${HEARTBEAT_URL:-}` with a variable that is unset: there is none. */
static bool is_off(const struct node *mapping)
{
    const struct node *url = node_get(mapping, "url", NULL);

    return url && url->kind == NODE_SCALAR && url->replaced && !url->unset && !*url->value;
}

int heartbeat_section_read(const struct node *mapping, struct config_position at,
                           struct config_errors *errors, struct config_heartbeat *ret_heartbeat)
{
    struct schema schema = {0};
    struct manifest_option *options;
    int r;

    memset(ret_heartbeat, 0, sizeof *ret_heartbeat);
    if (is_off(mapping)) {
        return 0;
    }
    options = schema_options(heartbeat_options, &schema.noptions);
    if (!options) {
        return -ENOMEM;
    }
    schema.options = options;
    r = schema_check(&schema, mapping, at, errors, &ret_heartbeat->settings);
    if (r == 0) {
        ret_heartbeat->interval_ms = section_number(ret_heartbeat->settings, "interval");
        ret_heartbeat->timeout_ms = section_number(ret_heartbeat->settings, "timeout");
        if (ret_heartbeat->timeout_ms > ret_heartbeat->interval_ms) {
            config_error(errors, mapping->at, "'timeout' must not be longer than 'interval'");
        }
    }
    schema_free_options(options, schema.noptions);
    return r == -ENOMEM ? r : 0;
}

void heartbeat_section_finish(struct config_heartbeat *heartbeat)
{
    settings_destroy(heartbeat->settings);
    heartbeat->settings = NULL;
}
