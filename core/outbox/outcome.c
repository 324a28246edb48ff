/*
 * outcome.c: an attempt has ended.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/plural.h"
#include "outbox/private.h"

#define UNREADY_MS 2000 /* a worker that is not there is looked for again */

/* The pause before the next attempt: doubling, capped, give or take a fifth, so that what failed
 * together does not come back together. */
static int64_t backoff(const struct outbox *outbox, const struct item *item)
{
    int64_t ms = outbox->times.backoff_first_ms;
    int64_t seed = item->id * 31 + item->attempts;

    for (uint32_t i = 1; i < item->attempts && ms < outbox->times.backoff_most_ms; i++) {
        ms *= 2;
    }
    ms = ms < outbox->times.backoff_most_ms ? ms : outbox->times.backoff_most_ms;
    return ms + ms * ((int64_t)(map_hash(&seed, sizeof seed) % 401) - 200) / 1000;
}

/* What may have arrived gets its resolve; what nobody has heard of does not. */
static void bury(struct outbox *outbox, struct state_tx *tx, struct item *item, const char *reason,
                 struct alerts_time now)
{
    struct row row;

    if (!(item->flags & ITEM_HEARD)) {
        row_of(item, &row);
        withdraw_unheard(outbox, tx, item->sink, &row, now);
    }
    if (log_limit_allow(&item->sink->log_limit, now.mono_ms * NS_PER_MS)) {
        log_warning("a notification is a dead letter: see toiletmon outbox",
                    LOG_S("sink", item->sink->name), LOG_I("number", item->id),
                    LOG_S("title", item->title), LOG_S("reason", reason));
    }
    item_end(outbox, tx, item, OUTBOX_DEAD, reason, now);
}

static void again(struct outbox *outbox, struct state_tx *tx, struct item *item,
                  const struct outbox_outcome *outcome, int64_t wait_ms, struct alerts_time now)
{
    struct sink *sink = item->sink;
    char *reason = strdup(outcome->reason);
    struct row row;

    if (outcome->result == OUTBOX_UNREADY && item->attempts > 0) {
        item->attempts--; /* nothing was tried */
    }
    free(item->reason);
    item->reason = reason;
    item->under_way = false;
    sink->under_way--;
    item->next_ms = now.real_ms + wait_ms;
    (void)item_due(item, now.mono_ms + wait_ms);
    row_of(item, &row);
    row_update(tx, &row, false);
}

static int64_t wait_of(const struct outbox *outbox, const struct item *item,
                       const struct outbox_outcome *outcome)
{
    int64_t wait = outcome->result == OUTBOX_UNREADY ? UNREADY_MS : backoff(outbox, item);
    int64_t asked = retry_after(outcome);

    return asked > wait ? asked : wait;
}

static bool given_up(const struct sink *sink, const struct item *item, struct alerts_time now)
{
    /* Nobody gives up while its settings are wrong, nor as soon as they were mended. */
    int64_t since = item->since_mono > sink->resumed ? item->since_mono : sink->resumed;

    return !sink->paused && sink->give_up_ms > 0 && now.mono_ms - since >= sink->give_up_ms;
}

static void failed(struct outbox *outbox, struct state_tx *tx, struct item *item,
                   const struct outbox_outcome *outcome, struct alerts_time now)
{
    char text[REASON_SIZE + 64];

    sink_failed(outbox, item->sink, outcome, now);
    if (outcome->result == OUTBOX_PAUSE) {
        again(outbox, tx, item, outcome, 0, now);
    } else if (given_up(item->sink, item, now)) {
        (void)snprintf(text, sizeof text, "given up after %lld s and %u attempt%s: %s",
                       (long long)((now.mono_ms - item->since_mono) / 1000), item->attempts,
                       plural(item->attempts), outcome->reason);
        bury(outbox, tx, item, text, now);
    } else {
        again(outbox, tx, item, outcome, wait_of(outbox, item, outcome), now);
    }
}

int outbox_outcome(struct outbox *outbox, struct state_tx *tx, const struct outbox_outcome *outcome,
                   struct alerts_time now)
{
    const struct ticket *ticket = ticket_take(outbox, outcome->id);
    struct sink *sink = ticket ? ticket->sink : NULL;
    struct item *item = sink ? item_find(sink, outcome->id) : NULL;

    if (!item || !item->under_way) {
        return 0; /* its row was lost meanwhile */
    }
    sink->outcomes[outcome->result]++;
    item->flags &= ~(uint32_t)ITEM_TRYING;
    switch (outcome->result) {
    case OUTBOX_DELIVERED:
        sink_well(sink, &outbox->times, now);
        sink_asked(sink, outcome, now); /* some say with a yes that they take no more for a while */
        sink->delivered_ms = now.real_ms;
        item_end(outbox, tx, item, OUTBOX_SENT, outcome->reason, now);
        break;
    case OUTBOX_REJECTED:
        sink_well(sink, &outbox->times, now); /* it answers: the notification is at fault */
        bury(outbox, tx, item, outcome->reason, now);
        break;
    case OUTBOX_AMBIGUOUS:
        item->flags |= ITEM_HEARD;
        failed(outbox, tx, item, outcome, now);
        break;
    case OUTBOX_RETRY:
    case OUTBOX_PAUSE:
    case OUTBOX_UNREADY:
        failed(outbox, tx, item, outcome, now);
        break;
    }
    return tx->error;
}
