/*
 * flight.h: a request of an instance from when the agent takes it up until it is answered: what it
 * is allowed, and the answers that the agent gives itself.
 */
#ifndef FETCH_FLIGHT_H
#define FETCH_FLIGHT_H

#include "base/buf.h"
#include "fetch/order.h"
#include "plugin_api.h"

struct settings;

/* Which hosts an instance may speak to: those of its URL settings. */
struct flight_hosts {
    size_t count;
    char names[LIMIT_HTTP_HOSTS][256];
};
void flight_hosts_init(struct flight_hosts *hosts, const struct settings *settings);

/*
 * Reads the payload of a worker's FRAME_HTTP_REQUEST and makes the order for fetch of it.  0:
 * `order` is filled, and *ret_remaining_ms is what fetch is given; -EACCES: refused,
 * the sentence for the operator is in ret_why; -EPROTO: malformed; -ENOMEM, -ENOBUFS.
 */
int flight_order(const void *request, size_t len, const struct settings *settings,
                 const char *const *refused, size_t nrefused, struct buf *order,
                 int64_t *ret_remaining_ms, char *ret_why, size_t size);

/* Appends the payload of a FRAME_HTTP_RESPONSE that says why there is no answer. */
void flight_answer(struct buf *buf, tmon_rc rc, int32_t phase, const char *why);

/* Whether a response of fetch is well formed; then its rc and phase. */
int flight_read(const void *response, size_t len, tmon_rc *ret_rc, int32_t *ret_phase);

#endif
