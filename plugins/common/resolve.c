/*
 * resolve.c: see resolve.h.  The lookup is shared by the caller and its thread, and freed by the
 * one who leaves last.
 */
#include "resolve.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define STACK_BYTES (256u << 10) /* counted by the worker's memory limit */

struct resolve_lookup {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int owners;
    bool done;
    int result;
    struct addrinfo *list;
    char *host, *port;
};

static void leave(struct resolve_lookup *lookup)
{
    bool last;

    pthread_mutex_lock(&lookup->lock);
    last = --lookup->owners == 0;
    pthread_mutex_unlock(&lookup->lock);
    if (!last) {
        return;
    }
    if (lookup->list != NULL) {
        freeaddrinfo(lookup->list);
    }
    pthread_cond_destroy(&lookup->changed);
    pthread_mutex_destroy(&lookup->lock);
    free(lookup->host);
    free(lookup->port);
    free(lookup);
}

static int look_up(const char *host, const char *port, int flags, struct addrinfo **ret_list)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};

    return getaddrinfo(host, port, &hints, ret_list);
}

static void *run(void *arg)
{
    struct resolve_lookup *lookup = arg;
    struct addrinfo *list = NULL;
    int result = look_up(lookup->host, lookup->port, AI_ADDRCONFIG, &list);

    pthread_mutex_lock(&lookup->lock);
    lookup->result = result;
    lookup->list = result == 0 ? list : NULL;
    lookup->done = true;
    pthread_cond_signal(&lookup->changed);
    pthread_mutex_unlock(&lookup->lock);
    leave(lookup);
    return NULL;
}

static struct resolve_lookup *start(const char *host, const char *port)
{
    struct resolve_lookup *lookup = calloc(1, sizeof *lookup);
    pthread_condattr_t monotonic;
    pthread_attr_t attributes;
    pthread_t thread;
    int error;

    if (lookup == NULL) {
        return NULL;
    }
    pthread_mutex_init(&lookup->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&lookup->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    lookup->owners = 2;
    lookup->host = strdup(host);
    lookup->port = strdup(port);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    error = lookup->host == NULL || lookup->port == NULL
                ? ENOMEM
                : pthread_create(&thread, &attributes, run, lookup);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        lookup->owners = 1;
        leave(lookup);
        return NULL;
    }
    return lookup;
}

int resolve_tcp(struct resolve *resolve, const char *host, const char *port, int64_t until_ms,
                struct addrinfo **ret_list)
{
    const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    struct resolve_lookup *lookup;
    int result = look_up(host, port, AI_NUMERICHOST, ret_list); // an address needs no thread

    if (result == 0) {
        return 0;
    }
    if (resolve->pending != NULL &&
        (strcmp(resolve->pending->host, host) != 0 || strcmp(resolve->pending->port, port) != 0)) {
        resolve_finish(resolve);
    }
    if (resolve->pending == NULL) {
        resolve->pending = start(host, port);
    }
    lookup = resolve->pending;
    if (lookup == NULL) {
        errno = EAGAIN;
        return EAI_SYSTEM;
    }
    pthread_mutex_lock(&lookup->lock);
    while (!lookup->done) {
        if (pthread_cond_timedwait(&lookup->changed, &lookup->lock, &until) == ETIMEDOUT) {
            break;
        }
    }
    if (!lookup->done) {
        pthread_mutex_unlock(&lookup->lock);
        return ETIMEDOUT;
    }
    result = lookup->result;
    if (result == 0) {
        *ret_list = lookup->list;
        lookup->list = NULL;
    }
    pthread_mutex_unlock(&lookup->lock);
    resolve_finish(resolve);
    return result;
}

void resolve_finish(struct resolve *resolve)
{
    if (resolve->pending != NULL) {
        leave(resolve->pending);
        resolve->pending = NULL;
    }
}
