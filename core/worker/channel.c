/*
 * channel.c: see channel.h.  Commands and answers are received into two packets of their own, since
 * the arguments of a call lie in the command's packet while the call asks for answers.
 */
#include "worker/channel.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/term.h"

#define EXIT_BROKEN 76 /* EX_PROTOCOL */

_Noreturn void channel_broken(void)
{
    _exit(EXIT_BROKEN);
}

void channel_send(enum frame_type type, uint32_t call, const void *payload, size_t len)
{
    int r = frame_send(FRAME_WORKER_FD, type, call, payload, len, 0);

    if (r < 0) {
        _exit(r == -EPIPE ? 0 : EXIT_BROKEN); // without an agent there is nobody to work for
    }
}

void channel_send_out(struct worker *worker, enum frame_type type, uint32_t call)
{
    channel_send(type, call, buf_str(&worker->out), worker->out.len);
    buf_clear(&worker->out);
}

bool channel_command(struct worker *worker, struct frame *ret_frame, const void **ret_data,
                     size_t *ret_len)
{
    for (;;) {
        int r = frame_recv(FRAME_WORKER_FD, worker->command, ret_frame);

        if (r == 0) {
            return false;
        }
        if (r < 0) {
            channel_broken();
        }
        if (ret_frame->type == FRAME_CANCEL || ret_frame->type == FRAME_CREDIT) {
            continue; // it crossed our DONE
        }
        r = frame_assembly_add(&worker->commands, ret_frame, ret_data, ret_len);
        if (r < 0) {
            channel_broken();
        }
        if (r > 0) {
            return true;
        }
    }
}

/* A frame that may come at any time of a call.  True when it was one. */
static bool note(struct call *call, const struct frame *frame)
{
    struct wire_reader reader;

    switch (frame->type) {
    case FRAME_STOP:
        term_ask(); // so that nobody waits for an answer that will not come
        call->cancelled = true;
        return true;
    case FRAME_CANCEL:
        call->cancelled = call->cancelled || frame->call == call->id;
        return true;
    case FRAME_CREDIT:
        wire_reader_init(&reader, frame->payload, frame->len);
        if (frame->call == call->id) {
            call->credit += wire_get_u32(&reader);
        }
        return true;
    default:
        return false;
    }
}

/* One frame inside a call.  False at the end of the socket; SIGTERM ends it too. */
static bool receive(struct call *call, struct frame *ret_frame)
{
    int r = frame_recv(FRAME_WORKER_FD, call->worker->answer, ret_frame);

    if (r < 0) {
        channel_broken();
    }
    if (r == 0) {
        if (!term_asked()) {
            _exit(0);
        }
        call->cancelled = true;
    }
    return r > 0;
}

bool channel_answer(struct call *call, enum frame_type type, const void **ret_data, size_t *ret_len)
{
    struct frame frame;

    while (receive(call, &frame)) {
        int r;

        if (note(call, &frame)) {
            continue;
        }
        if (frame.type != type || frame.call != call->id) {
            channel_broken();
        }
        r = frame_assembly_add(&call->worker->answers, &frame, ret_data, ret_len);
        if (r < 0) {
            channel_broken();
        }
        if (r > 0) {
            return true;
        }
    }
    return false;
}

bool channel_wait_credit(struct call *call)
{
    struct frame frame;

    while (call->credit == 0 && !call->cancelled && receive(call, &frame)) {
        if (!note(call, &frame)) {
            channel_broken();
        }
    }
    return call->credit > 0 && !call->cancelled;
}

void channel_glance(struct call *call)
{
    struct frame frame;
    uint8_t head[FRAME_HEADER_BYTES];

    while (!call->cancelled) {
        ssize_t n = recv(FRAME_WORKER_FD, head, sizeof head, MSG_PEEK | MSG_DONTWAIT);

        if (n == 0) {
            call->cancelled = true;
        }
        if (n <= 0 ||
            (head[0] != FRAME_CANCEL && head[0] != FRAME_CREDIT && head[0] != FRAME_STOP)) {
            return;
        }
        if (receive(call, &frame)) {
            (void)note(call, &frame);
        }
    }
}
