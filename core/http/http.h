/*
 * http.h: the agent's HTTP server, as agent.c sees it.
 *
 * The server owns one thread, which runs every listener, every connection and every deadline.  It
 * reads the stores by their own locks; whatever else it needs it asks for through the hooks below,
 * which it calls on its thread.  It never waits for a worker or for the agent's loop: a question to
 * the agent suspends the connection, and http_answer() (or a deadline) resumes it.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct http;
struct store;
struct verdicts;

/* What only the agent's loop knows. */
enum http_question {
    HTTP_ASK_STATUS,  /* GET /api/v1/status: an object */
    HTTP_ASK_PLUGINS, /* GET /api/v1/plugins: an object with arrays `plugins` and `instances` */
    HTTP_ASK_RELOAD,  /* POST /api/v1/reload: do it; then an object such as {"reloaded": true} */
};

/* Called on the server's thread.  All must return at once and may be called from http_create() on.
 */
struct http_hooks {
    void *agent;
    /* Whether /api/health/ready says so; if not, appends the reason, a sentence for people. */
    bool (*ready)(void *agent, struct buf *reason);
    /* Whether the agent's loops still turn (heartbeats); if not, appends which one hangs. */
    bool (*alive)(void *agent, struct buf *reason);
    /* Passes a question on to the agent's loop (loop_post), which answers by http_answer(), once,
     * soon.  -errno: it cannot be asked now; the client is told 503. */
    int (*ask)(void *agent, enum http_question question, uint64_t ticket);
};

/* Bounds; 0 takes the one of base/limits.h (tests set them lower). */
struct http_bounds {
    unsigned connections;
    int64_t receive_ms;
    int64_t answer_ms;
    int64_t ask_ms;
};

/* Everything is borrowed during the call and copied, except the stores, which outlive the server.
 */
struct http_options {
    const char *const *listen; /* "HOST:PORT", "[::1]:PORT", "unix:/PATH"; port 0: any free one */
    size_t nlisten;
    const char *tls_certificate; /* PEM files; both NULL: no TLS.  Unix sockets never speak it. */
    const char *tls_key;
    const char *const *hosts; /* more names that Host may carry on loopback, without port */
    size_t nhosts;
    const char
        *write_token; /* what POST needs off loopback; NULL or "": nobody can write from there */
    const char *version;
    int64_t started_ns; /* clock_mono_ns() at the start of the process, for `uptime` */
    struct store
        *store; /* its series http_* and toiletmon_http_* are made and kept by the server */
    struct verdicts *verdicts;
    struct http_hooks hooks;
    struct http_bounds bounds;
};

/* Opens the listeners and starts to answer.  -errno with a sentence for the operator appended to
 * `why`. */
int http_create(const struct http_options *options, struct buf *why, struct http **ret_http);
/* Whether http_create() would take this pair of PEM files.  0; -errno with a sentence for the
 * operator appended to `why`.  Any thread. */
int http_check_tls(const char *certificate_path, const char *key_path, struct buf *why);
/* Stops: closes listeners and connections, ends the thread.  NULL is fine. */
void http_destroy(struct http *http);

/* Takes over new options: listeners that stay keep their sockets and connections, certificate and
 * key are read anew, hosts and token replaced.  Stores, hooks, version, start and bounds stay as
 * they were.  On failure (-errno, `why`) nothing has changed.  The agent's thread; waits for the
 * server's thread, which never waits for anybody. */
int http_reload(struct http *http, const struct http_options *options, struct buf *why);
/* Answers a question: HTTP status and document (takes it; NULL: {}).  Any thread.  A ticket whose
 * client has gone, or whose deadline passed, is dropped. */
void http_answer(struct http *http, uint64_t ticket, unsigned status, json_t *document);

/* The port of the i-th listener; 0 for a Unix socket or when there is none.  Agent's thread. */
unsigned http_port(const struct http *http, size_t i);

#endif
