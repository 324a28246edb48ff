/*
 * call.c: what a worker costs: to start one, to keep one, and to call it.
 *
 * usage: bench_call BUILD
 *
 * Starts BUILD/toiletmon-worker as the agent does, with the fixture whose check says nothing, and
 * calls it 20,000 times; caller and worker share one CPU, so the figure is the work, not the
 * wake-up of another core.  A bare echo over the same kind of socket is printed beside it: the
 * floor.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "model/manifest.h"
#include "plugin/frame.h"

#define CALLS 20000
#define STARTS 50

struct worker {
    pid_t pid;
    int fd;
};

static uint8_t packet[LIMIT_FRAME_BYTES];

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bench_call: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void pin(void)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(0, &one);
    if (sched_setaffinity(0, sizeof one, &one) < 0) {
        die("cannot pin to a CPU");
    }
}

static struct worker spawn(const char *program)
{
    struct worker worker;
    char agent[16];
    char *arguments[] = {(char *)"toiletmon-worker", agent, NULL};
    char *environment[] = {NULL};
    int ends[2];

    (void)snprintf(agent, sizeof agent, "%d", (int)getpid());
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        die("socketpair");
    }
    worker.pid = vfork();
    if (worker.pid == 0) {
        (void)dup2(ends[1], FRAME_WORKER_FD);
        (void)execve(program, arguments, environment);
        _exit(127);
    }
    (void)close(ends[1]);
    worker.fd = ends[0];
    return worker;
}

static void end(struct worker *worker)
{
    (void)close(worker->fd);
    (void)waitpid(worker->pid, NULL, 0);
}

static void wait_for(const struct worker *worker, enum frame_type type)
{
    struct frame frame;

    do {
        if (frame_recv(worker->fd, packet, &frame) <= 0 || frame.type == FRAME_FAILED) {
            die("the worker did not answer");
        }
    } while (frame.type != type);
}

static void send_frame(const struct worker *worker, enum frame_type type, const struct buf *payload)
{
    if (frame_send(worker->fd, type, 1, payload->data, payload->len, 0) < 0) {
        die("the worker does not listen");
    }
}

static void load(const struct worker *worker, const char *plugin)
{
    struct buf payload;

    buf_init(&payload, LIMIT_FRAME_BYTES);
    wire_put_str(&payload, plugin);
    wire_put_u64(&payload, 0);
    wire_put_u32(&payload, 0);
    wire_put_u32(&payload, 0);
    wire_put_u8(&payload, 0);
    wire_put_u8(&payload, 0);
    send_frame(worker, FRAME_LOAD, &payload);
    buf_clear(&payload);
    wait_for(worker, FRAME_MANIFEST);
    wire_put_str(&payload, "bench_silent");
    wire_put_str(&payload, "bench");
    wire_put_u64(&payload, 1000);
    wire_put_u32(&payload, 0); // no settings
    send_frame(worker, FRAME_CREATE, &payload);
    wait_for(worker, FRAME_DONE);
    buf_finish(&payload);
}

static long private_kb(pid_t pid)
{
    char path[64], line[256];
    long sum = 0, kb;
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    file = fopen(path, "r");
    if (!file) {
        return -1;
    }
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "Private_Clean: %ld", &kb) == 1 ||
            sscanf(line, "Private_Dirty: %ld", &kb) == 1) {
            sum += kb;
        }
    }
    (void)fclose(file);
    return sum;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void print(const char *what, int64_t *ns, size_t n)
{
    qsort(ns, n, sizeof *ns, compare);
    printf("%s: median %.1f us, p99 %.1f us\n", what, (double)ns[n / 2] / 1e3,
           (double)ns[n * 99 / 100] / 1e3);
}

/* CPU of this process (RUSAGE_SELF) or of its ended children, in us.  Unlike the time that passes
 * it says the same on a busy machine. */
static double cpu_us(int who)
{
    struct rusage use;

    (void)getrusage(who, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e6 +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

static void bench_call(const struct worker *worker)
{
    static int64_t ns[CALLS];
    struct buf payload;

    buf_init(&payload, LIMIT_FRAME_BYTES);
    wire_put_u32(&payload, ABILITY_CHECK);
    wire_put_str(&payload, "");
    wire_put_u64(&payload, 1000);
    for (size_t i = 0; i < CALLS; i++) {
        int64_t before = clock_mono_ns();

        send_frame(worker, FRAME_CALL, &payload);
        wait_for(worker, FRAME_DONE);
        ns[i] = clock_mono_ns() - before;
    }
    buf_finish(&payload);
    print("worker call and answer, one CPU", ns, CALLS);
}

/* The least that two processes can do: one packet there, one back. */
static void bench_echo(void)
{
    static int64_t ns[CALLS];
    int ends[2];
    pid_t pid;
    char small[300] = {0};

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        die("socketpair");
    }
    pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        while (recv(ends[1], small, sizeof small, 0) > 0) {
            (void)!send(ends[1], small, sizeof small, MSG_NOSIGNAL);
        }
        _exit(0);
    }
    (void)close(ends[1]);
    for (size_t i = 0; i < CALLS; i++) {
        int64_t before = clock_mono_ns();

        if (send(ends[0], small, sizeof small, 0) < 0 ||
            recv(ends[0], small, sizeof small, 0) <= 0) {
            die("echo");
        }
        ns[i] = clock_mono_ns() - before;
    }
    (void)close(ends[0]);
    (void)waitpid(pid, NULL, 0);
    print("bare echo of 300 bytes, one CPU", ns, CALLS);
}

static void bench_start(const char *program, const char *plugin)
{
    static int64_t ns[STARTS];

    for (size_t i = 0; i < STARTS; i++) {
        int64_t before = clock_mono_ns();
        struct worker worker = spawn(program);

        load(&worker, plugin);
        ns[i] = clock_mono_ns() - before;
        end(&worker);
    }
    print("worker from spawn to created, sandbox included", ns, STARTS);
    printf("worker, CPU from start to end: %.0f us\n", cpu_us(RUSAGE_CHILDREN) / STARTS);
}

int main(int argc, char **argv)
{
    char program[4096], plugin[4096];
    const char *build = argc == 2 ? argv[1] : getenv("TMON_BUILD");
    struct worker worker, other;
    double own_us, child_us;

    if (!build) {
        fprintf(stderr, "usage: bench_call BUILD\n");
        return 2;
    }
    (void)snprintf(program, sizeof program, "%s/toiletmon-worker", build);
    (void)snprintf(plugin, sizeof plugin, "%s/bench/bench_silent.so", build);
    pin();
    bench_start(program, plugin);
    worker = spawn(program);
    load(&worker, plugin);
    own_us = cpu_us(RUSAGE_SELF);
    bench_call(&worker);
    own_us = cpu_us(RUSAGE_SELF) - own_us;
    other = spawn(program); // so that text is shared, as it is under an agent
    load(&other, plugin);
    printf("worker, private memory: %ld kB\n", private_kb(worker.pid));
    end(&other);
    child_us = cpu_us(RUSAGE_CHILDREN);
    end(&worker);
    child_us = cpu_us(RUSAGE_CHILDREN) - child_us;
    printf("worker call, CPU: %.1f us here, %.1f us there\n", own_us / CALLS, child_us / CALLS);
    bench_echo();
    return 0;
}
