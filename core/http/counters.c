/*
 * counters.c: what the server says of itself in the store.  Series of requests are made when they
 * are first needed, one for each handler and status, so their number is bounded by two short
 * tables.  Server's thread.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/server.h"
#include "store/store.h"

static const unsigned statuses[] = {200, 204, 207, 400, 401, 403, 404, 405, 409,
                                    413, 415, 421, 422, 429, 431, 501, 502, 503};
#define STATUSES (sizeof statuses / sizeof statuses[0])
#define HANDLERS 64 /* the routes, and one for what found none */

static const char *const cut_names[CUTS] = {
    [CUT_DEADLINE] = "deadline", [CUT_MAKE_ROOM] = "make_room", [CUT_REFUSED] = "refused",
    [CUT_BODY] = "body",         [CUT_HUNG_UP] = "hung_up",
};

struct counters {
    struct store *store;
    struct store_metric *errors;
    struct store_metric *clients;
    struct store_metric *cut[CUTS];
    struct store_metric *rejected;
    struct store_metric *requests[HANDLERS][STATUSES + 1]; /* the last: any other status */
};

int counters_create(struct store *store, struct counters **ret_counters)
{
    const struct tmon_pair rejected = {"verdict", "rejected"};
    struct counters *counters = calloc(1, sizeof *counters);

    if (!counters) {
        return -ENOMEM;
    }
    counters->store = store;
    counters->errors = store_metric_new(
        store, TMON_COUNTER, "http_errors_total",
        "Answers with a status of 400 or above, an unhealthy health among them.", NULL, 0);
    counters->clients = store_metric_new(store, TMON_GAUGE, "toiletmon_http_connections",
                                         "Open connections.", NULL, 0);
    for (size_t i = 0; i < CUTS; i++) {
        struct tmon_pair reason = {"reason", cut_names[i]};

        counters->cut[i] =
            store_metric_new(store, TMON_COUNTER, "toiletmon_http_cut_off_total",
                             "Connections that the server refused or ended itself.", &reason, 1);
    }
    counters->rejected =
        store_metric_new(store, TMON_COUNTER, "toiletmon_alerts_received_total",
                         "Reports of alerts, over the API and of the agent's own checks, by "
                         "what came of them.",
                         &rejected, 1);
    *ret_counters = counters;
    return 0;
}

void counters_destroy(struct counters *counters)
{
    if (!counters) {
        return;
    }
    for (size_t i = 0; i < HANDLERS; i++) {
        for (size_t j = 0; j <= STATUSES; j++) {
            store_metric_remove(counters->store, counters->requests[i][j]);
        }
    }
    for (size_t i = 0; i < CUTS; i++) {
        store_metric_remove(counters->store, counters->cut[i]);
    }
    store_metric_remove(counters->store, counters->rejected);
    store_metric_remove(counters->store, counters->clients);
    store_metric_remove(counters->store, counters->errors);
    free(counters);
}

/* Paths that share a handler share its first route's place. */
static size_t handler_place(const struct http_route *route)
{
    if (!route) {
        return HANDLERS - 1;
    }
    for (size_t i = 0; i < http_nroutes && i < HANDLERS - 1; i++) {
        if (http_routes[i].handle == route->handle) {
            return i;
        }
    }
    return HANDLERS - 1;
}

static size_t status_place(unsigned status)
{
    size_t i = 0;

    while (i < STATUSES && statuses[i] != status) {
        i++;
    }
    return i;
}

void counters_answer(struct counters *counters, const struct http_route *route, unsigned status)
{
    struct store_metric **metric = &counters->requests[handler_place(route)][status_place(status)];

    if (!*metric) {
        char code[16];
        struct tmon_pair labels[] = {{"code", code}, {"handler", route ? route->name : "none"}};

        (void)snprintf(code, sizeof code, "%u", status);
        *metric = store_metric_new(counters->store, TMON_COUNTER, "http_requests_total",
                                   "Requests answered, by handler and status.", labels, 2);
    }
    store_metric_inc(*metric);
    if (status >= 400) {
        store_metric_inc(counters->errors);
    }
}

void counters_clients(struct counters *counters, unsigned count)
{
    store_metric_set(counters->clients, count);
}

void counters_cut(struct counters *counters, enum counters_cut why)
{
    store_metric_inc(counters->cut[why]);
}

void counters_rejected(struct counters *counters, size_t n)
{
    store_metric_add_value(counters->rejected, (double)n);
}
