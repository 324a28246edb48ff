/*
 * easy.h: a hop of a transfer as libcurl is told to do it: options and callbacks.
 */
#ifndef FETCH_EASY_H
#define FETCH_EASY_H

#include "fetch/transfer.h"

/* What holds for all hops.  -ENOMEM, or -EINVAL for a header that cannot be sent. */
int easy_setup(struct transfer *transfer);
/* Sets the URL of a hop, of which transfer->place has been told already.  -EINVAL when libcurl
 * reads it otherwise. */
int easy_set_url(struct transfer *transfer, const char *url);
/* Method, body and time of a hop. */
void easy_set_hop(struct transfer *transfer, const char *method, int64_t remaining_ms);

#endif
