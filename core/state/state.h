/*
 * state.h: the one writer of durable state: one SQLite file in state_dir, one thread that owns it.
 *
 * Whoever wants to change what must survive submits a job.  The state's thread takes all jobs that
 * wait, runs them in one transaction, and commits; so a batch is whatever queued during the fsync
 * before it, and there is no timer.  The durable moment: COMMIT has returned, then memory is
 * published, then `done` of each job is called.
 *
 * Rooms whose memory mirrors the file (alert, outbox) live on this thread, so that they need no
 * locks.  Their jobs may change memory at once: nothing of it is seen before the commit, because
 * reading is a job too.  When a commit fails, hooks->load reads everything anew, and all jobs of
 * the batch are told why.
 */
#ifndef STATE_STATE_H
#define STATE_STATE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/loop.h"

struct state;

/* An open transaction, or a reader within one.  The first error stays in it and fails the batch. */
struct state_tx {
    struct state *state;
    sqlite3 *db;
    int error; /* 0 or -errno, see state_error() */
};

/* A piece of work; a member of its owner, who leaves it alone from submit to done. */
struct state_job {
    struct state_job *next;
    /* It makes the state larger on behalf of somebody who can be told to come back: refused at once
     * with -ENOSPC while the disk is full.  The others may use what was reserved. */
    bool grows;
    /* On the state's thread, in the transaction.  0 or more: it did its work.  Negative: it refused
     * and has changed nothing, neither rows nor memory; the others of the batch are not concerned.
     */
    int (*run)(struct state_job *job, struct state_tx *tx);
    /* On the state's thread, after the commit: with what run() returned, or with the -errno that
     * failed the batch (-ENOSPC, -EIO, -EUCLEAN, ...; then nothing of it has happened).  The job is
     * its owner's again.  May submit. */
    void (*done)(struct state_job *job, int result);
    int result; /* the state's */
};

enum state_condition {
    STATE_WELL,
    STATE_FULL,    /* the disk is; what grows is refused, the rest lives from the reserve */
    STATE_FAILING, /* commits fail for another reason; jobs are refused until a try of the state's
                    * own, one in a second, succeeds */
};

struct state_hooks {
    void *owner;
    /* Forget what is in memory and read it anew.  At the start, after a failed commit, after the
     * file was salvaged.  Rows that do not verify are told by state_lost() and left out (and
     * deleted, where `writable`). -errno: it is tried again later, and no job runs before. */
    int (*load)(void *owner, struct state_tx *tx, bool writable);
    /* The last step of a batch: write what its jobs have left to be written once.  Errors go into
     * the tx. */
    void (*before_commit)(void *owner, struct state_tx *tx);
    /* The batch is durable; before any `done`. */
    void (*committed)(void *owner);
    /* On a change. `text` says it for people ("" when well); borrowed. */
    void (*condition)(void *owner, enum state_condition condition, const char *text);
};

struct state_options {
    const char *directory;     /* exists and is locked by the caller */
    uint64_t reserve_bytes;    /* 0: the default, 4 MiB */
    const char *vfs;           /* of SQLite; NULL: the default.  Tests inject faults with it. */
    unsigned retry_ms;         /* between tries of what fails; 0: the default, 1 s */
    unsigned reserve_retry_ms; /* between tries to reserve space anew; 0: the default, 5 s */
    unsigned wal_pages; /* of the log before it is copied into the database; 0: the default */
    struct state_hooks hooks;
};

/* Opens (makes, brings up to date) the file, loads, starts the thread.  A file of a newer version
 * is refused (-EPROTONOSUPPORT); a damaged one is salvaged: what can be read is copied into a new
 * file, the old one is kept beside it.  Blocks as long as the disk takes.  -errno with a sentence
 * for the operator appended to `why`. */
int state_open(const struct state_options *options, struct buf *why, struct state **ret_state);
/* Runs what was submitted, ends the thread, closes the file.  Takes NULL. */
void state_close(struct state *state);

/* Any thread.  0: done will be called.  -ENOBUFS: too many wait (LIMIT_STATE_JOBS); -ESHUTDOWN. */
int state_submit(struct state *state, struct state_job *job);
/* The loop of the state's thread: for timers of the rooms that live there, which submit jobs. */
struct loop *state_loop(struct state *state);

/* ---- in a transaction ---- */

/* The prepared statement for this text, reset and without bindings; kept for the life of the file.
 * `sql` is a constant: it is found by its address.  NULL: tx->error says why. */
sqlite3_stmt *state_prepare(struct state_tx *tx, const char *sql);
/* 1: a row; 0: done; -errno, which is in tx->error too. */
int state_step(struct state_tx *tx, sqlite3_stmt *statement);
/* prepare and step, for statements without parameters and rows. */
int state_exec(struct state_tx *tx, const char *sql);
/* SQLite's result as -errno: SQLITE_FULL -ENOSPC, SQLITE_CORRUPT and SQLITE_NOTADB -EUCLEAN, ... */
int state_error(int sqlite_result);

/* Checksums of rows: start with STATE_SUM, add every column in order, store the result in `sum`. */
#define STATE_SUM UINT32_C(0)
uint32_t state_sum_int(uint32_t sum, int64_t value);
uint32_t state_sum_bytes(uint32_t sum, const void *data, size_t len);

/* Rows of `table` (a constant) could not be read or did not verify: counted, logged once a table
 * and load. */
void state_lost(struct state *state, const char *table, uint64_t rows);

/* ---- what others may know; any thread ---- */

struct state_stats {
    enum state_condition condition;
    uint64_t jobs, batches, failed_batches;
    uint64_t lost_rows; /* since the start, salvage included */
    uint64_t salvages;
    uint64_t waiting;      /* jobs now */
    uint64_t file_bytes;   /* database and write-ahead log */
    double commit_seconds; /* spent in COMMIT, in total */
    int64_t oldest_ns;     /* since when (monotonic) the batch under way runs; 0: none */
};
void state_stats(const struct state *state, struct state_stats *ret_stats);

#endif
