/*
 * process.h: a process of ours on the loop: its socket, its end, its queue.
 *
 * Used for workers and for the fetch worker alike.  All on the loop's thread.  What comes in goes
 * to hooks->frame, at most LIMIT_FRAMES_PER_TURN a turn; a packet that is no frame ends the
 * process.  What goes out waits in a bounded queue while the socket is full.  When the process has
 * ended and its last frames were read, hooks->gone is called, once.
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
    bool signaled;
    int code;          /* exit status, or the signal */
    const char *fault; /* what the agent ended it for, e.g. "sent a malformed frame"; NULL: it ended
                          by itself */
};

struct process_hooks {
    void (*frame)(void *owner, const struct frame *frame);
    /* The process is gone and reaped.  The owner may start it again or forget it here. */
    void (*gone)(void *owner, const struct process_end *end);
};

struct process {
    struct loop *loop;
    const struct process_hooks *hooks;
    void *owner;
    pid_t pid; /* 0: none */
    struct loop_fd socket, exit;
    struct process_packet *first, *last;
    size_t queued; /* bytes */
    const char *fault;
    bool killed; /* SIGKILL was sent */
};

void process_init(struct process *process, struct loop *loop, const struct process_hooks *hooks,
                  void *owner);
/* Kills and forgets without calling hooks; for the end of the agent.  Waits for the process a short
 * while only. */
void process_finish(struct process *process);

int process_start(struct process *process, struct spawner *spawner, enum program program);
static inline bool process_running(const struct process *process)
{
    return process->pid != 0;
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
