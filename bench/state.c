/*
 * state.c: what a durable job costs, with 1, 16 and 64 of them waiting at a time, beside SQLite
 * alone doing the same inserts in transactions of the same size.
 *
 * usage: bench_state DIRECTORY
 *
 * A job inserts one row of 300 bytes with its checksum; when it is done it is submitted again.  The
 * directory should be on the disk that counts: what is waited for is its sync.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "state/state.h"

#define BODY_BYTES 300
#define WAITING_MAX 64

static const char insert[] = "INSERT INTO alert (body, sum) VALUES (?, ?)";

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bench_state: %s\n", what);
    exit(1);
}

static double cpu_seconds(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct measure {
    int64_t began;
    double cpu;
};

static struct measure begin(void)
{
    return (struct measure){.began = clock_mono_ns(), .cpu = cpu_seconds()};
}

static void print(const char *what, int waiting, const struct measure *measure, int jobs,
                  double batches)
{
    double seconds = (double)(clock_mono_ns() - measure->began) / 1e9;

    printf("%-12s %2d waiting: %8.0f jobs/s, %6.1f us of CPU a job, %5.1f jobs a commit\n", what,
           waiting, jobs / seconds, (cpu_seconds() - measure->cpu) * 1e6 / jobs, jobs / batches);
}

static void clean(const char *directory)
{
    static const char *const names[] = {"state.db", "state.db-wal", "state.db-shm", "state.mark",
                                        "state.reserve"};
    char path[512];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        (void)unlink(path);
    }
}

/* ---- through the state ---- */

struct bench;

struct one {
    struct state_job job;
    struct bench *bench;
};

struct bench {
    struct state *state;
    struct one jobs[WAITING_MAX];
    int left, under_way; /* the state's thread */
    int done_pipe[2];
    char body[BODY_BYTES];
};

static int run(struct state_job *job, struct state_tx *tx)
{
    struct bench *bench = ((struct one *)job)->bench;
    sqlite3_stmt *statement = state_prepare(tx, insert);

    (void)sqlite3_bind_blob(statement, 1, bench->body, BODY_BYTES, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 2, state_sum_bytes(STATE_SUM, bench->body, BODY_BYTES));
    return state_step(tx, statement);
}

static void done(struct state_job *job, int result)
{
    struct bench *bench = ((struct one *)job)->bench;

    if (result < 0) {
        die("a job failed");
    }
    bench->under_way--;
    if (bench->left > 0) {
        bench->left--;
        bench->under_way++;
        (void)state_submit(bench->state, job);
    } else if (bench->under_way == 0) {
        (void)!write(bench->done_pipe[1], "", 1);
    }
}

static void through_state(const char *directory, int waiting, int jobs)
{
    struct bench bench = {.left = jobs - waiting, .under_way = waiting};
    struct state_options options = {.directory = directory};
    struct state_stats stats;
    struct measure measure;
    struct buf why;
    char end;

    clean(directory);
    buf_init(&why, 4096);
    if (pipe(bench.done_pipe) < 0 || state_open(&options, &why, &bench.state) < 0) {
        die(buf_str(&why));
    }
    memset(bench.body, 'x', BODY_BYTES);
    measure = begin();
    for (int i = 0; i < waiting; i++) {
        bench.jobs[i] = (struct one){.job = {.run = run, .done = done}, .bench = &bench};
        (void)state_submit(bench.state, &bench.jobs[i].job);
    }
    if (read(bench.done_pipe[0], &end, 1) != 1) {
        die("nothing was done");
    }
    state_stats(bench.state, &stats);
    print("state", waiting, &measure, jobs, (double)stats.batches);
    state_close(bench.state);
    buf_finish(&why);
    (void)close(bench.done_pipe[0]);
    (void)close(bench.done_pipe[1]);
}

/* ---- SQLite alone ---- */

static void sql(sqlite3 *db, const char *text)
{
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) {
        die(sqlite3_errmsg(db));
    }
}

static void alone(const char *directory, int waiting, int jobs)
{
    char path[512], body[BODY_BYTES];
    sqlite3 *db;
    sqlite3_stmt *statement, *start, *commit;
    struct measure measure;

    clean(directory);
    (void)snprintf(path, sizeof path, "%s/state.db", directory);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK) {
        die("SQLite cannot open its file");
    }
    sql(db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "PRAGMA secure_delete=OFF; CREATE TABLE alert (id INTEGER PRIMARY KEY AUTOINCREMENT,"
            " body BLOB NOT NULL, sum INTEGER NOT NULL)");
    if (sqlite3_prepare_v2(db, insert, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "BEGIN", -1, &start, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "COMMIT", -1, &commit, NULL) != SQLITE_OK) {
        die(sqlite3_errmsg(db));
    }
    memset(body, 'x', BODY_BYTES);
    measure = begin();
    for (int i = 0; i < jobs; i += waiting) {
        (void)sqlite3_step(start);
        (void)sqlite3_reset(start);
        for (int k = 0; k < waiting; k++) {
            (void)sqlite3_bind_blob(statement, 1, body, BODY_BYTES, SQLITE_STATIC);
            (void)sqlite3_bind_int64(statement, 2, k);
            (void)sqlite3_step(statement);
            (void)sqlite3_reset(statement);
        }
        if (sqlite3_step(commit) != SQLITE_DONE) {
            die(sqlite3_errmsg(db));
        }
        (void)sqlite3_reset(commit);
    }
    print("SQLite alone", waiting, &measure, jobs, (double)jobs / waiting);
    (void)sqlite3_finalize(statement);
    (void)sqlite3_finalize(start);
    (void)sqlite3_finalize(commit);
    (void)sqlite3_close(db);
}

int main(int argc, char **argv)
{
    static const int waiting[] = {1, 16, 64};
    static const int jobs[] = {3200, 32000, 64000};

    if (argc != 2) {
        die("usage: bench_state DIRECTORY");
    }
    (void)mkdir(argv[1], 0700);
    for (size_t i = 0; i < sizeof waiting / sizeof waiting[0]; i++) {
        alone(argv[1], waiting[i], jobs[i]);
        through_state(argv[1], waiting[i], jobs[i]);
    }
    clean(argv[1]);
    (void)rmdir(argv[1]);
    return 0;
}
