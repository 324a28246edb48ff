/*
 * loop.h: one thread's event loop: descriptors by epoll, timers, and work posted by other threads.
 *
 * All functions belong to the loop's thread except loop_post() and loop_stop().  Callbacks run one
 * at a time; a callback may add, change and remove any watch or timer, its own too.  The loop
 * sleeps until something is due; there is no tick.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/heap.h"

struct loop;

/* A watched descriptor; a member of its owner. */
struct loop_fd {
    int fd; /* -1: not watched */
    uint32_t events;
    void (*ready)(struct loop_fd *watch, uint32_t events);
    void *owner;
};

/* A timer; a member of its owner. */
struct loop_timer {
    struct heap_node node;
    void (*fire)(struct loop_timer *timer, int64_t now_ns);
    void *owner;
};

/* -errno. */
int loop_create(struct loop **ret_loop);
void loop_destroy(struct loop *loop);

/* Starts to watch; `watch` is borrowed until loop_fd_remove().  -errno. */
int loop_fd_add(struct loop *loop, struct loop_fd *watch, int fd, uint32_t events,
                void (*ready)(struct loop_fd *, uint32_t), void *owner);
int loop_fd_change(struct loop *loop, struct loop_fd *watch, uint32_t events);
/* Stops watching; the descriptor stays open. */
void loop_fd_remove(struct loop *loop, struct loop_fd *watch);

void loop_timer_init(struct loop_timer *timer, void (*fire)(struct loop_timer *, int64_t),
                     void *owner);
/* Fires once at this monotonic time (ns); set again to move it.  -ENOMEM. */
int loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at_ns);
void loop_timer_stop(struct loop *loop, struct loop_timer *timer);

/* Runs fn(arg) on the loop's thread, soon.  Any thread.  Posts run in their order.  -ENOMEM, or
 * -ENOBUFS when too many wait. */
int loop_post(struct loop *loop, void (*fn)(void *arg), void *arg);

/* Monotonic time (ns) at the start of this turn: cheap, good enough for deadlines. */
int64_t loop_now(const struct loop *loop);
/* For the thread of a busy loop: from now on, being woken does not push aside who has the
 * processor; it has its turn next, and finds several things to do instead of one.  Its share of the
 * time stays what it was.  Threads that it starts later inherit this. */
void loop_be_patient(void);
/* Runs until loop_stop(), also one from before; may be run again.  -errno only when epoll itself
 * fails. */
int loop_run(struct loop *loop);
/* Runs what was posted by now; for the end, when the loop itself runs no more. */
void loop_run_posts(struct loop *loop);
/* Any thread. */
void loop_stop(struct loop *loop);

#endif
