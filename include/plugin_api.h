/*
 * plugin_api.h: everything a toiletmon plugin needs, and all that it may include of ours.
 *
 * A plugin is a shared object with one exported function, which TMON_PLUGIN() writes.  That
 * function returns a constant manifest: what the plugin is called and which components it declares.
 * A component is a table of callbacks, its abilities.  The agent's services reach a callback
 * through the tmon_call it is handed, so a plugin links with no library of ours and builds from
 * this one file, in C11 or C++17.
 *
 * Where it runs.  In a worker, a process of the instance's own: no environment, no descriptors but
 * its own, no child processes (unless the component says TMON_SPAWNS), limits on memory,
 * descriptors and CPU.  A crash, a hang or a leak there costs that instance and nothing else.
 *
 * Ownership.  What a callback is handed is borrowed: valid until the callback returns.  What a
 * callback hands over is copied before the service returns.  Neither side frees the other's memory.
 * The one thing that lives longer is the tmon_config given to create(): it and its strings stay
 * valid until destroy() has returned.
 *
 * Threads.  Callbacks of one instance never overlap.  Two instances of one component may run at the
 * same time (in two workers), so keep state in `self`, not in file-scope variables.  A tmon_call
 * may be used only on the thread that received it and only until the callback returns.
 *
 * Time.  Every call has a deadline; hand tmon_remaining_ms() to whatever blocks.  A check that
 * overstays is reported as failed at the deadline, and its worker is killed when a grace period has
 * passed too.
 *
 * Errors.  A callback returns a tmon_rc and explains itself with tmon_report() or tmon_log().  It
 * does not exit, abort or touch signal handlers.  The agent counts failures, backs off and says so.
 *
 * Text is UTF-8.  Times are in the unit that the name ends with (_ms, _us); a point in time is
 * counted from the Unix epoch.  Sizes are in bytes.
 *
 * Versions.  A plugin is loaded when its major version is the agent's and its minor version is not
 * above the agent's.  Structs that start with `size` may get new members at their end; structs
 * called "frozen" never change; numbers of an enum are never given a second meaning.  While the
 * major version is 0 the contract may still change with each minor version; that is told in
 * CHANGELOG.md.
 */
#ifndef TOILETMON_PLUGIN_API_H
#define TOILETMON_PLUGIN_API_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define TMON_API_MAJOR 0
#define TMON_API_MINOR 3

#ifdef __cplusplus
extern "C" {
#endif

struct tmon_host;
struct tmon_config; /* the validated settings of one instance, one group of them, or action
                       parameters */

/* One running call.  Frozen. */
struct tmon_call {
    const struct tmon_host *host;
};

/* How a callback or a service went.  Integers of fixed width stand in for enums in every struct and
 * signature, because a compiler is free to choose the width of an enum. */
typedef int32_t tmon_rc;
enum {
    TMON_OK = 0,
    TMON_RETRY = 1,      /* failed, the far end did nothing; trying again may help */
    TMON_AMBIGUOUS = 2,  /* failed, and the far end may have acted all the same */
    TMON_REJECTED = 3,   /* failed, and would fail again: do not try again */
    TMON_MISS = 4,       /* cache: there is no such key */
    TMON_TIMEOUT = 5,    /* the deadline passed while you waited for the far end */
    TMON_UNSUPPORTED = 6 /* this agent does not offer that service (yet) */
};

typedef int32_t tmon_level;
enum { TMON_DEBUG = 0, TMON_INFO = 1, TMON_WARNING = 2, TMON_ERROR = 3 };

typedef int32_t tmon_verdict;
enum { TMON_PASS = 0, TMON_WARN = 1, TMON_FAIL = 2 };

typedef int32_t tmon_severity;
enum { TMON_SEVERITY_INFO = 0, TMON_SEVERITY_WARNING = 1, TMON_SEVERITY_CRITICAL = 2 };

/* A span of bytes; may hold anything, NULs too.  Frozen. */
struct tmon_bytes {
    const void *data;
    size_t len;
};

/* A label, an annotation, a header, an entry of a map.  Frozen. */
struct tmon_pair {
    const char *key;
    const char *value;
};

/* ------------------------------------------------------------------------------------------------
 * Settings
 *
 * A component declares its settings, and with that gets, without code of its own: errors with file,
 * line and column before create() is called, "did you mean", defaults, ${VARIABLES}, secrets read
 * from files and kept out of every log and answer, and a reference printed by `toiletmon plugin
 * describe`.
 */
typedef int32_t tmon_type;
enum {
    TMON_STRING = 1,
    TMON_INT = 2,
    TMON_FLOAT = 3,
    TMON_BOOL = 4,
    TMON_DURATION = 5, /* written 500ms, 30s, 5m, 2h, 1d; read as an integer of milliseconds */
    TMON_BYTES = 6,    /* written 64KiB, 10MB, 4096; read as an integer of bytes */
    TMON_CHOICE = 7,   /* one of `choices`; read as a string */
    TMON_URL = 8,      /* http:// or https://; its host is one that tmon_http() may speak to */
    TMON_LIST = 9,     /* of strings */
    TMON_MAP = 10,     /* string to string */
    TMON_GROUPS = 11   /* a list of groups, each with the settings in `group` */
};

enum {
    TMON_REQUIRED = 1u << 0, /* no default: the operator has to write it */
    TMON_SECRET = 1u << 1    /* never shown; may be read from a file (`file:/path`) */
};

/* One setting.  An array of them ends with one whose name is NULL.  Frozen. */
struct tmon_option {
    const char *name; /* [a-z][a-z0-9_]*; the names that the core takes itself are refused */
    tmon_type type;
    uint32_t flags;
    const char *fallback; /* the default, as the operator would write it; NULL: unset (string "",
                             number 0) */
    double min, max;      /* of numbers, durations (ms) and sizes; both 0: any value */
    const char *choices;  /* TMON_CHOICE: "left|right"; else NULL */
    const char *help;     /* one sentence for the operator; gives the unit where there is one */
    const struct tmon_option *group; /* TMON_GROUPS: the settings of one group; else NULL */
};

/* ------------------------------------------------------------------------------------------------
 * Metrics
 */
typedef int32_t tmon_metric_kind;
enum { TMON_UNTYPED = 0, TMON_GAUGE = 1, TMON_COUNTER = 2, TMON_HISTOGRAM = 3, TMON_SUMMARY = 4 };

/* One sample of one series.  Names and units follow Prometheus: base units (seconds, bytes),
 * counters end in _total. */
struct tmon_metric {
    uint32_t size;
    tmon_metric_kind kind;
    const char *name; /* [a-zA-Z_:][a-zA-Z0-9_:]*; of a histogram without _bucket, _sum, _count */
    const char *help; /* of the family, may be NULL; the first that is given stays */
    double value;     /* of histograms and summaries: the sum of all observations */
    const struct tmon_pair *labels; /* keys [a-zA-Z_][a-zA-Z0-9_]*, not starting with __ */
    size_t nlabels;
    const double
        *bounds; /* histogram: upper bounds, ascending, without +Inf; summary: quantiles 0..1 */
    const double
        *points; /* histogram: cumulative counts for `bounds`; summary: the quantiles' values */
    size_t npoints;
    uint64_t count;  /* histogram, summary: how many observations */
    int64_t time_ms; /* Unix time of the sample; 0: now (what nearly every collector wants) */
};

/* ------------------------------------------------------------------------------------------------
 * Alerts and notifications
 */
struct tmon_alert {
    uint32_t size;
    tmon_severity severity;
    bool firing; /* false: resolved */
    const char
        *key; /* names the episode: the same from its firing to its resolve, and unlike any other */
    const char *name;
    const char *summary;
    const char *description;
    const struct tmon_pair *labels;
    size_t nlabels;
    const struct tmon_pair *annotations;
    size_t nannotations;
    int64_t starts_ms; /* Unix time */
    int64_t ends_ms;   /* Unix time; 0 while it fires */
    /* since 0.2 */
    const char *fingerprint;   /* of the labels, 16 hex digits, as Alertmanager computes it */
    const char *generator_url; /* where it was made, for people to follow; "" when not known */
    /* since 0.3 */
    const char *ack_url;  /* a page where people acknowledge it, good for some days; NULL: none.  It
                             is a key to that alert: for those who are told, never for a log */
    const char *acked_by; /* not NULL: this tells that somebody sees to the alert, which was told
                             before, and who ("": he did not say); see TMON_WANTS_ACKS */
};

/* What a sink delivers: alerts of one group, or (nalerts 0) a message such as an e-mail. */
struct tmon_notification {
    uint32_t size;
    uint32_t attempt; /* 1 for the first */
    const char *id;   /* the same for each attempt: an idempotency key */
    bool resolved;    /* every alert in it is resolved */
    const struct tmon_alert *const *alerts;
    size_t nalerts;
    size_t ntruncated;             /* how many more the group holds than are given here */
    const struct tmon_pair *group; /* the labels that the alerts were grouped by */
    size_t ngroup;
    const char *group_key;
    const char *receiver;     /* the name of this instance */
    const char *external_url; /* where people reach the agent; "" when not set */
    const char *title;        /* rendered, one line */
    const char *text;         /* rendered, plain */
    const char *html;         /* rendered, only for components with TMON_WANTS_HTML; else NULL */
    const struct tmon_pair *headers; /* of a message: to, cc, reply_to */
    size_t nheaders;
};

/* ------------------------------------------------------------------------------------------------
 * HTTP
 */
struct tmon_request {
    uint32_t size;
    const char *method; /* NULL: GET */
    const char *url;
    const struct tmon_pair *headers;
    size_t nheaders;
    struct tmon_bytes body;
    int32_t max_redirects; /* 0: a redirect is the answer; only the same host is followed */
    bool insecure; /* do not verify the certificate: only where an operator's setting says so */
};

struct tmon_response {
    uint32_t size;
    int32_t status;                  /* 0: there was no answer, see `error` */
    int64_t retry_after_ms;          /* from Retry-After in either form; -1: not given */
    struct tmon_bytes body;          /* cut at a limit of the agent's */
    bool truncated;                  /* the body was longer than what is here */
    const struct tmon_pair *headers; /* keys in lower case */
    size_t nheaders;
    const char *error;    /* why there was no answer; "" else */
    int32_t error_phase;  /* one of TMON_PHASE_..., where it failed */
    int32_t http_version; /* 10, 11, 20 */
    int32_t redirects;    /* how many were followed */
    int64_t resolve_us;   /* durations of the phases, not sums */
    int64_t connect_us;
    int64_t tls_us;
    int64_t first_byte_us; /* from the request's last byte to the answer's first */
    int64_t total_us;
    int64_t certificate_expires_ms; /* Unix time, the earliest of the chain; 0: no TLS */
};
enum {
    TMON_PHASE_NONE = 0,
    TMON_PHASE_RESOLVE = 1,
    TMON_PHASE_CONNECT = 2,
    TMON_PHASE_TLS = 3,
    TMON_PHASE_ANSWER = 4,
    TMON_PHASE_REFUSED =
        5 /* the agent refused: a host that is in no URL setting, a forbidden redirect */
};

/* ------------------------------------------------------------------------------------------------
 * Components: what a plugin provides
 */
enum {
    TMON_WANTS_HTML = 1u << 0,   /* sink: render the HTML part too */
    TMON_SPAWNS = 1u << 1,       /* the component starts processes */
    TMON_CHANGES_DATA = 1u << 2, /* action: without dry_run it changes something */
    TMON_CLUSTER_ONCE = 1u << 3, /* action: only one agent of a cluster may run it at a time */
    TMON_ONE_ALERT = 1u << 4,    /* sink: one alert a notification, in order per episode */
    TMON_2XX_IS_YES = 1u << 5,   /* sink: a 2xx is delivered; judge() is asked of other answers only
                                    (since 0.2) */
    TMON_CREATE_CHECKS =
        1u << 6, /* create() only looks at its settings, at once and without effect: `toiletmon
                   check`, a start and a reload call it before anything is put in force, and refuse
                   the configuration with what it says (since 0.3) */
    TMON_WANTS_ACKS =
        1u << 7 /* sink, with TMON_ONE_ALERT: of what it was told it is told once that somebody has
                   acknowledged it, after the firing and before the end (since 0.3) */
};

/* A store of values by key.  get_many() answers with tmon_value(), in the order of the keys. */
struct tmon_cache_ops {
    uint32_t size;
    tmon_rc (*get_many)(struct tmon_call *call, void *self, const char *const *keys, size_t nkeys);
    tmon_rc (*put)(struct tmon_call *call, void *self, const char *key, struct tmon_bytes value,
                   int64_t ttl_ms);
    tmon_rc (*remove)(struct tmon_call *call, void *self, const char *key);
    tmon_rc (*invalidate)(struct tmon_call *call, void *self, const char *prefix);
};

/* The right to do cluster-once work.  The fence grows with every new holder. */
struct tmon_lease_ops {
    uint32_t size;
    tmon_rc (*acquire)(struct tmon_call *call, void *self, const char *name, int64_t ttl_ms,
                       uint64_t *ret_fence);
    tmon_rc (*renew)(struct tmon_call *call, void *self, const char *name, uint64_t fence,
                     int64_t ttl_ms);
    tmon_rc (*release)(struct tmon_call *call, void *self, const char *name, uint64_t fence);
};

/* An operation with a name and declared parameters.  run() may read a body with tmon_read(), write
 * a result with tmon_write() and report how far it is; when the time is up it returns TMON_TIMEOUT,
 * leaving things so that it can be run again.  With dry_run it changes nothing and tells what it
 * would change. */
struct tmon_action {
    uint32_t size;
    uint32_t flags;
    const char *name;
    const char *summary;
    const struct tmon_option *params; /* NULL: none */
    tmon_rc (*run)(struct tmon_call *call, void *self, const struct tmon_config *params,
                   bool dry_run);
};

struct tmon_component {
    uint32_t size;
    uint32_t flags;
    const char *name;                  /* the word after `use:`; [a-z][a-z0-9_]* */
    const char *summary;               /* one line */
    const struct tmon_option *options; /* NULL: it has no settings */
    size_t state_size;                 /* how many zeroed bytes `self` points to; 0: self is NULL */

    /* Called once before anything else; may be NULL.  When it fails the instance is degraded and
     * create() is tried again, in a new worker, after a pause. */
    tmon_rc (*create)(struct tmon_call *call, void *self, const struct tmon_config *config);
    /* Called once at the end, also after a create() that failed; may be NULL. */
    void (*destroy)(struct tmon_call *call, void *self);

    /* The abilities: those that are set. */
    tmon_rc (*check)(struct tmon_call *call, void *self); /* reports with tmon_report() */
    tmon_rc (*collect)(struct tmon_call *call,
                       void *self); /* emits metrics, kept if it returns TMON_OK */
    tmon_rc (*watch)(struct tmon_call *call, void *self, const char *cursor);
    /* A sink over HTTP is two functions without side effects: what to send, and what the answer
     * means. Without judge(), 2xx is delivered, 408, 429 and 5xx are tried again, the rest is
     * rejected. */
    tmon_rc (*format)(struct tmon_call *call, void *self,
                      const struct tmon_notification *notification,
                      struct tmon_request *ret_request);
    tmon_rc (*judge)(struct tmon_call *call, void *self, const struct tmon_response *response);
    /* Any other sink does it all itself, blocking until the deadline at most. */
    tmon_rc (*deliver)(struct tmon_call *call, void *self,
                       const struct tmon_notification *notification);
    const struct tmon_action *const *actions; /* ends with NULL; NULL: none */
    const struct tmon_cache_ops *cache;
    const struct tmon_lease_ops *lease;
};

struct tmon_plugin {
    uint32_t size;
    uint16_t api_major;
    uint16_t api_minor;
    const char *name;
    const char *version;
    const char *license;                            /* an SPDX identifier */
    const struct tmon_component *const *components; /* ends with NULL */
};

/* The exported function.  It is called once, must not block, and returns constant data. */
__attribute__((visibility("default"))) const struct tmon_plugin *toiletmon_plugin(void);

/* Writes toiletmon_plugin().  COMPONENTS is an array of component pointers that ends with NULL. */
#define TMON_PLUGIN(NAME, VERSION, LICENSE, COMPONENTS)                                            \
    const struct tmon_plugin *toiletmon_plugin(void)                                               \
    {                                                                                              \
        static const struct tmon_plugin manifest = {                                               \
            (uint32_t)sizeof(struct tmon_plugin),                                                  \
            TMON_API_MAJOR,                                                                        \
            TMON_API_MINOR,                                                                        \
            NAME,                                                                                  \
            VERSION,                                                                               \
            LICENSE,                                                                               \
            COMPONENTS,                                                                            \
        };                                                                                         \
        return &manifest;                                                                          \
    }

/* ------------------------------------------------------------------------------------------------
 * The agent's services.  Plugins use the functions below this table, which also know what to do
 * when an older agent has a shorter table.
 */
struct tmon_host {
    uint32_t size;
    uint16_t api_major;
    uint16_t api_minor;
    const char *(*instance)(struct tmon_call *call);
    int64_t (*remaining_ms)(struct tmon_call *call);
    void (*log)(struct tmon_call *call, tmon_level level, const char *text);

    void (*report)(struct tmon_call *call, const char *subject, tmon_verdict verdict,
                   const char *text);
    void (*detail_number)(struct tmon_call *call, const char *key, double value);
    void (*detail_text)(struct tmon_call *call, const char *key, const char *text);
    void (*detail_item)(struct tmon_call *call, const char *key, const char *text);
    void (*emit)(struct tmon_call *call, const struct tmon_metric *metric);

    tmon_rc (*http)(struct tmon_call *call, const struct tmon_request *request,
                    const struct tmon_response **ret_response);
    const char *(*json)(struct tmon_call *call, const struct tmon_pair *pairs, size_t npairs);
    void (*retry_after)(struct tmon_call *call, int64_t ms);

    int64_t (*read)(struct tmon_call *call, void *buffer, size_t size);
    tmon_rc (*write)(struct tmon_call *call, struct tmon_bytes bytes);
    void (*progress)(struct tmon_call *call, uint64_t done, uint64_t total);

    tmon_rc (*event)(struct tmon_call *call, const char *id, struct tmon_bytes payload,
                     const char *cursor);
    tmon_rc (*message)(struct tmon_call *call, const char *mail_template, const char *key,
                       const struct tmon_pair *values, size_t nvalues);
    tmon_rc (*cache_get)(struct tmon_call *call, const char *key, struct tmon_bytes *ret_value);
    tmon_rc (*cache_put)(struct tmon_call *call, const char *key, struct tmon_bytes value,
                         int64_t ttl_ms);
    void (*value)(struct tmon_call *call, bool found, struct tmon_bytes value);

    bool (*config_has)(const struct tmon_config *config, const char *name);
    const char *(*config_string)(const struct tmon_config *config, const char *name);
    int64_t (*config_int)(const struct tmon_config *config, const char *name);
    double (*config_float)(const struct tmon_config *config, const char *name);
    size_t (*config_count)(const struct tmon_config *config, const char *name);
    const char *(*config_item)(const struct tmon_config *config, const char *name, size_t i);
    struct tmon_pair (*config_pair)(const struct tmon_config *config, const char *name, size_t i);
    const struct tmon_config *(*config_group)(const struct tmon_config *config, const char *name,
                                              size_t i);
};

#ifdef __cplusplus
}
#endif

/* ---- Any call ----------------------------------------------------------------------------------
 */

/* The instance's name, as the operator wrote it. */
static inline const char *tmon_instance(struct tmon_call *call)
{
    return call->host->instance(call);
}

/* Milliseconds until the deadline; 0 once it has passed or the agent is stopping. */
static inline int64_t tmon_remaining_ms(struct tmon_call *call)
{
    return call->host->remaining_ms(call);
}

/* A line in the agent's log, with the instance's name; cut at 1023 bytes, limited in rate.
 * Formatted here, so that no va_list crosses the boundary. */
__attribute__((format(printf, 3, 4))) static inline void
tmon_log(struct tmon_call *call, tmon_level level, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    call->host->log(call, level, text);
}

/* ---- Check -------------------------------------------------------------------------------------
 */

/* A verdict on one subject (a mount point, a host name) or, with NULL, on the whole.  A check's
 * verdict is the worst of what it reports; a check that returns TMON_OK without a report has
 * passed, and one that returns anything else has failed.  `text` says what is wrong, for people;
 * NULL where it passes. */
static inline void tmon_report(struct tmon_call *call, const char *subject, tmon_verdict verdict,
                               const char *text)
{
    call->host->report(call, subject, verdict, text);
}

/* A number behind the verdict.  A dot nests it in the health answer: "usage.percentage" becomes
 * {"usage": {"percentage": 65}}.  The same key again replaces it. */
static inline void tmon_detail(struct tmon_call *call, const char *key, double value)
{
    call->host->detail_number(call, key, value);
}

/* A text behind the verdict. */
static inline void tmon_detail_text(struct tmon_call *call, const char *key, const char *text)
{
    call->host->detail_text(call, key, text);
}

/* One more text in the list under this key: "missing" becomes {"missing": ["A", "B"]}. */
static inline void tmon_detail_item(struct tmon_call *call, const char *key, const char *text)
{
    call->host->detail_item(call, key, text);
}

/* ---- Collect -----------------------------------------------------------------------------------
 */

/* One sample.  A sample with a bad name or label is refused, counted and logged once. */
static inline void tmon_emit(struct tmon_call *call, const struct tmon_metric *metric)
{
    call->host->emit(call, metric);
}

static inline void tmon_emit_simple(struct tmon_call *call, tmon_metric_kind kind, const char *name,
                                    const char *help, double value, const struct tmon_pair *labels,
                                    size_t nlabels)
{
    struct tmon_metric metric;

    memset(&metric, 0, sizeof metric);
    metric.size = (uint32_t)sizeof metric;
    metric.kind = kind;
    metric.name = name;
    metric.help = help;
    metric.value = value;
    metric.labels = labels;
    metric.nlabels = nlabels;
    call->host->emit(call, &metric);
}

static inline void tmon_gauge(struct tmon_call *call, const char *name, const char *help,
                              double value, const struct tmon_pair *labels, size_t nlabels)
{
    tmon_emit_simple(call, TMON_GAUGE, name, help, value, labels, nlabels);
}

static inline void tmon_counter(struct tmon_call *call, const char *name, const char *help,
                                double value, const struct tmon_pair *labels, size_t nlabels)
{
    tmon_emit_simple(call, TMON_COUNTER, name, help, value, labels, nlabels);
}

/* ---- HTTP --------------------------------------------------------------------------------------
 */

/* Sends a request through the agent, blocking until the call's deadline at most.  Only hosts that
 * stand in one of the instance's TMON_URL settings can be reached.  TMON_OK: there is an answer,
 * whatever its status; TMON_RETRY: nothing was sent; TMON_AMBIGUOUS: it may have been;
 * TMON_REJECTED: the agent refused. *ret_response is set in all these cases and borrowed until the
 * callback returns. */
static inline tmon_rc tmon_http(struct tmon_call *call, const struct tmon_request *request,
                                const struct tmon_response **ret_response)
{
    return call->host->http(call, request, ret_response);
}

/* A JSON object of strings, escaped; borrowed until the callback returns. */
static inline const char *tmon_json(struct tmon_call *call, const struct tmon_pair *pairs,
                                    size_t npairs)
{
    return call->host->json(call, pairs, npairs);
}

/* In judge() and deliver(): not before this many milliseconds from now.  With TMON_OK: this one was
 * taken, and the next is not to come before that. */
static inline void tmon_retry_after(struct tmon_call *call, int64_t ms)
{
    call->host->retry_after(call, ms);
}

/* Fills a request for format(): POST a JSON document. */
static inline tmon_rc tmon_json_request(struct tmon_request *ret_request, const char *url,
                                        const char *json)
{
    static const struct tmon_pair type = {"Content-Type", "application/json"};

    ret_request->method = "POST";
    ret_request->url = url;
    ret_request->headers = &type;
    ret_request->nheaders = 1;
    ret_request->body.data = json;
    ret_request->body.len = strlen(json);
    return TMON_OK;
}

/* ---- Actions, watches, caches: declared here, offered by agents of a later part
 * ------------------ */

/* The next bytes of the action's body; 0 at its end, negative when there is none. */
static inline int64_t tmon_read(struct tmon_call *call, void *buffer, size_t size)
{
    return call->host->read(call, buffer, size);
}

/* More bytes of the action's result. */
static inline tmon_rc tmon_write(struct tmon_call *call, const void *data, size_t len)
{
    struct tmon_bytes bytes;

    bytes.data = data;
    bytes.len = len;
    return call->host->write(call, bytes);
}

/* How far an action is; total 0: not known. */
static inline void tmon_progress(struct tmon_call *call, uint64_t done, uint64_t total)
{
    call->host->progress(call, done, total);
}

/* An event of a watch.  Returns when the event and its cursor are durable. */
static inline tmon_rc tmon_event(struct tmon_call *call, const char *id, struct tmon_bytes payload,
                                 const char *cursor)
{
    return call->host->event(call, id, payload, cursor);
}

/* Queues an e-mail made from a template.  The same key again is the same message. */
static inline tmon_rc tmon_message(struct tmon_call *call, const char *mail_template,
                                   const char *key, const struct tmon_pair *values, size_t nvalues)
{
    return call->host->message(call, mail_template, key, values, nvalues);
}

static inline tmon_rc tmon_cache_get(struct tmon_call *call, const char *key,
                                     struct tmon_bytes *ret_value)
{
    return call->host->cache_get(call, key, ret_value);
}

static inline tmon_rc tmon_cache_put(struct tmon_call *call, const char *key,
                                     struct tmon_bytes value, int64_t ttl_ms)
{
    return call->host->cache_put(call, key, value, ttl_ms);
}

/* In get_many(): the answer for the next key. */
static inline void tmon_value(struct tmon_call *call, bool found, struct tmon_bytes value)
{
    call->host->value(call, found, value);
}

/* ---- Settings ----------------------------------------------------------------------------------
 * None of these can fail: the name is declared, its type fits, its value was validated.  Asking for
 * a name that is not declared, or with the wrong type, is a mistake in the plugin and ends its
 * worker with a message that says so. */

/* Whether the operator wrote it or it has a default. */
static inline bool tmon_config_has(struct tmon_call *call, const struct tmon_config *config,
                                   const char *name)
{
    return call->host->config_has(config, name);
}

/* Of STRING, CHOICE and URL; "" when unset, never NULL. */
static inline const char *tmon_config_string(struct tmon_call *call,
                                             const struct tmon_config *config, const char *name)
{
    return call->host->config_string(config, name);
}

/* Of INT, DURATION (ms) and BYTES. */
static inline int64_t tmon_config_int(struct tmon_call *call, const struct tmon_config *config,
                                      const char *name)
{
    return call->host->config_int(config, name);
}

static inline double tmon_config_float(struct tmon_call *call, const struct tmon_config *config,
                                       const char *name)
{
    return call->host->config_float(config, name);
}

static inline bool tmon_config_bool(struct tmon_call *call, const struct tmon_config *config,
                                    const char *name)
{
    return call->host->config_int(config, name) != 0;
}

/* How many entries a LIST, MAP or GROUPS has. */
static inline size_t tmon_config_count(struct tmon_call *call, const struct tmon_config *config,
                                       const char *name)
{
    return call->host->config_count(config, name);
}

static inline const char *tmon_config_item(struct tmon_call *call, const struct tmon_config *config,
                                           const char *name, size_t i)
{
    return call->host->config_item(config, name, i);
}

static inline struct tmon_pair tmon_config_pair(struct tmon_call *call,
                                                const struct tmon_config *config, const char *name,
                                                size_t i)
{
    return call->host->config_pair(config, name, i);
}

static inline const struct tmon_config *tmon_config_group(struct tmon_call *call,
                                                          const struct tmon_config *config,
                                                          const char *name, size_t i)
{
    return call->host->config_group(config, name, i);
}

#endif /* TOILETMON_PLUGIN_API_H */
