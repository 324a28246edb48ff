/*
 * routes.h: the `routes:` section: who is told of what, as it stands in the file.
 *
 * A tree of plain structs with positions.  What it means is for the alerts to say
 * (alert/routing.h), which stand below: the agent makes their routing of it.  Immutable once read.
 */
#ifndef CONFIG_ROUTES_H
#define CONFIG_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/errors.h"
#include "model/matcher.h"
#include "model/window.h"

struct config_target {
    char *name; /* of an instance that is in the configuration, or "log" */
    struct config_position at;
};

struct config_route {
    struct config_position at;
    size_t nmatchers;
    struct matcher *matchers; /* of `match` and `matchers` */
    size_t nto;
    struct config_target *to;
    bool to_set;
    bool go_on;                      /* `continue` */
    bool group_by_set, group_by_all; /* all: '...' */
    size_t ngroup_by;
    char **group_by;                                              /* sorted */
    int64_t group_wait_ms, group_interval_ms, repeat_interval_ms; /* -1: not said */
    bool maintenance_set;
    size_t nwindows;
    struct window *windows; /* of `maintenance`; owned, as are their zones */
    size_t nroutes;
    struct config_route *routes;
};

#endif
