/*
 * outbox.c: what an alert costs from being put until its delivery is noted: alerts, queue and
 * state, with a far end that takes everything at once.
 *
 *     bench_outbox DIRECTORY [ALERTS [BATCH]]
 *
 * Each alert is its own group, without group_wait.  BATCH alerts wait for one commit, then the next
 * ones are put; deliveries are noted in whatever commit comes.  Printed is the CPU time of the
 * process, in its own code and in the kernel's for the disk, and the time on the wall.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "alert/alerts.h"
#include "base/clock.h"
#include "outbox/outbox.h"

struct bench {
    struct state *state;
    struct alerts *alerts;
    struct outbox *outbox;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t put, delivered;
    const size_t *counter; /* that somebody waits for */
    size_t wanted;
};

static struct alerts_time now(void)
{
    return (struct alerts_time){clock_real_ms(), clock_mono_ns() / NS_PER_MS};
}

/* ---- the state's thread ---- */

static int on_load(void *owner, struct state_tx *tx, bool writable)
{
    struct bench *bench = owner;
    int r = outbox_load(bench->outbox, tx, writable, now());

    return r < 0 ? r : alerts_load(bench->alerts, tx, writable, now());
}

static void on_before_commit(void *owner, struct state_tx *tx)
{
    struct bench *bench = owner;
    struct alerts_time at = now();

    if (alerts_run(bench->alerts, tx, at) == 0) {
        outbox_run(bench->outbox, tx, at);
    }
    if (tx->error == 0) {
        alerts_save(bench->alerts, tx);
    }
}

static void on_committed(void *owner)
{
    struct bench *bench = owner;

    outbox_committed(bench->outbox);
}

struct outcome {
    struct state_job job;
    struct bench *bench;
    struct outbox_outcome outcome;
};

static int run_outcome(struct state_job *job, struct state_tx *tx)
{
    struct outcome *outcome = (struct outcome *)(void *)job;

    return outbox_outcome(outcome->bench->outbox, tx, &outcome->outcome, now());
}

static void note(struct bench *bench, size_t *counter)
{
    (void)pthread_mutex_lock(&bench->lock);
    if (++*counter == bench->wanted && counter == bench->counter) {
        (void)pthread_cond_signal(&bench->changed);
    }
    (void)pthread_mutex_unlock(&bench->lock);
}

static void outcome_done(struct state_job *job, int result)
{
    struct outcome *outcome = (struct outcome *)(void *)job;

    note(outcome->bench, &outcome->bench->delivered);
    free(outcome);
}

static void on_attempt(void *owner, struct outbox_attempt *attempt)
{
    struct bench *bench = owner;
    struct outcome *outcome = calloc(1, sizeof *outcome);

    outcome->job = (struct state_job){.run = run_outcome, .done = outcome_done};
    outcome->bench = bench;
    outcome->outcome =
        (struct outbox_outcome){.id = attempt->id, .status = 200, .retry_after_ms = -1};
    memcpy(outcome->outcome.sink, attempt->sink, sizeof attempt->sink);
    (void)snprintf(outcome->outcome.reason, sizeof outcome->outcome.reason, "200 OK");
    free(attempt);
    if (state_submit(bench->state, &outcome->job) < 0) {
        abort();
    }
}

struct put {
    struct state_job job;
    struct bench *bench;
    size_t i;
};

static int run_put(struct state_job *job, struct state_tx *tx)
{
    struct put *put = (struct put *)(void *)job;
    char name[32];
    struct tmon_pair labels[] = {
        {"alertname", name}, {"instance", "web-1.example.org"}, {"severity", "critical"}};
    const struct tmon_pair annotations[] = {
        {"message", "the disk of this machine is nearly full, and fills at 3 MB a second"},
        {"region", "eu-central"}};
    const struct alerts_input input = {
        .labels = labels, /* in order */
        .nlabels = 3,
        .annotations = annotations,
        .nannotations = 2,
        .ttl_ms = 3600000,
    };
    enum alerts_verdict verdict;

    (void)snprintf(name, sizeof name, "Disk%zu", put->i);
    return alerts_put(put->bench->alerts, tx, &input, now(), &verdict);
}

static void put_done(struct state_job *job, int result)
{
    struct put *put = (struct put *)(void *)job;

    if (result < 0) {
        abort();
    }
    note(put->bench, &put->bench->put);
}

static int run_configure(struct state_job *job, struct state_tx *tx)
{
    struct put *put = (struct put *)(void *)job;
    const struct outbox_sink sink = {.name = "hook", .concurrency = 64, .give_up_ms = 86400000};
    struct routing *routing = routing_create();
    long hook = routing_sink(routing, "hook");

    routing->sinks[hook].live = true;
    routing->root.to = calloc(1, sizeof *routing->root.to);
    routing->root.to[routing->root.nto++] = (uint32_t)hook;
    routing->root.to_set = true;
    routing->root.group_wait_ms = 0;
    if (routing_finish_up(routing) < 0 ||
        outbox_configure(put->bench->outbox, tx, &sink, 1, now()) < 0) {
        abort();
    }
    return alerts_route(put->bench->alerts, tx, routing, now());
}

/* ---- the whole ---- */

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static struct rusage usage_now(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return usage;
}

static void wait_for(struct bench *bench, const size_t *counter, size_t wanted)
{
    (void)pthread_mutex_lock(&bench->lock);
    bench->counter = counter;
    bench->wanted = wanted;
    while (*counter < wanted) {
        (void)pthread_cond_wait(&bench->changed, &bench->lock);
    }
    (void)pthread_mutex_unlock(&bench->lock);
}

static void submit(struct bench *bench, struct put *put, size_t i,
                   int (*run)(struct state_job *job, struct state_tx *tx))
{
    *put = (struct put){{.run = run, .done = put_done}, bench, i};
    if (state_submit(bench->state, &put->job) < 0) {
        abort();
    }
}

int main(int argc, char **argv)
{
    struct bench bench = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 10000;
    size_t batch = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;
    const struct outbox_hooks hooks = {&bench, on_attempt};
    const struct state_options options = {
        .directory = argc > 1 ? argv[1] : ".",
        .hooks = {&bench, on_load, on_before_commit, on_committed, NULL},
    };
    struct alerts_hooks alerts_hooks;
    struct put *puts = calloc(batch, sizeof *puts);
    struct buf why;
    struct rusage before, after;
    double user, system, wall;

    buf_init(&why, 4096);
    if (!puts || batch == 0 || outbox_create(&hooks, NULL, &bench.outbox) < 0) {
        return 1;
    }
    alerts_hooks = outbox_alerts_hooks(bench.outbox);
    if (alerts_create(&alerts_hooks, &bench.alerts) < 0) {
        return 1;
    }
    outbox_join(bench.outbox, bench.alerts);
    if (state_open(&options, &why, &bench.state) < 0) {
        (void)fprintf(stderr, "%s\n", buf_str(&why));
        return 1;
    }
    submit(&bench, &puts[0], 0, run_configure);
    wait_for(&bench, &bench.put, 1);
    before = usage_now();
    wall = (double)clock_mono_ns() / 1e9;
    for (size_t i = 0; i < n; i += batch) {
        size_t now_put = n - i < batch ? n - i : batch;

        for (size_t j = 0; j < now_put; j++) {
            submit(&bench, &puts[j], i + j, run_put);
        }
        wait_for(&bench, &bench.put, 1 + i + now_put);
    }
    wait_for(&bench, &bench.delivered, n);
    after = usage_now();
    user = (seconds(after.ru_utime) - seconds(before.ru_utime)) / (double)n * 1e6;
    system = (seconds(after.ru_stime) - seconds(before.ru_stime)) / (double)n * 1e6;
    wall = (double)clock_mono_ns() / 1e9 - wall;
    (void)printf("%zu alerts, %zu a commit: %.1f us of CPU each (%.1f ours, %.1f the kernel's), "
                 "%.2f s in all\n",
                 n, batch, user + system, user, system, wall);
    state_close(bench.state);
    alerts_destroy(bench.alerts);
    outbox_destroy(bench.outbox);
    buf_finish(&why);
    free(puts);
    return 0;
}
