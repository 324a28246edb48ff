/*
 * unit_alerts.c: alerts of how an instance is: `check failing`, `plugin unhealthy`.
 *
 * An instance that died once is back in a second, and nobody wants to hear of it; one that has not
 * come back within a minute is worth a word.
 */
#include <stdio.h>

#include "agent/unit_private.h"
#include "base/clock.h"

#define UNHEALTHY_NS (60 * NS_PER_S)

static tmon_severity severity_of(const struct unit *unit, tmon_verdict status)
{
    tmon_severity severity = unit->config->affects == CONFIG_AFFECTS_FAIL ? TMON_SEVERITY_CRITICAL
                             : unit->config->affects == CONFIG_AFFECTS_DEGRADE
                                 ? TMON_SEVERITY_WARNING
                                 : TMON_SEVERITY_INFO;

    return status == TMON_WARN && severity > TMON_SEVERITY_WARNING ? TMON_SEVERITY_WARNING
                                                                   : severity;
}

static void set(struct unit *unit, enum own_kind kind, bool firing, tmon_severity severity,
                const char *what, const char *message)
{
    const char *host = unit->world->own_alerts->host;
    char summary[OWN_SUMMARY_SIZE] = "";

    if (firing) {
        (void)snprintf(summary, sizeof summary, "%s%s%s %s%s%s", unit->name, *host ? " on " : "",
                       host, what, *message ? ": " : "", message);
    }
    own_alerts_set(unit->world->own_alerts, kind, unit->name, firing, severity, summary);
}

void unit_alerts_check(struct unit *unit, tmon_verdict status, const char *message)
{
    bool firing = status != TMON_PASS && unit->config->alerts;

    set(unit, OWN_CHECK_FAILING, firing, severity_of(unit, status),
        status == TMON_WARN ? "warns" : "fails", message);
}

static void set_unhealthy(struct unit *unit, bool firing, const char *reason)
{
    set(unit, OWN_PLUGIN_UNHEALTHY, firing, TMON_SEVERITY_WARNING, "does not run", reason);
}

static void on_unhealthy(struct loop_timer *timer, int64_t now_ns)
{
    struct unit *unit = timer->owner;

    set_unhealthy(unit, true, instance_reason(unit->workers[0].instance));
}

void unit_alerts_init(struct unit *unit)
{
    loop_timer_init(&unit->unhealthy, on_unhealthy, unit);
}

void unit_alerts_state(struct unit *unit, enum instance_state to, const char *reason)
{
    switch (to) {
    case INSTANCE_READY:
        loop_timer_stop(unit->world->loop, &unit->unhealthy);
        set_unhealthy(unit, false, "");
        break;
    case INSTANCE_DEGRADED:
        if (!heap_has(&unit->unhealthy.node)) {
            (void)loop_timer_set(unit->world->loop, &unit->unhealthy,
                                 loop_now(unit->world->loop) + UNHEALTHY_NS);
        }
        break;
    case INSTANCE_QUARANTINED:
    case INSTANCE_STUCK:
        loop_timer_stop(unit->world->loop, &unit->unhealthy);
        set_unhealthy(unit, true, reason);
        break;
    default:
        break;
    }
}

void unit_alerts_stop(struct unit *unit)
{
    loop_timer_stop(unit->world->loop, &unit->unhealthy);
}
