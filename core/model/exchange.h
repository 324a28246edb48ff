/*
 * exchange.h: HTTP requests and responses on their way between plugin, agent and fetch.
 *
 * Encoded requests are checked on both sides: where the plugin runs, so that its author gets a
 * sentence, and where they are decoded, because a worker is never trusted.  So whoever decoded a
 * request may put its method, URL and headers on a connection without fear of a smuggled line.
 * Which hosts may be spoken to is not known here: that is for fetch to judge.
 */
#ifndef MODEL_EXCHANGE_H
#define MODEL_EXCHANGE_H

#include "base/wire.h"
#include "plugin_api.h"

/* Appends the request.  0; -EINVAL with a sentence in *ret_why (static) for a bad method, URL,
 * header or a body above LIMIT_HTTP_REQUEST_BYTES; -ENOBUFS when the buf is at its cap.  On failure
 * the buf is as before. */
int exchange_encode_request(struct buf *buf, const struct tmon_request *request,
                            const char **ret_why);
/* Reads one.  Strings and body are borrowed from the reader's data, the array of headers is owned:
 * exchange_finish_request() frees it.  The method is never NULL.  0, -EPROTO (nothing to finish).
 */
int exchange_decode_request(struct wire_reader *reader, struct tmon_request *ret_request);
void exchange_finish_request(struct tmon_request *request);

/* Appends the response.  What came from the far end is not refused but made fit: header values and
 * the error become UTF-8 on one line, headers beyond LIMIT_HTTP_HEADERS or with names that are no
 * tokens are dropped.  How much of the body there is has been decided before.  -ENOBUFS when the
 * buf is at its cap: then it is as before. */
int exchange_encode_response(struct buf *buf, const struct tmon_response *response);
/* As exchange_decode_request().  `error` is never NULL. */
int exchange_decode_response(struct wire_reader *reader, struct tmon_response *ret_response);
void exchange_finish_response(struct tmon_response *response);

#endif
