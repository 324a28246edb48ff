/*
 * inhibit.h: the `inhibit_rules:` section: which alerts keep others quiet, as it stands in the
 * file.
 *
 * The agent makes the alerts' rules of it (alert/routing.h).  Immutable once read.
 */
#ifndef CONFIG_INHIBIT_H
#define CONFIG_INHIBIT_H

#include <stddef.h>

#include "config/errors.h"
#include "model/matcher.h"

struct config_inhibit {
    struct config_position at;
    size_t nsource, ntarget, nequal;
    struct matcher *source, *target; /* at least one each */
    char **equal;                    /* sorted */
};

#endif
