/*
 * link.c: a socket that never blocks longer than it may.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "redis.h"

int64_t redis_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int redis_fail(struct redis_failure *failure, enum redis_step step, const char *format, ...)
{
    va_list args;

    failure->step = step;
    va_start(args, format);
    (void)vsnprintf(failure->text, sizeof failure->text, format, args);
    va_end(args);
    for (char *c = failure->text; *c; c++) { // servers may say anything
        if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f) {
            *c = '?';
        }
    }
    return -1;
}

int redis_fail_time(struct redis_failure *failure, enum redis_step step, const char *what)
{
    failure->timeout = true;
    return redis_fail(failure, step, "%s: no answer before the deadline", what);
}

/* 1 when ready, 0 when time is up. */
static int wait_for(int fd, short events, int64_t until_ms)
{
    for (;;) {
        struct pollfd item = {.fd = fd, .events = events};
        int64_t left = until_ms - redis_now_ms();
        int n;

        if (left <= 0) {
            return 0;
        }
        n = poll(&item, 1, left > INT_MAX ? INT_MAX : (int)left);
        if (n > 0) {
            return 1;
        }
    }
}

/* 0, ETIMEDOUT, or why not. */
static int connect_to(const struct sockaddr *address, socklen_t len, int64_t until_ms, int *ret_fd)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = 0, one = 1;
    socklen_t size = sizeof error;

    if (fd < 0) {
        return errno;
    }
    if (connect(fd, address, len) < 0) {
        error = errno;
        if (error == EINPROGRESS) {
            if (!wait_for(fd, POLLOUT, until_ms)) {
                error = ETIMEDOUT;
            } else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) {
                error = errno;
            }
        }
    }
    if (error != 0) {
        close(fd);
        return error;
    }
    if (address->sa_family != AF_UNIX) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    *ret_fd = fd;
    return 0;
}

static int say_connect(struct redis_failure *failure, const char *where, const char *port,
                       int error)
{
    char what[300];

    (void)snprintf(what, sizeof what, "connect to %.200s%s%s", where, port ? " port " : "",
                   port ? port : "");
    if (error == ETIMEDOUT) {
        return redis_fail_time(failure, REDIS_CONNECT, what);
    }
    return redis_fail(failure, REDIS_CONNECT, "%s: %s", what,
                      error == EAGAIN ? "the server's queue is full" : strerror(error));
}

static int open_unix(struct redis_link *link, int64_t until_ms, struct redis_failure *failure)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = link->target->unix_path;
    int error = ENAMETOOLONG;

    if (strlen(path) < sizeof address.sun_path) {
        memcpy(address.sun_path, path, strlen(path) + 1);
        error = connect_to((const struct sockaddr *)&address, sizeof address, until_ms, &link->fd);
    }
    return error ? say_connect(failure, path, NULL, error) : 0;
}

static int open_tcp(struct redis_link *link, int64_t until_ms, struct redis_failure *failure)
{
    const struct redis_target *target = link->target;
    struct addrinfo *list = NULL;
    char what[300];
    int error = resolve_tcp(&link->resolve, target->host, target->port, until_ms, &list);

    (void)snprintf(what, sizeof what, "name resolution of %.200s", target->host);
    if (error == ETIMEDOUT) {
        return redis_fail_time(failure, REDIS_RESOLVE, what);
    }
    if (error != 0) {
        return redis_fail(failure, REDIS_RESOLVE, "%s: %s", what,
                          error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
    }
    error = EADDRNOTAVAIL;
    for (const struct addrinfo *item = list; item != NULL; item = item->ai_next) {
        // The last address may use all the time there is, those before it a part of it.
        int64_t now = redis_now_ms();
        int64_t until = item->ai_next ? now + (until_ms - now) / 2 : until_ms;

        error = connect_to(item->ai_addr, item->ai_addrlen, until, &link->fd);
        if (error == 0) {
            break;
        }
    }
    freeaddrinfo(list);
    return error ? say_connect(failure, target->host, target->port, error) : 0;
}

int redis_link_open(struct redis_link *link, int64_t until_ms, struct redis_failure *failure)
{
    int r;

    if (link->target->tls && redis_tls_prepare(link, failure) < 0) {
        return -1;
    }
    r = link->target->unix_path != NULL ? open_unix(link, until_ms, failure)
                                        : open_tcp(link, until_ms, failure);
    if (r == 0 && link->target->tls) {
        r = redis_tls_start(link, until_ms, failure);
    }
    if (r < 0) {
        redis_link_close(link);
    }
    return r;
}

void redis_link_close(struct redis_link *link)
{
    SSL_free(link->ssl);
    link->ssl = NULL;
    if (link->fd >= 0) {
        close(link->fd);
    }
    link->fd = -1;
    if (link->reader != NULL) {
        redisReaderFree(link->reader);
    }
    link->reader = NULL;
    link->used = false;
}

enum { DIRECTION_IN, DIRECTION_OUT };

/* One step of I/O.  Above 0: bytes; 0: the far end has closed; -1: `events` is what to wait for, or
 * 0 and errno. */
static int step_io(struct redis_link *link, int direction, void *data, size_t len, short *events)
{
    ssize_t n;

    *events = 0;
    if (link->ssl != NULL) {
        int size = len < INT_MAX ? (int)len : INT_MAX, r;

        ERR_clear_error();
        errno = 0;
        r = direction == DIRECTION_IN ? SSL_read(link->ssl, data, size)
                                      : SSL_write(link->ssl, data, size);
        if (r > 0) {
            return r;
        }
        switch (SSL_get_error(link->ssl, r)) {
        case SSL_ERROR_WANT_READ:
            *events = POLLIN;
            return -1;
        case SSL_ERROR_WANT_WRITE:
            *events = POLLOUT;
            return -1;
        case SSL_ERROR_SYSCALL:
            return errno != 0 ? -1 : 0;
        default:
            return 0;
        }
    }
    n = direction == DIRECTION_IN ? recv(link->fd, data, len, 0)
                                  : send(link->fd, data, len, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        *events = direction == DIRECTION_IN ? POLLIN : POLLOUT;
    }
    return n > INT_MAX ? INT_MAX : (int)n;
}

static int transfer(struct redis_link *link, int direction, void *data, size_t len,
                    int64_t until_ms, struct redis_failure *failure)
{
    for (;;) {
        short events;
        int n = step_io(link, direction, data, len, &events);

        if (n > 0) {
            return n;
        }
        if (events == 0) {
            failure->stale = link->used;
            return redis_fail(failure, REDIS_COMMAND, "%s",
                              n == 0 ? "the server closed the connection" : strerror(errno));
        }
        if (!wait_for(link->fd, events, until_ms)) {
            failure->timeout = true;
            return redis_fail(failure, REDIS_COMMAND, "no answer before the deadline");
        }
    }
}

int redis_link_send(struct redis_link *link, const char *data, size_t len, int64_t until_ms,
                    struct redis_failure *failure)
{
    while (len > 0) {
        int n = transfer(link, DIRECTION_OUT, (void *)(uintptr_t)data, len, until_ms, failure);

        if (n < 0) {
            return -1;
        }
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

int redis_link_receive(struct redis_link *link, void *space, size_t size, int64_t until_ms,
                       struct redis_failure *failure)
{
    return transfer(link, DIRECTION_IN, space, size, until_ms, failure);
}
