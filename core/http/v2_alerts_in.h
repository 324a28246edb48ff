/*
 * v2_alerts_in.h: what POST /api/v2/alerts brings, as Alertmanager reads it.
 *
 * A body that is not understood, or breaks the schema, is refused as a whole.  After that an alert
 * that makes no sense is rejected by itself; the others are put all the same, although the answer
 * is an error.
 */
#ifndef HTTP_V2_ALERTS_IN_H
#define HTTP_V2_ALERTS_IN_H

#include "http/alerts_in.h"
#include "http/v2_error.h"

#define V2_RESOLVE_TIMEOUT_MS 300000 /* of an alert without an end; Alertmanager's default */

/* Returns owned.  -EINVAL with ret_error; -ENOMEM. */
int v2_alerts_parse(const char *body, size_t len, int64_t now_ms, struct alerts_in **ret_alerts,
                    struct v2_error *ret_error);

/* The answer when all items have their status, and its HTTP status. */
void v2_alerts_answer(const struct alerts_in *alerts, struct buf *buf);
unsigned v2_alerts_status(const struct alerts_in *alerts);

#endif
