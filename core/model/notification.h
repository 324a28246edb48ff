/*
 * notification.h: what a sink delivers, on its way from the agent to the worker of the sink.
 */
#ifndef MODEL_NOTIFICATION_H
#define MODEL_NOTIFICATION_H

#include "base/wire.h"
#include "plugin_api.h"

/* Appends the notification with its alerts; alerts beyond LIMIT_ALERTS are counted in `ntruncated`.
 * Texts beyond their limits are the caller's mistake, found by the decoder.  -ENOBUFS when the buf
 * is at its cap: then it is as before. */
int notification_encode(struct buf *buf, const struct tmon_notification *notification);
/* Reads one, to the end of the data, into an owned object whose strings are borrowed from it.  No
 * string in it is NULL but `html`, `ack_url` and `acked_by`.  -EPROTO for anything malformed or
 * beyond the limits, -ENOMEM. */
int notification_decode(struct wire_reader *reader, struct tmon_notification **ret_notification);
void notification_destroy(struct tmon_notification *notification);

#endif
