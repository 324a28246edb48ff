/*
 * metrics.c: /api/metrics: one scrape.  Server's thread.
 *
 * Up to LIMIT_SERVER_WHOLE_BYTES are rendered before they are sent, since one send of a known
 * length costs half of what chunks do; as spans (store/spans.h), of which the next scrape takes
 * those that are still right.  A larger one goes on in chunks, as the client takes them, and so
 * does any while LIMIT_SERVER_WHOLES are under way: clients that do not read cannot make us hold
 * more.  Compressed, only a block is made ahead, since that takes so long that others would wait.
 * The store is locked for one block at a time and never while sending.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "http/server.h"
#include "store/exposition.h"

struct scrape {
    struct http *http;
    struct exposition *exposition;
    bool ahead;             /* something is rendered before it is sent, and it is counted */
    struct span_list spans; /* what was rendered ahead, not compressed */
    char *block;            /* what was, compressed; NULL: nothing */
    size_t len;             /* of the block */
    size_t span, sent; /* in chunks: spans that are sent, bytes of the next one or of the block */
};

static void scrape_destroy(void *cls)
{
    struct scrape *scrape = cls;

    exposition_destroy(scrape->exposition);
    span_list_finish(&scrape->spans);
    scrape->http->wholes -= scrape->ahead;
    free(scrape->block);
    free(scrape);
}

/* 1: there is more. */
static int compress_ahead(struct scrape *scrape)
{
    ssize_t n = 1;

    scrape->block = malloc(EXPOSITION_BLOCK);
    if (!scrape->block) {
        return -ENOMEM;
    }
    while (n > 0 && scrape->len < EXPOSITION_BLOCK) {
        n = exposition_read(scrape->exposition, scrape->block + scrape->len,
                            EXPOSITION_BLOCK - scrape->len);
        scrape->len += n > 0 ? (size_t)n : 0;
    }
    return n < 0 ? (int)n : n > 0;
}

/* 0: all of it is there; 1: there is more. */
static int scrape_create(struct http *http, enum exposition_format format, bool gzip,
                         struct scrape **ret_scrape)
{
    struct scrape *scrape = calloc(1, sizeof *scrape);
    int r;

    if (!scrape) {
        return -ENOMEM;
    }
    scrape->http = http;
    r = exposition_create(http->store, format, gzip, loop_now(http->loop) / NS_PER_MS,
                          &scrape->exposition);
    if (r == 0 && http->wholes < LIMIT_SERVER_WHOLES) {
        scrape->ahead = true;
        http->wholes++;
        r = gzip ? compress_ahead(scrape)
                 : exposition_spans(scrape->exposition, &http->spans, LIMIT_SERVER_WHOLE_BYTES,
                                    &scrape->spans);
    } else if (r == 0) {
        r = 1;
    }
    if (r < 0) {
        scrape_destroy(scrape);
        return r;
    }
    *ret_scrape = scrape;
    return r;
}

/* From what was rendered ahead; 0: it is sent. */
static size_t take_ahead(struct scrape *scrape, char *chunk, size_t size)
{
    const struct span_list *spans = &scrape->spans;
    const char *text = scrape->block;
    size_t len = scrape->len;

    while (scrape->span < spans->n && scrape->sent == spans->items[scrape->span]->len) {
        scrape->span++;
        scrape->sent = 0;
    }
    if (scrape->span < spans->n) {
        text = spans->items[scrape->span]->text;
        len = spans->items[scrape->span]->len;
    }
    len -= scrape->sent;
    len = len < size ? len : size;
    if (len > 0) {
        memcpy(chunk, text + scrape->sent, len);
    }
    scrape->sent += len;
    return len;
}

static ssize_t next_chunk(void *cls, uint64_t pos, char *chunk, size_t size)
{
    struct scrape *scrape = cls;
    ssize_t n = (ssize_t)take_ahead(scrape, chunk, size);

    if (n == 0) {
        n = exposition_read(scrape->exposition, chunk, size);
    }
    if (n > 0) {
        return n;
    }
    return n == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

/* An answer with a length, from the memory where it is. */
static struct MHD_Response *respond_whole(struct scrape *scrape)
{
    struct MHD_IoVec pieces[SPANS_MAX];

    if (scrape->block) {
        return MHD_create_response_from_buffer_with_free_callback_cls(scrape->len, scrape->block,
                                                                      scrape_destroy, scrape);
    }
    for (size_t i = 0; i < scrape->spans.n; i++) {
        pieces[i] = (struct MHD_IoVec){scrape->spans.items[i]->text, scrape->spans.items[i]->len};
    }
    return MHD_create_response_from_iovec(pieces, (unsigned)scrape->spans.n, scrape_destroy,
                                          scrape);
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
    whole = r == 0;
    response = whole ? respond_whole(scrape)
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
