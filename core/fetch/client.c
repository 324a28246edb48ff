/*
 * client.c: one request by a toiletmon-fetch of our own.
 *
 * Runs in the command line, on its main thread.  The child gets our end's other half as descriptor
 * 3 and no environment, exactly as from the agent.
 */
#include "fetch/client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "fetch/order.h"
#include "model/exchange.h"
#include "plugin/frame.h"
#include "tmon_build.h"

#define GRACE_NS (2 * NS_PER_S) /* fetch keeps the deadline itself; this is for one that hangs */
#define CALL 1
#define PROGRAM "toiletmon-fetch"

struct owned_answer {
    struct fetch_answer answer; /* first: the caller's pointer is ours */
    struct tmon_response response;
    char *message; /* what `response` points into */
};

struct child {
    pid_t pid;
    int fd;
};

static int find_program(char ret_path[static PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", ret_path, PATH_MAX - sizeof PROGRAM);

    if (len > 0) {
        ret_path[len] = '\0';
        char *slash = strrchr(ret_path, '/');
        if (slash) {
            memcpy(slash + 1, PROGRAM, sizeof PROGRAM);
            if (access(ret_path, X_OK) == 0) {
                return 0;
            }
        }
    }
    snprintf(ret_path, PATH_MAX, "%s/%s", TMON_LIBDIR, PROGRAM);
    return access(ret_path, X_OK) == 0 ? 0 : -ENOENT;
}

static int start(const char *path, struct child *ret_child)
{
    char own_pid[16];
    char *argv[] = {(char *)PROGRAM, own_pid, NULL}, *envp[] = {NULL};
    posix_spawn_file_actions_t actions;
    int pair[2], r;
    pid_t pid;

    (void)snprintf(own_pid, sizeof own_pid, "%d", (int)getpid());
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        return -errno;
    }
    r = -posix_spawn_file_actions_init(&actions);
    if (r == 0) {
        r = -posix_spawn_file_actions_adddup2(&actions, pair[1], FRAME_WORKER_FD);
        if (r == 0) {
            r = -posix_spawn(&pid, path, &actions, NULL, argv, envp);
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    close(pair[1]);
    if (r < 0) {
        close(pair[0]);
        return r;
    }
    ret_child->pid = pid;
    ret_child->fd = pair[0];
    return 0;
}

static void finish(struct child *child)
{
    if (child->pid > 0) {
        close(child->fd);
        kill(child->pid, SIGKILL);
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR) {}
    }
}

static int wait_readable(int fd, int64_t deadline_ns)
{
    for (;;) {
        struct pollfd item = {.fd = fd, .events = POLLIN};
        int64_t left_ms = (deadline_ns - clock_mono_ns() + NS_PER_MS - 1) / NS_PER_MS;
        int n;

        if (left_ms <= 0) {
            return -ETIMEDOUT;
        }
        n = poll(&item, 1, left_ms < INT_MAX ? (int)left_ms : INT_MAX);
        if (n > 0) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
    }
}

/* Waits for the whole response.  0 with its payload in *ret_message (owned), -EPIPE when the child
 * has ended. */
static int receive(int fd, size_t cap, int64_t deadline_ns, char **ret_message, size_t *ret_len)
{
    struct frame_assembly assembly;
    char *packet = malloc(LIMIT_FRAME_BYTES);
    const void *data = NULL;
    size_t len = 0;
    int r = packet ? 0 : -ENOMEM;

    frame_assembly_init(&assembly, cap);
    while (r == 0) {
        struct frame frame;

        r = wait_readable(fd, deadline_ns);
        if (r < 0) {
            break;
        }
        r = frame_recv(fd, packet, &frame);
        if (r <= 0) {
            r = r == 0 ? -EPIPE : r;
        } else if (frame.type != FRAME_HTTP_RESPONSE || frame.call != CALL) {
            r = -EPROTO;
        } else {
            r = frame_assembly_add(&assembly, &frame, &data, &len);
        }
    }
    if (r == 1) {
        *ret_message = malloc(len ? len : 1);
        r = *ret_message ? 0 : -ENOMEM;
        if (r == 0) {
            memcpy(*ret_message, data, len);
            *ret_len = len;
        }
    }
    frame_assembly_finish(&assembly);
    free(packet);
    return r;
}

static int decode(struct owned_answer *owned, size_t len)
{
    struct wire_reader reader;
    uint32_t rc;
    int r;

    wire_reader_init(&reader, owned->message, len);
    rc = wire_get_u32(&reader);
    r = exchange_decode_response(&reader, &owned->response);
    if (r == 0) {
        owned->answer.rc = (tmon_rc)rc;
    }
    return r;
}

/* There will be no answer: says so in an answer. */
static void explain(struct owned_answer *owned, int r)
{
    exchange_finish_response(&owned->response);
    owned->response = (struct tmon_response){.size = sizeof owned->response, .retry_after_ms = -1};
    owned->response.body.data = "";
    owned->response.error_phase = TMON_PHASE_ANSWER;
    owned->response.error = r == -ETIMEDOUT ? "toiletmon-fetch did not answer before the deadline"
                                            : "toiletmon-fetch ended before it answered";
    owned->answer.rc = TMON_AMBIGUOUS;
}

static int exchange(const struct child *child, const struct buf *order, size_t cap,
                    int64_t deadline_ns, struct owned_answer *owned)
{
    size_t len = 0;
    int r = frame_send(child->fd, FRAME_HTTP_REQUEST, CALL, order->data, order->len, deadline_ns);

    if (r == 0) {
        r = receive(child->fd, cap, deadline_ns, &owned->message, &len);
    }
    return r < 0 ? r : decode(owned, len);
}

int fetch_client_request(const struct fetch_client_options *options,
                         const struct tmon_request *request, struct fetch_answer **ret_answer)
{
    size_t body = options->body_bytes ? options->body_bytes : LIMIT_HTTP_BODY_BYTES;
    struct fetch_order plan = {
        .remaining_ms = options->timeout_ms,
        .body_bytes = (uint32_t)body,
        .any_host = true,
        .unix_path = options->unix_path,
        .ca_file = options->ca_file,
        .request = *request,
    };
    int64_t deadline_ns = clock_mono_ns() + options->timeout_ms * NS_PER_MS + GRACE_NS;
    struct owned_answer *owned = NULL;
    struct child child = {0};
    char path[PATH_MAX];
    const char *why;
    struct buf order;
    int r;

    if (options->timeout_ms <= 0 || body > LIMIT_HTTP_CLIENT_BYTES) {
        return -EINVAL;
    }
    buf_init(&order, FETCH_ORDER_BYTES);
    r = fetch_order_encode(&order, &plan, &why);
    if (r < 0) {
        goto out;
    }
    owned = calloc(1, sizeof *owned);
    if (!owned) {
        r = -ENOMEM;
        goto out;
    }
    owned->answer.response = &owned->response;
    r = options->program ? 0 : find_program(path);
    if (r == 0) {
        r = start(options->program ? options->program : path, &child);
    }
    if (r < 0) {
        goto out;
    }
    r = exchange(&child, &order, FETCH_RESPONSE_BYTES(body), deadline_ns, owned);
    if (r < 0 && r != -ENOMEM) {
        explain(owned, r);
        r = 0;
    }
out:
    finish(&child);
    buf_finish(&order);
    if (r < 0) {
        fetch_answer_destroy(owned ? &owned->answer : NULL);
        return r;
    }
    *ret_answer = &owned->answer;
    return 0;
}

void fetch_answer_destroy(struct fetch_answer *answer)
{
    struct owned_answer *owned = (struct owned_answer *)(void *)answer;

    if (owned) {
        exchange_finish_response(&owned->response);
        free(owned->message);
        free(owned);
    }
}
