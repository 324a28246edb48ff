/*
 * heartbeat.c: see heartbeat.h.
 */
#include "agent/heartbeat.h"

#include "base/clock.h"

#define HANGS_AFTER_NS (10 * NS_PER_S) /* a turn of the loop takes milliseconds */
#define COMPONENT_HANGS_AFTER_NS                                                                   \
    (30 * NS_PER_S)           /* its calls read memory and /proc: microseconds                     \
                               */
#define ASK_EVERY_NS NS_PER_S /* however many probes come */

void heartbeat_init(struct heartbeat *heartbeat, struct loop *loop, const struct local *local)
{
    heartbeat->loop = loop;
    heartbeat->local = local;
    atomic_init(&heartbeat->asked_ns, 0);
    atomic_init(&heartbeat->last_ns, clock_mono_ns());
}

static void beat(void *arg)
{
    struct heartbeat *heartbeat = arg;

    atomic_store(&heartbeat->last_ns, clock_mono_ns());
    atomic_store(&heartbeat->asked_ns, 0);
}

bool heartbeat_component_thread_well(const struct heartbeat *heartbeat)
{
    return local_hanging_ns(heartbeat->local, clock_mono_ns()) < COMPONENT_HANGS_AFTER_NS;
}

bool heartbeat_alive(struct heartbeat *heartbeat, struct buf *reason)
{
    int64_t now = clock_mono_ns();
    int64_t asked = atomic_load(&heartbeat->asked_ns);
    int_fast64_t none = 0;

    if (asked != 0 && now - asked > HANGS_AFTER_NS) {
        buf_printf(reason, "the main loop has not turned for %lld s",
                   (long long)((now - asked) / NS_PER_S));
        return false;
    }
    if (!heartbeat_component_thread_well(heartbeat)) {
        buf_puts(reason, "a component of the agent's own thread hangs");
        return false;
    }
    if (asked == 0 && now - atomic_load(&heartbeat->last_ns) > ASK_EVERY_NS &&
        atomic_compare_exchange_strong(&heartbeat->asked_ns, &none, now)) {
        if (loop_post(heartbeat->loop, beat, heartbeat) < 0) {
            atomic_store(&heartbeat->asked_ns, 0);
        }
    }
    return true;
}
