/*
 * instance_private.h: what the files of an instance share: the object, and who does what.
 *
 *   instance.c           made, started, called, stopped
 *   instance_life.c      states, deaths, pauses, quarantine
 *   instance_worker.c    its worker: the phases, each with its deadline
 *   instance_frames.c    what its worker says
 *   instance_services.c  what its worker asks for
 *   instance_own.c       on the component thread instead of in a worker
 */
#ifndef PLUGIN_INSTANCE_PRIVATE_H
#define PLUGIN_INSTANCE_PRIVATE_H

#include "base/log.h"
#include "plugin/instance.h"
#include "plugin/process.h"

#define INSTANCE_REASON_SIZE 512
#define INSTANCE_DEATHS 16 /* that are remembered */
#define INSTANCE_AHEAD 15  /* calls that wait in a worker's socket behind the one that runs */

/* What goes on now.  Each but OFF, PAUSE and IDLE waits for the worker (or the component thread);
 * the one timer is its deadline. */
enum phase {
    PHASE_OFF,
    PHASE_PAUSE, /* the timer ends it */
    PHASE_LOADING,
    PHASE_CREATING,
    PHASE_IDLE,
    PHASE_CALLING,
    PHASE_RETIRING, /* create failed: destroy() is called, a new worker follows */
    PHASE_STOPPING,
    PHASE_KILLED
};

struct instance {
    /* As in instance_options. */
    char *name, *component, *path;
    bool spawns;
    uint32_t abilities;
    const struct tmon_component *own;
    struct settings *settings;
    uint64_t memory_bytes;
    uint32_t descriptors, cpu_percent;
    int64_t interval_ms, timeout_ms;
    size_t samples_bytes;
    struct loop *loop;
    struct spawner *spawner;
    struct local *local;
    const struct broker *broker;
    struct instance_times times; /* no zeros any more */
    const struct instance_hooks *hooks;
    void *owner;

    enum instance_state state;
    char reason[INSTANCE_REASON_SIZE];
    enum phase phase;
    struct loop_timer timer;
    bool stopping; /* instance_stop() was called */
    bool overdue;  /* the deadline of create or of the call has passed, the grace period runs */
    bool unproven; /* it died, and no call has ended since */
    struct instance_counters counters;
    int64_t backoff_ms;               /* the next pause */
    int64_t died_ns[INSTANCE_DEATHS]; /* the last ones, in a ring */
    uint32_t deaths;                  /* since the last quarantine */

    /* The worker. */
    struct process process;
    char fault[INSTANCE_REASON_SIZE]; /* why it was killed; "" */
    uint32_t layers;
    uint32_t number; /* of the call that runs or ran last */
    struct buf out;  /* its CALL */
    struct frame_assembly assembly;

    /* The call that runs. */
    enum ability ability;
    int64_t started_ns;
    bool reported; /* hooks->done was called */
    bool died;     /* its worker is gone */
    bool untried;  /* before it came to this call */
    const void *request;
    size_t request_len;
    int64_t retry_after_ms;
    struct verdict *verdict;
    struct buf samples;
    bool too_many;
    bool asking; /* an HTTP request is under way */
    uint32_t ticket;

    /* Calls that its worker has been sent beside the one that runs, in order: with the numbers
     * behind `number`.  Only of FORMAT and JUDGE, which do nothing but compute. */
    enum ability ahead[INSTANCE_AHEAD];
    uint32_t nahead;

    /* On the component thread. */
    struct local_call call;
    bool submitted;                         /* `call` is the thread's */
    struct tmon_notification *notification; /* of a deliver(); its strings are in `out` */
    void *self;

    struct log_limit log_limit;
};

/* instance_life.c */
void instance_set_state(struct instance *instance, enum instance_state state, const char *reason);
void instance_set_timer(struct instance *instance, int64_t ms);
/* There is a worker (or the component was made): it may be called. */
void instance_is_up(struct instance *instance);
/* A call ended: the worker lives. */
void instance_is_proven(struct instance *instance);
/* It could not be started or made: a pause, then again. */
void instance_failed(struct instance *instance, const char *reason);
/* Its worker died: the same, unless that was once too often. */
void instance_died(struct instance *instance, const char *reason);
/* Starts a worker, or makes the component, now. */
void instance_begin(struct instance *instance);
/* hooks->stopped; the instance may be gone afterwards. */
void instance_is_stopped(struct instance *instance);

/* instance.c */
/* Calls hooks->done for the running call, once; a check gets a verdict in any case. */
void instance_report(struct instance *instance, tmon_rc rc, bool timeout, const char *message,
                     int64_t duration_ns, uint64_t cpu_us);
/* Makes what is kept of a call ready for one that begins. */
void instance_begin_call(struct instance *instance, enum ability ability);
/* The running call is over: forgets what belongs to it. */
void instance_forget_call(struct instance *instance);

/* instance_worker.c */
extern const struct process_hooks instance_process_hooks;
void instance_worker_begin(struct instance *instance);
int instance_worker_call(struct instance *instance, const void *args, size_t len);
/* Sends a call behind the one that runs. */
int instance_worker_call_ahead(struct instance *instance, enum ability ability, const void *args,
                               size_t len);
/* The next of those calls is the one that runs now.  False: there is none. */
bool instance_next_ahead(struct instance *instance);
/* A worker that is stuck is left behind. */
void instance_worker_stop(struct instance *instance, bool stuck);
/* It could not be loaded, or create failed: ends it, which is no death; `why` is the reason. */
void instance_give_up(struct instance *instance, const char *why, bool at_once);
void instance_worker_time(struct instance *instance);
void instance_kill(struct instance *instance, const char *why);
void instance_create_done(struct instance *instance, tmon_rc rc, const char *message);
void instance_send_create(struct instance *instance);

/* instance_frames.c */
void instance_frame(void *owner, const struct frame *frame);

/* instance_services.c */
/* False: it is no frame that asks for anything. */
bool instance_ask(struct instance *instance, enum frame_type type, const void *data, size_t len);
void instance_cancel_asks(struct instance *instance);

/* instance_own.c */
void instance_own_begin(struct instance *instance);
int instance_own_call(struct instance *instance, const void *args, size_t len);
void instance_own_stop(struct instance *instance);

#endif
