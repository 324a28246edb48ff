/*
 * private.h: what the files of this room share: struct state and the steps between them.
 *
 * Everything belongs to the state's thread, except `queue` (its own lock) and `stats` (atomics).
 * state_open() runs on the caller's thread before that thread is started.
 */
#ifndef STATE_PRIVATE_H
#define STATE_PRIVATE_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"
#include "state/file.h"
#include "state/mark.h"
#include "state/queue.h"
#include "state/reserve.h"
#include "state/state.h"
#include "state/statement.h"

#define STATE_RETRY_MS 1000
#define STATE_RESERVE_RETRY_MS 5000
#define STATE_LOST_TABLES 16 /* that are logged by name; there are fewer */

struct state_counters {
    atomic_int condition;
    atomic_uint_fast64_t jobs, batches, failed_batches, lost_rows, salvages, file_bytes, commit_ns;
    atomic_int_fast64_t oldest_ns;
};

/* What a load could not read, told when it is over: a load that is done again counts once. */
struct state_losses {
    const char *tables[STATE_LOST_TABLES];
    uint64_t rows[STATE_LOST_TABLES];
    size_t n;
};

struct state {
    struct state_options options;
    struct state_paths paths;
    sqlite3 *db; /* NULL while a file that could not be salvaged waits for another try */
    struct statements statements;
    struct marker marker;
    bool salt_known;     /* the marker's is that of the log's current generation */
    int wal_pages;       /* of the log, after the last commit */
    int64_t salvaged_ns; /* when that was last tried */
    struct reserve reserve;
    char last_error[256]; /* SQLite's words for the last error of a transaction */

    struct loop *loop;
    struct loop_fd wake;
    pthread_t thread;
    bool started;
    struct queue queue;
    uint64_t crowd; /* jobs of the last batch */

    /* trouble.c */
    bool loaded;    /* memory mirrors the file */
    int blocked;    /* 0, or the -errno with which all jobs are refused until a try succeeds */
    int unreadable; /* loads in a row that failed because the disk refused to be read */
    struct loop_timer retry, reserve_retry;
    struct log_limit condition_log;
    struct state_losses losses;
    bool loading;

    int64_t sized_ns; /* when file_bytes was measured */
    struct state_counters stats;
};

/* ---- transaction.c ---- */

/* BEGIN, body, COMMIT, or ROLLBACK when an error is in the tx; returns that error. */
int transaction_run(struct state *state, void (*body)(struct state_tx *, void *), void *arg);
/* Once for each database: from now on wal_pages is known. */
void transaction_watch(struct state *state);
/* Copies the log into the database when it is long enough, or when `always`.  -errno. */
int transaction_checkpoint(struct state *state, bool always);

/* ---- trouble.c ---- */

void trouble_init(struct state *state);
/* Reserves space and loads, at the start. */
void trouble_start(struct state *state);
/* What a batch may do now: 0, or the -errno with which this job is refused. */
int trouble_gate(const struct state *state, const struct state_job *job);
/* A transaction or a checkpoint failed: sets the condition, plans the tries, reads memory anew. */
void trouble_handle(struct state *state, int error, bool reload);
/* Reads everything into memory.  -errno: it will be tried again. */
int trouble_load(struct state *state);
void trouble_finish(struct state *state);

/* ---- writer.c ---- */

void writer_wake(struct loop_fd *watch, uint32_t events);

/* ---- stats.c ---- */

void stats_measure(struct state *state);
void losses_tell(struct state *state);

#endif
