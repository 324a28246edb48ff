/*
 * usual.h: what an answer of HTTP means where the sink does not judge it, and what of a judgement
 * stands.  Pure.
 */
#ifndef OUTBOX_USUAL_H
#define OUTBOX_USUAL_H

#include "outbox/attempt.h"

/* 2xx delivered; 408, 429, 503: the far end did nothing; other 5xx: it may have acted; 401, 403,
 * 404: the settings are wrong; the rest rejected. */
enum outbox_result usual_verdict(int32_t status);
/* What judge() or deliver() returned.  Where it rejects a 401, 403 or 404 the sink is paused all
 * the same. */
enum outbox_result usual_of_rc(tmon_rc rc, int32_t status);

#endif
