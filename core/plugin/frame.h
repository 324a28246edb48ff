/*
 * frame.h: what agent and workers say to each other over a SEQPACKET socket pair.
 *
 * A frame is one packet of at most LIMIT_FRAME_BYTES: a header of eight bytes, then a payload in
 * the encoding of base/wire.h.  A message longer than a frame is cut into frames of the same type
 * and call, all but the last with FRAME_MORE; the receiver puts it together up to a cap of its own
 * for that type.  The fetch worker speaks the same frames.  The agent trusts none of it: whatever
 * does not decode, or comes when it may not, ends the worker.
 *
 *   header: u8 type, u8 flags, u16 zero, u32 call
 *
 * `call` numbers the call that a frame belongs to (0: none); a worker answers with the number it
 * was given.
 *
 * Life of a worker:
 *   agent  -> LOAD
 *   worker -> MANIFEST (or FAILED, and exits)
 *   agent  -> CREATE            worker -> DONE      (a probe ends here: the agent closes the
 * socket) agent  -> CALL              worker -> LOG*, SAMPLES*, VERDICT?, HTTP_REQUEST*, ..., DONE
 *   agent  -> STOP              worker calls destroy() and exits 0; so it does when the socket
 * closes
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
    FRAME_LOAD =
        1, /* str path; u64 memory bytes; u32 descriptors; u32 cpu percent (0: none); u8 probe */
    FRAME_CREATE = 2, /* str component; str instance; u64 deadline_ms (remaining); settings */
    FRAME_CALL =
        3, /* u32 ability (one bit); str operation (action or cache/lease op, else ""); u64
            * remaining_ms; then by ability: watch: str cursor; deliver, format: notification;
            * judge: response; actions: u8 dry_run, settings; cache, lease: their arguments */
    FRAME_CANCEL = 4,        /* nothing: the call's remaining time is 0 from now on */
    FRAME_STOP = 5,          /* nothing */
    FRAME_HTTP_RESPONSE = 6, /* i32 rc; response (model/exchange.h) */
    FRAME_BODY = 7,          /* u8 last; bytes: the answer to READ */
    FRAME_CREDIT = 8,        /* u32 more RESULT frames that may be sent */
    FRAME_REPLY = 9,         /* i32 rc; bytes: the answer to EVENT, MESSAGE, CACHE_GET, CACHE_PUT */
    FRAME_HTTP_CANCEL = 10,  /* to fetch: nothing */

    /* worker -> agent */
    FRAME_MANIFEST = 64, /* manifest */
    FRAME_FAILED = 65,   /* str why: the .so could not be loaded or has no manifest */
    FRAME_DONE = 66,    /* i32 rc; i64 retry_after_ms (-1: none); str message ("" or why create/call
                         * failed);    u64 cpu microseconds of the call; for leases u64 fence follows */
    FRAME_LOG = 67,     /* u8 level; str text; u32 held back by the worker's own limit */
    FRAME_SAMPLES = 68, /* a batch (model/sample.h) */
    FRAME_VERDICT = 69, /* verdict, once, before DONE of a check */
    FRAME_HTTP_REQUEST = 70, /* u64 remaining_ms; request (model/exchange.h) */
    FRAME_REQUEST = 71,      /* the request made by format(), before DONE */
    FRAME_READ = 72,         /* u32 most bytes wanted */
    FRAME_RESULT = 73,       /* bytes of an action's result; uses one credit */
    FRAME_PROGRESS = 74,     /* u64 done; u64 total */
    FRAME_EVENT = 75,        /* str id; bytes payload; str cursor */
    FRAME_MESSAGE = 76,      /* str template; str key; u32 n, n pairs */
    FRAME_CACHE_GET = 77,    /* str key */
    FRAME_CACHE_PUT = 78,    /* str key; bytes value; i64 ttl_ms */
    FRAME_VALUE = 79         /* u8 found; bytes: an answer of get_many() */
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

/* Sends a message, cut into frames where needed.  Blocking sockets wait until `deadline_ns`
 * (monotonic; 0: as the socket is).  0; -EAGAIN when the socket is full (non-blocking: nothing of
 * this frame was sent); -EPIPE when the other side is gone; -ETIMEDOUT. */
int frame_send(int fd, enum frame_type type, uint32_t call, const void *payload, size_t len,
               int64_t deadline_ns);

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
/* 1: *ret_data is the whole message, valid until the next call of this; 0: more to come; -EPROTO
 * for frames that do not continue what was begun; -EMSGSIZE beyond the cap. */
int frame_assembly_add(struct frame_assembly *assembly, const struct frame *frame,
                       const void **ret_data, size_t *ret_len);

#endif
