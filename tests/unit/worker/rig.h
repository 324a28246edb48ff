/*
 * rig.h: a real toiletmon-worker under a test, spoken to in frames.
 *
 * The test plays the agent.  Whatever does not come within ten seconds fails the test.
 */
#ifndef RIG_H
#define RIG_H

#include <stdbool.h>
#include <sys/types.h>

#include "model/manifest.h"
#include "model/settings.h"
#include "model/verdict.h"
#include "plugin/frame.h"

struct rig {
    pid_t pid;
    int fd;
    uint8_t *packet;
    struct frame frame; /* the last that came */
    struct frame_assembly assembly;
    const void *data; /* the last whole message */
    size_t len;
    uint32_t layers; /* from SANDBOX */
    uint32_t call;   /* number of the last call */
    enum ability ability;
    struct verdict *verdict; /* of the last check */
    size_t rest;             /* bytes at the end of DONE: the request of a format() */
    struct manifest *manifest;
};

struct rig_load {
    const char *fixture; /* without .so */
    uint64_t memory_bytes;
    uint32_t descriptors;
    uint32_t cpu_percent;
    bool probe, spawns;
};

struct rig_done {
    tmon_rc rc;
    int64_t retry_after_ms;
    char message[512];
    uint64_t cpu_us;
    uint64_t fence;
    uint32_t refused;
};

/* Starts a worker that waits for LOAD. */
void rig_start(struct rig *rig);
void rig_send(struct rig *rig, enum frame_type type, uint32_t call, const void *payload,
              size_t len);
void rig_send_load(struct rig *rig, const struct rig_load *load);
/* The next message, put together; 0 when the worker has closed. */
int rig_next(struct rig *rig);
/* The next message must be of that type. */
void rig_expect(struct rig *rig, enum frame_type type);

/* rig_start(), LOAD, and the manifest decoded into rig->manifest. */
void rig_load(struct rig *rig, const struct rig_load *load);
/* Also CREATE; settings may be NULL; takes them. */
void rig_create(struct rig *rig, const char *fixture, const char *component,
                struct settings *settings);
void rig_send_create(struct rig *rig, const char *component, struct settings *settings);

/* Sends CALL with what `args` holds after its head (NULL: nothing). */
void rig_call(struct rig *rig, enum ability ability, const char *operation, int64_t remaining_ms,
              const struct buf *args);
/* The message that came last is DONE. */
void rig_read_done(struct rig *rig, struct rig_done *ret_done);
/* Skips everything until DONE. */
void rig_wait_done(struct rig *rig, struct rig_done *ret_done);
/* A check with a second to go: the verdict, owned by the caller. */
struct verdict *rig_check(struct rig *rig, struct rig_done *ret_done);

/* A detail of a verdict; fails when there is none. */
double rig_number(const struct verdict *verdict, const char *key);
const char *rig_text(const struct verdict *verdict, const char *key);
const struct detail *rig_detail(const struct verdict *verdict, const char *key);

/* Waits for the end of the process: its wait status. */
int rig_wait(struct rig *rig);
/* STOP, then exit status 0 must come; frees everything. */
void rig_stop(struct rig *rig);
/* SIGKILL if need be; frees everything. */
void rig_finish(struct rig *rig);

#endif
