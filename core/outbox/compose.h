/*
 * compose.h: what delivery adds to a queued notification before a sink sees it: who receives it,
 * where people reach the agent, a title, a text, and for each alert that fires a link by which it
 * is acknowledged.
 *
 * Main thread.
 */
#ifndef OUTBOX_COMPOSE_H
#define OUTBOX_COMPOSE_H

#include "alert/ack_link.h"
#include "base/buf.h"
#include "outbox/attempt.h"

struct compose {
    struct buf title, text, out; /* kept from one notification to the next */
    struct buf links;
    struct ack_key ack_key; /* not set at first: then alerts get no link */
};

void compose_init(struct compose *compose);
void compose_finish(struct compose *compose);
/* The encoded notification, in compose->out until the next call.  A title or text that is there
 * already stays.  -EPROTO: the body is none; -ENOBUFS: with its alerts it is larger than a call
 * may be; -ENOMEM. */
int compose_notification(struct compose *compose, const struct outbox_attempt *attempt,
                         const char *external_url);

/* `[FIRING:2] DiskFull (host="a")`: how many fire, what they are called, which labels they share.
 */
void compose_title(struct buf *buf, const struct tmon_notification *notification);
/* The title, then each alert. */
void compose_text(struct buf *buf, const struct tmon_notification *notification);

#endif
