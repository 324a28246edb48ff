/*
 * receive.c: takes webhooks in Alertmanager's format and counts the alerts of bench/post.c in them.
 *
 * Prints its port. GET /counts answers with what came so far: requests, distinct alerts, and the
 * monotonic time when the last new one came.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ALERTS_MOST 2000000
#define BODY_MOST (32u << 20)

struct connection {
    int fd;
    size_t len, size;
    char *data;
};

static unsigned char seen[ALERTS_MOST];
static long requests, distinct;
static double last;

static double now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void count_alerts(const char *body)
{
    static const char before[] = "\"labels\":{\"alertname\":\"N";

    for (const char *p = body; (p = strstr(p, before)); p++) {
        long number = atol(p + sizeof before - 1);

        if (number >= 0 && number < ALERTS_MOST && !seen[number]) {
            seen[number] = 1;
            distinct++;
            last = now();
        }
    }
}

static void answer(struct connection *connection)
{
    char body[256], text[512];
    bool ask = strncmp(connection->data, "GET /counts", 11) == 0;
    int length = 0;

    if (ask) {
        length =
            snprintf(body, sizeof body, "{\"requests\": %ld, \"distinct\": %ld, \"last\": %.6f}",
                     requests, distinct, last);
    }
    length = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%.*s",
                      length, length, body);
    requests += !ask;
    if (write(connection->fd, text, (size_t)length) != length) {
        shutdown(connection->fd, SHUT_RDWR);
    }
}

/* Whole requests that are there are answered. */
static void take(struct connection *connection)
{
    for (;;) {
        char *end, *length;
        size_t whole;
        char kept;

        connection->data[connection->len] = '\0';
        end = strstr(connection->data, "\r\n\r\n");
        if (!end) {
            return;
        }
        length = strcasestr(connection->data, "content-length:");
        whole = (size_t)(end + 4 - connection->data) +
                (length && length < end ? strtoul(length + 15, NULL, 10) : 0);
        if (connection->len < whole) {
            return;
        }
        kept = connection->data[whole];
        connection->data[whole] = '\0';
        count_alerts(end + 4);
        answer(connection);
        connection->data[whole] = kept;
        connection->len -= whole;
        memmove(connection->data, connection->data + whole, connection->len);
    }
}

static bool receive(struct connection *connection)
{
    ssize_t n;

    if (connection->len + 65536 + 1 > connection->size) {
        size_t size = connection->size ? 2 * connection->size : 262144;
        char *data = size <= BODY_MOST ? realloc(connection->data, size) : NULL;

        if (!data) {
            return false;
        }
        connection->data = data;
        connection->size = size;
    }
    n = read(connection->fd, connection->data + connection->len, 65536);
    if (n <= 0) {
        return false;
    }
    connection->len += (size_t)n;
    take(connection);
    return true;
}

int main(void)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(listener, 1024) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0) {
        perror("receive");
        return 1;
    }
    printf("port %d\n", ntohs(address.sin_port));
    (void)fflush(stdout);
    for (;;) {
        struct epoll_event events[64];
        int n = epoll_wait(epoll, events, 64, -1);

        for (int i = 0; i < n; i++) {
            struct connection *connection = events[i].data.ptr;

            if (!connection) {
                connection = calloc(1, sizeof *connection);
                if (!connection) {
                    return 1;
                }
                connection->fd = accept(listener, NULL, NULL);
                (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                event.data.ptr = connection;
                (void)epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event);
            } else if (!receive(connection)) {
                (void)close(connection->fd);
                free(connection->data);
                free(connection);
            }
        }
    }
}
