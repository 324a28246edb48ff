/*
 * queue.h: jobs on their way to the state's thread.  Any thread puts; the state's thread takes.
 *
 * `fd` becomes readable when the first job comes, and stays so until the last was taken: one write
 * and one read a batch, however many jobs it has.
 */
#ifndef STATE_QUEUE_H
#define STATE_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "state/state.h"

struct queue {
    pthread_mutex_t lock; /* of what follows but fd */
    struct state_job *first, *last;
    atomic_uint_fast64_t len; /* changed under the lock, read by anybody */
    bool signalled;
    bool closed;
    int fd;
};

/* -errno. */
int queue_init(struct queue *queue);
void queue_finish(struct queue *queue);
/* -ENOBUFS, -ESHUTDOWN. */
int queue_put(struct queue *queue, struct state_job *job);
/* Up to `max` jobs in their order, linked by next; NULL: none wait. */
struct state_job *queue_take(struct queue *queue, size_t max);
/* From now on puts fail.  Makes `fd` readable. */
void queue_close(struct queue *queue);
bool queue_over(struct queue *queue); /* closed and empty */
uint64_t queue_len(const struct queue *queue);

#endif
