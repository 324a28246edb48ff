/* queue.c: see queue.h. */
#include "state/queue.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/limits.h"

int queue_init(struct queue *queue)
{
    *queue = (struct queue){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    (void)pthread_mutex_init(&queue->lock, NULL);
    return queue->fd < 0 ? -errno : 0;
}

void queue_finish(struct queue *queue)
{
    if (queue->fd >= 0) {
        (void)close(queue->fd);
        queue->fd = -1;
    }
    (void)pthread_mutex_destroy(&queue->lock);
}

static void signal_locked(struct queue *queue)
{
    uint64_t one = 1;

    if (!queue->signalled) {
        queue->signalled = true;
        (void)!write(queue->fd, &one, sizeof one);
    }
}

int queue_put(struct queue *queue, struct state_job *job)
{
    int r = 0;

    job->next = NULL;
    (void)pthread_mutex_lock(&queue->lock);
    if (queue->closed) {
        r = -ESHUTDOWN;
    } else if (queue->len >= LIMIT_STATE_JOBS) {
        r = -ENOBUFS;
    } else {
        if (queue->first) {
            queue->last->next = job;
        } else {
            queue->first = job;
        }
        queue->last = job;
        queue->len++;
        signal_locked(queue);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return r;
}

struct state_job *queue_take(struct queue *queue, size_t max)
{
    struct state_job *first, *last;
    uint64_t count;

    (void)pthread_mutex_lock(&queue->lock);
    first = last = queue->first;
    if (queue->len <= max) {
        queue->first = queue->last = NULL;
        queue->len = 0;
    } else {
        for (size_t i = 1; i < max; i++) {
            last = last->next;
        }
        queue->first = last->next;
        last->next = NULL;
        queue->len -= max;
    }
    if (!queue->first && queue->signalled && !queue->closed) {
        (void)!read(queue->fd, &count, sizeof count);
        queue->signalled = false;
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return first;
}

void queue_close(struct queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    signal_locked(queue);
    (void)pthread_mutex_unlock(&queue->lock);
}

bool queue_over(struct queue *queue)
{
    bool over;

    (void)pthread_mutex_lock(&queue->lock);
    over = queue->closed && !queue->first;
    (void)pthread_mutex_unlock(&queue->lock);
    return over;
}

uint64_t queue_len(const struct queue *queue)
{
    return atomic_load_explicit(&queue->len, memory_order_relaxed);
}
