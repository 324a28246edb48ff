/*
 * main.c of toiletmon-fetch: the worker that speaks HTTP for all plugins.
 *
 * A process of its own, so that libcurl, TLS and the parsing of what strangers send stand neither
 * in the agent's memory nor in its way.  One thread waits for frames on descriptor 3 and for
 * libcurl's sockets; only name resolution has threads besides.  It ends when the socket closes or
 * its parent dies, and wakes for nothing else.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/slim.h"
#include "fetch/easy.h"
#include "fetch/reactor.h"
#include "fetch/transfer.h"
#include "plugin/frame.h"
#include "worker/confine.h"
#include "worker/sandbox.h"

#define MEMORY_BYTES                                                                               \
    (UINT64_C(512) << 20) /* 128 bodies of 1 MiB, resolver threads, OpenSSL: half of it */
#define DESCRIPTORS 1024  /* 128 requests, each with a socket and a resolver's pair */
#define RESOLVER_STACK_BYTES                                                                       \
    (256u << 10) /* the limit counts stacks; getaddrinfo wants 100 KiB at worst */

struct fetcher {
    CURLM *multi;
    struct reactor reactor;
    struct frame_assembly assembly;
    struct transfer *transfers[LIMIT_HTTP_FLIGHTS];
    struct easy_pool pool;
    struct expiry expiry;
    struct buf reply;
    char packet[LIMIT_FRAME_BYTES];
};

/* Sends the answer of a transfer that is over, and forgets it. */
static int conclude(struct fetcher *fetcher, size_t slot)
{
    struct transfer *transfer = fetcher->transfers[slot];
    int r;

    buf_clear(&fetcher->reply);
    r = transfer_encode(transfer, &fetcher->reply);
    if (r == 0) {
        r = frame_send(FRAME_WORKER_FD, FRAME_HTTP_RESPONSE, transfer->call, fetcher->reply.data,
                       fetcher->reply.len, INT64_MAX);
    }
    fetcher->transfers[slot] = NULL;
    transfer_destroy(transfer);
    return r;
}

static int take_request(struct fetcher *fetcher, uint32_t call, const void *data, size_t len)
{
    size_t slot = 0;
    void *message;
    int r;

    while (slot < LIMIT_HTTP_FLIGHTS && fetcher->transfers[slot]) {
        slot++;
    }
    if (slot == LIMIT_HTTP_FLIGHTS) {
        return -EPROTO; // the agent counts them too
    }
    message = malloc(len ? len : 1);
    if (!message) {
        return -ENOMEM;
    }
    memcpy(message, data, len);
    r = transfer_create(fetcher->multi, &fetcher->pool, &fetcher->expiry, call, message, len,
                        &fetcher->transfers[slot]);
    if (r < 0) {
        return r;
    }
    return transfer_over(fetcher->transfers[slot]) ? conclude(fetcher, slot) : 0;
}

/* A cancelled request is answered too: that is how the agent sees that we live. */
static int cancel(struct fetcher *fetcher, uint32_t call)
{
    for (size_t i = 0; i < LIMIT_HTTP_FLIGHTS; i++) {
        if (fetcher->transfers[i] && fetcher->transfers[i]->call == call) {
            transfer_cancel(fetcher->transfers[i]);
            return conclude(fetcher, i);
        }
    }
    return 0; // its answer is on the way
}

/* One frame from the agent.  1 to go on, 0 at the end, -EAGAIN when there is none, -errno. */
static int take_frame(struct fetcher *fetcher)
{
    struct frame frame;
    const void *data;
    size_t len;
    int r = frame_recv(FRAME_WORKER_FD, fetcher->packet, &frame);

    if (r <= 0) {
        return r;
    }
    switch (frame.type) {
    case FRAME_STOP:
        return 0;
    case FRAME_HTTP_CANCEL:
        r = cancel(fetcher, frame.call);
        return r < 0 ? r : 1;
    case FRAME_HTTP_REQUEST:
        r = frame_assembly_add(&fetcher->assembly, &frame, &data, &len);
        if (r == 1) {
            r = take_request(fetcher, frame.call, data, len);
        }
        return r < 0 ? r : 1;
    default:
        return -EPROTO;
    }
}

/* Hands on what libcurl has finished. */
static int reap(struct fetcher *fetcher)
{
    const CURLMsg *message;
    int left, r = 0;

    while (r == 0 && (message = curl_multi_info_read(fetcher->multi, &left))) {
        char *owner = NULL;
        size_t slot = 0;

        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
        while (slot < LIMIT_HTTP_FLIGHTS && (char *)fetcher->transfers[slot] != owner) {
            slot++;
        }
        if (slot == LIMIT_HTTP_FLIGHTS) {
            continue;
        }
        transfer_hop_done(fetcher->transfers[slot], message->data.result);
        if (transfer_over(fetcher->transfers[slot])) {
            r = conclude(fetcher, slot);
        }
    }
    return r;
}

/* What the agent has sent by now.  1 to go on, 0 at the end, -errno. */
static int take_frames(struct fetcher *fetcher)
{
    int r = 1;

    for (int i = 0; i < LIMIT_FRAMES_PER_TURN && r == 1; i++) {
        r = take_frame(fetcher);
    }
    return r == -EAGAIN ? 1 : r;
}

/* Without transfers there is no timer of libcurl's either: this sleeps until the agent speaks. */
static int run(struct fetcher *fetcher)
{
    for (;;) {
        bool agent;
        int r = reactor_wait(&fetcher->reactor, &agent);

        if (r == 0) { // first: where an answer goes, a request may follow
            r = reap(fetcher);
        }
        if (r == 0 && agent) {
            r = take_frames(fetcher);
            if (r <= 0) {
                return r;
            }
            r = reactor_run(&fetcher->reactor);
            if (r == 0) {
                r = reap(fetcher);
            }
        }
        if (r < 0) {
            return r;
        }
    }
}

static pid_t read_pid(const char *text)
{
    char *end;
    long pid;

    errno = 0;
    pid = strtol(text, &end, 10);
    return errno == 0 && *end == '\0' && pid > 0 && pid == (pid_t)pid ? (pid_t)pid : -1;
}

/* The same walls as around a plugin: this one reads what strangers send. */
static int confine(void)
{
    const struct confine_limits limits = {.memory_bytes = MEMORY_BYTES, .descriptors = DESCRIPTORS};
    pthread_attr_t threads;
    int r = confine_limit(&limits);

    if (r == 0) {
        r = -pthread_attr_init(&threads);
    }
    if (r == 0) {
        pthread_attr_setstacksize(&threads, RESOLVER_STACK_BYTES);
        r = -pthread_setattr_default_np(&threads);
        pthread_attr_destroy(&threads);
    }
    confine_name("fetch");
    (void)sandbox_apply(false); // the agent says which layers workers have; here they are the same
    return r;
}

int main(int argc, char **argv)
{
    pid_t agent = argc == 2 ? read_pid(argv[1]) : -1;
    struct fetcher *fetcher;
    int r;

    if (agent < 0) {
        (void)fprintf(stderr, "toiletmon-fetch: it is started by toiletmon, not by hand\n");
        return 64;
    }
    confine_start(agent);
    (void)slim_now(); // what the loader read of thirty libraries
    if (confine() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return EXIT_FAILURE;
    }
    (void)slim_now(); // and what they needed to begin
    fetcher = calloc(1, sizeof *fetcher);
    if (!fetcher || !(fetcher->multi = curl_multi_init())) {
        return EXIT_FAILURE;
    }
    curl_multi_setopt(fetcher->multi, CURLMOPT_MAXCONNECTS, (long)EASY_KEPT);
    if (fcntl(FRAME_WORKER_FD, F_SETFL, O_NONBLOCK) < 0 ||
        reactor_init(&fetcher->reactor, fetcher->multi, FRAME_WORKER_FD) < 0) {
        return EXIT_FAILURE;
    }
    easy_pool_init(&fetcher->pool);
    frame_assembly_init(&fetcher->assembly, FETCH_ORDER_BYTES);
    buf_init(&fetcher->reply, FETCH_RESPONSE_BYTES(LIMIT_HTTP_CLIENT_BYTES));
    r = run(fetcher);
    // Resolver threads may still hang in the C library: leave without waiting for anybody.
    _exit(r < 0 && r != -EPIPE ? EXIT_FAILURE : EXIT_SUCCESS);
}
