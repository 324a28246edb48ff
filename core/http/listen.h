/*
 * listen.h: the sockets that the server listens on.  The agent's thread.
 */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"

struct listen_address {
    char *text; /* as the operator wrote it */
    char *host; /* name or address, without brackets; NULL for a Unix socket */
    char *port; /* digits */
    char *path; /* of a Unix socket; else NULL */
};

/* "HOST:PORT", "[::1]:PORT", "unix:/PATH".  Copies.  -EINVAL with a sentence in `why`, -ENOMEM. */
int listen_parse(const char *text, struct buf *why, struct listen_address *ret_address);
void listen_finish(struct listen_address *address);

struct listen_socket {
    int fd;        /* -1: none */
    unsigned port; /* 0: a Unix socket */
    dev_t dev;     /* of the Unix socket's file, so that only ours is ever removed */
    ino_t ino;
};

/* A listening, non-blocking socket.  A Unix socket's file has mode 0600; one that a dead process
 * left is replaced, one that somebody listens on is not.  -errno with a sentence in `why`. */
int listen_open(const struct listen_address *address, struct buf *why,
                struct listen_socket *ret_socket);
/* Closes it and, if `address` is a Unix socket whose file is still ours, removes the file. */
void listen_close(const struct listen_address *address, struct listen_socket *sock);

#endif
