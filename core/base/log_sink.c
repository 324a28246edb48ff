/*
 * log_sink.c: see log_sink.h.  O_NONBLOCK belongs to the open file, which the shell and others
 * share with us, so it is not set on standard error: a pipe or terminal is opened once more, a
 * socket is asked not to wait with each send.  Where that opening is refused (the pipe is another
 * user's), poll() tells whether a line fits; that holds as long as nobody else writes to the same
 * pipe.  A file is written as it is.
 */
#include "base/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    enum { WAY_PLAIN, WAY_NONBLOCKING, WAY_SEND, WAY_POLL } way;
    int fd;    /* for WAY_NONBLOCKING: ours */
    bool torn; /* the last line has no end */
} sink;

void log_sink_open(void)
{
    struct stat info;

    if (sink.way == WAY_NONBLOCKING) {
        (void)close(sink.fd);
    }
    sink.way = WAY_PLAIN;
    sink.torn = false;
    if (fstat(STDERR_FILENO, &info) < 0) {
        return;
    }
    if (S_ISSOCK(info.st_mode)) {
        sink.way = WAY_SEND;
    } else if (S_ISFIFO(info.st_mode) || isatty(STDERR_FILENO)) {
        sink.fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        sink.way = sink.fd >= 0 ? WAY_NONBLOCKING : WAY_POLL;
    }
}

static ssize_t put(const char *text, size_t len)
{
    struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};

    switch (sink.way) {
    case WAY_SEND:
        return send(STDERR_FILENO, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    case WAY_NONBLOCKING:
        return write(sink.fd, text, len);
    case WAY_POLL:
        if (poll(&room, 1, 0) <= 0) {
            return 0;
        }
        break;
    case WAY_PLAIN:
        break;
    }
    return write(STDERR_FILENO, text, len);
}

static bool put_whole(const char *text, size_t len)
{
    ssize_t n;

    do {
        n = put(text, len);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        sink.torn = (size_t)n < len;
    }
    return n == (ssize_t)len;
}

bool log_sink_put(const char *line, size_t len)
{
    return (!sink.torn || put_whole("\n", 1)) && put_whole(line, len);
}
