/*
 * place.h: where a URL leads, and whether a redirect may lead elsewhere.
 *
 * A reading of our own beside libcurl's, stricter than it: what two parsers might read in two ways
 * is refused, so that the host which was checked is the host which is spoken to.  Pure; any thread.
 */
#ifndef FETCH_PLACE_H
#define FETCH_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACE_HOST_SIZE 256 /* a DNS name has 253 bytes at most */

struct place {
    bool tls;
    uint16_t port;
    char host[PLACE_HOST_SIZE]; /* lower case, addresses in their usual form, no brackets */
};

/* -EINVAL for anything but an http or https URL with a plain host. */
int place_parse(const char *url, struct place *ret_place);
/* NULL when an answer from `from` may send us to `to`; else why not, as a static sentence. */
const char *place_redirect_problem(const struct place *from, const struct place *to);

#endif
