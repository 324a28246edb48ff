/*
 * post.h: what sinks over HTTP need for their requests.
 */
#ifndef COMMON_POST_H
#define COMMON_POST_H

#include <plugin_api.h>

#include "writer.h"

/* Whether it can stand in a header as a key: visible ASCII, and not empty. */
bool post_is_key(const char *text);
/* A base with a path behind it, "/v2/alerts", and one slash between; owned by the caller, NULL:
 * no memory. */
char *post_url(const char *base, const char *path);
/* Fills in the request of format(): POST of the document, or, with a word about it, TMON_RETRY when
 * there was no memory for that.  All is borrowed, and must outlive format(). */
tmon_rc post_document(struct tmon_call *call, const struct writer *json, const char *url,
                      const struct tmon_pair *headers, size_t nheaders,
                      struct tmon_request *ret_request);

#endif
