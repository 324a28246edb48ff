/*
 * clients.c: the connections: how many, whose, and for how long.
 *
 * libmicrohttpd's own timeout counts from the last byte, so whoever sends a byte now and then stays
 * for ever. Here a client has so long for a whole request and so long for taking the answer, and is
 * shut down when that has passed.  All of it happens on the one thread that also closes
 * connections, so a descriptor cannot have become somebody else's meanwhile.  A client's place is
 * in the list of its phase; moving it costs a few stores, and the timer looks at the heads only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "http/server.h"

static void unlink_client(struct client_list *list, struct client *client)
{
    *(client->prev ? &client->prev->next : &list->first) = client->next;
    *(client->next ? &client->next->prev : &list->last) = client->prev;
    list->count--;
}

static void link_client(struct client_list *list, struct client *client)
{
    client->prev = list->last;
    client->next = NULL;
    *(list->last ? &list->last->next : &list->first) = client;
    list->last = client;
    list->count++;
}

static void shut(struct http *http, struct client *client, enum counters_cut why)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    unlink_client(&http->clients.lists[client->phase], client);
    client->cut = true;
    if (client->phase == CLIENT_ANSWERING) {
        /* It had its time: what it did not take is thrown away, or the kernel would keep it for
         * minutes.  In the other phases all that may still be on its way is a whole answer, which
         * shall arrive. */
        (void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    (void)shutdown(client->fd, SHUT_RDWR);
    counters_cut(http->counters, why);
}

static bool has_hung_up(const struct client *client)
{
    char byte;

    return recv(client->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* libmicrohttpd (0.9.75) does not see a client hang up when the last bytes and the end come
 * together: it takes a short read for an empty socket, and the end makes no event of its own. */
void clients_drop_hung_up(struct http *http, const struct client *but)
{
    struct client *next;

    for (struct client *client = http->clients.lists[CLIENT_RECEIVING].first; client;
         client = next) {
        next = client->next;
        if (client != but && client->body.charged > 0 && has_hung_up(client)) {
            body_drop(client);
            shut(http, client, CUT_HUNG_UP);
        }
    }
}

static void arm(struct http *http)
{
    struct clients *clients = &http->clients;
    int64_t first = INT64_MAX;

    for (int phase = 0; phase < CLIENT_PHASES; phase++) {
        const struct client *client = clients->lists[phase].first;

        if (client && client->deadline < first) {
            first = client->deadline;
        }
    }
    clients->armed_at = first;
    if (first != INT64_MAX && loop_timer_set(http->loop, &clients->timer, first) < 0) {
        clients->armed_at = INT64_MAX; /* no memory: the next client tries again */
    }
}

static void sweep(struct loop_timer *timer, int64_t now)
{
    struct http *http = timer->owner;

    for (int phase = 0; phase < CLIENT_PHASES; phase++) {
        struct client_list *list = &http->clients.lists[phase];

        while (list->first && list->first->deadline <= now) {
            if (phase == CLIENT_ASKING || phase == CLIENT_TESTING) {
                ask_expire(list->first); /* which moves it to another list */
            } else {
                shut(http, list->first, CUT_DEADLINE);
            }
        }
    }
    arm(http);
}

void clients_init(struct http *http, const struct http_bounds *bounds)
{
    struct clients *clients = &http->clients;

    clients->max = bounds->connections ? bounds->connections : LIMIT_SERVER_CONNECTIONS;
    clients->lists[CLIENT_RECEIVING].patience_ns =
        NS_PER_MS * (bounds->receive_ms ? bounds->receive_ms : LIMIT_SERVER_RECEIVE_MS);
    clients->lists[CLIENT_ASKING].patience_ns =
        NS_PER_MS * (bounds->ask_ms ? bounds->ask_ms : LIMIT_SERVER_ASK_MS);
    clients->lists[CLIENT_TESTING].patience_ns =
        NS_PER_MS * (bounds->ask_ms ? bounds->ask_ms * 8 : LIMIT_SERVER_TEST_MS);
    clients->lists[CLIENT_ANSWERING].patience_ns =
        NS_PER_MS * (bounds->answer_ms ? bounds->answer_ms : LIMIT_SERVER_ANSWER_MS);
    ask_init(http, clients->max);
    clients->armed_at = INT64_MAX;
    loop_timer_init(&clients->timer, sweep, http);
}

static struct in6_addr ip_of(const struct sockaddr *address)
{
    struct in6_addr ip = IN6ADDR_ANY_INIT;

    if (address && address->sa_family == AF_INET6) {
        memcpy(&ip, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, sizeof ip);
    } else if (address && address->sa_family == AF_INET) {
        ip.s6_addr[10] = ip.s6_addr[11] = 0xff;
        memcpy(&ip.s6_addr[12], &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    }
    return ip;
}

static bool is_loopback(const struct in6_addr *ip)
{
    return IN6_IS_ADDR_LOOPBACK(ip) || (IN6_IS_ADDR_V4MAPPED(ip) && ip->s6_addr[12] == 127);
}

static bool same_house(const struct in6_addr *a, const struct in6_addr *b)
{
    /* An IPv6 customer has a /64 at least. */
    return memcmp(a, b, IN6_IS_ADDR_V4MAPPED(a) ? 16 : 8) == 0;
}

bool clients_admit(struct http *http, const struct sockaddr *address)
{
    struct clients *clients = &http->clients;
    struct in6_addr ip = ip_of(address);
    unsigned there = 0;

    if (!IN6_IS_ADDR_UNSPECIFIED(&ip) && !is_loopback(&ip)) {
        unsigned same = 0;

        for (int phase = 0; phase < CLIENT_PHASES; phase++) {
            for (const struct client *client = clients->lists[phase].first; client;
                 client = client->next) {
                same += same_house(&client->ip, &ip);
            }
        }
        if (same >= LIMIT_SERVER_PER_IP) {
            counters_cut(http->counters, CUT_REFUSED);
            return false;
        }
    }
    for (int phase = 0; phase < CLIENT_PHASES; phase++) {
        there += clients->lists[phase].count;
    }
    if (there < clients->max) {
        return true;
    }
    /* A house full of clients that say nothing must not keep a probe out: the one that has been
     * waiting longest makes room. */
    if (clients->lists[CLIENT_RECEIVING].first) {
        shut(http, clients->lists[CLIENT_RECEIVING].first, CUT_MAKE_ROOM);
        return true;
    }
    counters_cut(http->counters, CUT_REFUSED);
    return false;
}

static bool is_stranger(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
           (peer.uid != 0 && peer.uid != geteuid());
}

int clients_open(struct gate *gate, struct MHD_Connection *connection, struct client **ret_client)
{
    struct http *http = gate->http;
    struct client *client = calloc(1, sizeof *client);
    const union MHD_ConnectionInfo *info;

    if (!client) {
        return -ENOMEM;
    }
    client->gate = gate;
    client->connection = connection;
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    client->fd = info->connect_fd;
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    client->ip = gate->unix_socket ? in6addr_any : ip_of(info->client_addr);
    client->loopback = is_loopback(&client->ip);
    client->stranger = gate->unix_socket && is_stranger(client->fd);
    gate->clients++;
    http->clients.count++;
    client->deadline = loop_now(http->loop) + http->clients.lists[CLIENT_RECEIVING].patience_ns;
    link_client(&http->clients.lists[CLIENT_RECEIVING], client);
    if (client->deadline < http->clients.armed_at) {
        arm(http);
    }
    counters_clients(http->counters, http->clients.count);
    *ret_client = client;
    return 0;
}

void clients_enter(struct client *client, enum client_phase phase)
{
    struct http *http = client->gate->http;
    struct client_list *list = &http->clients.lists[phase];

    if (client->cut) {
        client->phase = phase;
        return;
    }
    unlink_client(&http->clients.lists[client->phase], client);
    client->phase = phase;
    client->deadline = loop_now(http->loop) + list->patience_ns;
    link_client(list, client);
    if (client->deadline < http->clients.armed_at) {
        arm(http);
    }
}

void clients_close(struct client *client)
{
    struct http *http = client->gate->http;

    ask_forget(client);
    body_finish(client);
    if (!client->cut) {
        unlink_client(&http->clients.lists[client->phase], client);
    }
    client->gate->clients--;
    if (--http->clients.count == 0) {
        loop_timer_stop(http->loop, &http->clients.timer);
        http->clients.armed_at = INT64_MAX;
    }
    counters_clients(http->counters, http->clients.count);
    free(client);
}
