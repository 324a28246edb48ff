/*
 * delivery.c: what a notification costs from the queue's hand to the far end and back: delivery,
 * the sink's worker and toiletmon-fetch, each for itself.
 *
 * usage: bench_delivery BUILD [UNDER_WAY]
 *
 * 20,000 notifications of one alert, by default 8 under way at a time, to a server on loopback that
 * answers 200 to everything.  CPU is read from the kernel, for each process; the server's is not
 * counted.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "fetch/broker.h"
#include "model/manifest.h"
#include "model/notification.h"
#include "outbox/delivery.h"

#define COUNT 20000
#define WARM_UP 500

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bench_delivery: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- the far end ---- */

static int listen_somewhere(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
        die("no server");
    }
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* A request is over when its body's last bytes are there: ours end in "}. */
static _Noreturn void serve(int listener)
{
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";
    static char data[65536];
    int epoll = epoll_create1(0), one = 1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};

    (void)epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        struct epoll_event events[64];
        int n = epoll_wait(epoll, events, 64, -1);

        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            ssize_t got;

            if (fd == listener) {
                fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                event.data.fd = fd;
                (void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
                continue;
            }
            got = read(fd, data, sizeof data);
            if (got <= 0) {
                (void)close(fd);
            } else if (got > 2 && memcmp(data + got - 2, "\"}", 2) == 0) {
                (void)!write(fd, answer, sizeof answer - 1);
            }
        }
    }
}

/* ---- CPU ---- */

static int64_t cpu_ns(pid_t pid)
{
    char path[64];
    long long ns = 0;
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
    file = fopen(path, "re");
    if (!file || fscanf(file, "%lld", &ns) != 1) {
        die(path);
    }
    (void)fclose(file);
    return ns;
}

/* ---- the run ---- */

struct world {
    struct loop *loop;
    struct delivery *delivery;
    struct delivery_sink *sink;
    struct instance *worker;
    struct outbox_attempt *model;
    int64_t wanted, begun, ended;
    uint64_t failed;
};

static void put(struct world *world)
{
    size_t size = sizeof *world->model + world->model->len;
    struct outbox_attempt *attempt = malloc(size);

    if (!attempt) {
        die("no memory");
    }
    memcpy(attempt, world->model, size);
    attempt->id = world->begun++;
    delivery_put(world->delivery, attempt);
}

static void on_outcome(void *owner, const struct outbox_outcome *outcome, void *sink_owner)
{
    struct world *world = owner;

    if (outcome->result != OUTBOX_DELIVERED && world->failed++ == 0) {
        fprintf(stderr, "bench_delivery: %s\n", outcome->reason);
    }
    world->ended++;
    if (world->begun < world->wanted) {
        put(world);
    } else if (world->ended == world->wanted) {
        loop_stop(world->loop);
    }
}

static void on_done(void *owner, const struct instance_result *result)
{
    struct world *world = owner;

    delivery_done(world->sink, world->worker, result);
}

static void on_state(void *owner, enum instance_state from, enum instance_state to,
                     const char *reason)
{
    struct world *world = owner;

    delivery_look(world->sink);
}

static void on_stopped(void *owner)
{
}

static struct outbox_attempt *make_model(void)
{
    const struct tmon_pair labels[] = {{"alertname", "DiskFull"},
                                       {"host", "db-17.example.org"},
                                       {"mount", "/var/lib"},
                                       {"severity", "critical"}};
    const struct tmon_pair annotations[] = {{"summary", "93 % of /var/lib are used"},
                                            {"runbook", "https://wiki.example.org/disk"}};
    const struct tmon_alert alert = {.size = sizeof alert,
                                     .severity = TMON_SEVERITY_CRITICAL,
                                     .firing = true,
                                     .key = "0123456789abcdef-1700000000000",
                                     .name = "DiskFull",
                                     .summary = "93 % of /var/lib are used",
                                     .labels = labels,
                                     .nlabels = 4,
                                     .annotations = annotations,
                                     .nannotations = 2,
                                     .starts_ms = 1700000000000,
                                     .fingerprint = "0123456789abcdef"};
    const struct tmon_alert *const alerts[] = {&alert};
    const struct tmon_notification notification = {.size = sizeof notification,
                                                   .id = "0123456789abcdef01234567",
                                                   .group_key = "{}:{alertname=\"DiskFull\"}",
                                                   .group = labels,
                                                   .ngroup = 1,
                                                   .alerts = alerts,
                                                   .nalerts = 1};
    struct outbox_attempt *attempt;
    struct buf buf;

    buf_init(&buf, 65536);
    (void)notification_encode(&buf, &notification);
    attempt = calloc(1, sizeof *attempt + buf.len);
    if (!attempt) {
        die("no memory");
    }
    attempt->attempt = 1;
    (void)snprintf(attempt->sink, sizeof attempt->sink, "sink");
    attempt->len = buf.len;
    memcpy(attempt->body, buf.data, buf.len);
    buf_finish(&buf);
    return attempt;
}

static void run(struct world *world, int64_t count, int under_way)
{
    world->wanted = count;
    world->begun = world->ended = 0;
    for (int i = 0; i < under_way; i++) {
        put(world);
    }
    if (loop_run(world->loop) < 0) {
        die("the loop");
    }
}

static void measure(const char *build, const char *component, uint32_t abilities, uint16_t port,
                    int under_way)
{
    struct world world = {.model = make_model()};
    const struct instance_hooks hooks = {.done = on_done, .state = on_state, .stopped = on_stopped};
    const struct delivery_hooks told = {&world, on_outcome};
    struct settings *settings = settings_create(1);
    struct fetch_broker *broker;
    struct spawner *spawner;
    char path[4096], url[64];
    int64_t before[3], after[3], wall;
    struct buf why;

    buf_init(&why, 1000);
    if (spawner_create_in(build, true, &why, &spawner) < 0 || loop_create(&world.loop) < 0 ||
        fetch_broker_create(world.loop, spawner, &broker) < 0 ||
        delivery_create(world.loop, NULL, fetch_broker_table(broker), &told, &world.delivery) < 0) {
        die("cannot begin");
    }
    (void)snprintf(path, sizeof path, "%s/bench/bench_sink.so", build);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/hook", port);
    settings->settings[0] =
        (struct setting){.name = strdup("url"), .type = TMON_URL, .set = true, .text = strdup(url)};
    struct instance_options of = {.name = "sink",
                                  .component = component,
                                  .path = path,
                                  .abilities = abilities,
                                  .settings = settings,
                                  .interval_ms = 15000,
                                  .timeout_ms = 10000,
                                  .loop = world.loop,
                                  .spawner = spawner,
                                  .hooks = &hooks,
                                  .owner = &world};
    if (instance_create(&of, &world.worker) < 0) {
        die("no instance");
    }
    const struct delivery_options sink = {.name = "sink",
                                          .abilities = abilities,
                                          .settings = instance_settings(world.worker),
                                          .timeout_ms = 10000,
                                          .nworkers = 1,
                                          .workers = &world.worker};
    if (delivery_add(world.delivery, &sink, &world.sink) < 0) {
        die("no sink");
    }
    instance_start(world.worker);
    run(&world, WARM_UP, under_way);
    const pid_t pids[3] = {getpid(), instance_pid(world.worker), fetch_broker_pid(broker)};
    wall = clock_mono_ns();
    for (int i = 0; i < 3; i++) {
        before[i] = cpu_ns(pids[i]);
    }
    run(&world, COUNT, under_way);
    for (int i = 0; i < 3; i++) {
        after[i] = cpu_ns(pids[i]);
    }
    wall = clock_mono_ns() - wall;
    printf(
        "%-18s %2d under way: %5.1f us of CPU a notification (delivery %.1f, worker %.1f, fetch "
        "%.1f), %.0f a second%s\n",
        component, under_way,
        (double)(after[0] - before[0] + after[1] - before[1] + after[2] - before[2]) / COUNT / 1e3,
        (double)(after[0] - before[0]) / COUNT / 1e3, (double)(after[1] - before[1]) / COUNT / 1e3,
        (double)(after[2] - before[2]) / COUNT / 1e3, COUNT / ((double)wall / 1e9),
        world.failed ? ", SOME FAILED" : "");
    delivery_destroy(world.delivery);
    instance_destroy(world.worker);
    fetch_broker_destroy(broker);
    spawner_destroy(spawner);
    loop_destroy(world.loop);
    free(world.model);
    buf_finish(&why);
}

int main(int argc, char **argv)
{
    char build[PATH_MAX];
    uint16_t port;
    int listener = listen_somewhere(&port);
    pid_t server = fork();

    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: bench_delivery BUILD [UNDER_WAY]\n");
        return 64;
    }
    if (server == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(listener);
    }
    if (!realpath(argv[1], build)) {
        die(argv[1]);
    }
    int under_way = argc == 3 ? (int)strtol(argv[2], NULL, 10) : 8;
    measure(build, "bench_sink", ABILITY_FORMAT, port, under_way);
    measure(build, "bench_judged_sink", ABILITY_FORMAT | ABILITY_JUDGE, port, under_way);
    (void)kill(server, SIGKILL);
    (void)waitpid(server, NULL, 0);
    return 0;
}
