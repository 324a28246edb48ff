/*
 * hold.c: see hold.h.
 */
#include "alert/hold.h"

#include <string.h>

#include "alert/private.h"

#define COUNT_MS 1000 /* between two counts: each looks at every alert */

const char *hold_name(enum hold hold)
{
    static const char *const names[HOLDS] = {"none", "silenced", "inhibited", "maintenance",
                                             "flapping"};

    return hold < HOLDS ? names[hold] : "unknown";
}

enum hold alert_hold(struct alerts *alerts, struct alert *alert, const struct route *route,
                     struct alerts_time now)
{
    if (silences_hold(alerts, alert)) {
        return HOLD_SILENCED;
    }
    if (inhibit_holds(alert)) {
        return HOLD_INHIBITED;
    }
    if (route && route_in_maintenance(route, now)) {
        return HOLD_MAINTENANCE;
    }
    return alert->flapping ? HOLD_FLAPPING : HOLD_NONE;
}

enum hold alert_hold_everywhere(struct alerts *alerts, struct alert *alert, struct alerts_time now)
{
    enum hold hold = alert_hold(alerts, alert, NULL, now), first = HOLD_NONE;

    for (size_t i = 0; hold == HOLD_NONE && i < alert->ngroups; i++) {
        enum hold here = alert_hold(alerts, alert, alert->groups[i].group->route, now);

        if (here == HOLD_NONE) {
            return here;
        }
        first = first == HOLD_NONE ? here : first;
    }
    return hold == HOLD_NONE ? first : hold;
}

void alert_released(struct alerts *alerts, struct alert *alert, struct alerts_time now)
{
    if (alert->firing && alert_hold(alerts, alert, NULL, now) == HOLD_NONE) {
        groups_release(alerts, alert, now);
    }
}

/* ---- how many ---- */

/* Whether anything there is could hold an alert. */
static bool any_can_hold(const struct alerts *alerts)
{
    return alerts->silences.n[SILENCE_ACTIVE] > 0 || alerts->inhibit.sets.used > 0 ||
           alerts->maintenance_at < INT64_MAX || alerts->flaps.by_identity.used > 0;
}

void holds_count(struct alerts *alerts, struct alerts_time now)
{
    struct alert *alert;
    size_t pos = 0;

    if (!alerts->uncounted || (any_can_hold(alerts) && now.mono_ms < holds_next(alerts))) {
        return;
    }
    memset(alerts->counts.held, 0, sizeof alerts->counts.held);
    while (any_can_hold(alerts) && (alert = map_next(&alerts->by_episode, &pos))) {
        if (alert->firing) {
            alerts->counts.held[alert_hold_everywhere(alerts, alert, now)]++;
        }
    }
    alerts->uncounted = false;
    alerts->counted_ms = now.mono_ms;
}

int64_t holds_next(const struct alerts *alerts)
{
    return alerts->uncounted ? alerts->counted_ms + COUNT_MS : INT64_MAX;
}
