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
#include "base/limits.h"

struct alerts_filter;
struct alerts_in;
struct v2_filter;
struct v2_silence_in;
struct http;
struct store;
struct verdicts;

/* What the server does not know itself. */
enum http_what {
    /* the agent's loop */
    HTTP_STATUS,  /* GET /api/v1/status: an object */
    HTTP_PLUGINS, /* GET /api/v1/plugins: an object with arrays `plugins` and `instances` */
    /* POST /api/v1/plugins/NAME/retry: `name`, of an instance: an object with `retried` and `state`
     */
    HTTP_PLUGIN_RETRY,
    HTTP_RELOAD, /* POST /api/v1/reload: do it; then an object such as {"reloaded": true} */
    /* the thread of the durable state */
    HTTP_ALERTS_PUT,     /* POST /api/v1/alerts: `alerts` */
    HTTP_ALERTS_LIST,    /* GET /api/v1/alerts: those that `filter` wants */
    HTTP_ALERT_ACK,      /* POST /api/v1/alerts/ID/ack: `text` is the ID, `ack` */
    HTTP_ALERT_UNACK,    /* POST /api/v1/alerts/ID/unack: `text` */
    HTTP_ACK_PAGE,       /* GET /ack/TOKEN: a page; `text` is the token */
    HTTP_ACK_FORM,       /* POST /ack/TOKEN: `text`, `ack` */
    HTTP_SILENCES_LIST,  /* GET /api/v1/silences: `id` says which, see silences.c */
    HTTP_SILENCE_PUT,    /* POST /api/v1/silences: `silence` */
    HTTP_SILENCE_SHOW,   /* GET /api/v1/silences/ID: `name` */
    HTTP_SILENCE_EXPIRE, /* DELETE /api/v1/silences/ID: `name` */
    HTTP_OUTBOX_LIST,    /* GET /api/v1/notifications: those that `outbox` wants */
    HTTP_OUTBOX_SHOW,    /* GET /api/v1/notifications/ID: `id` */
    HTTP_OUTBOX_RETRY,   /* POST /api/v1/notifications/ID/retry */
    HTTP_OUTBOX_DROP,    /* POST /api/v1/notifications/ID/drop */
    HTTP_OUTBOX_REVIVE,  /* POST /api/v1/notifications/retry: the dead ones that `outbox` wants */
    HTTP_SINKS_LIST,     /* GET /api/v1/sinks */
    HTTP_SINK_RESUME,    /* POST /api/v1/sinks/NAME/resume: `name` */
    /* ... as Alertmanager answers: those that `v2_filter` wants, where there is something to want
     */
    HTTP_V2_ALERTS,         /* GET /api/v2/alerts */
    HTTP_V2_GROUPS,         /* GET /api/v2/alerts/groups */
    HTTP_V2_RECEIVERS,      /* GET /api/v2/receivers */
    HTTP_V2_STATUS,         /* GET /api/v2/status */
    HTTP_V2_SILENCES,       /* GET /api/v2/silences */
    HTTP_V2_SILENCE_PUT,    /* POST /api/v2/silences: `silence` */
    HTTP_V2_SILENCE_SHOW,   /* GET /api/v2/silence/ID: `name` */
    HTTP_V2_SILENCE_EXPIRE, /* DELETE /api/v2/silence/ID: `name` */
    /* the thread of rules */
    HTTP_RULES_LIST, /* GET /api/v1/rules */
    HTTP_RULES_EVAL, /* GET /api/v1/rules/eval: `text` */
    /* ... and a sink */
    HTTP_SINK_TEST, /* POST /api/v1/sinks/NAME/test: may take as long as the sink does */
};

struct http_question {
    enum http_what what;
    uint64_t ticket;
    struct alerts_in *alerts;      /* owned */
    struct alerts_filter *filter;  /* owned */
    struct v2_filter *v2_filter;   /* owned */
    struct v2_silence_in *silence; /* owned */
    struct http_outbox_filter {
        char sink[LIMIT_NAME_BYTES + 1]; /* "": any */
        int state;                       /* of enum outbox_state; -1: any */
        int64_t before;
        size_t limit;
    } outbox;
    struct http_ack {
        char by[LIMIT_ACK_BY_BYTES + 1];
        char comment[LIMIT_ACK_COMMENT_BYTES + 1];
        bool unfit; /* of a form: a field was too long or no text; the page says so */
    } * ack;        /* owned; NULL: none */
    int64_t id;
    char name[LIMIT_NAME_BYTES + 1];
    char *text; /* owned; NULL: none */
};

/* Called on the server's thread.  All must return at once and may be called from http_create() on.
 */
struct http_hooks {
    void *agent;
    /* Whether /api/health/ready says so; if not, appends the reason, a sentence for people. */
    bool (*ready)(void *agent, struct buf *reason);
    /* Whether the agent's loops still turn (heartbeats); if not, appends which one hangs. */
    bool (*alive)(void *agent, struct buf *reason);
    /* Passes a question on to the thread that knows, which answers by http_answer() or
     * http_answer_text(), once, soon.  Takes what the question owns, and copies the rest.  -errno:
     * nothing was taken and it cannot be asked now; the client is told 503 (-ENOSYS: 501). */
    int (*ask)(void *agent, struct http_question *question);
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
    const char *external_url; /* where people reach us: its host is one more such name; NULL */
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
/* The same with a document that is text already (takes it), and Retry-After in seconds (0: none).
 */
void http_answer_text(struct http *http, uint64_t ticket, unsigned status, char *text, size_t len,
                      unsigned retry_after);
/* The same with a page in HTML that may send a form to where it came from. */
void http_answer_page(struct http *http, uint64_t ticket, unsigned status, char *text, size_t len);

/* The port of the i-th listener; 0 for a Unix socket or when there is none.  Agent's thread. */
unsigned http_port(const struct http *http, size_t i);

#endif
