/*
 * easy.h: a hop of a transfer as libcurl is told to do it: options and callbacks.
 */
#ifndef FETCH_EASY_H
#define FETCH_EASY_H

#include "fetch/transfer.h"

/*
 * Handles that go from one transfer to the next, with all that never changes set already: that is
 * half of what a request over a kept connection costs us.  Only those that were used in the usual
 * way are kept, so that nothing of an unusual one (a socket's path, TLS unverified, a password) can
 * be left in them.
 */
#define EASY_KEPT 64 /* idle ones, and connections: more requests at once than that are rare */
struct easy_pool {
    size_t n;
    CURL *kept[EASY_KEPT];
    bool bundle; /* the system's certificates are in one file */
};
void easy_pool_init(struct easy_pool *pool);
/* NULL: no memory. */
CURL *easy_take(struct easy_pool *pool);
/* Takes the transfer's handle, which is in no multi handle any more. */
void easy_give(struct easy_pool *pool, struct transfer *transfer);

/* What holds for all hops.  -ENOMEM, or -EINVAL for a header that cannot be sent. */
int easy_setup(struct transfer *transfer);
/* Sets the URL of a hop, of which transfer->place has been told already.  -EINVAL when libcurl
 * reads it otherwise. */
int easy_set_url(struct transfer *transfer, const char *url);
/* Method, body and time of a hop. */
void easy_set_hop(struct transfer *transfer, const char *method, int64_t remaining_ms);

#endif
