/*
 * delivery_kit.h: attempts as the queue hands them out.
 */
#ifndef TESTS_UNIT_OUTBOX_DELIVERY_KIT_H
#define TESTS_UNIT_OUTBOX_DELIVERY_KIT_H

#include "../plugin/kit.h"

#include "base/limits.h"
#include "model/notification.h"
#include "outbox/attempt.h"

/* A notification as an attempt of which delivery becomes the owner. */
static inline struct outbox_attempt *kit_attempt(const char *sink, int64_t id,
                                                 const struct tmon_notification *notification)
{
    struct outbox_attempt *attempt;
    struct buf buf;

    buf_init(&buf, 2 * LIMIT_CALL_BYTES);
    assert_int_equal(notification_encode(&buf, notification), 0);
    attempt = calloc(1, sizeof *attempt + buf.len);
    assert_non_null(attempt);
    attempt->id = id;
    attempt->attempt = 1;
    (void)snprintf(attempt->sink, sizeof attempt->sink, "%s", sink);
    attempt->len = buf.len;
    memcpy(attempt->body, buf.data, buf.len);
    buf_finish(&buf);
    return attempt;
}

#endif
