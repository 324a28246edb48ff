/*
 * process.h: a process of ours on the loop: its socket, its end, its queue.
 *
 * Used for workers and for the fetch worker alike.  All on the loop's thread, which never waits
 * for it.  What comes in goes to hooks->frame, at most LIMIT_FRAMES_PER_TURN a turn; a packet that
 * is no frame ends the process.  What goes out waits in a bounded queue while the process is being
 * started and while its socket is full.  When the process has ended and its last frames were read,
 * hooks->gone is called, once.
 */
#ifndef PLUGIN_PROCESS_H
#define PLUGIN_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "plugin/frame.h"
#include "plugin/spawner.h"

struct process;
struct process_packet;

struct process_end {
    int error; /* -errno: it could not be started; what follows means nothing then */
    bool signaled;
    int code;          /* exit status, or the signal */
    const char *fault; /* what the agent ended it for, e.g. "sent a malformed frame"; NULL: it ended
                          by itself, or was asked to */
};

struct process_hooks {
    /* May call process_send() and process_kill(), not process_finish(). */
    void (*frame)(void *owner, const struct frame *frame);
    /* The process is gone and reaped, or could not be started.  The owner may start it again or
     * finish it here. */
    void (*gone)(void *owner, const struct process_end *end);
};

struct process {
    struct loop *loop;
    const struct process_hooks *hooks;
    void *owner;
    struct spawn *spawn; /* it is being started */
    pid_t pid;           /* 0: none, or it is being started */
    struct loop_fd socket, exit;
    struct loop_timer closed; /* it closed its socket: runs until it must have ended */
    struct process_packet *first, *last;
    size_t queued; /* bytes */
    const char *fault;
    bool enough; /* set by hooks->frame: this was the last that is expected for now, so it need not
                    be looked for more in this turn */
    bool killed; /* SIGKILL was sent, or will be as soon as it is there; nothing is read any more */
};

void process_init(struct process *process, struct loop *loop, const struct process_hooks *hooks,
                  void *owner);
/* Kills and forgets without calling hooks; for the end of the agent.  Waits for the process a short
 * while only. */
void process_finish(struct process *process);

/* 0: hooks->gone will be called.  -ENOMEM, -EBUSY: it runs. */
int process_start(struct process *process, struct spawner *spawner, enum program program);
/* From process_start() until hooks->gone. */
static inline bool process_running(const struct process *process)
{
    return process->pid != 0 || process->spawn != NULL;
}
/* Queues a message.  -ENOBUFS: too much waits (the process is killed); -ENOMEM; -ESRCH: there is
 * none.  Copies. */
int process_send(struct process *process, enum frame_type type, uint32_t call, const void *payload,
                 size_t len);
/* SIGKILL; `fault` is a static text for process_end, or NULL.  The first fault stays. */
void process_kill(struct process *process, const char *fault);

/* "crashed with signal 11 (Segmentation fault)", "ended with exit status 1", or the fault. */
void process_end_text(const struct process_end *end, char *ret_text, size_t size);

#endif
