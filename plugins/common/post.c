/*
 * post.c: see post.h.  Linked into several plugins; keeps no state of its own.
 */
#include "post.h"

#include <stdlib.h>

bool post_is_key(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (*p <= 0x20 || *p >= 0x7f) {
            return false;
        }
    }
    return *text != '\0';
}

char *post_url(const char *base, const char *path)
{
    size_t len = strlen(base);
    const size_t more = strlen(path) + 1;
    char *url;

    while (len > 0 && base[len - 1] == '/') {
        len--;
    }
    url = malloc(len + more);
    if (url != NULL) {
        memcpy(url, base, len);
        memcpy(url + len, path, more);
    }
    return url;
}

tmon_rc post_document(struct tmon_call *call, const struct writer *json, const char *url,
                      const struct tmon_pair *headers, size_t nheaders,
                      struct tmon_request *ret_request)
{
    if (json->failed) {
        tmon_log(call, TMON_ERROR, "there is no memory for the document");
        return TMON_RETRY;
    }
    ret_request->method = "POST";
    ret_request->url = url;
    ret_request->headers = headers;
    ret_request->nheaders = nheaders;
    ret_request->body.data = json->data;
    ret_request->body.len = json->len;
    return TMON_OK;
}
