/*
 * hold.h: why nobody is told of an alert now.  Shared by the files of this room; the flush asks.
 *
 * What is held is left out of notifications, and not repeated; the end of what was told before is
 * told all the same.  When the last hold of an alert ends while it fires, alert_released() makes
 * its groups tell it, or repeat it when that is due.  Whoever ends a hold calls it; a hold that
 * ends by time is in alerts_next().
 */
#ifndef ALERT_HOLD_H
#define ALERT_HOLD_H

#include "alert/alerts.h"

struct alert;
struct route;

enum hold {
    HOLD_NONE,
    HOLD_SILENCED,
    HOLD_INHIBITED,
    HOLD_MAINTENANCE, /* its route is in a maintenance window */
    HOLD_FLAPPING,
};

/* The first reason, in the order of the enum.  `route` NULL: only what holds on every route. */
enum hold alert_hold(struct alerts *alerts, struct alert *alert, const struct route *route,
                     struct alerts_time now);
/* One of its holds is over.  Nothing happens while it is still held otherwise. */
void alert_released(struct alerts *alerts, struct alert *alert, struct alerts_time now);

#endif
