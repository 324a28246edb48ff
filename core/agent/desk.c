/*
 * desk.c: see desk.h.  All of it but submitting runs on the state's thread.
 *
 * The end of each batch is where time is looked at: what is due by then goes into the same
 * transaction, so an alert that has no reason to wait is accepted, queued and counted as attempted
 * with one fsync.
 */
#include "agent/desk.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define UNRECORDED_MS 1000 /* until an outcome whose commit failed is tried again */

static struct alerts_time time_now(void)
{
    return (struct alerts_time){clock_real_ms(), clock_mono_ns() / NS_PER_MS};
}

/* ---- what the state calls ---- */

static int on_load(void *owner, struct state_tx *tx, bool writable)
{
    struct desk *desk = owner;
    struct alerts_time now = time_now();
    int r = outbox_load(desk->outbox, tx, writable, now);

    return r < 0 ? r : alerts_load(desk->alerts, tx, writable, now);
}

static void on_before_commit(void *owner, struct state_tx *tx)
{
    struct desk *desk = owner;
    struct alerts_time now = time_now();

    if (alerts_run(desk->alerts, tx, now) == 0) {
        outbox_run(desk->outbox, tx, now);
    }
    if (tx->error == 0) {
        alerts_save(desk->alerts, tx);
    }
}

/* Wakes up when the first of both wants to run, and not before. */
static void arm(struct desk *desk)
{
    int64_t alerts = alerts_next(desk->alerts), outbox = outbox_next(desk->outbox);
    int64_t next = alerts < outbox ? alerts : outbox;

    if (desk->unrecorded && next > time_now().mono_ms + UNRECORDED_MS) {
        next = time_now().mono_ms + UNRECORDED_MS;
    }
    if (next == INT64_MAX) {
        loop_timer_stop(state_loop(desk->state), &desk->timer);
    } else if (next != desk->armed_ms || !heap_has(&desk->timer.node)) {
        (void)loop_timer_set(state_loop(desk->state), &desk->timer, next * NS_PER_MS);
    }
    desk->armed_ms = next;
}

static void on_committed(void *owner)
{
    struct desk *desk = owner;

    outbox_committed(desk->outbox);
    arm(desk);
    if (desk->hooks.counts) {
        struct alerts_counts counts;

        alerts_count(desk->alerts, &counts);
        desk->hooks.counts(desk->hooks.owner, &counts);
    }
}

static void on_condition(void *owner, enum state_condition condition, const char *text)
{
    struct desk *desk = owner;

    if (desk->hooks.condition) {
        desk->hooks.condition(desk->hooks.owner, condition, text);
    }
}

/* ---- time ---- */

static int run_tick(struct state_job *job, struct state_tx *tx)
{
    return 0; /* the end of the batch does it */
}

static void tick_done(struct state_job *job, int result)
{
    struct desk *desk = (struct desk *)(void *)((char *)job - offsetof(struct desk, tick));

    desk->ticking = false;
    if (result < 0) {
        (void)loop_timer_set(state_loop(desk->state), &desk->timer,
                             clock_mono_ns() + UNRECORDED_MS * NS_PER_MS);
    }
}

static void submit_unrecorded(struct desk *desk);

static void on_timer(struct loop_timer *timer, int64_t now_ns)
{
    struct desk *desk = timer->owner;

    submit_unrecorded(desk);
    if (!desk->ticking) {
        desk->ticking = state_submit(desk->state, &desk->tick) == 0;
    }
}

/* ---- calls ---- */

static int run_call(struct state_job *job, struct state_tx *tx)
{
    struct desk_call *call = (struct desk_call *)(void *)job;

    return call->run(call, tx, time_now());
}

static void call_done(struct state_job *job, int result)
{
    struct desk_call *call = (struct desk_call *)(void *)job;

    call->done(call, result);
}

int desk_submit(struct desk *desk, struct desk_call *call, bool grows)
{
    call->desk = desk;
    call->job = (struct state_job){.grows = grows, .run = run_call, .done = call_done};
    return state_submit(desk->state, &call->job);
}

/* ---- outcomes ---- */

struct desk_outcome { /* some that came together */
    struct desk_call call;
    struct desk_outcome *next;
    size_t n;
    struct outbox_outcome outcomes[];
};

static int run_outcome(struct desk_call *call, struct state_tx *tx, struct alerts_time now)
{
    struct desk_outcome *outcome = (struct desk_outcome *)(void *)call;
    int r = 0;

    for (size_t i = 0; i < outcome->n && r == 0; i++) {
        r = outbox_outcome(call->desk->outbox, tx, &outcome->outcomes[i], now);
    }
    return r;
}

/* Not recorded: it is said again until it is.  The far end has acted, whatever our disk does. */
static void keep_outcome(struct desk_outcome *outcome)
{
    struct desk *desk = outcome->call.desk;

    outcome->next = NULL;
    *desk->unrecorded_end = outcome;
    desk->unrecorded_end = &outcome->next;
    (void)loop_timer_set(state_loop(desk->state), &desk->timer,
                         clock_mono_ns() + UNRECORDED_MS * NS_PER_MS);
}

static void outcome_done(struct desk_call *call, int result)
{
    struct desk_outcome *outcome = (struct desk_outcome *)(void *)call;

    if (result < 0) {
        keep_outcome(outcome);
    } else {
        free(outcome);
    }
}

static void keep_posted(void *arg)
{
    keep_outcome(arg);
}

static void submit_outcome(struct desk *desk, struct desk_outcome *outcome)
{
    int r = desk_submit(desk, &outcome->call, false);

    if (r == -ENOBUFS) {
        r = loop_post(state_loop(desk->state), keep_posted, outcome);
    }
    if (r < 0) {
        free(outcome); /* the agent ends: it is attempted again after the start, with the same id */
    }
}

static void submit_unrecorded(struct desk *desk)
{
    struct desk_outcome *outcome = desk->unrecorded;

    desk->unrecorded = NULL;
    desk->unrecorded_end = &desk->unrecorded;
    while (outcome) {
        struct desk_outcome *next = outcome->next;

        submit_outcome(desk, outcome);
        outcome = next;
    }
}

void desk_outcomes(struct desk *desk, const struct outbox_outcome *outcomes, size_t n)
{
    struct desk_outcome *kept = calloc(1, sizeof *kept + n * sizeof *outcomes);

    if (!kept) {
        return; /* as if we had crashed: it stays under way until the next start */
    }
    kept->call.run = run_outcome;
    kept->call.done = outcome_done;
    kept->n = n;
    memcpy(kept->outcomes, outcomes, n * sizeof *outcomes);
    submit_outcome(desk, kept);
}

/* ---- holding ---- */

static int run_hold(struct desk_call *call, struct state_tx *tx, struct alerts_time now)
{
    outbox_hold(call->desk->outbox);
    return 0;
}

static void hold_done(struct desk_call *call, int result)
{
    free(call);
}

void desk_hold(struct desk *desk)
{
    struct desk_call *call = calloc(1, sizeof *call);

    if (!call) {
        return;
    }
    call->run = run_hold;
    call->done = hold_done;
    if (desk_submit(desk, call, false) < 0) {
        free(call);
    }
}

/* ---- opened, closed ---- */

int desk_open(struct desk *desk, const char *directory, const struct desk_hooks *hooks,
              struct buf *why)
{
    const struct outbox_hooks outbox_hooks = {hooks->owner, hooks->attempt};
    struct state_options options = {
        .directory = directory,
        .hooks = {.owner = desk,
                  .load = on_load,
                  .before_commit = on_before_commit,
                  .committed = on_committed,
                  .condition = on_condition},
    };
    struct alerts_hooks alerts_hooks;
    int r;

    *desk = (struct desk){.hooks = *hooks, .tick = {.run = run_tick, .done = tick_done}};
    desk->unrecorded_end = &desk->unrecorded;
    loop_timer_init(&desk->timer, on_timer, desk);
    r = outbox_create(&outbox_hooks, &hooks->times, &desk->outbox);
    if (r == 0) {
        alerts_hooks = outbox_alerts_hooks(desk->outbox);
        r = alerts_create(&alerts_hooks, &desk->alerts);
    }
    if (r == 0) {
        outbox_join(desk->outbox, desk->alerts);
        r = state_open(&options, why, &desk->state);
    }
    if (r < 0) {
        if (why->len == 0) {
            buf_puts(why, log_errno(r));
        }
        desk_close(desk);
    }
    return r;
}

void desk_close(struct desk *desk)
{
    state_close(desk->state);
    while (desk->unrecorded) {
        struct desk_outcome *outcome = desk->unrecorded;

        desk->unrecorded = outcome->next;
        free(outcome);
    }
    alerts_destroy(desk->alerts);
    outbox_destroy(desk->outbox);
    *desk = (struct desk){0};
}
