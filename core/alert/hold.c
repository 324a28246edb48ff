/*
 * hold.c: see hold.h.
 */
#include "alert/hold.h"

#include "alert/private.h"

enum hold alert_hold(struct alerts *alerts, struct alert *alert, const struct route *route,
                     struct alerts_time now)
{
    return HOLD_NONE;
}

void alert_released(struct alerts *alerts, struct alert *alert, struct alerts_time now)
{
    if (alert->firing && alert_hold(alerts, alert, NULL, now) == HOLD_NONE) {
        groups_touch(alerts, alert, now);
    }
}
