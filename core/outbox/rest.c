/*
 * rest.c: sinks that fail.
 *
 * A sink that failed LIMIT_BREAKER times in a row rests, longer each time, and then one
 * notification is tried.  One that says that its settings are wrong (401, 403, 404) is paused, and
 * nothing of it is given up.  What a sink says by Retry-After holds for all of it, also when
 * another attempt went well meanwhile.
 */
#include "base/utf8.h"
#include "outbox/private.h"

#define PAUSE_MOST_MS 3600000

void sink_well(struct sink *sink, const struct outbox_times *times, struct alerts_time now)
{
    if (sink->paused) {
        sink->resumed = now.mono_ms;
    }
    if (sink->probing) {
        log_info("a sink is well again", LOG_S("sink", sink->name),
                 LOG_I("pending", sink->pending));
    }
    sink->failures = 0;
    sink->paused = false;
    sink->probing = false;
    sink->not_before = 0;
    sink->down_since = 0;
    sink->rest_ms = times->breaker_first_ms;
    sink->pause_ms = times->pause_ms;
    sink->reason[0] = '\0';
}

void sink_mended(struct sink *sink, const struct outbox_times *times, struct alerts_time now)
{
    sink_well(sink, times, now);
    sink->asked_until = 0;
}

int64_t retry_after(const struct outbox_outcome *outcome)
{
    return outcome->retry_after_ms < LIMIT_HTTP_RETRY_AFTER_MS ? outcome->retry_after_ms
                                                               : LIMIT_HTTP_RETRY_AFTER_MS;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void sink_asked(struct sink *sink, const struct outbox_outcome *outcome, struct alerts_time now)
{
    if (outcome->retry_after_ms > 0) {
        sink->asked_until = most(sink->asked_until, now.mono_ms + retry_after(outcome));
    }
}

void sink_failed(struct outbox *outbox, struct sink *sink, const struct outbox_outcome *outcome,
                 struct alerts_time now)
{
    const struct outbox_times *times = &outbox->times;
    /* Attempts that were started together fail together; that is one failure. */
    bool rests = sink->probing && now.mono_ms < sink->not_before;

    utf8_copy(sink->reason, sizeof sink->reason, outcome->reason);
    if (sink->down_since == 0) {
        sink->down_since = now.mono_ms;
    }
    sink_asked(sink, outcome, now);
    if (outcome->result == OUTBOX_UNREADY) {
        return;
    }
    if (outcome->result == OUTBOX_PAUSE) {
        if (!sink->paused || !rests) {
            sink->not_before = most(sink->not_before, now.mono_ms + sink->pause_ms);
            sink->pause_ms = least(2 * sink->pause_ms, most(PAUSE_MOST_MS, times->pause_ms));
        }
        if (!sink->paused) {
            log_warning("a sink is paused: its settings are wrong, nothing of it is lost",
                        LOG_S("sink", sink->name), LOG_S("reason", sink->reason),
                        LOG_I("pending", sink->pending));
        }
        sink->paused = true;
        sink->probing = true;
    } else if (++sink->failures >= LIMIT_BREAKER && !rests) {
        sink->not_before = now.mono_ms + sink->rest_ms;
        if (!sink->probing) {
            log_warning("a sink fails again and again, and rests between tries",
                        LOG_S("sink", sink->name), LOG_S("reason", sink->reason),
                        LOG_I("pending", sink->pending));
        }
        sink->rest_ms = least(2 * sink->rest_ms, times->breaker_most_ms);
        sink->probing = true;
    }
}
