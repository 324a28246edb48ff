/*
 * attempt.h: what the queue (state's thread) hands to delivery (main thread), and what it gets
 * back.
 */
#ifndef OUTBOX_ATTEMPT_H
#define OUTBOX_ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin_api.h"

/* One attempt to deliver one notification.  One allocation; free() ends it. */
struct outbox_attempt {
    struct outbox_attempt *next; /* for lists of whoever holds it */
    int64_t id;                  /* of the row; names the attempt in the outcome */
    uint32_t attempt;            /* 1 for the first */
    uint64_t ordering;           /* for people who log */
    int64_t created_ms; /* Unix time at which it was queued (again), the same for each attempt; 0:
                           never */
    char sink[129];     /* LIMIT_NAME_BYTES */
    size_t len;
    uint8_t body[]; /* as notification_encode() wrote it; receiver, external_url, title and text are
                       filled in by delivery */
};

enum outbox_result {
    OUTBOX_DELIVERED,
    OUTBOX_RETRY,     /* the far end did nothing */
    OUTBOX_AMBIGUOUS, /* it may have acted: tried again with the same id */
    OUTBOX_REJECTED,  /* for ever: dead letter */
    OUTBOX_PAUSE,     /* 401, 403, 404: the sink's settings are wrong; nothing of it goes out until
                         somebody mends them, and nothing is lost */
    OUTBOX_UNREADY,   /* its worker is not there (starting, quarantined): no attempt was made */
};

struct outbox_outcome {
    int64_t id;
    char sink[129];
    enum outbox_result result;
    int32_t status;         /* of HTTP; 0: none */
    int64_t retry_after_ms; /* -1: not said; holds for the whole sink */
    int64_t duration_ms;
    char reason[256]; /* what the far end or the plugin said, one line, without secrets */
};

#endif
