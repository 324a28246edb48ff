/*
 * rest.c: sinks that fail.
 *
 * A sink that failed LIMIT_BREAKER times in a row rests, longer each time, and then one
 * notification is tried.  One that says that its settings are wrong (401, 403, 404) is paused, and
 * nothing of it is given up.  What a sink says by Retry-After holds for all of it.
 */
#include "base/utf8.h"
#include "outbox/private.h"

#define PAUSE_MOST_MS 3600000

void sink_well(struct sink *sink, const struct outbox_times *times)
{
    sink->failures = 0;
    sink->paused = false;
    sink->probing = false;
    sink->not_before = 0;
    sink->down_since = 0;
    sink->rest_ms = times->breaker_first_ms;
    sink->pause_ms = times->pause_ms;
    sink->reason[0] = '\0';
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void sink_failed(struct outbox *outbox, struct sink *sink, const struct outbox_outcome *outcome,
                 struct alerts_time now)
{
    const struct outbox_times *times = &outbox->times;

    utf8_copy(sink->reason, sizeof sink->reason, outcome->reason);
    if (sink->down_since == 0) {
        sink->down_since = now.mono_ms;
    }
    if (outcome->retry_after_ms > 0) {
        sink->not_before = most(sink->not_before, now.mono_ms + outcome->retry_after_ms);
    }
    if (outcome->result == OUTBOX_PAUSE) {
        sink->paused = true;
        sink->probing = true;
        sink->not_before = most(sink->not_before, now.mono_ms + sink->pause_ms);
        sink->pause_ms = 2 * sink->pause_ms < PAUSE_MOST_MS ? 2 * sink->pause_ms : PAUSE_MOST_MS;
        return;
    }
    if (outcome->result == OUTBOX_UNREADY) {
        return;
    }
    if (++sink->failures >= LIMIT_BREAKER) {
        sink->probing = true;
        sink->not_before = most(sink->not_before, now.mono_ms + sink->rest_ms);
        sink->rest_ms =
            2 * sink->rest_ms < times->breaker_most_ms ? 2 * sink->rest_ms : times->breaker_most_ms;
    }
}
