/*
 * writer.c: the state's thread: takes the jobs that wait, runs them in one transaction, tells them.
 *
 * There is no timer: while one batch syncs, the next one queues up, so that the batches are as
 * large as the disk is slow.  After each batch the loop gets its turn, for the timers of the rooms
 * that live here.
 *
 * Where jobs come in crowds, those that are about to submit one get the processor first.  Else who
 * was just answered misses the next batch by a few microseconds, and the crowd falls apart into two
 * halves that wait for each other: twice the commits for the same work.
 */
#include <errno.h>
#include <sched.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/limits.h"
#include "state/private.h"

#define CROWD 4 /* jobs of a batch; below that nobody is waited for */

struct batch {
    struct state_job *first;
    uint64_t len;
};

static void finish_jobs(struct state_job *job)
{
    while (job) {
        struct state_job *next = job->next; // done() may free the job or submit it again

        job->next = NULL;
        job->done(job, job->result);
        job = next;
    }
}

/* Splits what may not be tried now off the batch. */
static void sort_out(const struct state *state, struct state_job *jobs, struct batch *batch,
                     struct state_job **ret_refused)
{
    struct state_job **accepted = &batch->first, **refused = ret_refused;

    *batch = (struct batch){0};
    *ret_refused = NULL;
    while (jobs) {
        struct state_job *job = jobs;
        int r = trouble_gate(state, job);

        jobs = job->next;
        job->next = NULL;
        job->result = r;
        if (r < 0) {
            *refused = job;
            refused = &job->next;
        } else {
            *accepted = job;
            accepted = &job->next;
            batch->len++;
        }
    }
}

static void run_jobs(struct state_tx *tx, void *arg)
{
    struct batch *batch = arg;
    const struct state_hooks *hooks = &tx->state->options.hooks;

    for (struct state_job *job = batch->first; job && tx->error == 0; job = job->next) {
        job->result = job->run(job, tx);
    }
    if (tx->error == 0 && hooks->before_commit) {
        hooks->before_commit(hooks->owner, tx);
    }
}

static void run_batch(struct state *state, struct batch *batch)
{
    const struct state_hooks *hooks = &state->options.hooks;
    struct state_counters *stats = &state->stats;
    int r;

    atomic_store_explicit(&stats->oldest_ns, clock_mono_ns(), memory_order_relaxed);
    r = transaction_run(state, run_jobs, batch);
    atomic_fetch_add_explicit(&stats->jobs, batch->len, memory_order_relaxed);
    atomic_fetch_add_explicit(&stats->batches, 1, memory_order_relaxed);
    if (r < 0) {
        atomic_fetch_add_explicit(&stats->failed_batches, 1, memory_order_relaxed);
        trouble_handle(state, r, true);
        for (struct state_job *job = batch->first; job; job = job->next) {
            job->result = r;
        }
    } else if (hooks->committed) {
        hooks->committed(hooks->owner);
    }
    finish_jobs(batch->first);
    atomic_store_explicit(&stats->oldest_ns, 0, memory_order_relaxed);
}

/* Twice: whom the first turn woke (answers that were read, requests that came) has the second. */
static void let_others_submit(const struct state *state)
{
    if (state->crowd >= CROWD) {
        (void)sched_yield();
        (void)sched_yield();
    }
}

void writer_wake(struct loop_fd *watch, uint32_t events)
{
    struct state *state = watch->owner;
    struct state_job *jobs, *refused;
    struct batch batch;
    int r;

    let_others_submit(state);
    jobs = queue_take(&state->queue, LIMIT_STATE_BATCH);
    if (!jobs) {
        if (queue_over(&state->queue)) {
            loop_stop(state->loop);
        }
        return;
    }
    sort_out(state, jobs, &batch, &refused);
    finish_jobs(refused);
    if (!batch.first) {
        return;
    }
    state->crowd = batch.len;
    run_batch(state, &batch);
    r = transaction_checkpoint(state, false);
    if (r < 0) {
        trouble_handle(state, r, false);
    }
    stats_measure(state);
}

int state_submit(struct state *state, struct state_job *job)
{
    return queue_put(&state->queue, job);
}

struct loop *state_loop(struct state *state)
{
    return state->loop;
}
