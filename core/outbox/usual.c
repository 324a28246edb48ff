/*
 * usual.c: see usual.h.  A pause loses nothing and a rejection does, so whatever speaks of wrong
 * settings is a pause.
 */
#include "outbox/usual.h"

#include <stdbool.h>

static bool settings_are_wrong(int32_t status)
{
    return status == 401 || status == 403 || status == 404;
}

enum outbox_result usual_verdict(int32_t status)
{
    if (status >= 200 && status < 300) {
        return OUTBOX_DELIVERED;
    }
    if (status == 408 || status == 429 || status == 503) {
        return OUTBOX_RETRY;
    }
    if (status >= 500 && status < 600) {
        return OUTBOX_AMBIGUOUS;
    }
    return settings_are_wrong(status) ? OUTBOX_PAUSE : OUTBOX_REJECTED;
}

enum outbox_result usual_of_rc(tmon_rc rc, int32_t status)
{
    switch (rc) {
    case TMON_OK:
        return OUTBOX_DELIVERED;
    case TMON_RETRY:
        return OUTBOX_RETRY;
    case TMON_AMBIGUOUS:
    case TMON_TIMEOUT:
        return OUTBOX_AMBIGUOUS;
    default:
        return settings_are_wrong(status) ? OUTBOX_PAUSE : OUTBOX_REJECTED;
    }
}
