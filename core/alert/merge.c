/*
 * merge.c: what Alertmanager makes of an alert that is said again.
 *
 * There an alert is a stretch of time.  What is posted replaces what is known, unless one of its
 * ends lies inside of that: then both become one, which begins with the earlier; and an end that
 * somebody gave is not moved back by a later word, except by one that says that it is over.
 */
#include "alert/private.h"

#define TTL_SLACK 8 /* a change of ttl_ms by less than this part of it is not worth a write */

int64_t alert_running_end(const struct alert *alert, struct alerts_time now)
{
    return !heap_has(&alert->end) ? 0
           : alert->until_ms > 0  ? alert->until_ms
                                  : now.real_ms + (alert->end.at - now.mono_ms);
}

static int64_t end_of(const struct alert *alert, struct alerts_time now)
{
    int64_t end = alert->firing ? alert_running_end(alert, now) : alert->ends_ms;

    return end > 0 ? end : INT64_MAX;
}

static bool inside(int64_t at, int64_t from, int64_t to)
{
    return at > from && at < to;
}

void alert_merge(const struct alert *alert, struct alerts_input *input, struct alerts_time now)
{
    int64_t end = alert ? end_of(alert, now) : 0;

    if (alert && (inside(input->ends_ms, alert->starts_ms, end) ||
                  inside(input->starts_ms, alert->starts_ms, end))) {
        if (alert->starts_ms < input->starts_ms) {
            input->starts_ms = alert->starts_ms;
        }
        if (input->ends_ms > now.real_ms && end > input->ends_ms && alert->end_said) {
            input->ends_ms = end;
        }
    }
    input->starts_ms = input->starts_ms > 0 ? input->starts_ms : 1; /* 0 says: now */
    input->resolved = input->ends_ms <= now.real_ms;
    input->ttl_ms = input->resolved ? 0 : input->ends_ms - now.real_ms;
}

/* What a restart counts from: it moves with each post, and need not be exact. */
static bool take_ttl(struct alert *alert, int64_t ttl_ms)
{
    int64_t change = ttl_ms > alert->ttl_ms ? ttl_ms - alert->ttl_ms : alert->ttl_ms - ttl_ms;

    if (alert->until_ms == 0 || change > alert->ttl_ms / TTL_SLACK) {
        alert->ttl_ms = ttl_ms;
        return change > 0;
    }
    return false;
}

bool alert_take_times(struct alert *alert, const struct alerts_input *input, struct alerts_time now)
{
    bool changed = alert->starts_ms != input->starts_ms || alert->end_said != input->end_said;

    alert->starts_ms = input->starts_ms;
    alert->end_said = input->end_said;
    if (!input->resolved) {
        changed |= take_ttl(alert, input->ttl_ms);
        alert->until_ms = input->ends_ms;
    }
    alert->updated_ms = now.real_ms;
    return changed;
}
