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

/* The first reason, in the order of enum hold.  `route` NULL: only what holds on every route. */
enum hold alert_hold(struct alerts *alerts, struct alert *alert, const struct route *route,
                     struct alerts_time now);
/* The same for all its routes: none if one of them may tell of it. */
enum hold alert_hold_everywhere(struct alerts *alerts, struct alert *alert, struct alerts_time now);
/* How many are held, counted anew: once a second while something changes. */
void holds_count(struct alerts *alerts, struct alerts_time now);
int64_t holds_next(const struct alerts *alerts);
/* One of its holds is over.  Nothing happens while it is still held otherwise. */
void alert_released(struct alerts *alerts, struct alert *alert, struct alerts_time now);

#endif
