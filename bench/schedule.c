/*
 * schedule.c: what 10,000 instances of a component thread at 60 s cost before their work is
 * counted: the schedule and the hand-over to the component thread and back, with a component that
 * does nothing.
 *
 * Twenty rounds a second apart are measured, and one round's CPU is set against the minute that it
 * would serve.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "plugin/local.h"
#include "schedule/schedule.h"

#define INSTANCES 10000
#define ROUNDS 20

struct bench;

struct one {
    struct schedule_entry entry;
    struct local_call call;
    struct bench *bench;
};

struct bench {
    struct loop *loop;
    struct local *local;
    struct schedule *schedule;
    size_t done;
};

static tmon_rc check(struct tmon_call *call, void *self)
{
    return TMON_OK;
}

static const struct tmon_component component = {
    .size = sizeof component, .name = "nothing", .check = check};

static void on_done(struct local_call *call)
{
    struct one *one = call->owner;

    verdict_destroy(call->verdict);
    call->verdict = NULL;
    if (++one->bench->done == (size_t)INSTANCES * ROUNDS) {
        loop_stop(one->bench->loop);
    }
}

static void on_run(struct schedule_entry *entry, int64_t late_ns)
{
    struct one *one = entry->owner;

    local_submit(one->bench->local, &one->call);
}

static void on_flush(void *owner)
{
    struct bench *bench = owner;

    local_flush(bench->local);
}

static double cpu_seconds(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(void)
{
    struct bench bench = {0};
    const struct schedule_hooks hooks = {.flush = on_flush, .owner = &bench};
    struct one *all = calloc(INSTANCES, sizeof *all);
    double before, cpu;
    char name[32];

    if (!all || loop_create(&bench.loop) < 0 || local_create(bench.loop, &bench.local) < 0 ||
        schedule_create(bench.loop, &hooks, &bench.schedule) < 0) {
        return 1;
    }
    before = cpu_seconds();
    for (size_t i = 0; i < INSTANCES; i++) {
        (void)snprintf(name, sizeof name, "instance%zu", i);
        all[i].bench = &bench;
        all[i].call = (struct local_call){.operation = LOCAL_CHECK,
                                          .component = &component,
                                          .instance = "nothing",
                                          .timeout_ms = 1000,
                                          .done = on_done,
                                          .owner = &all[i]};
        schedule_entry_init(&all[i].entry, on_run, &all[i]);
        (void)schedule_add(bench.schedule, &all[i].entry, name, 1000, false);
    }
    (void)loop_run(bench.loop);
    cpu = (cpu_seconds() - before) / ROUNDS;
    printf("10,000 instances of the component thread: %.1f ms of CPU a round, %.2f us an instance; "
           "every 60 s that is "
           "%.3f %% of a core (wanted: below 2)\n",
           cpu * 1e3, cpu * 1e6 / INSTANCES, cpu / 60 * 100);
    schedule_destroy(bench.schedule);
    local_destroy(bench.local);
    loop_destroy(bench.loop);
    free(all);
    return 0;
}
