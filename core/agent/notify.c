/*
 * notify.c: see notify.h.
 */
#include "agent/notify.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

void notify_init(struct notify *notify)
{
    int (*watchdog_enabled)(int, uint64_t *);
    uint64_t interval_us = 0;
    void *library;

    *notify = (struct notify){0};
    if (!getenv("NOTIFY_SOCKET")) {
        return;
    }
    library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        log_warning("the service manager cannot be told: install libsystemd",
                    LOG_S("error", dlerror()));
        return;
    }
    /* POSIX says that a symbol may be read as a function this way. */
    *(void **)&notify->send = dlsym(library, "sd_notify");
    *(void **)&watchdog_enabled = dlsym(library, "sd_watchdog_enabled");
    if (watchdog_enabled && watchdog_enabled(0, &interval_us) > 0) {
        /* Twice as often as asked for, as its manual advises. */
        notify->watchdog_ns = (int64_t)(interval_us / 2) * (NS_PER_S / 1000000);
    }
}

static void tell(const struct notify *notify, const char *state)
{
    if (notify->send) {
        (void)notify->send(0, state);
    }
}

void notify_ready(const struct notify *notify, const char *status)
{
    tell(notify, "READY=1");
    notify_status(notify, status);
}

void notify_status(const struct notify *notify, const char *status)
{
    char text[256];

    (void)snprintf(text, sizeof text, "STATUS=%s", status);
    tell(notify, text);
}

void notify_reloading(const struct notify *notify)
{
    char text[64];

    (void)snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
                   clock_mono_ns() / 1000);
    tell(notify, text);
}

void notify_stopping(const struct notify *notify)
{
    tell(notify, "STOPPING=1");
}

void notify_alive(const struct notify *notify)
{
    tell(notify, "WATCHDOG=1");
}
