/*
 * broker.h: the agent's side of the fetch worker: instances hand in requests, toiletmon-fetch
 * answers them.
 *
 * Implements struct broker of the plugin room.  The fetch worker is started by the first request,
 * and again, after a pause that doubles, when it has died.  All on the main thread.
 */
#ifndef FETCH_BROKER_H
#define FETCH_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "plugin/broker.h"
#include "plugin/spawner.h"

struct fetch_broker;

struct fetch_broker_counters {
    uint64_t requests;  /* taken up */
    uint64_t refused;   /* of these: by us or by fetch, as not allowed */
    uint64_t failed;    /* of these: no answer from the far end */
    uint64_t starts;    /* of the fetch worker; restarts are all but the first */
    uint64_t deaths;    /* that nobody asked for */
    uint64_t missed;    /* requests that fetch said nothing about by their deadline */
    uint64_t in_flight; /* now */
};

/* Borrows loop and spawner.  Returns owned; starts no process.  -ENOMEM. */
int fetch_broker_create(struct loop *loop, struct spawner *spawner,
                        struct fetch_broker **ret_broker);
/* Ends the fetch worker; requests under way are forgotten without an answer. */
void fetch_broker_destroy(struct fetch_broker *broker);

/* The listeners of the agent ("127.0.0.1:9909"), to which no request may lead; copied.  Again after
 * a reload.  -ENOMEM (then the old ones hold). */
int fetch_broker_refuse(struct fetch_broker *broker, const char *const *listeners, size_t n);

/* What instances are given; valid as long as the broker. */
const struct broker *fetch_broker_table(const struct fetch_broker *broker);

/* Any thread. */
struct fetch_broker_counters fetch_broker_counters(const struct fetch_broker *broker);
/* Of the fetch worker; 0: it is not running. */
int fetch_broker_pid(const struct fetch_broker *broker);

#endif
