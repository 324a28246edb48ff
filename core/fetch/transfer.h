/*
 * transfer.h: one request on its way, over all hops, until there is an answer or a reason why not.
 *
 * Only in the executable toiletmon-fetch, on its one thread.
 */
#ifndef FETCH_TRANSFER_H
#define FETCH_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "fetch/answer.h"
#include "fetch/expiry.h"
#include "fetch/order.h"
#include "fetch/place.h"

/* Durations in microseconds, added up over the hops. */
struct transfer_phases {
    int64_t resolve, connect, tls, first_byte;
};

struct easy_pool; /* easy.h */

struct transfer {
    uint32_t call;
    CURLM *multi;           /* borrowed */
    struct expiry *expiry;  /* borrowed: what is known of certificates */
    struct easy_pool *pool; /* borrowed: handles */
    void *message;          /* owned; `order` points into it */
    struct fetch_order order;
    struct place place;    /* of this hop */
    CURL *easy;            /* owned */
    bool unusual;          /* `easy` is not to be used again */
    CURLU *url;            /* owned, in use by `easy` */
    char *user, *password; /* of the first URL, libcurl's memory */
    struct curl_slist *headers;
    struct answer answer;
    int64_t started_ns, deadline_ns;
    int64_t asked_ns,
        answered_ns; /* of this hop: the request's last byte, the answer's first; 0: not yet */
    struct transfer_phases phases;
    int32_t redirects;
    size_t body_pos;      /* of the request's body, sent */
    bool fresh;           /* asked for a connection of its own (Connection: close) */
    bool hop_secured;     /* this hop's TLS has begun, so it is connected */
    bool hop_sent;        /* this hop's request may have left */
    bool sent;            /* some hop's may have */
    bool cut_off;         /* its connection was closed before an answer came */
    bool headers_refused; /* more headers than we take */
    bool listener;        /* it would have reached a listener of the agent's */
    bool running;         /* in `multi` */
    int64_t certificate_expires_ms;
    char curl_error[CURL_ERROR_SIZE];
    /* The outcome, once it is over. */
    tmon_rc rc;
    int32_t status, error_phase, http_version;
    char error[512];
};

/* Takes `message` (malloc'ed, an encoded fetch_order) also on failure, and starts the first hop;
 * what cannot even start is over at once: see transfer_over().  -EPROTO when the message does not
 * decode, -ENOMEM. */
int transfer_create(CURLM *multi, struct easy_pool *pool, struct expiry *expiry, uint32_t call,
                    void *message, size_t len, struct transfer **ret_transfer);
/* Ends it wherever it is. */
void transfer_destroy(struct transfer *transfer);
/* libcurl has finished a hop with this result.  Afterwards the transfer is over or the next hop
 * runs. */
void transfer_hop_done(struct transfer *transfer, CURLcode result);
/* Nobody waits for it any more: it is over. */
void transfer_cancel(struct transfer *transfer);
bool transfer_over(const struct transfer *transfer);
/* The payload of FRAME_HTTP_RESPONSE.  -ENOBUFS. */
int transfer_encode(struct transfer *transfer, struct buf *buf);

#endif
