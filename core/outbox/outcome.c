/*
 * outcome.c: an attempt has ended.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
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

static void tell_rejection(struct outbox *outbox, struct state_tx *tx, const struct item *item,
                           struct alerts_time now)
{
    struct content_item *items = NULL;
    size_t n = 0;

    if (content_items(item->body, item->len, &items, &n) < 0) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (items[i].firing && items[i].news) {
            alerts_rejected(outbox->alerts, item->sink->name, item->id, items[i].episode);
            if (item->followers) {
                withdraw_resolve(outbox, tx, item->sink, item->ordering, item->id, items[i].episode,
                                 now);
            }
        }
    }
    free(items);
}

static void bury(struct outbox *outbox, struct state_tx *tx, struct item *item, const char *reason,
                 struct alerts_time now)
{
    tell_rejection(outbox, tx, item, now);
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
    (void)heap_set(&sink->ready, &item->ready, now.mono_ms + wait_ms);
    row_of(item, &row);
    row_update(tx, &row, false);
}

static int64_t wait_of(const struct outbox *outbox, const struct item *item,
                       const struct outbox_outcome *outcome)
{
    int64_t wait = outcome->result == OUTBOX_UNREADY ? UNREADY_MS : backoff(outbox, item);

    return outcome->retry_after_ms > wait ? outcome->retry_after_ms : wait;
}

int outbox_outcome(struct outbox *outbox, struct state_tx *tx, const struct outbox_outcome *outcome,
                   struct alerts_time now)
{
    struct sink *sink = sink_find(outbox, outcome->sink);
    struct item *item = sink ? item_find(sink, outcome->id) : NULL;
    char text[REASON_SIZE + 64];

    if (!item || !item->under_way) {
        return 0; /* an operator dropped it meanwhile, or the file was lost */
    }
    sink->outcomes[outcome->result]++;
    switch (outcome->result) {
    case OUTBOX_DELIVERED:
        sink_well(sink, &outbox->times);
        sink->delivered_ms = now.real_ms;
        item_end(outbox, tx, item, OUTBOX_SENT, outcome->reason, now);
        break;
    case OUTBOX_REJECTED:
        sink_well(sink, &outbox->times); /* it answers: the notification is at fault */
        bury(outbox, tx, item, outcome->reason, now);
        break;
    case OUTBOX_RETRY:
    case OUTBOX_AMBIGUOUS:
    case OUTBOX_PAUSE:
    case OUTBOX_UNREADY:
        sink_failed(outbox, sink, outcome, now);
        if (outcome->result != OUTBOX_PAUSE && sink->give_up_ms > 0 &&
            now.real_ms - item->created_ms >= sink->give_up_ms) {
            (void)snprintf(text, sizeof text, "given up after %lld s and %u attempts: %s",
                           (long long)((now.real_ms - item->created_ms) / 1000), item->attempts,
                           outcome->reason);
            bury(outbox, tx, item, text, now);
        } else {
            again(outbox, tx, item, outcome,
                  outcome->result == OUTBOX_PAUSE ? 0 : wait_of(outbox, item, outcome), now);
        }
        break;
    }
    return tx->error;
}
