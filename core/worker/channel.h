/*
 * channel.h: a worker's end of the socket.
 *
 * Nothing here fails: where the agent is gone or breaks the protocol, there is nobody left to tell
 * and nothing to do, so the process ends.
 */
#ifndef WORKER_CHANNEL_H
#define WORKER_CHANNEL_H

#include "worker/worker.h"

/* Ends the process: the agent sent what it may not. */
_Noreturn void channel_broken(void);

/* Waits while the socket is full. */
void channel_send(enum frame_type type, uint32_t call, const void *payload, size_t len);
/* Sends what is in worker->out, which must not have run over its cap, and empties it. */
void channel_send_out(struct worker *worker, enum frame_type type, uint32_t call);

/* The next command.  Its data is valid until the next call of this.  False when there will be none.
 */
bool channel_command(struct worker *worker, struct frame *ret_frame, const void **ret_data,
                     size_t *ret_len);

/* Inside a call: waits for the answer of that type; valid until the next call of this.  CANCEL,
 * CREDIT and STOP are noted meanwhile.  False when there will be none, because the worker was told
 * to end. */
bool channel_answer(struct call *call, enum frame_type type, const void **ret_data,
                    size_t *ret_len);
/* Inside a call: waits until there is credit.  False when the call was cancelled. */
bool channel_wait_credit(struct call *call);
/* Inside a call: takes note of a CANCEL or CREDIT that has come, without waiting. */
void channel_glance(struct call *call);

#endif
