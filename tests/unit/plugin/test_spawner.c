/* Processes start, on request and in the background, and nothing of them stays. */
#include "kit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugin/frame.h"

static void await_end(int pidfd)
{
    struct pollfd item = {.fd = pidfd, .events = POLLIN};

    assert_int_equal(poll(&item, 1, 10000), 1);
}

/* The text of a link or file in /proc of the process. */
static ssize_t proc(pid_t pid, const char *what, char *text, size_t size)
{
    char path[64];
    ssize_t n;
    int fd;

    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
    n = readlink(path, text, size - 1);
    if (n < 0) {
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        n = read(fd, text, size - 1);
        (void)close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
    return n;
}

/* Until it has said its first word: a process that was just started has not even its arguments. */
static void let_it_run(const struct spawned *worker)
{
    struct pollfd item = {.fd = worker->socket, .events = POLLIN};
    struct buf load;

    buf_init(&load, LIMIT_FRAME_BYTES);
    wire_put_str(&load, kit_fixture("api_check"));
    wire_put_u64(&load, 0);
    wire_put_u32(&load, 0);
    wire_put_u32(&load, 0);
    wire_put_u8(&load, 1);
    wire_put_u8(&load, 0);
    assert_int_equal(frame_send(worker->socket, FRAME_LOAD, 0, load.data, load.len, 0), 0);
    assert_int_equal(poll(&item, 1, 10000), 1);
    buf_finish(&load);
}

static void starts_a_bare_process(void **state)
{
    size_t before = kit_descriptors();
    struct spawner *spawner;
    struct spawned worker = {0, -1, -1};
    sigset_t some;
    char text[4096];

    /* What the agent blocks stays with the agent. */
    (void)sigemptyset(&some);
    (void)sigaddset(&some, SIGTERM);
    (void)sigaddset(&some, SIGHUP);
    assert_int_equal(sigprocmask(SIG_BLOCK, &some, NULL), 0);
    spawner = kit_spawner();
    assert_int_equal(sigprocmask(SIG_UNBLOCK, &some, NULL), 0);

    assert_int_equal(spawner_spawn(spawner, PROGRAM_WORKER, &worker), 0);
    assert_true(worker.pid > 0);
    assert_true(fcntl(worker.socket, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(worker.socket, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(worker.pidfd, F_GETFD) & FD_CLOEXEC);
    let_it_run(&worker);
    assert_int_equal(proc(worker.pid, "environ", text, sizeof text), 0);
    assert_true(proc(worker.pid, "fd/0", text, sizeof text) > 0);
    assert_string_equal(text, "/dev/null");
    (void)proc(worker.pid, "fd/3", text, sizeof text);
    assert_memory_equal(text, "socket:", 7);
    (void)proc(worker.pid, "cmdline", text, sizeof text);
    assert_string_equal(text, "toiletmon-worker");
    assert_int_equal(atoi(text + strlen(text) + 1), getpid());
    (void)proc(worker.pid, "status", text, sizeof text);
    assert_non_null(strstr(text, "SigBlk:\t0000000000000000"));
    spawned_finish(&worker, SPAWNED_FINISH_MS);
    assert_int_equal(worker.pidfd, -1);
    spawner_destroy(spawner);
    kit_no_children();
    assert_int_equal(kit_descriptors(), before);
}

/* A worker whose socket closes has nothing left to do. */
static void ends_with_its_socket(void **state)
{
    struct spawner *spawner = kit_spawner();
    struct spawned worker = {0, -1, -1};
    siginfo_t info = {0};

    assert_int_equal(spawner_spawn(spawner, PROGRAM_WORKER, &worker), 0);
    (void)close(worker.socket);
    worker.socket = -1;
    await_end(worker.pidfd);
    assert_int_equal(waitid((idtype_t)P_PIDFD, (id_t)worker.pidfd, &info, WEXITED | WNOHANG), 0);
    assert_int_equal(info.si_code, CLD_EXITED);
    assert_int_equal(info.si_status, 0);
    (void)close(worker.pidfd);
    spawner_destroy(spawner);
    kit_no_children();
}

/* The end of the spawning thread is the end of all that it started. */
static void takes_its_children_along(void **state)
{
    struct spawner *spawner = kit_spawner();
    struct spawned worker = {0, -1, -1};

    assert_int_equal(spawner_spawn(spawner, PROGRAM_WORKER, &worker), 0);
    let_it_run(&worker); // until then it has not asked for that
    spawner_destroy(spawner);
    await_end(worker.pidfd);
    spawned_finish(&worker, SPAWNED_FINISH_MS);
    kit_no_children();
}

struct begun {
    int calls;
    int error;
    struct spawned spawned;
};

static void note(void *owner, int error, const struct spawned *spawned)
{
    struct begun *begun = owner;

    begun->calls++;
    begun->error = error;
    begun->spawned = *spawned;
}

static bool all_begun(void *arg)
{
    struct begun *begun = arg;

    return begun[0].calls && begun[1].calls && begun[2].calls;
}

static void starts_in_the_background(void **state)
{
    size_t before = kit_descriptors();
    struct spawner *spawner = kit_spawner();
    struct begun begun[3] = {0};
    struct spawn *spawn;
    struct loop *loop;

    assert_int_equal(loop_create(&loop), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(spawner_begin(spawner, i == 1 ? PROGRAM_FETCH : PROGRAM_WORKER, loop, note,
                                       &begun[i], &spawn),
                         0);
    }
    assert_true(kit_until(loop, all_begun, begun, 10000));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(begun[i].calls, 1);
        assert_int_equal(begun[i].error, 0);
        spawned_finish(&begun[i].spawned, SPAWNED_FINISH_MS);
    }
    loop_destroy(loop);
    spawner_destroy(spawner);
    kit_no_children();
    assert_int_equal(kit_descriptors(), before);
}

static bool never(void *arg)
{
    return false;
}

/* Before, while and after it is started. */
static void can_be_cancelled(void **state)
{
    size_t before = kit_descriptors();
    struct spawner *spawner = kit_spawner();
    struct begun begun = {0};
    struct spawn *spawns[20];
    struct loop *loop;

    assert_int_equal(loop_create(&loop), 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(spawner_begin(spawner, PROGRAM_WORKER, loop, note, &begun, &spawns[i]), 0);
        if (i % 4 == 3) {
            struct spawned last = {0, -1, -1};

            assert_int_equal(spawner_spawn(spawner, PROGRAM_WORKER, &last), 0);
            spawned_finish(&last, SPAWNED_FINISH_MS);
        }
    }
    for (int i = 19; i >= 0; i--) {
        spawner_cancel(spawns[i]);
    }
    (void)kit_until(loop, never, NULL, 20);
    assert_int_equal(begun.calls, 0);
    spawner_destroy(spawner);
    loop_destroy(loop);
    kit_no_children();
    assert_int_equal(kit_descriptors(), before);
}

static void says_what_is_missing(void **state)
{
    size_t before = kit_descriptors();
    struct spawner *spawner = NULL;
    struct buf why;

    buf_init(&why, 1000);
    assert_int_equal(spawner_create_in("/tmp/tmon-nowhere", true, &why, &spawner), -ENOENT);
    assert_non_null(strstr(buf_str(&why), "/tmp/tmon-nowhere/toiletmon-worker"));
    assert_non_null(strstr(buf_str(&why), "install"));
    buf_finish(&why);
    assert_int_equal(kit_descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_a_bare_process),    cmocka_unit_test(ends_with_its_socket),
        cmocka_unit_test(takes_its_children_along), cmocka_unit_test(starts_in_the_background),
        cmocka_unit_test(can_be_cancelled),         cmocka_unit_test(says_what_is_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
