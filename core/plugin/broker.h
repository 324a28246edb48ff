/*
 * broker.h: how an instance's HTTP requests leave it: the agent passes them to whoever speaks HTTP
 * (core/fetch).
 *
 * The plugin room knows only this table; agent.c connects the two.  All on the main thread.
 */
#ifndef PLUGIN_BROKER_H
#define PLUGIN_BROKER_H

#include <stddef.h>
#include <stdint.h>

struct settings;

struct broker {
    void *owner;
    /*
     * Takes up the payload of a FRAME_HTTP_REQUEST (copied), which is hostile: it is decoded and
     * checked here.  Hosts are allowed by the URL settings of `settings`.  `answer` is called once,
     * later or at once, with the payload of a FRAME_HTTP_RESPONSE, unless the ticket is cancelled
     * before.  0 with a ticket; -EPROTO: malformed, end the worker; -ENOMEM, -ENOBUFS: too many are
     * under way.
     */
    int (*submit)(void *owner, const void *request, size_t len, const struct settings *settings,
                  void (*answer)(void *asker, uint32_t ticket, const void *response, size_t len),
                  void *asker, uint32_t *ret_ticket);
    void (*cancel)(void *owner, uint32_t ticket);
};

#endif
