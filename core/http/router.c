/*
 * router.c: see router.h.  The table is searched from its start: it is short, and what is asked for
 * most stands first.
 */
#include "http/router.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    enum http_method method;
} methods[] = {
    {"GET", METHOD_GET},
    {"HEAD", METHOD_HEAD},
    {"POST", METHOD_POST},
    {"OPTIONS", METHOD_OPTIONS},
};
#define METHODS (sizeof methods / sizeof methods[0])

enum http_method method_parse(const char *text)
{
    for (size_t i = 0; i < METHODS; i++) {
        if (strcmp(text, methods[i].name) == 0) {
            return methods[i].method;
        }
    }
    return METHOD_OTHER;
}

const struct route *route_find(const struct route *routes, size_t n, const char *path)
{
    size_t len = strlen(path);

    if (len > 1 && path[len - 1] == '/') {
        len--;
    }
    for (size_t i = 0; i < n; i++) {
        if (strncmp(routes[i].path, path, len) == 0 && routes[i].path[len] == '\0') {
            return &routes[i];
        }
    }
    return NULL;
}

unsigned route_methods(const struct route *route)
{
    return route->methods | METHOD_OPTIONS | (route->methods & METHOD_GET ? METHOD_HEAD : 0u);
}

const char *route_allow(const struct route *route, char ret_text[static ROUTE_ALLOW_SIZE])
{
    unsigned all = route_methods(route);
    size_t len = 0;

    ret_text[0] = '\0';
    for (size_t i = 0; i < METHODS; i++) {
        if (all & (unsigned)methods[i].method && len < ROUTE_ALLOW_SIZE) {
            len += (size_t)snprintf(ret_text + len, ROUTE_ALLOW_SIZE - len, "%s%s", len ? ", " : "",
                                    methods[i].name);
        }
    }
    return ret_text;
}
