/*
 * term.c: see term.h.
 *
 * The handler sets a flag and shuts down the reading side of our socket.  So a recv() that is about
 * to wait returns at once too, which a flag alone cannot do without a race.
 */
#include "worker/term.h"

#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>

#include "plugin/frame.h"

static volatile sig_atomic_t asked; // a signal handler can reach nothing else

void term_ask(void)
{
    asked = 1;
    (void)shutdown(FRAME_WORKER_FD, SHUT_RD);
}

static void on_term(int signal_number)
{
    term_ask();
}

void term_init(void)
{
    struct sigaction action = {.sa_handler = on_term}; // no SA_RESTART: what blocks shall return

    (void)sigaction(SIGTERM, &action, NULL);
}

bool term_asked(void)
{
    return asked != 0;
}
