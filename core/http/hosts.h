/*
 * hosts.h: who a request says it is for: the headers Host, Origin and Authorization.
 *
 * A browser on this machine reaches a loopback listener too, and a page from elsewhere can make it
 * do so under a name of its own (DNS rebinding).  Such a request carries the page's name in Host,
 * or in Origin.  Pure functions, any thread.
 */
#ifndef HTTP_HOSTS_H
#define HTTP_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

/* A host without its port and brackets, borrowed from the text it was found in. */
struct host_span {
    const char *name;
    size_t len;
};

/* Splits "name", "name:port", "[v6]" or "[v6]:port".  -EINVAL for anything else (user names,
 * spaces, an empty name, a port that is none). */
int host_parse(const char *text, struct host_span *ret_host);

/* Whether a Host header may stand in a request over loopback: a name or address of the loopback
 * itself, or one of the allowed names (compared without case and without a dot at the end). */
bool host_allowed(const char *host, const char *const *allowed, size_t nallowed);

/* Whether a page of this origin may ask: it came from us (the same as Host), or from an allowed
 * name.  `host` may be NULL (not sent): then only allowed names will do. */
bool origin_allowed(const char *origin, const char *host, const char *const *allowed,
                    size_t nallowed);

/* Whether the Authorization header carries this token as a Bearer.  The time it takes tells nothing
 * about how much of it was right.  `authorization` may be NULL; an empty token never matches. */
bool bearer_matches(const char *authorization, const char *token);

#endif
