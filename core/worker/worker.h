/*
 * worker.h: the process that runs one instance: its state, and the one call that it is in.
 *
 * A worker has one thread of ours, so nothing here is locked.  What lives as long as the process is
 * in struct worker, what lives as long as a call in struct call, which begins with the tmon_call
 * that the plugin holds: that is how the host table finds everything without a global.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/log.h"
#include "model/settings.h"
#include "model/verdict.h"
#include "plugin/frame.h"

/* What `call->phase` says: which services make sense. */
enum call_phase { CALL_CREATE, CALL_ABILITY, CALL_DESTROY };

/* Memory that is borrowed by the plugin until the callback returns. */
struct kept {
    struct kept *next;
    struct tmon_response response; /* of http(); its headers are owned */
    _Alignas(16) char data[];
};

struct call {
    struct tmon_call api; /* first: struct tmon_call * and struct call * are the same pointer */
    struct worker *worker;
    uint32_t id;
    enum call_phase phase;
    uint32_t ability; /* of enum ability; 0 in create and destroy */
    int64_t deadline_ns;
    bool cancelled;
    struct verdict *verdict; /* of a check, else NULL */
    size_t sample_bytes;     /* sent so far */
    uint32_t refused;        /* samples that were no good, or too many */
    int64_t retry_after_ms;
    uint64_t fence;
    uint32_t credit; /* RESULT frames that may be sent */
    int body;        /* as the u8 of FRAME_BODY: 0 while there may be more */
    uint32_t values; /* VALUE frames that may still be sent */
    uint64_t progress_done, progress_total;
    int64_t progress_ns; /* when it was last sent */
    bool progress_waits;
    struct kept *kept;
    char why[256]; /* the last warning or error that it logged */
};

struct worker {
    uint8_t *command; /* packet of the last command: LIMIT_FRAME_BYTES, arguments lie in it */
    uint8_t *answer;  /* packet of the last answer inside a call */
    struct frame_assembly commands, answers;
    struct buf out;     /* the frame that is being written */
    struct buf samples; /* at most one frame's */
    struct buf result;  /* at most one frame's */
    struct buf request; /* what format() has made */
    const struct tmon_plugin *plugin;
    struct tmon_component component; /* our copy: what an older plugin does not have is zero */
    char instance[LIMIT_NAME_BYTES + 1];
    void *self;
    struct settings *settings;
    struct log_limit log_limit;
    int64_t cpu_us;   /* of this process, at the end of the last call */
    bool created;     /* create() was called, so destroy() is due */
    bool said_misuse; /* once is enough */
    bool said_refused;
    uint32_t cpu_percent;
    int64_t cpu_soft_s; /* RLIMIT_CPU as last set */
};

/* Serves the agent until STOP, the end of the socket or SIGTERM; then destroy() was called.  Does
 * not return when the agent breaks the protocol. */
void worker_run(struct worker *worker);
/* -ENOMEM. */
int worker_init(struct worker *worker);
void worker_finish(struct worker *worker);

#endif
