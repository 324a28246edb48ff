/*
 * order.h: what toiletmon-fetch is told: a request, and what the agent decided about it.
 *
 * The payload of FRAME_HTTP_REQUEST towards fetch.  The agent decides (which hosts, which addresses
 * not, how long, how much), fetch obeys; a plugin's word is only in `request`.
 */
#ifndef FETCH_ORDER_H
#define FETCH_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"
#include "plugin_api.h"

struct fetch_order {
    int64_t remaining_ms;  /* for all hops together */
    uint32_t body_bytes;   /* the most of the answer's body to keep */
    bool any_host;         /* the command line; else only those in `hosts` */
    const char *unix_path; /* "": by TCP */
    const char *ca_file;   /* "": the system's certificates only */
    size_t nhosts;
    const char *hosts[LIMIT_HTTP_HOSTS]; /* as place_parse() gives them */
    size_t nrefused;
    const char *refused[LIMIT_HTTP_REFUSED]; /* listeners of the agent, see refuse.h */
    struct tmon_request request;
};

/* Encoded, an order or a response without its body never needs more than this. */
#define FETCH_HEADERS_BYTES                                                                        \
    (LIMIT_HTTP_HEADERS * (LIMIT_NAME_BYTES + LIMIT_HTTP_HEADER_BYTES + 16u))
#define FETCH_ORDER_BYTES (LIMIT_HTTP_REQUEST_BYTES + FETCH_HEADERS_BYTES + (256u << 10))
#define FETCH_RESPONSE_BYTES(body) ((body) + 2 * LIMIT_HTTP_HEADER_BYTES + (64u << 10))

/* Hosts and listeners beyond the limits are left out (an instance with so many says so itself).  0;
 * -EINVAL for a bad request, with a sentence in *ret_why (static); -ENOBUFS. */
int fetch_order_encode(struct buf *buf, const struct fetch_order *order, const char **ret_why);
/* Everything is borrowed from `data`, except the array of headers: fetch_order_finish().  -EPROTO.
 */
int fetch_order_decode(const void *data, size_t len, struct fetch_order *ret_order);
void fetch_order_finish(struct fetch_order *order);

#endif
