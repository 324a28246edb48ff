/*
 * slim.c: see slim.h.
 */
#include "agent/slim.h"

#include "base/clock.h"
#include "base/slim.h"

#define FIRST_NS (50 * NS_PER_MS) /* before load comes, and not in the way of the first answer */
#define AGAIN_NS (10 * NS_PER_S)  /* the first round of checks is done, and its code wanted */

static void on_timer(struct loop_timer *timer, int64_t now)
{
    struct slim *slim = timer->owner;

    (void)slim_now();
    if (slim->again) {
        slim->again = false;
        (void)loop_timer_set(slim->loop, &slim->timer, now + AGAIN_NS);
    }
}

void slim_init(struct slim *slim, struct loop *loop)
{
    slim->loop = loop;
    slim->again = false;
    loop_timer_init(&slim->timer, on_timer, slim);
}

void slim_soon(struct slim *slim)
{
    slim->again = true;
    (void)loop_timer_set(slim->loop, &slim->timer, loop_now(slim->loop) + FIRST_NS);
}

void slim_stop(struct slim *slim)
{
    loop_timer_stop(slim->loop, &slim->timer);
}
