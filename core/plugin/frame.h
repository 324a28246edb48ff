/*
 * frame.h: what agent and workers say to each other over a SEQPACKET socket pair.
 *
 * A frame is one packet of at most LIMIT_FRAME_BYTES: a header of eight bytes, then a payload in
 * the encoding of base/wire.h.  A message longer than a frame is cut into frames of the same type
 * and call, all but the last full and with FRAME_MORE; the receiver puts it together up to a cap of
 * its own for that type.  The fetch worker speaks the same frames.  The agent trusts none of it:
 * whatever does not decode, or comes when it may not, ends the worker.
 *
 *   header: u8 type, u8 flags, u16 zero, u32 call
 *
 * `call` numbers the call that a frame belongs to (0: none); a worker answers with the number it
 * was given.
 *
 * Life of a worker:
 *   agent  -> LOAD
 *   worker -> SANDBOX, then MANIFEST (or FAILED, and exits; a probe ends here, the agent closes)
 *   agent  -> CREATE
 *   worker -> DONE
 *   agent  -> CALL
 *   worker -> LOG*, SAMPLES*, HTTP_REQUEST*, ..., DONE
 *   agent  -> STOP
 *   worker    calls destroy() and exits 0; so it does when the socket closes
 *
 * Between CALL and DONE (and CREATE and DONE) the agent sends CANCEL, CREDIT and STOP, and answers
 * whatever the worker asks: HTTP_REQUEST by HTTP_RESPONSE, READ by BODY, EVENT, MESSAGE, CACHE_GET
 * and CACHE_PUT by REPLY (with TMON_UNSUPPORTED where it has no such service).  The worker waits
 * for the answer for as long as it takes: the agent's deadline ends it.
 */
#ifndef PLUGIN_FRAME_H
#define PLUGIN_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/wire.h"

#define FRAME_HEADER_BYTES 8
#define FRAME_PAYLOAD_BYTES (LIMIT_FRAME_BYTES - FRAME_HEADER_BYTES)
#define FRAME_WORKER_FD 3 /* the worker's end of the socket */

enum frame_flag { FRAME_MORE = 1u << 0 };

enum frame_type {
    /* agent -> worker */

    /* str path; u64 memory bytes; u32 descriptors; u32 cpu percent (0: none); u8 probe;
     * u8 spawns: the component is known (from a probe) to declare TMON_SPAWNS and may start
     * processes; a probe never may */
    FRAME_LOAD = 1,
    FRAME_CREATE = 2, /* str component; str instance; u64 deadline_ms (remaining); settings */
    /* u32 ability (one bit); str operation (of actions, cache, lease; else ""); u64 remaining_ms;
     * then by ability:
     *   watch: str cursor      deliver, format: notification      judge: response
     *   actions: u8 dry_run, settings
     *   cache: get_many: u32 n, n str keys      put: str key, bytes value, i64 ttl_ms
     *          remove: str key                  invalidate: str prefix
     *   lease: acquire: str name, i64 ttl_ms    renew: str name, u64 fence, i64 ttl_ms
     *          release: str name, u64 fence */
    FRAME_CALL = 3,
    FRAME_CANCEL = 4,        /* nothing: the call's remaining time is 0 from now on */
    FRAME_STOP = 5,          /* nothing */
    FRAME_HTTP_RESPONSE = 6, /* i32 rc; response (model/exchange.h) */
    FRAME_BODY = 7,          /* u8 0: more follows, 1: the last, 2: there is no body; bytes */
    FRAME_CREDIT = 8,        /* u32 more RESULT frames that may be sent */
    FRAME_REPLY = 9,         /* i32 rc; bytes: the answer to EVENT, MESSAGE, CACHE_GET, CACHE_PUT */
    FRAME_HTTP_CANCEL = 10, /* to fetch: nothing; answered by HTTP_RESPONSE, unless that was sent */

    /* worker -> agent */

    FRAME_MANIFEST = 64, /* manifest */
    FRAME_FAILED = 65,   /* str why: the .so could not be loaded or has no manifest */
    /* i32 rc; i64 retry_after_ms (-1: none); str message ("" or why create or call failed);
     * u64 cpu microseconds of the call; u64 fence of a lease, else 0; u32 samples refused; of a
     * check the verdict (model/verdict.h), of a format() that went well its request
     * (model/exchange.h): in the same message so that it costs one wake-up */
    FRAME_DONE = 66,
    /* u8 level; str text; u32 lines held back before it by the worker's own limit; without a text
     * it tells only of those, at the end of a call */
    FRAME_LOG = 67,
    FRAME_SAMPLES = 68,      /* a batch (model/sample.h) */
    FRAME_HTTP_REQUEST = 70, /* u64 remaining_ms; request (model/exchange.h) */
    FRAME_READ = 72,         /* u32 most bytes wanted */
    FRAME_RESULT = 73,       /* bytes of an action's result; uses one credit */
    FRAME_PROGRESS = 74,     /* u64 done; u64 total */
    FRAME_EVENT = 75,        /* str id; bytes payload; str cursor */
    FRAME_MESSAGE = 76,      /* str template; str key; u32 n, n pairs */
    FRAME_CACHE_GET = 77,    /* str key */
    FRAME_CACHE_PUT = 78,    /* str key; bytes value; i64 ttl_ms */
    FRAME_VALUE = 79,        /* u8 found; bytes: an answer of get_many() */
    FRAME_SANDBOX = 80,      /* u32 of enum frame_layer; once, before MANIFEST or FAILED */
};

/* The layers around a worker.  One that is missing is said, and nothing is promised of it. */
enum frame_layer {
    FRAME_LAYER_NO_NEW_PRIVS = 1u << 0, /* nothing it starts can gain rights */
    FRAME_LAYER_LIMITS = 1u << 1,       /* memory, descriptors, CPU, no core files */
    FRAME_LAYER_SECCOMP = 1u << 2,  /* no processes (unless it spawns), no signals to others, ... */
    FRAME_LAYER_LANDLOCK = 1u << 3, /* no writing to files, no execution (unless it spawns) */
    FRAME_LAYER_SCOPE = 1u << 4,    /* Landlock 6: no signals or abstract sockets out of the cage */
};

#define FRAME_INITIAL_CREDIT 16 /* RESULT frames before the first CREDIT */

struct frame {
    uint8_t type;
    uint8_t flags;
    uint32_t call;
    const uint8_t *payload; /* inside the packet, borrowed */
    size_t len;
};

/* Cuts a received packet apart.  -EPROTO when it is too short, has unknown flags or nonzero
 * padding. */
int frame_parse(const void *packet, size_t len, struct frame *ret_frame);

/* Sends a message, cut into frames where needed.  Waits until `deadline_ns` (monotonic; 0: as the
 * socket is).  0; -EAGAIN when a non-blocking socket is full, and some frames of a long message may
 * have been sent: whoever must not wait uses frame_send_some(); -EPIPE when the other side is gone;
 * -ETIMEDOUT. */
int frame_send(int fd, enum frame_type type, uint32_t call, const void *payload, size_t len,
               int64_t deadline_ns);

/* Sends what a non-blocking socket takes, from *pos (0 at first) on, and moves *pos.  0: all was
 * sent; -EAGAIN: call again with the same arguments when the socket is writable; -EPIPE. */
int frame_send_some(int fd, enum frame_type type, uint32_t call, const void *payload, size_t len,
                    size_t *pos);

/* Receives one packet into `packet` (LIMIT_FRAME_BYTES) and parses it.  1 got one; 0 the other side
 * closed; -EAGAIN, -EPROTO (also for a packet longer than LIMIT_FRAME_BYTES), -errno. */
int frame_recv(int fd, void *packet, struct frame *ret_frame);

/* Puts messages together that come in several frames; one per direction and kind of stream. */
struct frame_assembly {
    struct buf buf;
    uint8_t type;
    uint32_t call;
    bool open;
};
void frame_assembly_init(struct frame_assembly *assembly, size_t cap);
void frame_assembly_finish(struct frame_assembly *assembly);
/* 1: *ret_data is the whole message, valid until the next call of this and no longer than the
 * frame's packet; 0: more to come; -EPROTO for frames that do not continue what was begun;
 * -EMSGSIZE beyond the cap. */
int frame_assembly_add(struct frame_assembly *assembly, const struct frame *frame,
                       const void **ret_data, size_t *ret_len);

#endif
