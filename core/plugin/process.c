/*
 * process.c: see process.h.  The end of a process is known by its pidfd alone; that its socket was
 * closed means only that nothing more will come.  What it sent before it died is still read: a
 * worker that answers and then crashes has answered.
 */
#include "plugin/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

/* A dead process has left no more than its socket holds; so many small packets do not fit. */
#define FRAMES_AFTER_DEATH 4096

/* From the end of its socket to the end of a process that is ending. */
#define CLOSED_NS NS_PER_S

#define FAULT_MALFORMED "sent a malformed frame"
#define FAULT_CLOSED "closed its socket"
#define FAULT_QUEUE "did not read what was sent to it"

struct process_packet {
    struct process_packet *next;
    enum frame_type type;
    uint32_t call;
    size_t len;
    size_t pos;
    uint8_t payload[];
};

static void still_there(struct loop_timer *timer, int64_t now_ns)
{
    process_kill(timer->owner, FAULT_CLOSED);
}

void process_init(struct process *process, struct loop *loop, const struct process_hooks *hooks,
                  void *owner)
{
    *process = (struct process){
        .loop = loop, .hooks = hooks, .owner = owner, .socket.fd = -1, .exit.fd = -1};
    loop_timer_init(&process->closed, still_there, process);
}

static void drop_queue(struct process *process)
{
    while (process->first) {
        struct process_packet *packet = process->first;

        process->first = packet->next;
        free(packet);
    }
    process->last = NULL;
    process->queued = 0;
}

static void close_socket(struct process *process)
{
    int fd = process->socket.fd;

    if (fd >= 0) {
        loop_fd_remove(process->loop, &process->socket);
        (void)close(fd);
    }
    drop_queue(process);
}

void process_finish(struct process *process)
{
    struct spawned spawned = {.pid = process->pid, .pidfd = process->exit.fd, .socket = -1};

    if (process->spawn) {
        spawner_cancel(process->spawn);
        process->spawn = NULL;
    }
    close_socket(process);
    loop_timer_stop(process->loop, &process->closed);
    if (process->exit.fd >= 0) {
        loop_fd_remove(process->loop, &process->exit);
    }
    /* One that was killed before has had its time. */
    spawned_finish(&spawned, process->killed ? 100 : SPAWNED_FINISH_MS);
    process->pid = 0;
}

static void send_kill(struct process *process)
{
    if (process->exit.fd >= 0) {
        (void)syscall(SYS_pidfd_send_signal, process->exit.fd, SIGKILL, NULL, 0);
    }
}

void process_kill(struct process *process, const char *fault)
{
    if (!process_running(process)) {
        return;
    }
    if (!process->fault) {
        process->fault = fault;
    }
    if (!process->killed) {
        process->killed = true;
        send_kill(process);
    }
}

/* ---- what comes in ---- */

/* Reads up to `most` frames, and no further than the owner cares to, unless it is to be `all`.
 * False when there is no more to read from this socket, ever. */
static bool read_frames(struct process *process, int most, bool all)
{
    uint8_t packet[LIMIT_FRAME_BYTES];

    process->enough = false;
    while (most-- > 0 && !process->killed && (all || !process->enough)) {
        struct frame frame;
        int r = frame_recv(process->socket.fd, packet, &frame);

        if (r == -EAGAIN) {
            return true;
        }
        if (r == 1) {
            process->hooks->frame(process->owner, &frame);
        } else if (r == -EPROTO) {
            process_kill(process, FAULT_MALFORMED);
        } else {
            return false;
        }
    }
    return !process->killed;
}

static void gone(struct process *process, struct process_end *end)
{
    end->fault = process->fault;
    process->fault = NULL;
    process->killed = false;
    process->pid = 0;
    process->hooks->gone(process->owner, end); // may have freed it
}

static void exited(struct loop_fd *watch, uint32_t events)
{
    struct process *process = watch->owner;
    struct process_end end = {0};
    siginfo_t info = {0};
    int fd = watch->fd;

    if (process->socket.fd >= 0) {
        (void)read_frames(process, FRAMES_AFTER_DEATH, true);
    }
    if (waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0) {
        return;
    }
    close_socket(process);
    loop_timer_stop(process->loop, &process->closed);
    loop_fd_remove(process->loop, &process->exit);
    (void)close(fd);
    end.signaled = info.si_code != CLD_EXITED;
    end.code = info.si_status;
    if (!end.signaled || end.code != SIGKILL) {
        process->fault = NULL; // it had ended by itself before it could be killed for that
    }
    gone(process, &end);
}

static int flush(struct process *process);

static void socket_ready(struct loop_fd *watch, uint32_t events)
{
    struct process *process = watch->owner;

    if (events & EPOLLOUT) {
        (void)flush(process);
    }
    if (process->socket.fd >= 0 && events & ~(uint32_t)EPOLLOUT &&
        !read_frames(process, LIMIT_FRAMES_PER_TURN, false)) {
        // a process that is ending closes its socket a moment before its pidfd tells
        close_socket(process);
        (void)loop_timer_set(process->loop, &process->closed, loop_now(process->loop) + CLOSED_NS);
    }
}

/* ---- what goes out ---- */

/* Sends what waits, as far as the socket takes it. */
static int flush(struct process *process)
{
    struct process_packet *packet;

    while ((packet = process->first)) {
        int r = frame_send_some(process->socket.fd, packet->type, packet->call, packet->payload,
                                packet->len, &packet->pos);

        if (r == -EAGAIN) {
            return loop_fd_change(process->loop, &process->socket, EPOLLIN | EPOLLOUT);
        }
        if (r < 0) {
            drop_queue(process); // it is ending; its pidfd will tell
            break;
        }
        process->first = packet->next;
        process->queued -= packet->len;
        free(packet);
    }
    process->last = NULL;
    return loop_fd_change(process->loop, &process->socket, EPOLLIN);
}

static int enqueue(struct process *process, enum frame_type type, uint32_t call,
                   const void *payload, size_t len, size_t pos)
{
    struct process_packet *packet;

    if (len > LIMIT_PROCESS_QUEUE_BYTES || process->queued > LIMIT_PROCESS_QUEUE_BYTES - len) {
        process_kill(process, FAULT_QUEUE);
        return -ENOBUFS;
    }
    packet = malloc(sizeof *packet + len);
    if (!packet) {
        return -ENOMEM;
    }
    *packet = (struct process_packet){.type = type, .call = call, .len = len, .pos = pos};
    if (len > 0) {
        memcpy(packet->payload, payload, len);
    }
    if (process->last) {
        process->last->next = packet;
    } else {
        process->first = packet;
    }
    process->last = packet;
    process->queued += len;
    return 0;
}

int process_send(struct process *process, enum frame_type type, uint32_t call, const void *payload,
                 size_t len)
{
    size_t pos = 0;
    int r;

    if (!process_running(process) || (process->socket.fd < 0 && !process->spawn)) {
        return -ESRCH;
    }
    if (process->spawn || process->first) {
        return enqueue(process, type, call, payload, len, 0);
    }
    r = frame_send_some(process->socket.fd, type, call, payload, len, &pos);
    if (r != -EAGAIN) {
        return r == -EPIPE ? -ESRCH : r;
    }
    r = enqueue(process, type, call, payload, len, pos);
    if (r == 0) {
        r = loop_fd_change(process->loop, &process->socket, EPOLLIN | EPOLLOUT);
    }
    return r;
}

/* ---- how it starts and how its end reads ---- */

static int watch(struct process *process, const struct spawned *spawned)
{
    int r = loop_fd_add(process->loop, &process->exit, spawned->pidfd, EPOLLIN, exited, process);

    if (r < 0) {
        return r;
    }
    r = loop_fd_add(process->loop, &process->socket, spawned->socket, EPOLLIN, socket_ready,
                    process);
    if (r < 0) {
        loop_fd_remove(process->loop, &process->exit);
    }
    return r;
}

static void started(void *owner, int error, const struct spawned *spawned)
{
    struct process *process = owner;

    process->spawn = NULL;
    if (error == 0) {
        error = watch(process, spawned);
        if (error < 0) {
            struct spawned unwatched = *spawned;

            spawned_finish(&unwatched, SPAWNED_FINISH_MS);
        }
    }
    if (error < 0) {
        struct process_end end = {.error = error};

        drop_queue(process);
        gone(process, &end);
        return;
    }
    process->pid = spawned->pid;
    if (process->killed) {
        send_kill(process);
    } else {
        (void)flush(process);
    }
}

int process_start(struct process *process, struct spawner *spawner, enum program program)
{
    if (process_running(process)) {
        return -EBUSY;
    }
    process->killed = false;
    process->fault = NULL;
    return spawner_begin(spawner, program, process->loop, started, process, &process->spawn);
}

void process_end_text(const struct process_end *end, char *ret_text, size_t size)
{
    const char *name = end->signaled ? sigdescr_np(end->code) : NULL;

    if (end->error != 0) {
        (void)snprintf(ret_text, size, "could not be started: %s", log_errno(end->error));
    } else if (end->fault) {
        (void)snprintf(ret_text, size, "%s", end->fault);
    } else if (!end->signaled) {
        (void)snprintf(ret_text, size, "ended with exit status %d", end->code);
    } else if (end->code == SIGKILL) {
        (void)snprintf(ret_text, size,
                       "was killed with signal 9 (by its limit of CPU time, the kernel short of "
                       "memory, or by hand)");
    } else if (end->code == SIGSYS) {
        (void)snprintf(ret_text, size, "did what its sandbox forbids (signal %d)", end->code);
    } else {
        (void)snprintf(ret_text, size, "crashed with signal %d (%s)", end->code,
                       name ? name : "unknown");
    }
}
