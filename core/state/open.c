/*
 * open.c: state_open() and state_close(): builds the parts in order, and undoes that.
 *
 * The file is opened and read on the caller's thread, which wants to know how that went; then the
 * thread is started, and all is the thread's until it has ended.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "state/private.h"
#include "state/recover.h"

static void *run_thread(void *arg)
{
    struct state *state = arg;
    int r;

    loop_be_patient();
    r = loop_run(state->loop);
    if (r < 0) {
        log_error("the loop of the state ended", LOG_E(r));
    }
    return NULL;
}

/* Signals are for the main thread. */
static int start_thread(struct state *state)
{
    sigset_t all, before;
    int r;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    r = -pthread_create(&state->thread, NULL, run_thread, state);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r == 0) {
        state->started = true;
        (void)pthread_setname_np(state->thread, "state");
    }
    return r;
}

static void destroy(struct state *state)
{
    if (state->loop) {
        trouble_finish(state);
        loop_fd_remove(state->loop, &state->wake);
    }
    recover_close(state, false);
    queue_finish(&state->queue);
    loop_destroy(state->loop);
    paths_finish(&state->paths);
    free(state);
}

int state_open(const struct state_options *options, struct buf *why, struct state **ret_state)
{
    struct state *state = calloc(1, sizeof *state);
    size_t said = why->len;
    int r;

    // SQLite would count what it allocates, under a lock, for whoever might ask; nobody does, and
    // it costs a twentieth of a commit.  Refused, without harm, where SQLite has been used already.
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    if (!state) {
        buf_puts(why, "no memory for the state");
        return -ENOMEM;
    }
    state->options = *options;
    state->options.directory = NULL; // the caller's
    state->wake.fd = -1;
    state->marker.fd = -1;
    trouble_init(state);
    r = queue_init(&state->queue);
    if (r == 0) {
        r = paths_init(&state->paths, options->directory);
    }
    if (r == 0) {
        reserve_init(&state->reserve, state->paths.reserve,
                     options->reserve_bytes ? options->reserve_bytes : LIMIT_STATE_RESERVE_BYTES);
        r = loop_create(&state->loop);
    }
    if (r == 0) {
        r = loop_fd_add(state->loop, &state->wake, state->queue.fd, EPOLLIN, writer_wake, state);
    }
    if (r == 0) {
        r = file_check_directory(&state->paths, why);
    }
    if (r == 0) {
        r = recover_open(state, why);
    }
    if (r < 0) {
        goto out;
    }
    trouble_start(state);
    stats_measure(state);
    r = start_thread(state);
    if (r < 0) {
        goto out;
    }
    *ret_state = state;
    return 0;

out:
    if (why->len == said) {
        buf_printf(why, "the state in %s cannot be opened: %s", options->directory, log_errno(r));
    }
    destroy(state);
    return r;
}

void state_close(struct state *state)
{
    if (!state) {
        return;
    }
    if (state->started) {
        queue_close(&state->queue);
        (void)pthread_join(state->thread, NULL);
    }
    recover_close(state, state->blocked == 0);
    destroy(state);
}
