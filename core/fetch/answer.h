/*
 * answer.h: an HTTP answer while it comes in, bounded, until it can be handed over as a
 * tmon_response.
 *
 * Knows nothing of libcurl: it is fed header lines and pieces of body.  What the far end sent is
 * made fit to be read by anybody here: header names in lower case, values valid UTF-8 without
 * control characters. One thread at a time.
 */
#ifndef FETCH_ANSWER_H
#define FETCH_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"
#include "plugin_api.h"

struct answer {
    struct buf text; /* names and values, each with its NUL */
    struct buf body;
    size_t count;
    size_t names[LIMIT_HTTP_HEADERS], values[LIMIT_HTTP_HEADERS]; /* offsets in `text` */
    struct tmon_pair pairs[LIMIT_HTTP_HEADERS];                   /* made by answer_response() */
    size_t line_bytes;                                            /* of all header lines so far */
    bool truncated;
};

/* `body_bytes`: the most of the body to keep. */
void answer_init(struct answer *answer, size_t body_bytes);
void answer_finish(struct answer *answer);
/* Forgets headers and body: another answer follows (1xx, a redirect). */
void answer_restart(struct answer *answer);

/* One header line with or without its line end.  A status line starts anew, an empty one is
 * ignored.  -EMSGSIZE beyond LIMIT_HTTP_HEADERS or LIMIT_HTTP_HEADER_BYTES, -ENOMEM. */
int answer_header(struct answer *answer, const char *line, size_t len);
/* False when the cap is reached: `truncated` is set and nothing more is wanted. */
bool answer_body(struct answer *answer, const void *data, size_t len);

/* Sets size, headers, body, truncated and retry_after_ms, which borrow from `answer` until it
 * changes; the other members are left alone. */
void answer_response(struct answer *answer, int64_t now_ms, struct tmon_response *ret_response);

#endif
