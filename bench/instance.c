/*
 * instance.c: how long a call to a worker and its answer take, through all that an instance is: the
 * loop, the timer, the frames, the sandboxed worker.  The component does nothing.
 *
 * Both are pinned to one CPU, so that what is measured is work and switches between them and not
 * how long a sleeping CPU needs to wake up.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "plugin/instance.h"

#define WARM 2000
#define CALLS 50000
#define PROMISED_US 20.0

struct bench {
    struct loop *loop;
    struct instance *instance;
    size_t calls;
    int64_t *took_ns;
    int64_t began_ns;
};

static void call(struct bench *bench)
{
    bench->began_ns = clock_mono_ns();
    if (instance_call(bench->instance, ABILITY_CHECK) < 0) {
        (void)fprintf(stderr, "the instance cannot be called\n");
        exit(1);
    }
}

static void on_done(void *owner, const struct instance_result *result)
{
    struct bench *bench = owner;

    verdict_destroy(result->verdict);
    bench->took_ns[bench->calls++] = clock_mono_ns() - bench->began_ns;
    if (bench->calls == WARM + CALLS) {
        instance_stop(bench->instance);
    } else {
        call(bench);
    }
}

static void on_state(void *owner, enum instance_state from, enum instance_state to,
                     const char *reason)
{
    if (to != INSTANCE_READY) {
        (void)fprintf(stderr, "%s: %s\n", instance_state_name(to), reason);
        exit(1);
    }
    call(owner);
}

static void on_stopped(void *owner)
{
    loop_stop(((struct bench *)owner)->loop);
}

static const struct instance_hooks hooks = {
    .done = on_done, .state = on_state, .stopped = on_stopped};

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void pin(void)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    (void)sched_setaffinity(0, sizeof one, &one);
}

static void print(const int64_t *took_ns)
{
    double median = (double)took_ns[CALLS / 2] / 1e3;

    printf("through an instance, one CPU: median %.1f us, 99th percentile %.1f us "
           "(promised: median below %.0f us)%s\n",
           median, (double)took_ns[CALLS / 100 * 99] / 1e3, PROMISED_US,
           median < PROMISED_US ? "" : " MISSED");
}

int main(void)
{
    const char *build = getenv("TMON_BUILD");
    struct spawner *spawner = NULL;
    struct bench bench = {.took_ns = calloc(WARM + CALLS, sizeof(int64_t))};
    char path[4096];
    struct buf why;
    struct instance_options options = {
        .name = "bench",
        .component = "bench_silent",
        .path = path,
        .abilities = ABILITY_CHECK,
        .interval_ms = 60000,
        .timeout_ms = 10000,
        .hooks = &hooks,
        .owner = &bench,
    };

    if (!build) {
        (void)fprintf(stderr, "bench_instance: TMON_BUILD names no build directory\n");
        return 1;
    }
    pin();
    buf_init(&why, 1000);
    (void)snprintf(path, sizeof path, "%s/bench/bench_silent.so", build);
    if (!bench.took_ns || loop_create(&bench.loop) < 0 ||
        spawner_create_in(build, true, &why, &spawner) < 0) {
        (void)fprintf(stderr, "bench_instance: %s\n", buf_str(&why));
        return 1;
    }
    options.loop = bench.loop;
    options.spawner = spawner;
    if (instance_create(&options, &bench.instance) < 0) {
        return 1;
    }
    instance_start(bench.instance);
    (void)loop_run(bench.loop);
    qsort(bench.took_ns + WARM, CALLS, sizeof(int64_t), by_value);
    print(bench.took_ns + WARM);
    instance_destroy(bench.instance);
    spawner_destroy(spawner);
    loop_destroy(bench.loop);
    free(bench.took_ns);
    buf_finish(&why);
    return 0;
}
