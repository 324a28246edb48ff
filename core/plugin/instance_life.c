/*
 * instance_life.c: states, deaths, pauses, quarantine; see instance.h.
 *
 * After a death the state stays DEGRADED until a call has ended: a worker that starts well and dies
 * at each call would else change its state, and fill the log, with each of them.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "plugin/instance_private.h"

void instance_set_timer(struct instance *instance, int64_t ms)
{
    (void)loop_timer_set(instance->loop, &instance->timer, clock_mono_ns() + ms * NS_PER_MS);
}

void instance_set_state(struct instance *instance, enum instance_state state, const char *reason)
{
    enum instance_state from = instance->state;

    (void)snprintf(instance->reason, sizeof instance->reason, "%s", reason);
    instance->state = state;
    if (from != state && !instance->stopping) {
        instance->hooks->state(instance->owner, from, state, instance->reason);
    }
}

void instance_begin(struct instance *instance)
{
    if (instance->own) {
        instance_own_begin(instance);
    } else {
        instance_worker_begin(instance);
    }
}

void instance_is_up(struct instance *instance)
{
    loop_timer_stop(instance->loop, &instance->timer);
    instance->phase = PHASE_IDLE;
    if (!instance->unproven || !(instance->abilities & (ABILITY_CHECK | ABILITY_COLLECT))) {
        instance_set_state(instance, INSTANCE_READY, "");
    }
}

void instance_is_proven(struct instance *instance)
{
    instance->unproven = false;
    instance->backoff_ms = instance->times.backoff_first_ms;
    if (instance->state == INSTANCE_DEGRADED) {
        instance_set_state(instance, INSTANCE_READY, "");
    }
}

/* The pause, give or take a fifth, so that what died together does not come back together. */
static void pause_then_again(struct instance *instance)
{
    struct {
        const void *who;
        int64_t when;
    } seed = {instance, clock_mono_ns()};
    int64_t most = 5 * instance->interval_ms;
    int64_t ms = instance->backoff_ms;

    ms += ms * ((int64_t)(map_hash(&seed, sizeof seed) % 401) - 200) / 1000;
    if (most < instance->times.backoff_first_ms) {
        most = instance->times.backoff_first_ms;
    }
    instance->backoff_ms = 2 * instance->backoff_ms < most ? 2 * instance->backoff_ms : most;
    instance->phase = PHASE_PAUSE;
    instance_set_timer(instance, ms);
}

void instance_failed(struct instance *instance, const char *reason)
{
    pause_then_again(instance);
    instance_set_state(instance, INSTANCE_DEGRADED, reason);
}

/* Whether this was the last of so many deaths in the window. */
static bool too_many_deaths(struct instance *instance)
{
    uint32_t most = instance->times.quarantine_deaths;
    int64_t now = clock_mono_ns();
    int64_t first;

    instance->died_ns[instance->deaths++ % INSTANCE_DEATHS] = now;
    if (instance->deaths < most) {
        return false;
    }
    first = instance->died_ns[(instance->deaths - most) % INSTANCE_DEATHS];
    return now - first <= instance->times.quarantine_window_ms * NS_PER_MS;
}

void instance_died(struct instance *instance, const char *reason)
{
    char text[INSTANCE_REASON_SIZE + 128];

    instance->counters.deaths++;
    instance->unproven = true;
    if (!too_many_deaths(instance)) {
        instance_failed(instance, reason);
        return;
    }
    instance->deaths = 0;
    instance->backoff_ms = instance->times.backoff_first_ms;
    instance->counters.quarantines++;
    instance->phase = PHASE_PAUSE;
    instance_set_timer(instance, instance->times.quarantine_ms);
    (void)snprintf(text, sizeof text, "%s; that was death %u within %g s, so it rests for %g s",
                   reason, (unsigned)instance->times.quarantine_deaths,
                   (double)instance->times.quarantine_window_ms / MS_PER_S,
                   (double)instance->times.quarantine_ms / MS_PER_S);
    instance_set_state(instance, INSTANCE_QUARANTINED, text);
}

void instance_is_stopped(struct instance *instance)
{
    loop_timer_stop(instance->loop, &instance->timer);
    instance->phase = PHASE_OFF;
    instance->hooks->stopped(instance->owner);
}
