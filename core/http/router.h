/*
 * router.h: which handler answers a path and a method.  A table, and pure functions on it; any
 * thread.
 */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"

struct request;

enum http_method {
    METHOD_GET = 1 << 0,
    METHOD_HEAD = 1 << 1,
    METHOD_POST = 1 << 2,
    METHOD_OPTIONS = 1 << 3,
    METHOD_DELETE = 1 << 4,
    METHOD_OTHER = 0, /* allowed nowhere */
};

struct http_route {
    const char *path; /* without a slash at the end, except "/"; a segment * is a parameter */
    unsigned methods; /* what it takes; HEAD comes with GET, OPTIONS with anything */
    const char *name; /* the label `handler` of its requests; several paths may share one */
    /* Answers, or suspends the connection.  0, or -errno: the connection is closed. */
    int (*handle)(struct request *request);
    size_t body; /* the largest that a POST may bring; 0: it is not looked at */
    bool open;   /* who may POST is said by the path itself; the body comes from a form */
};

enum http_method method_parse(const char *text);
/* NULL: there is no such path.  One slash at its end makes no difference.  The parameter is "" for
 * a path without one; a longer one than has room is found nowhere. */
#define ROUTE_PARAMETER_SIZE (LIMIT_NAME_BYTES + 1)
const struct http_route *route_find(const struct http_route *routes, size_t n, const char *path,
                                    char ret_parameter[static ROUTE_PARAMETER_SIZE]);
/* All the methods of a route, HEAD and OPTIONS included. */
unsigned route_methods(const struct http_route *route);
/* "GET, HEAD, OPTIONS": for the header Allow. */
#define ROUTE_ALLOW_SIZE 40
const char *route_allow(const struct http_route *route, char ret_text[static ROUTE_ALLOW_SIZE]);

#endif
