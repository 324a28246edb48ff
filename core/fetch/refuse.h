/*
 * refuse.h: the addresses that nobody may be led to: those on which the agent itself listens.
 *
 * Asked about the address that a socket is about to connect to, so no name, no redirect and no
 * second answer of a DNS server can lead around it.
 */
#ifndef FETCH_REFUSE_H
#define FETCH_REFUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* `listener` is written as in the configuration: 127.0.0.1:9909, [::1]:9909, 0.0.0.0:9909, :9909.
 * True too where a wildcard listener would answer on this address; false for text that is no such
 * thing.  May make a socket. */
bool refuse_matches(const char *listener, const struct sockaddr *address);

#endif
