/*
 * term.h: the wish that this process ends, by SIGTERM or by STOP inside a call.
 *
 * The plugin gets time to end in order: tmon_remaining_ms() says 0, blocking system calls of its
 * own return EINTR, services that wait give up.  A plugin that does not listen is killed by the
 * agent when its grace has passed.
 */
#ifndef WORKER_TERM_H
#define WORKER_TERM_H

#include <stdbool.h>

/* Installs the handler.  Once, at the start. */
void term_init(void);
bool term_asked(void);
/* As if SIGTERM had come. */
void term_ask(void);

#endif
