/*
 * redis.h: what the parts of the component `redis` share.
 */
#ifndef REDIS_H
#define REDIS_H

#include <hiredis/hiredis.h>
#include <openssl/ssl.h>
#include <plugin_api.h>

#include "../common/resolve.h"

/* Where the server is and who we are there; made from `url` and the settings beside it. */
struct redis_target {
    bool tls;
    char *unix_path; /* NULL: by TCP */
    char *host, *port;
    char *user, *password; /* NULL: none */
    long database;
};

/* What went wrong, and at which step. */
enum redis_step {
    REDIS_NONE,
    REDIS_RESOLVE,
    REDIS_CONNECT,
    REDIS_TLS,
    REDIS_AUTHENTICATION,
    REDIS_COMMAND
};
struct redis_failure {
    enum redis_step step;
    bool timeout;
    bool stale; /* a connection from an earlier call was dead: a new one may do better */
    char text[512];
};

/* A connection, or none (fd -1). */
struct redis_link {
    const struct redis_target *target;
    const char *ca, *cert, *key; /* PEM files, borrowed; "": none */
    bool insecure;
    SSL_CTX *context; /* made before the first connection with TLS */
    struct resolve resolve;
    int fd;
    SSL *ssl;
    redisReader *reader;
    bool used; /* it has answered in an earlier call */
};

/* One reply: a status, an error, a text or an integer. */
struct redis_reply {
    int type; /* REDIS_REPLY_... */
    long long integer;
    size_t len;
    char text[]; /* ends with a NUL */
};

/* target.c: 0, or the text for the operator is in ret_why. */
int redis_target_init(struct redis_target *target, const char *url, char *ret_why, size_t size);
void redis_target_finish(struct redis_target *target);

/* link.c; `until_ms` is on the monotonic clock everywhere. */
int64_t redis_now_ms(void);
int redis_link_open(struct redis_link *link, int64_t until_ms, struct redis_failure *failure);
void redis_link_close(struct redis_link *link);
int redis_link_send(struct redis_link *link, const char *data, size_t len, int64_t until_ms,
                    struct redis_failure *failure);
/* Bytes that came, at least one; -1. */
int redis_link_receive(struct redis_link *link, void *space, size_t size, int64_t until_ms,
                       struct redis_failure *failure);
/* Says it, and returns -1. */
int redis_fail(struct redis_failure *failure, enum redis_step step, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int redis_fail_time(struct redis_failure *failure, enum redis_step step, const char *what);

/* tls.c: the first reads the PEM files, unless that is done; 0, -1. */
int redis_tls_prepare(struct redis_link *link, struct redis_failure *failure);
int redis_tls_start(struct redis_link *link, int64_t until_ms, struct redis_failure *failure);

/* command.c: sends one command and waits for its reply, which the caller frees with free(); an
 * error reply is a failure.  0, -1. */
int redis_command(struct redis_link *link, enum redis_step step, const char *const *words, int n,
                  int64_t until_ms, struct redis_reply **ret_reply, struct redis_failure *failure);
/* Makes sure of a connection that is logged in. */
int redis_ready(struct redis_link *link, int64_t until_ms, struct redis_failure *failure);

/* info.c: the text of INFO as metrics. */
void redis_info(struct tmon_call *call, const char *text);

#endif
