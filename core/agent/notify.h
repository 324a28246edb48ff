/*
 * notify.h: what the agent tells the service manager: ready, reloading, stopping, still alive.
 *
 * Only a service started by systemd (NOTIFY_SOCKET) has anybody to tell; libsystemd is loaded only
 * then, because it maps four compression and crypto libraries that a machine without systemd has no
 * use for.  Main thread.
 */
#ifndef AGENT_NOTIFY_H
#define AGENT_NOTIFY_H

#include <stdint.h>

struct notify {
    int (*send)(int unset_environment, const char *state); /* NULL: nobody listens */
    int64_t watchdog_ns; /* how often to call notify_alive(); 0: never */
};

void notify_init(struct notify *notify);
void notify_ready(const struct notify *notify, const char *status);
void notify_status(const struct notify *notify, const char *status);
void notify_reloading(const struct notify *notify);
void notify_stopping(const struct notify *notify);
void notify_alive(const struct notify *notify);

#endif
