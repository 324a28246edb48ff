/*
 * gate.c: one libmicrohttpd daemon, run by our loop.
 *
 * The daemon gets no thread of its own: its epoll descriptor is watched by the loop of the server's
 * thread, which thereby runs every listener, every deadline and every answer of the agent, and
 * needs no lock for any of them. It costs one more epoll_wait() a turn, which a measurement cannot
 * tell from noise.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "http/server.h"

/* A long answer is sent in many small turns of the daemon: so many before the others have theirs.
 */
#define RUNS_PER_TURN 16

static void run(struct gate *gate)
{
    struct http *http = gate->http;
    MHD_UNSIGNED_LONG_LONG wait = 1;

    for (int runs = 0; runs < RUNS_PER_TURN; runs++) {
        (void)MHD_run(gate->daemon);
        wait = 1;
        if (MHD_get_timeout(gate->daemon, &wait) != MHD_YES || wait > 0) {
            break;
        }
    }
    if (wait == 0) {
        gate_poke(gate);
    }
    if (gate->retired) {
        gates_reap(http); /* may be the end of this gate */
    }
}

static void on_ready(struct loop_fd *watch, uint32_t events)
{
    run(watch->owner);
}

static void on_again(struct loop_timer *timer, int64_t now)
{
    run(timer->owner);
}

void gate_poke(struct gate *gate)
{
    (void)loop_timer_set(gate->http->loop, &gate->again, loop_now(gate->http->loop));
}

static enum MHD_Result on_accept(void *cls, const struct sockaddr *address, socklen_t len)
{
    const struct gate *gate = cls;

    return clients_admit(gate->http, gate->unix_socket ? NULL : address) ? MHD_YES : MHD_NO;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **client,
                          enum MHD_ConnectionNotificationCode code)
{
    struct gate *gate = cls;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        struct client *opened = NULL;

        /* Without memory the connection has no client, and its first request closes it. */
        (void)clients_open(gate, connection, &opened);
        *client = opened;
    } else if (*client) {
        clients_close(*client);
        *client = NULL;
    }
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **request_cls,
                         enum MHD_RequestTerminationCode why)
{
    struct client *client = *request_cls;

    if (!client) {
        return;
    }
    ask_forget(client);
    body_finish(client);
    clients_enter(client, CLIENT_RECEIVING);
    if (client->gate->retired) {
        (void)shutdown(client->fd, SHUT_RDWR); /* what was sent still arrives */
    }
}

/* %00 stays as it is, so that no path ends before its end. */
static size_t unescape(void *cls, struct MHD_Connection *connection, char *text)
{
    if (!strchr(text, '%')) {
        return strlen(text);
    }
    if (strstr(text, "%00")) {
        return strlen(text);
    }
    return MHD_http_unescape(text);
}

/*
 * Called with the request's target before it is taken apart.  A query is cut before it has more
 * parameters than we would ever read: where libmicrohttpd (0.9.75) finds no room for one it neither
 * answers nor closes.
 */
static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    char *at = strchr(target, '?');
    unsigned parameters = 1;

    if (!at) {
        return NULL;
    }
    if (strlen(at) > LIMIT_SERVER_QUERY_BYTES) {
        at[1] = '\0';
        return NULL;
    }
    while ((at = strchr(at + 1, '&'))) {
        if (++parameters > LIMIT_SERVER_PARAMETERS) {
            *at = '\0';
            break;
        }
    }
    return NULL;
}

/* What libmicrohttpd has to say about a start that fails; about clients nobody wants to read. */
__attribute__((format(printf, 2, 0))) static void on_message(void *cls, const char *format,
                                                             va_list args)
{
    struct gate *gate = cls;
    char text[256];

    if (!gate->daemon && log_enabled(LOG_LEVEL_DEBUG)) {
        (void)vsnprintf(text, sizeof text, format, args);
        text[strcspn(text, "\r\n")] = '\0';
        log_debug("libmicrohttpd says", LOG_S("text", text));
    }
}

int gate_create(struct http *http, const struct listener *listener, const char *certificate,
                const char *key, struct buf *why, struct gate **ret_gate)
{
    struct gate *gate = calloc(1, sizeof *gate);
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0,
         (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
        {MHD_OPTION_END, 0, NULL},
    };
    int fd = -1;
    int r = -ENOMEM;

    if (!gate) {
        return -ENOMEM;
    }
    gate->http = http;
    gate->watch.fd = -1;
    gate->unix_socket = listener->address.path;
    gate->tls = certificate && !gate->unix_socket;
    loop_timer_init(&gate->again, on_again, gate);
    if (listener->address.host) {
        gate->host = strdup(listener->address.host);
        if (!gate->host) {
            goto out;
        }
    }
    if (gate->tls) {
        flags |= MHD_USE_TLS;
    } else {
        tls[0] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    }
    fd = fcntl(listener->sock.fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        r = -errno;
        goto out;
    }
    gate->daemon = MHD_start_daemon(
        flags, 0, on_accept, gate, request_serve, gate, MHD_OPTION_EXTERNAL_LOGGER, on_message,
        gate, /* first: it hears of the others */
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
        http->clients.max * 2, /* ours comes first, and says whom to refuse */
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_SERVER_POOL_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u, /* clients.c has deadlines instead */
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, gate, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, gate, MHD_OPTION_URI_LOG_CALLBACK, on_target, gate,
        MHD_OPTION_UNESCAPE_CALLBACK, unescape, gate, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (!gate->daemon) {
        r = gate->tls ? -EINVAL : -ENOMEM;
        buf_printf(why,
                   gate->tls
                       ? "cannot serve TLS on %s: certificate and key are no pair of PEM files "
                         "(or out of memory)"
                       : "cannot serve HTTP on %s: out of memory or descriptors",
                   listener->address.text);
        goto out;
    }
    fd = -1;
    *ret_gate = gate;
    return 0;
out:
    if (fd >= 0) {
        (void)close(fd);
    }
    gate_destroy(gate);
    return r;
}

int gate_start(struct gate *gate)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(gate->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct http *http = gate->http;
    int r = loop_fd_add(http->loop, &gate->watch, info->epoll_fd, EPOLLIN, on_ready, gate);

    if (r < 0) {
        return r;
    }
    gate->next = http->gates;
    http->gates = gate;
    (void)MHD_run(gate->daemon); /* puts the listening socket into its epoll set */
    return 0;
}

void gate_retire(struct gate *gate)
{
    int fd = MHD_quiesce_daemon(gate->daemon);

    gate->retired = true;
    if (fd >= 0) {
        (void)close(fd);
    }
}

void gates_reap(struct http *http)
{
    struct gate **at = &http->gates;

    while (*at) {
        struct gate *gate = *at;

        if (gate->retired && gate->clients == 0) {
            *at = gate->next;
            gate_destroy(gate);
        } else {
            at = &gate->next;
        }
    }
}

void gate_destroy(struct gate *gate)
{
    if (!gate) {
        return;
    }
    loop_fd_remove(gate->http->loop, &gate->watch);
    loop_timer_stop(gate->http->loop, &gate->again);
    if (gate->daemon) {
        MHD_stop_daemon(gate->daemon);
    }
    free(gate->host);
    free(gate);
}
