/*
 * server.h: what the files of the room http share.  Not for other rooms: they include http/http.h.
 *
 * An address of the configuration is a listener; it holds the listening socket for as long as the
 * address stays configured.  A gate is one libmicrohttpd daemon on that socket.  A renewed
 * certificate opens a new gate on the same socket; the old one takes no more connections and goes
 * when its last one has ended.  A client is one connection through a gate.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>

#include "base/limits.h"

#include "base/loop.h"
#include "http/http.h"
#include "http/listen.h"
#include "http/router.h"
#include "store/spans.h"

#define ASK_SLOT_BITS 9 /* of a ticket; the rest is a number that does not come again */
#define ASK_SLOTS (1u << ASK_SLOT_BITS)
_Static_assert(LIMIT_SERVER_ASKS + LIMIT_SERVER_WRITES + LIMIT_SERVER_TESTS <= ASK_SLOTS,
               "every question has a slot");

/* Questions of one kind have their own cap, so that none is kept out by another. */
enum ask_kind { ASK_MAIN, ASK_WRITE, ASK_TEST, ASK_KINDS };

/* -- clients (clients.c) -- */

enum client_phase {
    CLIENT_RECEIVING, /* waits for a request, or for the rest of one */
    CLIENT_ASKING,    /* suspended, the agent was asked */
    CLIENT_TESTING, /* the same, but the answer is somebody's on the network: it may take longer */
    CLIENT_ANSWERING, /* its answer is on the way */
    CLIENT_PHASES
};

/* Clients in one phase.  All waited equally long, so the list is in order of deadlines. */
struct client_list {
    struct client *first, *last;
    unsigned count;
    int64_t patience_ns;
};

/* A request that is answered with an error, which is known before its body came.  Constants. */
struct refusal {
    unsigned status; /* 0: it is not refused */
    const char *error;
    const char *hint; /* NULL: none */
};

struct body {
    uint64_t seen; /* bytes that came */
    size_t limit;
    bool wanted;      /* they are kept, in `bytes` */
    unsigned refusal; /* why they are not: 413, 503; 0 */
    size_t charged;   /* of http->body_bytes */
    struct buf bytes;
};

struct client {
    struct client *prev, *next; /* in the list of its phase */
    enum client_phase phase;
    bool cut;      /* shut down; in no list any more */
    bool loopback; /* the other end is on this machine, by TCP */
    bool stranger; /* of another user, on a Unix socket */
    int fd;
    int64_t deadline;
    struct gate *gate;
    struct MHD_Connection *connection;
    struct in6_addr ip; /* IPv4 mapped; all zero for a Unix socket */

    /* of the request under way */
    const struct http_route *route; /* NULL: none was found, or not looked for */
    enum http_method method;
    char parameter[ROUTE_PARAMETER_SIZE];
    struct refusal refusal;
    struct body body;
    enum ask_kind kind;
    uint64_t ticket;
    bool asked;
    struct reply *reply; /* owned; asked and still NULL when it is served again: there was none */
};

struct clients {
    struct client_list lists[CLIENT_PHASES];
    unsigned count; /* those that are cut but not closed yet included */
    unsigned max;
    struct loop_timer timer; /* armed only while there are clients */
    int64_t armed_at;        /* INT64_MAX: it is not */
};

void clients_init(struct http *http, const struct http_bounds *bounds);
/* Whether a new connection may come in; makes room if the house is full. */
bool clients_admit(struct http *http, const struct sockaddr *address);
/* -ENOMEM. */
int clients_open(struct gate *gate, struct MHD_Connection *connection, struct client **ret_client);
void clients_close(struct client *client);
void clients_enter(struct client *client, enum client_phase phase);
/* Gives back what is kept of requests, other than `but`, whose clients have hung up. */
void clients_drop_hung_up(struct http *http, const struct client *but);

/* -- gates and listeners (gate.c, server.c) -- */

struct gate {
    struct gate *next;
    struct http *http;
    struct MHD_Daemon *daemon;
    struct loop_fd watch;
    struct loop_timer again; /* the daemon has work left after its turn */
    unsigned clients;
    bool tls;
    bool unix_socket;
    bool retired;
    char *host; /* of the address: one more name that Host may carry; NULL for a Unix socket */
};

struct listener {
    struct listen_address address;
    struct listen_socket sock;
    struct gate *gate; /* the one that takes new connections */
    bool opened;       /* by the change under way */
};

/* The part of the options that a reload replaces.  Read by the server's thread, swapped on it. */
struct http_config {
    char **hosts;
    size_t nhosts;
    char *write_token;
};

/* A document made once and sent many times (shared.c), with and without TLS's headers. */
struct shared {
    struct MHD_Response *response[2]; /* both or neither */
    unsigned status;
    int64_t made_ns;
    int64_t cost_ns; /* CPU time that it took */
    int64_t cpu_at_start_ns;
    uint64_t generation; /* of what it tells */
};

struct counters;

struct asks {
    unsigned count[ASK_KINDS], max[ASK_KINDS];
    unsigned nfree;
    uint16_t free[ASK_SLOTS];
    struct client *waiting[ASK_SLOTS];
    uint64_t serial;
};

struct http {
    struct loop *loop;
    pthread_t thread;
    bool running;
    struct http_hooks hooks;
    struct store *store;
    struct verdicts *verdicts;
    char *version;
    int64_t started_ns;

    /* the agent's thread */
    struct listener *listeners;
    size_t nlisteners;

    /* the server's thread */
    struct gate *gates;
    struct clients clients;
    struct http_config config;
    struct counters *counters;
    struct shared health, ready, live, checks;
    struct asks asks;
    size_t body_bytes;      /* of all bodies that are kept */
    struct span_list spans; /* of the last scrape, for the next one (metrics.c) */
    unsigned wholes;        /* scrapes that were rendered before they are sent */

    /* any thread, under the lock */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* `pending` was taken over */
    struct change *pending; /* a reload that waits for the server's thread */
    struct reply *replies, **replies_end;
};

/* Opens a gate on (a duplicate of) the listener's socket.  `certificate` and `key` are the PEM
 * texts, or NULL. The agent's thread; nothing is accepted until gate_start().  -errno with `why`.
 */
int gate_create(struct http *http, const struct listener *listener, const char *certificate,
                const char *key, struct buf *why, struct gate **ret_gate);
/* Server's thread, or when it does not run.  gate_destroy() ends its connections; takes NULL. */
int gate_start(struct gate *gate);
void gate_retire(struct gate *gate);
void gate_destroy(struct gate *gate);
/* Ends retired gates that have no clients left. */
void gates_reap(struct http *http);
/* Lets the gate's daemon work soon. */
void gate_poke(struct gate *gate);

/* -- requests (request.c) -- */

struct request {
    struct http *http;
    struct client *client;
    struct MHD_Connection *connection;
    const struct http_route *route;
    enum http_method method;
    const char *path, *method_name; /* as they came */
};

/* libmicrohttpd's handler; cls is the gate. */
enum MHD_Result request_serve(void *cls, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request_cls);
const char *request_header(const struct request *request, const char *name);

/* Whether it is one of Alertmanager's API, which is answered as that does. */
bool request_is_v2(const struct request *request);

/* -- bodies (body.c) -- */

void body_begin(struct client *client, size_t limit, bool wanted);
/* A piece came.  -EMSGSIZE: it has no end. */
int body_take(struct client *client, const char *data, size_t len);
/* Keeps none of it any more. */
void body_drop(struct client *client);
void body_finish(struct client *client);

/* The table of all paths (routes.c). */
extern const struct http_route http_routes[];
extern const size_t http_nroutes;

/* -- answers (answer.c) -- */

/* Adds what every answer carries: the security headers, and with TLS HSTS. */
void answer_headers(struct MHD_Response *response, bool tls);
/* Sends; takes the response (NULL: -ENOMEM).  0 or -errno. */
int answer_send(struct request *request, unsigned status, struct MHD_Response *response);
/* A JSON document; takes it. */
int answer_json(struct request *request, unsigned status, json_t *document);
/* {"error": ..., "hint": ...}; hint may be NULL. */
int answer_error(struct request *request, unsigned status, const char *error, const char *hint);
/* 400 about a body: which field ("": the whole), and where (line 0: not in one place). */
int answer_bad_body(struct request *request, const char *error, const char *field, size_t line,
                    size_t column, const char *hint);
/* The same with Retry-After. */
int answer_later(struct request *request, unsigned status, const char *error, const char *hint,
                 unsigned seconds);
/* JSON that is text already; takes it (free).  retry_after 0: without it. */
int answer_text(struct request *request, unsigned status, char *text, size_t len,
                unsigned retry_after);
/* A page in HTML, which may send a form here; takes it (free). */
int answer_page(struct request *request, unsigned status, char *text, size_t len);
/* A text that stays (a constant), with its type; nothing (204) if NULL. */
int answer_constant(struct request *request, const char *type, const char *text);
/* What went wrong with a request of /api/v2, as Alertmanager says it.  NULL: out of memory. */
struct MHD_Response *v2_refusal(const struct request *request, unsigned status, const char *error,
                                const char *hint);
struct MHD_Response *answer_json_response(const json_t *document);
/* Queues a response that has all its headers; the caller keeps his reference. */
int answer_queue(struct request *request, unsigned status, struct MHD_Response *response);

/* -- shared documents (shared.c) -- */

/* Whether it should be made anew, which then has begun: for its cost the time counts from here. */
bool shared_due(struct shared *shared, int64_t now_ns, uint64_t generation);
/* Puts a new document into it; takes it (NULL: out of memory).  -ENOMEM: it is as it was, and may
 * be empty. */
int shared_set(struct shared *shared, int64_t now_ns, uint64_t generation, unsigned status,
               json_t *document);
int shared_answer(struct request *request, const struct shared *shared);
void shared_finish(struct shared *shared);

/* -- counting (counters.c) -- */

int counters_create(struct store *store, struct counters **ret_counters);
void counters_destroy(struct counters *counters); /* takes NULL */
/* One answer: of a route (NULL: none was found or reached), with this status. */
void counters_answer(struct counters *counters, const struct http_route *route, unsigned status);
void counters_clients(struct counters *counters, unsigned count);
enum counters_cut { CUT_DEADLINE, CUT_MAKE_ROOM, CUT_REFUSED, CUT_BODY, CUT_HUNG_UP, CUTS };
void counters_cut(struct counters *counters, enum counters_cut why);
/* Alerts with mistakes. */
void counters_rejected(struct counters *counters, size_t n);

/* -- the families of paths -- */

int health_answer(struct request *request);
int ready_answer(struct request *request);
int live_answer(struct request *request);
int metrics_answer(struct request *request);
int status_answer(struct request *request);
int checks_answer(struct request *request);
int plugins_answer(struct request *request);
int plugin_retry_answer(struct request *request);
int reload_answer(struct request *request);
int alerts_handle(struct request *request);
int alert_ack_handle(struct request *request);
int alert_unack_handle(struct request *request);
int ack_page_handle(struct request *request);
int notifications_handle(struct request *request);
int notifications_retry_handle(struct request *request);
int notification_handle(struct request *request);
int notification_retry_handle(struct request *request);
int notification_drop_handle(struct request *request);
int sinks_handle(struct request *request);
/* rules.c */
int rules_handle(struct request *request);
int rules_eval_handle(struct request *request);
/* silences.c */
int silences_handle(struct request *request);
int silence_handle(struct request *request);
/* v2.c */
int v2_alerts_handle(struct request *request);
int v2_groups_handle(struct request *request);
int v2_status_handle(struct request *request);
int v2_receivers_handle(struct request *request);
int v2_silences_handle(struct request *request);
int v2_silence_handle(struct request *request);
int v2_healthy_handle(struct request *request);
int v2_ready_handle(struct request *request);
int sink_test_handle(struct request *request);
int sink_resume_handle(struct request *request);
/* runbooks.c */
int runbooks_answer(struct request *request);
int runbook_answer(struct request *request);
int index_answer(struct request *request);
int favicon_answer(struct request *request);

/* -- questions to the agent (ask.c) -- */

/* Caps for a house of so many connections. */
void ask_init(struct http *http, unsigned connections);
/* Asks and suspends, or answers that it cannot be asked now.  Takes what the question owns. */
int ask_agent(struct request *request, struct http_question *question);
/* The request is served again: the agent has answered, or the deadline passed. */
int ask_answer(struct request *request);
/* The deadline of an asking client passed. */
void ask_expire(struct client *client);
/* Forgets what was asked and answered for the request of a client. */
void ask_forget(struct client *client);
/* For destroying: drops the replies nobody took. */
void ask_finish(struct http *http);

#endif
