/*
 * loop.c: see loop.h.  epoll_wait() with a timeout serves the timers, so there is no timer
 * descriptor to keep; it counts in whole milliseconds, so a timer may fire up to one late, never
 * early.
 *
 * A descriptor removed by an earlier callback of the same turn must not be called any more: its
 * slots in the batch of events are cleared.
 */
#include "base/loop.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"

#define EVENTS_PER_TURN 64

struct post {
    struct post *next;
    void (*fn)(void *);
    void *arg;
};

struct loop {
    int epoll_fd;
    int wake_fd;
    struct heap timers;
    int64_t now;
    atomic_bool stopping;
    struct epoll_event batch[EVENTS_PER_TURN];
    int batch_len; /* events of this turn that are not handled yet stand in [batch_pos, batch_len)
                    */
    int batch_pos;

    pthread_mutex_t lock; /* of what follows */
    struct post *first, *last;
    size_t posts;
};

int loop_create(struct loop **ret_loop)
{
    struct loop *loop = calloc(1, sizeof *loop);
    struct epoll_event event = {.events = EPOLLIN};
    int r;

    if (!loop) {
        return -ENOMEM;
    }
    loop->epoll_fd = -1;
    loop->wake_fd = -1;
    heap_init(&loop->timers);
    (void)pthread_mutex_init(&loop->lock, NULL);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll_fd < 0 || loop->wake_fd < 0 ||
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) < 0) {
        r = -errno;
        loop_destroy(loop);
        return r;
    }
    loop->now = clock_mono_ns();
    *ret_loop = loop;
    return 0;
}

void loop_destroy(struct loop *loop)
{
    if (!loop) {
        return;
    }
    while (loop->first) {
        struct post *post = loop->first;

        loop->first = post->next;
        free(post);
    }
    if (loop->epoll_fd >= 0) {
        (void)close(loop->epoll_fd);
    }
    if (loop->wake_fd >= 0) {
        (void)close(loop->wake_fd);
    }
    heap_finish(&loop->timers);
    (void)pthread_mutex_destroy(&loop->lock);
    free(loop);
}

int loop_fd_add(struct loop *loop, struct loop_fd *watch, int fd, uint32_t events,
                void (*ready)(struct loop_fd *, uint32_t), void *owner)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};

    *watch = (struct loop_fd){.fd = -1, .events = events, .ready = ready, .owner = owner};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        return -errno;
    }
    watch->fd = fd;
    return 0;
}

int loop_fd_change(struct loop *loop, struct loop_fd *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};

    if (watch->events == events) {
        return 0;
    }
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) < 0) {
        return -errno;
    }
    watch->events = events;
    return 0;
}

void loop_fd_remove(struct loop *loop, struct loop_fd *watch)
{
    if (watch->fd < 0) {
        return;
    }
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->fd = -1;
    for (int i = loop->batch_pos; i < loop->batch_len; i++) {
        if (loop->batch[i].data.ptr == watch) {
            loop->batch[i].events = 0;
        }
    }
}

void loop_timer_init(struct loop_timer *timer, void (*fire)(struct loop_timer *, int64_t),
                     void *owner)
{
    *timer = (struct loop_timer){.fire = fire, .owner = owner};
}

int loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at_ns)
{
    return heap_set(&loop->timers, &timer->node, at_ns);
}

void loop_timer_stop(struct loop *loop, struct loop_timer *timer)
{
    heap_remove(&loop->timers, &timer->node);
}

static void wake(struct loop *loop)
{
    uint64_t one = 1;

    /* Full means that a wake-up is due anyway. */
    (void)!write(loop->wake_fd, &one, sizeof one);
}

int loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
    struct post *post = malloc(sizeof *post);
    bool first;

    if (!post) {
        return -ENOMEM;
    }
    *post = (struct post){.fn = fn, .arg = arg};
    (void)pthread_mutex_lock(&loop->lock);
    if (loop->posts >= LIMIT_LOOP_POSTS) {
        (void)pthread_mutex_unlock(&loop->lock);
        free(post);
        return -ENOBUFS;
    }
    first = !loop->first;
    if (first) {
        loop->first = post;
    } else {
        loop->last->next = post;
    }
    loop->last = post;
    loop->posts++;
    (void)pthread_mutex_unlock(&loop->lock);
    if (first) {
        wake(loop);
    }
    return 0;
}

static void run_posts(struct loop *loop)
{
    struct post *post;
    uint64_t count;

    (void)!read(loop->wake_fd, &count, sizeof count);
    (void)pthread_mutex_lock(&loop->lock);
    post = loop->first;
    loop->first = NULL;
    loop->last = NULL;
    loop->posts = 0;
    (void)pthread_mutex_unlock(&loop->lock);
    while (post) {
        struct post *next = post->next;

        post->fn(post->arg);
        free(post);
        post = next;
    }
}

void loop_run_posts(struct loop *loop)
{
    run_posts(loop);
}

int64_t loop_now(const struct loop *loop)
{
    return loop->now;
}

static struct loop_timer *timer_of(struct heap_node *node)
{
    return (struct loop_timer *)(void *)((char *)node - offsetof(struct loop_timer, node));
}

static int next_timeout_ms(const struct loop *loop)
{
    const struct heap_node *top = heap_top(&loop->timers);
    int64_t wait;

    if (!top) {
        return -1;
    }
    wait = top->at - clock_mono_ns();
    if (wait <= 0) {
        return 0;
    }
    wait = (wait + NS_PER_MS - 1) / NS_PER_MS;
    return wait > 3600 * MS_PER_S ? (int)(3600 * MS_PER_S) : (int)wait;
}

void loop_be_patient(void)
{
    const struct sched_param none = {0};

    (void)sched_setscheduler(0, SCHED_BATCH, &none); /* refused: it costs more time, no more */
}

int loop_run(struct loop *loop)
{
    while (!atomic_load(&loop->stopping)) {
        struct heap_node *top;
        bool woken = false;
        int n = epoll_wait(loop->epoll_fd, loop->batch, EVENTS_PER_TURN, next_timeout_ms(loop));

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        loop->now = clock_mono_ns();
        loop->batch_len = n > 0 ? n : 0;
        for (loop->batch_pos = 0; loop->batch_pos < loop->batch_len;) {
            struct epoll_event event = loop->batch[loop->batch_pos++];
            struct loop_fd *watch = event.data.ptr;

            if (event.events == 0) {
                continue;
            }
            if (!watch) {
                woken = true;
                continue;
            }
            watch->ready(watch, event.events);
        }
        loop->batch_len = loop->batch_pos = 0;
        if (woken) {
            run_posts(loop);
        }
        /* At most as many as there were: timers that set themselves for now cannot starve the
         * descriptors. */
        for (size_t left = loop->timers.len; left > 0; left--) {
            struct loop_timer *timer;

            top = heap_top(&loop->timers);
            if (!top || top->at > loop->now) {
                break;
            }
            timer = timer_of(top);
            heap_remove(&loop->timers, top);
            timer->fire(timer, loop->now);
            if (atomic_load(&loop->stopping)) {
                break;
            }
        }
    }
    atomic_store(&loop->stopping, false); // it may be run again
    return 0;
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->stopping, true);
    wake(loop);
}
