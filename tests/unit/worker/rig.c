/* rig.c: see rig.h. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 10000
#define MESSAGE_BYTES (32u << 20)

static void path_of(char *path, size_t size, const char *name)
{
    const char *build = getenv("TMON_BUILD");

    (void)snprintf(path, size, "%s/%s", build ? build : "build", name);
}

static _Noreturn void become_worker(int socket, pid_t agent)
{
    char path[4096], pid[16];
    char *arguments[] = {(char *)"toiletmon-worker", pid, NULL};
    char *environment[] = {NULL};
    int null = open("/dev/null", O_RDWR);

    path_of(path, sizeof path, "toiletmon-worker");
    (void)snprintf(pid, sizeof pid, "%d", (int)agent);
    (void)dup2(null, 0);
    (void)dup2(null, 1);
    if (strcmp(getenv("TMON_SANITIZED") ? getenv("TMON_SANITIZED") : "0", "1") != 0) {
        (void)dup2(null, 2);
    }
    (void)fcntl(socket, F_SETFD, 0);
    (void)dup2(socket, FRAME_WORKER_FD);
    (void)dup2(null, 100); // one that the worker has to close
    (void)execve(path, arguments, environment);
    _exit(127);
}

void rig_start(struct rig *rig)
{
    int ends[2];
    pid_t agent = getpid();

    *rig = (struct rig){.fd = -1};
    assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), errno);
    rig->pid = fork();
    if (rig->pid == 0) {
        become_worker(ends[1], agent);
    }
    assert_true(rig->pid > 0);
    (void)close(ends[1]);
    rig->fd = ends[0];
    rig->packet = malloc(LIMIT_FRAME_BYTES);
    assert_non_null(rig->packet);
    frame_assembly_init(&rig->assembly, MESSAGE_BYTES);
}

void rig_send(struct rig *rig, enum frame_type type, uint32_t call, const void *payload, size_t len)
{
    assert_int_equal(frame_send(rig->fd, type, call, payload, len, 0), 0);
}

void rig_send_load(struct rig *rig, const struct rig_load *load)
{
    char name[256], path[4096];
    struct buf buf;

    (void)snprintf(name, sizeof name, "tests/fixtures/%s.so", load->fixture);
    path_of(path, sizeof path, name);
    buf_init(&buf, LIMIT_FRAME_BYTES);
    wire_put_str(&buf, path);
    wire_put_u64(&buf, load->memory_bytes);
    wire_put_u32(&buf, load->descriptors);
    wire_put_u32(&buf, load->cpu_percent);
    wire_put_u8(&buf, load->probe);
    wire_put_u8(&buf, load->spawns);
    rig_send(rig, FRAME_LOAD, 0, buf.data, buf.len);
    buf_finish(&buf);
}

int rig_next(struct rig *rig)
{
    for (;;) {
        struct pollfd item = {.fd = rig->fd, .events = POLLIN};
        int r;

        assert_int_equal(poll(&item, 1, PATIENCE_MS), 1);
        r = frame_recv(rig->fd, rig->packet, &rig->frame);
        if (r <= 0) {
            return r;
        }
        r = frame_assembly_add(&rig->assembly, &rig->frame, &rig->data, &rig->len);
        if (r != 0) {
            return r;
        }
    }
}

void rig_expect(struct rig *rig, enum frame_type type)
{
    assert_int_equal(rig_next(rig), 1);
    assert_int_equal(rig->frame.type, type);
}

static void expect_sandbox(struct rig *rig)
{
    struct wire_reader reader;

    rig_expect(rig, FRAME_SANDBOX);
    wire_reader_init(&reader, rig->data, rig->len);
    rig->layers = wire_get_u32(&reader);
    assert_true(wire_done(&reader));
}

void rig_load(struct rig *rig, const struct rig_load *load)
{
    char why[512] = "";

    rig_start(rig);
    rig_send_load(rig, load);
    expect_sandbox(rig);
    rig_expect(rig, FRAME_MANIFEST);
    if (manifest_decode(rig->data, rig->len, &rig->manifest, why, sizeof why) < 0) {
        fail_msg("%s: %s", load->fixture, why);
    }
}

void rig_send_create(struct rig *rig, const char *component, struct settings *settings)
{
    struct settings *none = NULL;
    struct buf buf;

    buf_init(&buf, LIMIT_FRAME_BYTES);
    wire_put_str(&buf, component);
    wire_put_str(&buf, "an_instance");
    wire_put_u64(&buf, 1000);
    if (!settings) {
        settings = none = settings_create(0);
    }
    settings_encode(settings, &buf);
    rig_send(rig, FRAME_CREATE, 0, buf.data, buf.len);
    settings_destroy(settings);
    buf_finish(&buf);
}

void rig_create(struct rig *rig, const char *fixture, const char *component,
                struct settings *settings)
{
    struct rig_done done;

    rig_load(rig, &(struct rig_load){.fixture = fixture});
    rig_send_create(rig, component, settings);
    rig_wait_done(rig, &done);
    assert_int_equal(done.rc, TMON_OK);
}

void rig_call(struct rig *rig, enum ability ability, const char *operation, int64_t remaining_ms,
              const struct buf *args)
{
    struct buf buf;

    buf_init(&buf, LIMIT_CALL_BYTES);
    wire_put_u32(&buf, ability);
    wire_put_str(&buf, operation);
    wire_put_u64(&buf, (uint64_t)remaining_ms);
    if (args) {
        buf_append(&buf, args->data, args->len);
    }
    rig->call++;
    rig->ability = ability;
    rig_send(rig, FRAME_CALL, rig->call, buf.data, buf.len);
    buf_finish(&buf);
}

void rig_read_done(struct rig *rig, struct rig_done *ret_done)
{
    struct wire_reader reader;

    assert_int_equal(rig->frame.type, FRAME_DONE);
    assert_int_equal(rig->frame.call, rig->call);
    wire_reader_init(&reader, rig->data, rig->len);
    ret_done->rc = (tmon_rc)wire_get_u32(&reader);
    ret_done->retry_after_ms = wire_get_i64(&reader);
    (void)snprintf(ret_done->message, sizeof ret_done->message, "%s",
                   wire_get_str(&reader, LIMIT_TEXT_BYTES));
    ret_done->cpu_us = wire_get_u64(&reader);
    ret_done->fence = wire_get_u64(&reader);
    ret_done->refused = wire_get_u32(&reader);
    verdict_destroy(rig->verdict);
    rig->verdict = NULL;
    if (rig->ability == ABILITY_CHECK) {
        assert_int_equal(verdict_decode(&reader, &rig->verdict), 0);
    }
    rig->rest = reader.len - reader.pos;
    if (rig->ability == ABILITY_FORMAT && ret_done->rc == TMON_OK) {
        reader.pos = reader.len;
    }
    assert_true(wire_done(&reader));
}

void rig_wait_done(struct rig *rig, struct rig_done *ret_done)
{
    do {
        assert_int_equal(rig_next(rig), 1);
    } while (rig->frame.type != FRAME_DONE);
    rig_read_done(rig, ret_done);
}

struct verdict *rig_check(struct rig *rig, struct rig_done *ret_done)
{
    struct verdict *verdict;

    rig_call(rig, ABILITY_CHECK, "", 1000, NULL);
    rig_wait_done(rig, ret_done);
    verdict = rig->verdict;
    rig->verdict = NULL;
    return verdict;
}

const struct detail *rig_detail(const struct verdict *verdict, const char *key)
{
    for (size_t i = 0; i < verdict->ndetails; i++) {
        if (strcmp(verdict->details[i].key, key) == 0) {
            return &verdict->details[i];
        }
    }
    fail_msg("the verdict has no detail \"%s\"", key);
    return NULL;
}

double rig_number(const struct verdict *verdict, const char *key)
{
    const struct detail *detail = rig_detail(verdict, key);

    assert_int_equal(detail->kind, DETAIL_NUMBER);
    return detail->number;
}

const char *rig_text(const struct verdict *verdict, const char *key)
{
    const struct detail *detail = rig_detail(verdict, key);

    assert_int_equal(detail->kind, DETAIL_TEXT);
    return detail->text;
}

int rig_wait(struct rig *rig)
{
    int status = -1;

    // the socket closes when the process ends, so nothing here waits for ever
    while (rig->fd >= 0 && rig_next(rig) > 0) {}
    assert_int_equal(waitpid(rig->pid, &status, 0), rig->pid);
    rig->pid = 0;
    return status;
}

void rig_stop(struct rig *rig)
{
    int status;

    rig_send(rig, FRAME_STOP, 0, NULL, 0);
    status = rig_wait(rig);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    rig_finish(rig);
}

void rig_finish(struct rig *rig)
{
    if (rig->pid > 0) {
        (void)kill(rig->pid, SIGKILL);
        (void)waitpid(rig->pid, NULL, 0);
    }
    if (rig->fd >= 0) {
        (void)close(rig->fd);
    }
    free(rig->packet);
    frame_assembly_finish(&rig->assembly);
    manifest_destroy(rig->manifest);
    verdict_destroy(rig->verdict);
    *rig = (struct rig){.fd = -1};
}
