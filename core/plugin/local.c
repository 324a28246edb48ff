/*
 * local.c: see local.h.  The thread sleeps on a condition; one flush wakes it for all that was
 * submitted, and what it finished goes back with one post, so that a tick of twenty collectors is
 * two wake-ups and not forty.
 *
 * The host table here encodes samples and verdicts as a worker's does; services that make no sense
 * without leaving the agent are answered with TMON_UNSUPPORTED.
 */
#include "plugin/local.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/utf8.h"
#include "model/sample.h"

#define END_S 1 /* its calls read memory and /proc: microseconds */

struct queue {
    struct local_call *first, *last;
};

struct local {
    struct loop *loop;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct queue submitted;            /* main thread only, until the flush */
    struct queue waiting;              /* under the lock */
    struct queue finished;             /* under the lock */
    bool posted;                       /* under the lock: a post for `finished` is on its way */
    bool stopping;                     /* under the lock */
    bool ended;                        /* under the lock: the thread does nothing more */
    atomic_int_fast64_t running_since; /* ns; 0: nothing runs */
};

/* What stands behind the tmon_call that a callback sees. */
struct running {
    struct tmon_call call; /* first: the callback's pointer is ours */
    struct local_call *local;
    int64_t deadline_ns;
};

static void push(struct queue *queue, struct local_call *call)
{
    call->next = NULL;
    if (queue->last) {
        queue->last->next = call;
    } else {
        queue->first = call;
    }
    queue->last = call;
}

static struct local_call *pop(struct queue *queue)
{
    struct local_call *call = queue->first;

    if (call) {
        queue->first = call->next;
        if (!queue->first) {
            queue->last = NULL;
        }
    }
    return call;
}

/* ---- the host table ---- */

static struct running *running_of(struct tmon_call *call)
{
    return (struct running *)(void *)call;
}

static const char *host_instance(struct tmon_call *call)
{
    return running_of(call)->local->instance;
}

static int64_t host_remaining_ms(struct tmon_call *call)
{
    int64_t left = (running_of(call)->deadline_ns - clock_mono_ns()) / NS_PER_MS;

    return left > 0 ? left : 0;
}

static void set_message(struct local_call *local, const char *text)
{
    utf8_copy(local->message, sizeof local->message, text);
}

/* What a sink of ours logs is the delivery: without a limit on its rate, whatever the log's level.
 */
static void log_delivery(const struct local_call *local, tmon_level level, const char *text)
{
    static const enum log_level levels[] = {LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING,
                                            LOG_LEVEL_ERROR};
    const struct log_field fields[] = {LOG_S("name", local->instance), LOG_S("text", text)};

    log_write(level >= TMON_DEBUG && level <= TMON_ERROR ? levels[level] : LOG_LEVEL_ERROR,
              "notification", fields, 2);
}

static void host_log(struct tmon_call *call, tmon_level level, const char *text)
{
    struct local_call *local = running_of(call)->local;

    /* Errors come out as the call's message; the rest is for those who debug. */
    if (level >= TMON_ERROR) {
        set_message(local, text);
    }
    if (local->operation == LOCAL_DELIVER) {
        log_delivery(local, level, text);
        return;
    }
    log_debug("plugin says", LOG_S("name", local->instance), LOG_S("text", text));
}

static void host_report(struct tmon_call *call, const char *subject, tmon_verdict verdict,
                        const char *text)
{
    if (running_of(call)->local->verdict) {
        verdict_report(running_of(call)->local->verdict, subject, verdict, text);
    }
}

static void host_detail_number(struct tmon_call *call, const char *key, double value)
{
    if (running_of(call)->local->verdict) {
        verdict_detail_number(running_of(call)->local->verdict, key, value);
    }
}

static void host_detail_text(struct tmon_call *call, const char *key, const char *text)
{
    if (running_of(call)->local->verdict) {
        verdict_detail_text(running_of(call)->local->verdict, key, text);
    }
}

static void host_detail_item(struct tmon_call *call, const char *key, const char *text)
{
    if (running_of(call)->local->verdict) {
        verdict_detail_item(running_of(call)->local->verdict, key, text);
    }
}

static void host_emit(struct tmon_call *call, const struct tmon_metric *metric)
{
    struct local_call *local = running_of(call)->local;
    const char *why = "the collection is too large";

    if (local->operation != LOCAL_COLLECT) {
        return;
    }
    if (sample_encode(&local->samples, metric, &why) < 0) {
        if (local->refused == 0) {
            set_message(local, why);
        }
        local->refused++;
    }
}

static tmon_rc host_http(struct tmon_call *call, const struct tmon_request *request,
                         const struct tmon_response **ret_response)
{
    static const struct tmon_response none = {.size = sizeof none,
                                              .error = "no HTTP on the component thread"};

    *ret_response = &none;
    return TMON_UNSUPPORTED;
}

static const char *host_json(struct tmon_call *call, const struct tmon_pair *pairs, size_t npairs)
{
    return "{}";
}

static void host_retry_after(struct tmon_call *call, int64_t ms)
{
    running_of(call)->local->retry_after_ms = ms > 0 ? ms : 0;
}

static int64_t host_read(struct tmon_call *call, void *buffer, size_t size)
{
    return -1;
}

static tmon_rc host_write(struct tmon_call *call, struct tmon_bytes bytes)
{
    return TMON_UNSUPPORTED;
}

static void host_progress(struct tmon_call *call, uint64_t done, uint64_t total)
{
}

static tmon_rc host_event(struct tmon_call *call, const char *id, struct tmon_bytes payload,
                          const char *cursor)
{
    return TMON_UNSUPPORTED;
}

static tmon_rc host_message(struct tmon_call *call, const char *mail_template, const char *key,
                            const struct tmon_pair *values, size_t nvalues)
{
    return TMON_UNSUPPORTED;
}

static tmon_rc host_cache_get(struct tmon_call *call, const char *key, struct tmon_bytes *ret_value)
{
    *ret_value = (struct tmon_bytes){"", 0};
    return TMON_UNSUPPORTED;
}

static tmon_rc host_cache_put(struct tmon_call *call, const char *key, struct tmon_bytes value,
                              int64_t ttl_ms)
{
    return TMON_UNSUPPORTED;
}

static void host_value(struct tmon_call *call, bool found, struct tmon_bytes value)
{
}

static const struct tmon_host host = {
    .size = sizeof host,
    .api_major = TMON_API_MAJOR,
    .api_minor = TMON_API_MINOR,
    .instance = host_instance,
    .remaining_ms = host_remaining_ms,
    .log = host_log,
    .report = host_report,
    .detail_number = host_detail_number,
    .detail_text = host_detail_text,
    .detail_item = host_detail_item,
    .emit = host_emit,
    .http = host_http,
    .json = host_json,
    .retry_after = host_retry_after,
    .read = host_read,
    .write = host_write,
    .progress = host_progress,
    .event = host_event,
    .message = host_message,
    .cache_get = host_cache_get,
    .cache_put = host_cache_put,
    .value = host_value,
    .config_has = settings_config_has,
    .config_string = settings_config_string,
    .config_int = settings_config_int,
    .config_float = settings_config_float,
    .config_count = settings_config_count,
    .config_item = settings_config_item,
    .config_pair = settings_config_pair,
    .config_group = settings_config_group,
};

/* ---- the thread ---- */

static uint64_t thread_cpu_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void run_one(struct local_call *local)
{
    int64_t start = clock_mono_ns();
    uint64_t cpu = thread_cpu_us();
    struct running running = {.call = {.host = &host},
                              .local = local,
                              .deadline_ns = start + local->timeout_ms * NS_PER_MS};
    struct tmon_call *call = &running.call;

    local->message[0] = '\0';
    local->refused = 0;
    local->retry_after_ms = -1;
    switch (local->operation) {
    case LOCAL_CREATE:
        local->rc =
            local->component->create
                ? local->component->create(call, local->self, settings_as_config(local->settings))
                : TMON_OK;
        break;
    case LOCAL_CHECK:
        local->verdict = verdict_create(TMON_PASS, NULL);
        local->rc = local->component->check(call, local->self);
        if (local->verdict && local->rc != TMON_OK) {
            verdict_report(local->verdict, NULL, TMON_FAIL,
                           local->verdict->message ? NULL
                           : *local->message       ? local->message
                                                   : "the check failed");
        }
        break;
    case LOCAL_COLLECT:
        buf_clear(&local->samples);
        local->rc = local->component->collect(call, local->self);
        break;
    case LOCAL_DELIVER:
        local->rc = local->component->deliver(call, local->self, local->notification);
        break;
    case LOCAL_DESTROY:
        if (local->component->destroy) {
            local->component->destroy(call, local->self);
        }
        local->rc = TMON_OK;
        break;
    }
    local->cpu_us = thread_cpu_us() - cpu;
    local->duration_ns = clock_mono_ns() - start;
}

static void give_back(void *arg)
{
    struct local *local = arg;
    struct queue finished;
    struct local_call *call;

    (void)pthread_mutex_lock(&local->lock);
    finished = local->finished;
    local->finished = (struct queue){0};
    local->posted = false;
    (void)pthread_mutex_unlock(&local->lock);
    while ((call = pop(&finished))) {
        call->done(call);
    }
}

static void *work(void *arg)
{
    struct local *local = arg;

    (void)pthread_mutex_lock(&local->lock);
    for (;;) {
        struct local_call *call = pop(&local->waiting);
        bool post;

        if (call) {
            (void)pthread_mutex_unlock(&local->lock);
            atomic_store(&local->running_since, clock_mono_ns());
            run_one(call);
            atomic_store(&local->running_since, 0);
            (void)pthread_mutex_lock(&local->lock);
            push(&local->finished, call);
            continue;
        }
        post = local->finished.first && !local->posted && !local->stopping;
        if (post) {
            local->posted = true;
            (void)pthread_mutex_unlock(&local->lock);
            (void)loop_post(local->loop, give_back, local);
            (void)pthread_mutex_lock(&local->lock);
            continue;
        }
        if (local->stopping) {
            break;
        }
        (void)pthread_cond_wait(&local->wake, &local->lock);
    }
    local->ended = true;
    (void)pthread_cond_signal(&local->wake);
    (void)pthread_mutex_unlock(&local->lock);
    return NULL;
}

int local_create(struct loop *loop, struct local **ret_local)
{
    struct local *local = calloc(1, sizeof *local);
    int r;

    if (!local) {
        return -ENOMEM;
    }
    local->loop = loop;
    (void)pthread_mutex_init(&local->lock, NULL);
    (void)pthread_cond_init(&local->wake, NULL);
    r = pthread_create(&local->thread, NULL, work, local);
    if (r != 0) {
        free(local);
        return -r;
    }
    (void)pthread_setname_np(local->thread, "components");
    *ret_local = local;
    return 0;
}

void local_destroy(struct local *local)
{
    struct timespec until;
    bool ended;

    if (!local) {
        return;
    }
    local_flush(local);
    (void)pthread_mutex_lock(&local->lock);
    local->stopping = true;
    (void)pthread_cond_signal(&local->wake);
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += END_S;
    while (!local->ended) {
        if (pthread_cond_timedwait(&local->wake, &local->lock, &until) != 0) {
            break;
        }
    }
    ended = local->ended;
    (void)pthread_mutex_unlock(&local->lock);
    if (!ended) {
        return; // it hangs in a component, and what it holds stays its own
    }
    (void)pthread_join(local->thread, NULL);
    (void)pthread_cond_destroy(&local->wake);
    (void)pthread_mutex_destroy(&local->lock);
    free(local);
}

void local_submit(struct local *local, struct local_call *call)
{
    push(&local->submitted, call);
}

void local_flush(struct local *local)
{
    if (!local->submitted.first) {
        return;
    }
    (void)pthread_mutex_lock(&local->lock);
    if (local->waiting.last) {
        local->waiting.last->next = local->submitted.first;
    } else {
        local->waiting.first = local->submitted.first;
    }
    local->waiting.last = local->submitted.last;
    (void)pthread_cond_signal(&local->wake);
    (void)pthread_mutex_unlock(&local->lock);
    local->submitted = (struct queue){0};
}

int64_t local_hanging_ns(const struct local *local, int64_t now_ns)
{
    int64_t since = atomic_load(&local->running_since);

    return since > 0 && now_ns > since ? now_ns - since : 0;
}
