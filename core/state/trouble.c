/*
 * trouble.c: what happens when a commit fails: the condition, the tries, reading memory anew.
 *
 * Memory may be ahead of the disk while a batch runs, so after every failure it is read anew from
 * what is committed.  Whoever submits is refused at once while nothing can be committed, since a
 * sender who is told can come back; one try in a second (retry) finds out when that is over.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "state/private.h"
#include "state/recover.h"
#include "state/schema.h"

#define UNREADABLE_LOADS 3
#define CONDITION_LOG_BURST 10
#define CONDITION_LOG_PER_SECOND (1.0 / 60)

static void describe(const struct state *state, enum state_condition condition, int error,
                     char *text, size_t size)
{
    switch (condition) {
    case STATE_WELL:
        *text = '\0';
        break;
    case STATE_FULL:
        (void)snprintf(
            text, size, "the disk of %s is full: new alerts are refused until %llu MiB are free",
            state->paths.directory, (unsigned long long)(2 * state->reserve.bytes >> 20));
        break;
    case STATE_FAILING:
        (void)snprintf(text, size, "%s cannot be written: %s (%s); it is tried again",
                       state->paths.db, state->last_error, log_errno(error));
        break;
    }
}

static void set_condition(struct state *state, enum state_condition condition, int error)
{
    const struct state_hooks *hooks = &state->options.hooks;
    char text[512];

    if ((int)condition == atomic_load(&state->stats.condition)) {
        return;
    }
    atomic_store(&state->stats.condition, (int)condition);
    describe(state, condition, error, text, sizeof text);
    if (log_limit_allow(&state->condition_log, clock_mono_ns())) {
        if (condition == STATE_WELL) {
            log_info("the state can be written again", LOG_S("file", state->paths.db));
        } else {
            log_error(condition == STATE_FULL ? "the disk of the state is full"
                                              : "the state cannot be written",
                      LOG_S("file", state->paths.db), LOG_S("reason", state->last_error),
                      LOG_E(error));
        }
    }
    if (hooks->condition) {
        hooks->condition(hooks->owner, condition, text);
    }
}

/* What holds when commits succeed: the condition then is a matter of space. */
static void settle(struct state *state)
{
    state->blocked = 0;
    set_condition(state, state->reserve.held || !state->reserve.possible ? STATE_WELL : STATE_FULL,
                  -ENOSPC);
}

static void plan(struct state *state, struct loop_timer *timer, unsigned ms)
{
    (void)loop_timer_set(state->loop, timer, clock_mono_ns() + (int64_t)ms * NS_PER_MS);
}

static void plan_retry(struct state *state)
{
    plan(state, &state->retry, state->options.retry_ms ? state->options.retry_ms : STATE_RETRY_MS);
}

static void plan_reserve(struct state *state)
{
    plan(state, &state->reserve_retry,
         state->options.reserve_retry_ms ? state->options.reserve_retry_ms
                                         : STATE_RESERVE_RETRY_MS);
}

int trouble_gate(const struct state *state, const struct state_job *job)
{
    if (state->blocked < 0 || !state->loaded) {
        return state->blocked < 0 ? state->blocked : -EIO;
    }
    return job->grows && atomic_load(&state->stats.condition) == STATE_FULL ? -ENOSPC : 0;
}

/* ---- reading memory anew ---- */

struct load {
    bool writable;
    bool read_failed; /* it was the disk, not the room, that said no */
};

static void run_load(struct state_tx *tx, void *arg)
{
    struct load *load = arg;
    const struct state_hooks *hooks = &tx->state->options.hooks;
    int r = hooks->load ? hooks->load(hooks->owner, tx, load->writable) : 0;

    load->read_failed = tx->error == -EIO;
    if (r < 0 && tx->error == 0) {
        tx->error = r;
    }
}

/* A disk that cannot be written can still be read. */
int trouble_load(struct state *state)
{
    struct load load = {.writable = true};
    int r;

    state->loading = true;
    state->losses.n = 0;
    r = transaction_run(state, run_load, &load);
    if (r < 0 && r != -EUCLEAN && state->db) {
        load.writable = false;
        state->losses.n = 0;
        r = transaction_run(state, run_load, &load);
    }
    state->loading = false;
    state->loaded = r == 0;
    state->unreadable = r < 0 && load.read_failed ? state->unreadable + 1 : 0;
    if (r == 0) {
        losses_tell(state);
    }
    // the same again and again: sectors that are gone, and the rest can be had without them
    return state->unreadable >= UNREADABLE_LOADS ? -EUCLEAN : r;
}

/* ---- failures and tries ---- */

static void take_note(struct state *state, int error)
{
    if (error != -ENOSPC) {
        state->blocked = error;
        set_condition(state, STATE_FAILING, error);
        return;
    }
    // the second time, what was reserved is used up too
    state->blocked = state->reserve.held ? 0 : error;
    reserve_release(&state->reserve);
    set_condition(state, STATE_FULL, error);
}

static void plan_tries(struct state *state)
{
    if (state->blocked < 0 || !state->loaded) {
        plan_retry(state);
    }
    if (!state->reserve.held && state->reserve.possible) {
        plan_reserve(state);
    }
}

static int mend(struct state *state)
{
    struct buf why;
    int r;

    buf_init(&why, 4096);
    r = state->db ? recover_damaged(state, &why) : recover_open(state, &why);
    if (r < 0) {
        (void)snprintf(state->last_error, sizeof state->last_error, "%s", buf_str(&why));
    }
    buf_finish(&why);
    return r;
}

void trouble_handle(struct state *state, int error, bool reload)
{
    if (error == -EUCLEAN) {
        error = mend(state);
        reload = true;
    }
    if (error < 0) {
        take_note(state, error);
    } else if (state->blocked == 0) {
        settle(state); // the copy may have taken what was reserved
    }
    if (reload && state->db) {
        error = trouble_load(state);
        if (error < 0) {
            take_note(state, error);
        }
    }
    state->loaded &= state->db != NULL;
    plan_tries(state);
}

static void probe(struct state_tx *tx, void *arg)
{
    char sql[64];

    // writes the first page, whose content stays as it is
    (void)snprintf(sql, sizeof sql, "PRAGMA user_version=%zu", state_schema_version);
    if (sqlite3_exec(tx->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        tx->error = file_error(tx->db, sqlite3_extended_errcode(tx->db));
    }
}

static void on_retry(struct loop_timer *timer, int64_t now_ns)
{
    struct state *state = timer->owner;
    int r = state->db ? 0 : mend(state);

    if (r == 0 && !state->loaded) {
        r = trouble_load(state);
    }
    if (r == 0) {
        r = transaction_run(state, probe, NULL);
    }
    if (r == 0) {
        r = transaction_checkpoint(state, true);
    }
    if (r == 0) {
        settle(state);
    } else if (state->db) {
        trouble_handle(state, r, false);
    } else {
        take_note(state, r);
        plan_tries(state);
    }
}

static void on_reserve_retry(struct loop_timer *timer, int64_t now_ns)
{
    struct state *state = timer->owner;

    (void)reserve_make(&state->reserve);
    plan_tries(state);
    if (state->blocked == 0) {
        settle(state);
    }
}

void trouble_init(struct state *state)
{
    loop_timer_init(&state->retry, on_retry, state);
    loop_timer_init(&state->reserve_retry, on_reserve_retry, state);
    log_limit_init(&state->condition_log, CONDITION_LOG_BURST, CONDITION_LOG_PER_SECOND);
}

void trouble_start(struct state *state)
{
    int r = reserve_open(&state->reserve);

    if (r < 0) {
        (void)snprintf(state->last_error, sizeof state->last_error,
                       "no space can be reserved in %s", state->paths.directory);
        log_warning("no space can be reserved for a full disk",
                    LOG_S("directory", state->paths.directory), LOG_E(r));
    }
    settle(state);
    r = trouble_load(state);
    if (r < 0) {
        trouble_handle(state, r, false);
    }
    plan_tries(state);
}

void trouble_finish(struct state *state)
{
    loop_timer_stop(state->loop, &state->retry);
    loop_timer_stop(state->loop, &state->reserve_retry);
}
