/*
 * v2_error.h: mistakes as Alertmanager tells them: a JSON text where what was said makes no sense,
 * an object with `code` and `message` where it is not understood at all.
 */
#ifndef HTTP_V2_ERROR_H
#define HTTP_V2_ERROR_H

#include <stddef.h>

#include "base/buf.h"

#define V2_CODE_TYPE 601     /* of the wrong type or format */
#define V2_CODE_REQUIRED 602 /* missing */
#define V2_CODE_TOO_FEW 612  /* items */

struct v2_error {
    unsigned status; /* of HTTP; 0: there is none */
    int code;        /* 0: a text alone */
    char text[1024];
};

/* All return -EINVAL, for `return v2_...()`. */
int v2_invalid(struct v2_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* 400, a text */
int v2_unreadable(struct v2_error *error, const char *body, const char *format, ...)
    __attribute__((format(printf, 3, 4))); /* 400, an object; `body`: "alerts", "silence" */
int v2_against_schema(struct v2_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4))); /* 422, an object */

/* Appends the body of an answer. */
void v2_error_put(struct buf *buf, int code, const char *text);

#endif
