/*
 * resolve.h: name resolution that keeps a deadline.
 *
 * getaddrinfo() has none: with a dead DNS server it returns after half a minute.  So it runs in a
 * thread of its own, and who waits can give up.  A lookup that was given up goes on by itself and
 * is taken up again by the next who asks for the same name: there is never more than one thread for
 * each struct.
 */
#ifndef COMMON_RESOLVE_H
#define COMMON_RESOLVE_H

#include <netdb.h>
#include <stdint.h>

struct resolve_lookup;

struct resolve {
    struct resolve_lookup *pending; /* shared with its thread */
};

/*
 * Addresses for TCP.  `until_ms` is on the monotonic clock.  0: *ret_list is owned by the caller,
 * freeaddrinfo(); ETIMEDOUT; or a code of getaddrinfo (negative in glibc), EAI_SYSTEM when there is
 * no thread to be had.
 */
int resolve_tcp(struct resolve *resolve, const char *host, const char *port, int64_t until_ms,
                struct addrinfo **ret_list);
/* Lets a lookup that is still under way end by itself. */
void resolve_finish(struct resolve *resolve);

#endif
