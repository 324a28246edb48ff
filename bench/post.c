/*
 * post.c: posts alerts, one a request, over so many connections, as fast as they are answered: the
 * same sender for the agent and for Alertmanager.
 *
 *   bench_post PORT agent|alertmanager COUNT CONNECTIONS
 *
 * Prints one line of JSON: how many were answered 2xx, and the monotonic times of the first request
 * and the last answer.
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

struct connection {
    int fd;
    size_t got; /* of the answer */
    char answer[8192];
};

static const char *path;
static bool to_agent;
static long next_alert, answered, accepted, count;

static double now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fatal(const char *what)
{
    perror(what);
    exit(1);
}

/* The same alert in the shape of each. */
static int put_alert(char *body, size_t size, long number)
{
    if (to_agent) {
        return snprintf(body, size,
                        "{\"severity\":\"critical\",\"title\":\"N%ld\",\"message\":\"Something is "
                        "wrong with the thing\",\"metadata\":{\"endpoint\":\"supabase\","
                        "\"number\":\"%ld\"}}",
                        number, number);
    }
    return snprintf(body, size,
                    "[{\"labels\":{\"alertname\":\"N%ld\",\"severity\":\"critical\"},"
                    "\"annotations\":{\"message\":\"Something is wrong with the thing\","
                    "\"endpoint\":\"supabase\",\"number\":\"%ld\"}}]",
                    number, number);
}

static bool send_next(struct connection *connection)
{
    char body[1024], request[2048];
    int length;

    if (next_alert == count) {
        return false;
    }
    length = put_alert(body, sizeof body, next_alert);
    next_alert++;
    length = snprintf(request, sizeof request,
                      "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                      "Content-Length: %d\r\n\r\n%s",
                      path, length, body);
    connection->got = 0;
    if (write(connection->fd, request, (size_t)length) != length) {
        fatal("write");
    }
    return true;
}

/* Whether the answer is whole. */
static bool read_answer(struct connection *connection)
{
    ssize_t n = read(connection->fd, connection->answer + connection->got,
                     sizeof connection->answer - 1 - connection->got);
    const char *end, *length;
    size_t body;

    if (n <= 0) {
        fatal("read");
    }
    connection->got += (size_t)n;
    connection->answer[connection->got] = '\0';
    end = strstr(connection->answer, "\r\n\r\n");
    if (!end) {
        return false;
    }
    length = strcasestr(connection->answer, "content-length:");
    body = length && length < end ? strtoul(length + 15, NULL, 10) : 0;
    if (connection->got < (size_t)(end + 4 - connection->answer) + body) {
        return false;
    }
    answered++;
    if (connection->answer[9] == '2') {
        accepted++;
    } else if (answered - accepted == 1) {
        (void)fprintf(stderr, "%s\n", connection->answer);
    }
    return true;
}

int main(int argc, char **argv)
{
    int connections = argc > 4 ? atoi(argv[4]) : 0, epoll = epoll_create1(0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct connection *all;
    double first, last;

    if (connections < 1) {
        (void)fprintf(stderr, "usage: %s PORT agent|alertmanager COUNT CONNECTIONS\n", argv[0]);
        return 2;
    }
    address.sin_port = htons((uint16_t)atoi(argv[1]));
    count = atol(argv[3]);
    to_agent = strcmp(argv[2], "agent") == 0;
    path = to_agent ? "/api/v1/alerts" : "/api/v2/alerts";
    all = calloc((size_t)connections, sizeof *all);
    if (!all) {
        fatal("calloc");
    }
    for (int i = 0; i < connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};

        all[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        (void)setsockopt(all[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (connect(all[i].fd, (struct sockaddr *)&address, sizeof address) < 0 ||
            epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event) < 0) {
            fatal("connect");
        }
    }
    first = now();
    for (int i = 0; i < connections; i++) {
        (void)send_next(&all[i]);
    }
    while (answered < count) {
        struct epoll_event events[64];
        int n = epoll_wait(epoll, events, 64, 30000);

        if (n <= 0) {
            fatal("no answer for 30 s");
        }
        for (int i = 0; i < n; i++) {
            if (read_answer(events[i].data.ptr)) {
                (void)send_next(events[i].data.ptr);
            }
        }
    }
    last = now();
    printf("{\"accepted\": %ld, \"first\": %.6f, \"last\": %.6f}\n", accepted, first, last);
    return 0;
}
