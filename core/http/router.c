/*
 * router.c: see router.h.  The table is searched from its start: it is short, and what is asked for
 * most stands first.
 */
#include "http/router.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    enum http_method method;
} methods[] = {
    {"GET", METHOD_GET},       {"HEAD", METHOD_HEAD},       {"POST", METHOD_POST},
    {"DELETE", METHOD_DELETE}, {"OPTIONS", METHOD_OPTIONS},
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

/* `pattern` has at most one `*`, which stands for a segment that is not empty. */
static bool fits(const char *pattern, const char *path, size_t len,
                 char ret_parameter[static ROUTE_PARAMETER_SIZE])
{
    const char *star = strchr(pattern, '*');
    size_t before = star ? (size_t)(star - pattern) : 0;
    size_t after, width;

    if (!star) {
        return strncmp(pattern, path, len) == 0 && pattern[len] == '\0';
    }
    after = strlen(star + 1);
    if (len <= before + after || memcmp(pattern, path, before) != 0 ||
        memcmp(star + 1, path + len - after, after) != 0) {
        return false;
    }
    width = len - before - after;
    if (width >= ROUTE_PARAMETER_SIZE || memchr(path + before, '/', width)) {
        return false;
    }
    memcpy(ret_parameter, path + before, width);
    ret_parameter[width] = '\0';
    return true;
}

const struct http_route *route_find(const struct http_route *routes, size_t n, const char *path,
                                    char ret_parameter[static ROUTE_PARAMETER_SIZE])
{
    size_t len = strlen(path);

    if (len > 1 && path[len - 1] == '/') {
        len--;
    }
    ret_parameter[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        if (fits(routes[i].path, path, len, ret_parameter)) {
            return &routes[i];
        }
    }
    return NULL;
}

unsigned route_methods(const struct http_route *route)
{
    return route->methods | METHOD_OPTIONS | (route->methods & METHOD_GET ? METHOD_HEAD : 0u);
}

const char *route_allow(const struct http_route *route, char ret_text[static ROUTE_ALLOW_SIZE])
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
