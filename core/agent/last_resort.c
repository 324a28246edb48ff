/*
 * last_resort.c: see last_resort.h.  A signal, since the main thread itself may be the one that
 * waits, and the kernel's timer, since no other thread can be relied on either.
 */
#include "agent/last_resort.h"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"

static void on_alarm(int number)
{
    _exit(1);
}

static void set(int64_t ms)
{
    const struct itimerval timer = {
        .it_value = {.tv_sec = ms / MS_PER_S, .tv_usec = ms % MS_PER_S * 1000}};

    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

void last_resort_arm(int64_t ms)
{
    const struct sigaction action = {.sa_handler = on_alarm};
    sigset_t alarm;

    (void)sigemptyset(&alarm);
    (void)sigaddset(&alarm, SIGALRM);
    (void)sigaction(SIGALRM, &action, NULL);
    (void)pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
    set(ms);
}

void last_resort_disarm(void)
{
    set(0);
}
