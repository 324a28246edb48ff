/*
 * expiry.h: when the certificates of the places we speak to run out.
 *
 * libcurl shows a chain only where a connection was made, not where one was used again; so what was
 * seen is kept by place.  A small ring: a place that fell out is asked again with its next
 * connection.
 */
#ifndef FETCH_EXPIRY_H
#define FETCH_EXPIRY_H

#include <curl/curl.h>
#include <stdint.h>

#include "fetch/place.h"

#define EXPIRY_PLACES 64

struct expiry {
    struct {
        char host[PLACE_HOST_SIZE];
        uint16_t port;
        int64_t expires_ms;
    } seen[EXPIRY_PLACES];
    size_t next;
};

/* Of the hop that `easy` has just done to this place; Unix time in ms, the earliest of the chain;
 * 0: not known. */
int64_t expiry_of(struct expiry *expiry, CURL *easy, const struct place *place);

#endif
