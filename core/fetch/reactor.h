/*
 * reactor.h: what toiletmon-fetch waits for: frames of the agent, libcurl's sockets, libcurl's
 * timer.
 *
 * libcurl is told which socket is ready, so that a wake-up costs the one transfer it is for.  Only
 * in the executable toiletmon-fetch, on its one thread.
 */
#ifndef FETCH_REACTOR_H
#define FETCH_REACTOR_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

struct reactor {
    CURLM *multi; /* borrowed */
    int epoll, agent;
    int64_t due_ns; /* when libcurl's timer fires; INT64_MAX: it has none */
};

/* Connects libcurl's handle with the descriptors; `agent` is watched for frames.  -errno. */
int reactor_init(struct reactor *reactor, CURLM *multi, int agent);
/* Waits until something is ready and lets libcurl do what it has to.  *ret_agent: there are frames.
 * -errno. */
int reactor_wait(struct reactor *reactor, bool *ret_agent);
/* Lets libcurl do what is due at once: transfers that were added. */
int reactor_run(struct reactor *reactor);

#endif
