/*
 * exposition_private.h: what exposition.c and spans.c share.
 */
#ifndef STORE_EXPOSITION_PRIVATE_H
#define STORE_EXPOSITION_PRIVATE_H

#include <zlib.h>

#include "store/exposition.h"
#include "store/series.h"

struct exposition {
    struct store *store;
    struct cursor cursor;
    bool openmetrics;
    bool ended; /* "# EOF" is out, or there is none */

    char *aside; /* rendered there for want of room */
    size_t aside_len;
    size_t aside_at;
    size_t aside_size;

    char *plain; /* what deflate reads; NULL: no gzip */
    z_stream gzip;
    bool gzip_ended;
};

/* What ends a scrape in OpenMetrics. */
#define EXPOSITION_EOF "# EOF\n"

#endif
