/*
 * outcome.h: what an HTTP answer means for a notification, and the far end's word about it.
 */
#ifndef COMMON_OUTCOME_H
#define COMMON_OUTCOME_H

#include <plugin_api.h>

#define OUTCOME_HIDDEN 256
#define OUTCOME_SAID_BYTES 320

/* Texts of ours that a far end may repeat in its answer and that nobody may read in a log. */
struct outcome_hidden {
    struct tmon_bytes texts[OUTCOME_HIDDEN]; /* borrowed */
    size_t count;
};

/* All borrow; texts that are too short to be secret are left out, and so are more than fit. */
void outcome_hide(struct outcome_hidden *hidden, const char *text);
void outcome_hide_part(struct outcome_hidden *hidden, const char *text, size_t len);
/* Its password and the parts of its path and query, where tokens are. */
void outcome_hide_url(struct outcome_hidden *hidden, const char *url);

/* The usual verdict: 2xx is delivered; 408, 429 and 5xx are to be tried again, the rest is
 * rejected; without an answer it depends on where the request came to. */
tmon_rc outcome_usual(const struct tmon_response *response);
/* Whether the answer's body begins as a JSON object does: no page of something between us. */
bool outcome_is_object(const struct tmon_response *response);
/* The same of a far end that says 202, and nothing else, when it has taken it: another success is a
 * page of something between us, most likely, and ambiguous. */
tmon_rc outcome_accepted(const struct tmon_response *response);
/* So much of what a far end said as helps: one line, cut, without hidden texts; "" when it is a
 * page of HTML.  `cut`: it said more than `data` has. */
void outcome_word(char said[OUTCOME_SAID_BYTES], const void *data, size_t len, bool cut,
                  const struct outcome_hidden *hidden);
/* A header of the answer, its name in lower case; NULL: it was not sent. */
const char *outcome_header(const struct tmon_response *response, const char *name);
/* A header that says how many seconds to wait, in milliseconds; -1 when there is no such number. */
int64_t outcome_wait_ms(const struct tmon_response *response, const char *name);
/*
 * Says what the far end answered ("Slack answered 404: no_service") where rc is not TMON_OK, as an
 * error, which becomes the outcome's message, and passes on a Retry-After where it is to be tried
 * again; a far end that names its time elsewhere is given with that in retry_after_ms.
 */
void outcome_explain(struct tmon_call *call, tmon_rc rc, const struct tmon_response *response,
                     const char *who, const struct outcome_hidden *hidden);

#endif
