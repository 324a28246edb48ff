/*
 * metrics.c: /api/metrics: one scrape.  Server's thread.
 *
 * Up to LIMIT_SERVER_WHOLE_BYTES are rendered before they are sent, since one send of a known
 * length costs half of what chunks do; the memory is kept for the next scrape.  A larger one goes
 * on in chunks, as the client takes them, and so does any while LIMIT_SERVER_WHOLES are under way:
 * clients that do not read cannot make us hold more.  Compressed, only a block is made ahead, since
 * that takes so long that others would wait.  The store is locked for one block at a time and never
 * while sending (store/exposition.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "http/server.h"
#include "store/exposition.h"

#define ROOM_MIN 4096 /* a block smaller than this is not worth a call */

struct scrape {
    struct http *http;
    struct exposition *exposition;
    char *text; /* what was rendered ahead */
    size_t size, len;
    size_t sent;  /* of it, in chunks */
    size_t ahead; /* how much may be rendered ahead; 0: nothing, and it is not counted */
};

static void scrape_destroy(void *cls)
{
    struct scrape *scrape = cls;
    struct http *http = scrape->http;

    exposition_destroy(scrape->exposition);
    http->wholes -= scrape->ahead > 0;
    if (http->spare_size < scrape->size) {
        free(http->spare);
        http->spare = scrape->text;
        http->spare_size = scrape->size;
    } else {
        free(scrape->text);
    }
    free(scrape);
}

static int grow(struct scrape *scrape)
{
    size_t size = scrape->size ? scrape->size * 2 : EXPOSITION_BLOCK;
    char *text = realloc(scrape->text, size);

    if (!text) {
        return -ENOMEM;
    }
    scrape->text = text;
    scrape->size = size;
    return 0;
}

/* Renders until the end or as much as may be.  1: there is more. */
static int render_ahead(struct scrape *scrape)
{
    while (scrape->len + ROOM_MIN <= scrape->ahead) {
        size_t room;
        ssize_t n;

        if (scrape->size - scrape->len < ROOM_MIN && grow(scrape) < 0) {
            return -ENOMEM;
        }
        room = (scrape->size < scrape->ahead ? scrape->size : scrape->ahead) - scrape->len;
        n = exposition_read(scrape->exposition, scrape->text + scrape->len, room);
        if (n <= 0) {
            return (int)n;
        }
        scrape->len += (size_t)n;
    }
    return 1;
}

static int scrape_create(struct http *http, enum exposition_format format, bool gzip,
                         struct scrape **ret_scrape)
{
    struct scrape *scrape = calloc(1, sizeof *scrape);
    int r;

    if (!scrape) {
        return -ENOMEM;
    }
    scrape->http = http;
    if (http->wholes < LIMIT_SERVER_WHOLES) {
        scrape->ahead = gzip ? EXPOSITION_BLOCK : LIMIT_SERVER_WHOLE_BYTES;
        http->wholes++;
        scrape->text = http->spare;
        scrape->size = http->spare_size;
        http->spare = NULL;
        http->spare_size = 0;
    }
    r = exposition_create(http->store, format, gzip, loop_now(http->loop) / NS_PER_MS,
                          &scrape->exposition);
    if (r < 0) {
        scrape_destroy(scrape);
        return r;
    }
    *ret_scrape = scrape;
    return 0;
}

static ssize_t next_chunk(void *cls, uint64_t pos, char *chunk, size_t size)
{
    struct scrape *scrape = cls;
    size_t ahead = scrape->len - scrape->sent;
    ssize_t n;

    if (ahead > 0) {
        size = size < ahead ? size : ahead;
        memcpy(chunk, scrape->text + scrape->sent, size);
        scrape->sent += size;
        return (ssize_t)size;
    }
    n = exposition_read(scrape->exposition, chunk, size);
    if (n > 0) {
        return n;
    }
    return n == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

int metrics_answer(struct request *request)
{
    enum exposition_format format =
        exposition_negotiate(request_header(request, MHD_HTTP_HEADER_ACCEPT));
    bool gzip = exposition_accepts_gzip(request_header(request, MHD_HTTP_HEADER_ACCEPT_ENCODING));
    struct scrape *scrape = NULL;
    struct MHD_Response *response;
    bool whole;
    int r;

    r = scrape_create(request->http, format, gzip, &scrape);
    if (r < 0) {
        return r;
    }
    r = render_ahead(scrape);
    if (r < 0) {
        scrape_destroy(scrape);
        return r;
    }
    whole = r == 0;
    response = whole ? MHD_create_response_from_buffer_with_free_callback_cls(
                           scrape->len, scrape->text, scrape_destroy, scrape)
                     : MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, EXPOSITION_BLOCK,
                                                         next_chunk, scrape, scrape_destroy);
    if (!response) {
        scrape_destroy(scrape);
        return -ENOMEM;
    }
    (void)MHD_add_response_header(response, "Content-Type", exposition_content_type(format));
    (void)MHD_add_response_header(response, "Vary", "Accept, Accept-Encoding");
    if (gzip) {
        (void)MHD_add_response_header(response, "Content-Encoding", "gzip");
    }
    if (!whole && request->method == METHOD_HEAD) {
        /* libmicrohttpd would send the last chunk of a body that HEAD must not have (0.9.75). */
        (void)MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    }
    return answer_send(request, MHD_HTTP_OK, response);
}
