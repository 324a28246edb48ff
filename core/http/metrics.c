/*
 * metrics.c: /api/metrics: one scrape, sent in chunks as the client takes them.  The store is
 * locked for one chunk at a time and never while sending (store/exposition.h).  Server's thread.
 */
#include <errno.h>

#include "base/clock.h"
#include "http/server.h"
#include "store/exposition.h"

static ssize_t next_chunk(void *cls, uint64_t pos, char *chunk, size_t size)
{
    ssize_t n = exposition_read(cls, chunk, size);

    if (n > 0) {
        return n;
    }
    return n == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void end(void *cls)
{
    exposition_destroy(cls);
}

int metrics_answer(struct request *request)
{
    enum exposition_format format =
        exposition_negotiate(request_header(request, MHD_HTTP_HEADER_ACCEPT));
    bool gzip = exposition_accepts_gzip(request_header(request, MHD_HTTP_HEADER_ACCEPT_ENCODING));
    struct exposition *exposition = NULL;
    struct MHD_Response *response;
    int r;

    r = exposition_create(request->http->store, format, gzip,
                          loop_now(request->http->loop) / NS_PER_MS, &exposition);
    if (r < 0) {
        return r;
    }
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, EXPOSITION_BLOCK, next_chunk,
                                                 exposition, end);
    if (!response) {
        exposition_destroy(exposition);
        return -ENOMEM;
    }
    (void)MHD_add_response_header(response, "Content-Type", exposition_content_type(format));
    (void)MHD_add_response_header(response, "Vary", "Accept, Accept-Encoding");
    if (gzip) {
        (void)MHD_add_response_header(response, "Content-Encoding", "gzip");
    }
    if (request->method == METHOD_HEAD) {
        /* libmicrohttpd would send the last chunk of a body that HEAD must not have (0.9.75). */
        (void)MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    }
    return answer_send(request, MHD_HTTP_OK, response);
}
