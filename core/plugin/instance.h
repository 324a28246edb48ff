/*
 * instance.h: the life of an instance as the agent sees it, whatever it runs in.
 *
 *   STARTING -> READY -> DEGRADED (died; tried again after a pause) -> READY (when a call has
 * ended) five deaths in ten minutes: QUARANTINED, which ends by itself -> DEGRADED
 *
 * So a worker that dies at each call changes the state once, not at each call.
 *
 * All functions and hooks are the main thread's.  One call at a time.
 */
#ifndef PLUGIN_INSTANCE_H
#define PLUGIN_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "model/manifest.h"
#include "model/settings.h"
#include "model/verdict.h"
#include "plugin/broker.h"
#include "plugin/local.h"
#include "plugin/spawner.h"

struct instance;

enum instance_state {
    INSTANCE_STARTING, /* its worker is being made */
    INSTANCE_READY,
    INSTANCE_DEGRADED,    /* create failed or the worker died: tried again after a pause; it may
                             be called as soon as there is a worker */
    INSTANCE_QUARANTINED, /* died too often: tried again after a long pause */
    INSTANCE_STUCK,       /* its worker was killed and does not die (waits in the kernel) */
    INSTANCE_REFUSED,     /* its plugin cannot be loaded; only a reload can change that */
    INSTANCE_STOPPED,
    INSTANCE_STATES
};
const char *instance_state_name(enum instance_state state);

/* How a call went. */
struct instance_result {
    enum ability ability;
    tmon_rc rc;
    bool timeout;            /* the deadline passed; the call may still end in its grace period */
    struct verdict *verdict; /* of a check; the hook takes it.  Never NULL for a check. */
    const void *samples;     /* of a collection that went well; borrowed during the hook */
    size_t samples_len;
    /* Of a format() that went well: a request (model/exchange.h) that nobody has checked; borrowed
     * during the hook. */
    const void *request;
    size_t request_len;
    int64_t retry_after_ms; /* of a judge() or deliver(); -1: not said */
    bool died;              /* the worker is gone without an answer */
    bool untried;           /* it waited behind a call that its worker died of */
    const char *message;    /* why it failed; "" else; borrowed */
    int64_t duration_ns;    /* from the call to its end or its deadline */
    uint64_t cpu_us;
};

struct instance_hooks {
    /* Once for each accepted instance_call(), unless it is stopped.  May call instance_call(), not
     * instance_destroy(); so for `state` and `log`. */
    void (*done)(void *owner, const struct instance_result *result);
    /* After a change of state; `reason` says why it is not ready ("" when it is). */
    void (*state)(void *owner, enum instance_state from, enum instance_state to,
                  const char *reason);
    /* A line that the plugin logged, already limited in rate; `held_back` lines were not shown
     * before it. */
    void (*log)(void *owner, tmon_level level, const char *text, uint64_t held_back);
    /* After instance_stop(): all is ended; the owner may destroy it here. */
    void (*stopped)(void *owner);
    /* A call of which `done` was told at its deadline has ended in its grace period: the next may
     * be made.  May be NULL. */
    void (*idle)(void *owner);
};

/* Tests shorten these.  0: the default. */
struct instance_times {
    int64_t load_ms;              /* until the manifest is there: 5 s */
    int64_t backoff_first_ms;     /* 1 s, doubling up to five intervals */
    int64_t quarantine_ms;        /* ten minutes */
    int64_t quarantine_window_ms; /* ten minutes */
    uint32_t quarantine_deaths;   /* five */
    int64_t stop_grace_ms;        /* two seconds from STOP to SIGKILL */
    int64_t grace_ms;             /* from a call's deadline to SIGKILL: the interval, 1 to 5 s */
    int64_t kill_ms;              /* from SIGKILL to INSTANCE_STUCK: two seconds */
};

struct instance_options {
    const char *name;      /* copied */
    const char *component; /* copied */
    const char *path;      /* of the .so; copied */
    bool spawns;           /* the component declares TMON_SPAWNS */
    uint32_t abilities;
    const struct tmon_component *own; /* set: runs on the component thread, in no worker */
    struct settings *settings;        /* takes; NULL: none */
    uint64_t memory_bytes;            /* limits of the worker; 0: its default */
    uint32_t descriptors;
    uint32_t cpu_percent;
    int64_t interval_ms;
    int64_t timeout_ms;
    size_t samples_bytes; /* of one collection, encoded; 0: LIMIT_CALL_RESULT_BYTES */
    struct loop *loop;
    struct spawner *spawner;
    struct local *local;         /* the component thread; needed where `own` is set */
    const struct broker *broker; /* NULL: HTTP is not supported */
    struct instance_times times;
    const struct instance_hooks *hooks;
    void *owner;
};

struct instance_counters {
    uint64_t starts; /* workers started; restarts are all but the first */
    uint64_t deaths; /* workers that ended unasked, or were killed for what they did */
    uint64_t create_failures;
    uint64_t timeouts; /* calls that passed their deadline */
    uint64_t slow;     /* of these, calls that ended in the grace period */
    uint64_t quarantines;
    uint64_t log_lines;
    uint64_t log_held_back;
    uint64_t samples_too_many; /* collections beyond samples_bytes, thrown away */
    uint64_t samples_refused;  /* bad samples that the plugin emitted */
};

/* Returns owned, in INSTANCE_STARTING; call instance_start() next.  Takes options->settings also on
 * failure.  -ENOMEM. */
int instance_create(const struct instance_options *options, struct instance **ret_instance);
/* Ends what runs at once, calls no hook.  Takes NULL.  (One that waits for a hanging component
 * thread is left where it is.) */
void instance_destroy(struct instance *instance);

void instance_start(struct instance *instance);
/*
 * Starts a call of ABILITY_CHECK or ABILITY_COLLECT.  0: hooks->done will be called; -EBUSY: one is
 * running; -EAGAIN: it is not ready (hooks->state told why).
 */
int instance_call(struct instance *instance, enum ability ability);
/* The same of ABILITY_FORMAT and ABILITY_DELIVER with an encoded notification, of ABILITY_JUDGE
 * with an encoded response; copied.  Also -EPROTO: it does not decode, -ENOMEM.  On the component
 * thread it wakes nobody: local_flush() does.
 *
 * FORMAT and JUDGE may be called while one of them runs in a worker, as long as instance_callable()
 * says so: they wait in its socket, run one after the other, and `done` comes for each in order. */
int instance_call_sink(struct instance *instance, enum ability ability, const void *args,
                       size_t len);
/* Asks it to end: destroy() is called, grace, SIGKILL.  hooks->stopped follows, later and in any
 * case within stop_grace_ms + kill_ms (a worker that is stuck is left behind), unless the component
 * thread hangs; no other hook does. */
void instance_stop(struct instance *instance);
/* Ends quarantine or pause now; false: there was none. */
bool instance_retry(struct instance *instance);

enum instance_state instance_state(const struct instance *instance);
/* Why it is not ready; "" when it is.  Borrowed until the next change. */
const char *instance_reason(const struct instance *instance);
const struct instance_counters *instance_counters(const struct instance *instance);
const struct settings *instance_settings(const struct instance *instance);
bool instance_busy(const struct instance *instance);
/* Whether instance_call() would be taken. */
bool instance_callable(const struct instance *instance);
/* What it said cannot be (malformed samples, seen at the commit): its worker is killed.  `why` is a
 * static text such as "sent malformed samples". */
void instance_fault(struct instance *instance, const char *why);
/* Of its worker; 0: none. */
int instance_pid(const struct instance *instance);
/* enum frame_layer of its worker. */
uint32_t instance_layers(const struct instance *instance);

#endif
