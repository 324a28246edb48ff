/*
 * spawner.c: see spawner.h.  The thread takes one start after the other from a queue; whoever wants
 * one waits on a condition or gets a post on its loop.
 *
 * The program is run by "/proc/self/fd/N", N opened at the start: so the running agent and its
 * workers are always of one version.  N and the worker's end of the socket are kept above the
 * numbers that the child's descriptors get, so that moving them there cannot overwrite one of them.
 */
#include "plugin/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "plugin/frame.h"
#include "tmon_build.h"

#define PROGRAM_FD (FRAME_WORKER_FD + 1) /* of the child: its own executable, for exec only */
#define FIRST_FREE_FD (PROGRAM_FD + 1)
#define POST_RETRY_MS 10 /* between attempts to reach a loop that is out of room */

static const char *const program_names[PROGRAMS] = {"toiletmon-worker", "toiletmon-fetch"};

enum spawn_stage { SPAWN_WAITING, SPAWN_RUNNING, SPAWN_OVER };

struct spawn {
    struct spawn *next;
    struct spawner *spawner;
    enum program program;
    enum spawn_stage stage; /* under the lock */
    int error;
    struct spawned spawned;
    struct loop *loop; /* NULL: somebody waits on `over` */
    void (*done)(void *owner, int error, const struct spawned *spawned);
    void *owner;
};

struct spawner {
    char *directory;
    bool build_tree;
    int programs[PROGRAMS];
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake, over;
    struct spawn *first, *last;
    bool stopping;
};

static int pidfd_open_(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* Reaps it.  Readiness alone does not say that it can be: some kernels tell a moment
 * before. */
static void await_end(int pidfd, int64_t wait_ms)
{
    int64_t end_ns = clock_mono_ns() + wait_ms * NS_PER_MS;

    for (;;) {
        struct pollfd ended = {.fd = pidfd, .events = POLLIN};
        int64_t left_ms = (end_ns - clock_mono_ns()) / NS_PER_MS;
        siginfo_t info = {0};

        if (poll(&ended, 1, left_ms > 0 ? (int)left_ms : 0) > 0 &&
            (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0 ||
             info.si_pid != 0)) {
            return;
        }
        if (left_ms <= 0) {
            return;
        }
        (void)poll(NULL, 0, 1);
    }
}

void spawned_finish(struct spawned *spawned, int64_t wait_ms)
{
    if (spawned->pidfd >= 0) {
        (void)syscall(SYS_pidfd_send_signal, spawned->pidfd, SIGKILL, NULL, 0);
        await_end(spawned->pidfd, wait_ms);
        (void)close(spawned->pidfd);
    }
    if (spawned->socket >= 0) {
        (void)close(spawned->socket);
    }
    *spawned = (struct spawned){0, -1, -1};
}

/* ---- one start, on the spawning thread ---- */

/* Empty streams, the socket at its place, nothing else: also descriptors of libraries that are not
 * close-on-exec stay behind. */
static int plan_descriptors(posix_spawn_file_actions_t *actions, int socket, int program)
{
    int r = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);

    if (r == 0) {
        r = posix_spawn_file_actions_adddup2(actions, STDIN_FILENO, STDOUT_FILENO);
    }
#ifndef TMON_SANITIZED // the reports of a sanitizer come out there
    if (r == 0) {
        r = posix_spawn_file_actions_adddup2(actions, STDIN_FILENO, STDERR_FILENO);
    }
#endif
    if (r == 0) {
        r = posix_spawn_file_actions_adddup2(actions, socket, FRAME_WORKER_FD);
    }
    if (r == 0) {
        r = posix_spawn_file_actions_adddup2(actions, program, PROGRAM_FD);
    }
    if (r == 0) {
        r = posix_spawn_file_actions_addclosefrom_np(actions, FIRST_FREE_FD);
    }
    return r;
}

/* No signal blocked or ignored, and a process group of its own: ^C at a terminal is for the agent,
 * which then ends its workers in order. */
static int plan_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    int r;

    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    r = posix_spawnattr_setsigmask(attributes, &none);
    if (r == 0) {
        r = posix_spawnattr_setsigdefault(attributes, &all);
    }
    if (r == 0) {
        r = posix_spawnattr_setpgroup(attributes, 0);
    }
    if (r == 0) {
        r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                     POSIX_SPAWN_SETPGROUP);
    }
    return r;
}

static int run_program(struct spawner *spawner, enum program program, int socket, pid_t *ret_pid)
{
    char path[32], agent[16];
    char *const arguments[] = {(char *)program_names[program], agent, NULL};
    char *const environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int r;

    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", PROGRAM_FD);
    (void)snprintf(agent, sizeof agent, "%d", (int)getpid());
    r = posix_spawn_file_actions_init(&actions);
    if (r != 0) {
        return -r;
    }
    r = posix_spawnattr_init(&attributes);
    if (r != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return -r;
    }
    r = plan_descriptors(&actions, socket, spawner->programs[program]);
    if (r == 0) {
        r = plan_attributes(&attributes);
    }
    if (r == 0) {
        r = posix_spawn(ret_pid, path, &actions, &attributes, arguments, environment);
    }
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return -r;
}

static int start(struct spawner *spawner, enum program program, struct spawned *ret_spawned)
{
    struct spawned spawned = {0, -1, -1};
    int ends[2] = {-1, -1};
    int high = -1;
    int r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        return -errno;
    }
    spawned.socket = ends[0];
    high = fcntl(ends[1], F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    if (high < 0 || fcntl(spawned.socket, F_SETFL, O_NONBLOCK) < 0) {
        r = -errno;
        goto out;
    }
    r = run_program(spawner, program, high, &spawned.pid);
    if (r < 0) {
        goto out;
    }
    spawned.pidfd = pidfd_open_(spawned.pid);
    if (spawned.pidfd < 0) {
        r = -errno;
        (void)kill(spawned.pid, SIGKILL);
        (void)waitpid(spawned.pid, NULL, 0);
        goto out;
    }
    *ret_spawned = spawned;
    spawned = (struct spawned){0, -1, -1};

out:
    spawned_finish(&spawned, SPAWNED_FINISH_MS);
    if (high >= 0) {
        (void)close(high);
    }
    (void)close(ends[1]);
    return r;
}

/* ---- the thread ---- */

static void deliver(void *arg)
{
    struct spawn *spawn = arg;

    if (spawn->done) {
        spawn->done(spawn->owner, spawn->error, &spawn->spawned);
    }
    free(spawn);
}

static void *work(void *arg)
{
    struct spawner *spawner = arg;

    (void)pthread_mutex_lock(&spawner->lock);
    for (;;) {
        struct spawn *spawn = spawner->first;
        struct loop *loop;

        if (!spawn) {
            if (spawner->stopping) {
                break;
            }
            (void)pthread_cond_wait(&spawner->wake, &spawner->lock);
            continue;
        }
        spawner->first = spawn->next;
        spawn->stage = SPAWN_RUNNING;
        (void)pthread_mutex_unlock(&spawner->lock);

        spawn->error = start(spawner, spawn->program, &spawn->spawned);

        (void)pthread_mutex_lock(&spawner->lock);
        loop = spawn->loop;
        spawn->stage = SPAWN_OVER;
        (void)pthread_cond_broadcast(&spawner->over);
        if (loop) {
            (void)pthread_mutex_unlock(&spawner->lock);
            // from here on the loop's thread may free it; a loop without room will have some again
            while (loop_post(loop, deliver, spawn) < 0) {
                (void)poll(NULL, 0, POST_RETRY_MS);
            }
            (void)pthread_mutex_lock(&spawner->lock);
        }
    }
    (void)pthread_mutex_unlock(&spawner->lock);
    return NULL;
}

static void enqueue(struct spawner *spawner, struct spawn *spawn)
{
    spawn->next = NULL;
    if (spawner->first) {
        spawner->last->next = spawn;
    } else {
        spawner->first = spawn;
    }
    spawner->last = spawn;
    (void)pthread_cond_signal(&spawner->wake);
}

/* ---- what others call ---- */

int spawner_spawn(struct spawner *spawner, enum program program, struct spawned *ret_spawned)
{
    struct spawn spawn = {.spawner = spawner, .program = program, .spawned = {0, -1, -1}};

    (void)pthread_mutex_lock(&spawner->lock);
    enqueue(spawner, &spawn);
    while (spawn.stage != SPAWN_OVER) {
        (void)pthread_cond_wait(&spawner->over, &spawner->lock);
    }
    (void)pthread_mutex_unlock(&spawner->lock);
    if (spawn.error == 0) {
        *ret_spawned = spawn.spawned;
    }
    return spawn.error;
}

int spawner_begin(struct spawner *spawner, enum program program, struct loop *loop,
                  void (*done)(void *owner, int error, const struct spawned *spawned), void *owner,
                  struct spawn **ret_spawn)
{
    struct spawn *spawn = calloc(1, sizeof *spawn);

    if (!spawn) {
        return -ENOMEM;
    }
    *spawn = (struct spawn){.spawner = spawner,
                            .program = program,
                            .spawned = {0, -1, -1},
                            .loop = loop,
                            .done = done,
                            .owner = owner};
    (void)pthread_mutex_lock(&spawner->lock);
    enqueue(spawner, spawn);
    (void)pthread_mutex_unlock(&spawner->lock);
    *ret_spawn = spawn;
    return 0;
}

static void dequeue(struct spawner *spawner, struct spawn *spawn)
{
    struct spawn **link = &spawner->first;
    struct spawn *before = NULL;

    while (*link != spawn) {
        before = *link;
        link = &before->next;
    }
    *link = spawn->next;
    if (spawner->last == spawn) {
        spawner->last = before;
    }
}

void spawner_cancel(struct spawn *spawn)
{
    struct spawner *spawner = spawn->spawner;
    bool waiting;

    (void)pthread_mutex_lock(&spawner->lock);
    waiting = spawn->stage == SPAWN_WAITING;
    if (waiting) {
        dequeue(spawner, spawn);
    }
    while (spawn->stage == SPAWN_RUNNING) {
        (void)pthread_cond_wait(&spawner->over, &spawner->lock);
    }
    (void)pthread_mutex_unlock(&spawner->lock);
    if (waiting) {
        free(spawn);
        return;
    }
    // its post is on the way, and frees it
    spawn->done = NULL;
    spawned_finish(&spawn->spawned, SPAWNED_FINISH_MS);
}

const char *spawner_directory(const struct spawner *spawner)
{
    return spawner->directory;
}

bool spawner_build_tree(const struct spawner *spawner)
{
    return spawner->build_tree;
}

/* ---- making and ending it ---- */

static int open_programs(struct spawner *spawner, struct buf *why)
{
    for (int i = 0; i < PROGRAMS; i++) {
        char path[PATH_MAX];
        int fd, r;

        (void)snprintf(path, sizeof path, "%s/%s", spawner->directory, program_names[i]);
        fd = open(path, O_PATH | O_CLOEXEC);
        if (fd >= 0) {
            spawner->programs[i] = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
            (void)close(fd);
        }
        if (fd < 0 || spawner->programs[i] < 0) {
            r = -errno;
            buf_printf(why, "cannot open %s: %s; build or install toiletmon completely", path,
                       log_errno(r));
            return r;
        }
    }
    return 0;
}

static int check_kernel(struct buf *why)
{
    int fd = pidfd_open_(getpid());

    if (fd < 0) {
        int r = -errno;

        buf_printf(why, "this kernel has no pidfd_open (%s); Linux 5.3 or newer is needed",
                   log_errno(r));
        return r;
    }
    (void)close(fd);
    return 0;
}

int spawner_create_in(const char *directory, bool build_tree, struct buf *why,
                      struct spawner **ret_spawner)
{
    struct spawner *spawner = calloc(1, sizeof *spawner);
    int r;

    if (!spawner) {
        return -ENOMEM;
    }
    for (int i = 0; i < PROGRAMS; i++) {
        spawner->programs[i] = -1;
    }
    (void)pthread_mutex_init(&spawner->lock, NULL);
    (void)pthread_cond_init(&spawner->wake, NULL);
    (void)pthread_cond_init(&spawner->over, NULL);
    spawner->build_tree = build_tree;
    spawner->directory = strdup(directory);
    if (!spawner->directory) {
        r = -ENOMEM;
        goto out;
    }
    r = check_kernel(why);
    if (r < 0) {
        goto out;
    }
    r = open_programs(spawner, why);
    if (r < 0) {
        goto out;
    }
    r = -pthread_create(&spawner->thread, NULL, work, spawner);
    if (r < 0) {
        buf_printf(why, "cannot start the spawning thread: %s", log_errno(r));
        goto out;
    }
    spawner->started = true;
    (void)pthread_setname_np(spawner->thread, "spawner");
    *ret_spawner = spawner;
    spawner = NULL;

out:
    spawner_destroy(spawner);
    return r;
}

int spawner_create(struct buf *why, struct spawner **ret_spawner)
{
    char directory[PATH_MAX], program[PATH_MAX + sizeof "/toiletmon-worker"];
    ssize_t len = readlink("/proc/self/exe", directory, sizeof directory - 1);
    char *slash;

    if (len < 0) {
        int r = -errno;

        buf_printf(why, "cannot read /proc/self/exe: %s; toiletmon needs /proc", log_errno(r));
        return r;
    }
    directory[len] = '\0';
    slash = strrchr(directory, '/');
    if (slash) {
        *slash = '\0';
    }
    (void)snprintf(program, sizeof program, "%s/%s", directory, program_names[PROGRAM_WORKER]);
    if (access(program, X_OK) == 0) {
        return spawner_create_in(directory, true, why, ret_spawner);
    }
    return spawner_create_in(TMON_LIBDIR, false, why, ret_spawner);
}

void spawner_destroy(struct spawner *spawner)
{
    if (!spawner) {
        return;
    }
    if (spawner->started) {
        (void)pthread_mutex_lock(&spawner->lock);
        spawner->stopping = true;
        (void)pthread_cond_signal(&spawner->wake);
        (void)pthread_mutex_unlock(&spawner->lock);
        (void)pthread_join(spawner->thread, NULL);
    }
    for (int i = 0; i < PROGRAMS; i++) {
        if (spawner->programs[i] >= 0) {
            (void)close(spawner->programs[i]);
        }
    }
    (void)pthread_cond_destroy(&spawner->over);
    (void)pthread_cond_destroy(&spawner->wake);
    (void)pthread_mutex_destroy(&spawner->lock);
    free(spawner->directory);
    free(spawner);
}
