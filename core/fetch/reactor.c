/*
 * reactor.c: libcurl's socket interface over epoll.  Runs in the fetch worker.
 */
#include "fetch/reactor.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>

#include "base/clock.h"

#define EVENTS_PER_TURN 64

/* Its address is what libcurl keeps for a socket that epoll has. */
static const char known;

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *seen)
{
    struct reactor *reactor = arg;
    struct epoll_event event = {.data.fd = fd};

    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(reactor->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    event.events =
        (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0u);
    if (epoll_ctl(reactor->epoll, seen ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) < 0) {
        return -1;
    }
    (void)curl_multi_assign(reactor->multi, fd, (void *)&known);
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
    struct reactor *reactor = arg;

    reactor->due_ns = ms < 0 ? INT64_MAX : ms == 0 ? 0 : clock_mono_ns() + ms * NS_PER_MS;
    return 0;
}

int reactor_init(struct reactor *reactor, CURLM *multi, int agent)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = agent};

    *reactor = (struct reactor){.multi = multi, .agent = agent, .due_ns = INT64_MAX};
    reactor->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (reactor->epoll < 0 || epoll_ctl(reactor->epoll, EPOLL_CTL_ADD, agent, &event) < 0) {
        return -errno;
    }
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, reactor);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, reactor);
    return 0;
}

int reactor_run(struct reactor *reactor)
{
    int running;

    if (reactor->due_ns > clock_mono_ns()) {
        return 0;
    }
    reactor->due_ns = INT64_MAX;
    return curl_multi_socket_action(reactor->multi, CURL_SOCKET_TIMEOUT, 0, &running) == CURLM_OK
               ? 0
               : -EIO;
}

static int timeout_ms(const struct reactor *reactor)
{
    int64_t left_ns;

    if (reactor->due_ns == INT64_MAX) {
        return -1;
    }
    left_ns = reactor->due_ns - clock_mono_ns();
    if (left_ns <= 0) {
        return 0;
    }
    left_ns = (left_ns + NS_PER_MS - 1) / NS_PER_MS;
    return left_ns < INT_MAX ? (int)left_ns : INT_MAX;
}

int reactor_wait(struct reactor *reactor, bool *ret_agent)
{
    struct epoll_event events[EVENTS_PER_TURN];
    int n = epoll_wait(reactor->epoll, events, EVENTS_PER_TURN, timeout_ms(reactor));
    int running;

    if (n < 0 && errno != EINTR) {
        return -errno;
    }
    *ret_agent = false;
    for (int i = 0; i < n; i++) {
        int flags = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                    (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0);

        if (events[i].events & (EPOLLERR | EPOLLHUP)) {
            flags = 0; // it looks for itself, and so finds the words for it
        }
        if (events[i].data.fd == reactor->agent) {
            *ret_agent = true;
        } else if (curl_multi_socket_action(reactor->multi, events[i].data.fd, flags, &running) !=
                   CURLM_OK) {
            return -EIO;
        }
    }
    return reactor_run(reactor);
}
