/*
 * client.h: one HTTP request from a program that has no agent around it: the command line.
 *
 * Starts a toiletmon-fetch of its own, sends it one request, waits, ends it.  So the command line
 * speaks HTTP without libcurl in its address space, and by the same code as plugins do.
 *
 * Threads: blocks the calling one, until the deadline and a little grace at most.
 */
#ifndef FETCH_CLIENT_H
#define FETCH_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "plugin_api.h"

struct fetch_client_options {
    const char
        *program; /* path of toiletmon-fetch; NULL: beside this executable, or as installed */
    const char
        *unix_path; /* connect to this Unix socket, whatever host the URL names; NULL: over TCP */
    const char *ca_file; /* PEM certificates to trust besides the system's; NULL: only those */
    int64_t timeout_ms;  /* for all of it, above 0 */
    size_t body_bytes;   /* the most of the answer's body to keep; 0: the default for plugins */
};

/* What came back. */
struct fetch_answer {
    tmon_rc rc; /* as tmon_http() in plugin_api.h */
    const struct tmon_response
        *response; /* never NULL; owned by this; `error` says why status is 0 */
};

/* Borrows its arguments; any host may be spoken to.  Returns 0 and an owned answer even when there
 * was no answer from the far end; -errno (-ENOENT: no toiletmon-fetch, -EINVAL: a timeout or size
 * of nonsense) when nothing could be tried. */
int fetch_client_request(const struct fetch_client_options *options,
                         const struct tmon_request *request, struct fetch_answer **ret_answer);
void fetch_answer_destroy(struct fetch_answer *answer);

#endif
