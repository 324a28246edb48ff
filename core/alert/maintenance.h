/*
 * maintenance.h: the recurring windows of a route, in which nobody is told of what fires there.
 *
 * Belongs to the routing, and like it to the state's thread once the alerts have it: what was
 * found out about one moment is kept until it changes.
 */
#ifndef ALERT_MAINTENANCE_H
#define ALERT_MAINTENANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/window.h"

struct maintenance {
    size_t n;
    struct window *windows; /* owned */
    /* What is known: from the one (Unix ms) up to the other nothing changes. */
    int64_t since_ms, until_ms;
    bool active;
};

/* With room for n windows, none of which is there yet.  NULL: out of memory. */
struct maintenance *maintenance_create(size_t n);
void maintenance_destroy(struct maintenance *maintenance); /* takes NULL */
/* Whether one of its windows holds now; afterwards until_ms says up to when. */
bool maintenance_holds(struct maintenance *maintenance, int64_t real_ms);
/* Unix ms at which none of its windows holds any more, however they follow each other; a moment
 * before that where they are very many. */
int64_t maintenance_end(const struct maintenance *maintenance, int64_t real_ms);

#endif
