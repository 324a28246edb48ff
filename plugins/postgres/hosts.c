/*
 * hosts.c: the servers that a DSN names, their addresses looked up before libpq sees them.
 *
 * libpq's asynchronous connecting has one step that blocks: the lookup of a name, which takes half
 * a minute when the DNS server is dead.  So names are looked up here, with a deadline, and libpq is
 * handed the addresses beside the names (`hostaddr`), which it goes on to use for TLS and for its
 * messages.  Whatever needs no lookup (sockets, addresses) is left to libpq altogether.
 */
#include "postgres.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#define ANY_PORT "5432" /* addresses are all that is wanted of a lookup */

struct postgres_host {
    char *name, *address, *port; /* "": not given */
    bool lookup;
    struct resolve resolve;
};

/* ---- what the DSN says ---- */

static const char *option(const PQconninfoOption *parsed, const char *keyword)
{
    for (; parsed->keyword; parsed++) {
        if (strcmp(parsed->keyword, keyword) == 0) {
            return parsed->val ? parsed->val : "";
        }
    }
    return "";
}

static size_t count_items(const char *list)
{
    size_t n = 1;

    for (; *list; list++) {
        n += *list == ',';
    }
    return n;
}

/* The item of a list that commas part, owned; "" beyond its end. */
static char *item_at(const char *list, size_t index)
{
    for (; index > 0; index--) {
        list += strcspn(list, ",");
        list += *list == ',';
    }
    return strndup(list, strcspn(list, ","));
}

static bool is_address(const char *host)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST};
    struct addrinfo *list = NULL;

    if (getaddrinfo(host, NULL, &hints, &list) != 0) {
        return false;
    }
    freeaddrinfo(list);
    return true;
}

/* '@': a socket in the abstract namespace. */
static bool needs_lookup(const struct postgres_host *host)
{
    return *host->address == '\0' && *host->name != '\0' && *host->name != '/' &&
           *host->name != '@' && !is_address(host->name);
}

int postgres_hosts_init(struct postgres_hosts *hosts, const PQconninfoOption *parsed)
{
    const char *names = option(parsed, "host"), *addresses = option(parsed, "hostaddr"),
               *ports = option(parsed, "port");
    size_t n = count_items(*addresses ? addresses : names), nports = count_items(ports);

    *hosts = (struct postgres_hosts){0};
    if ((*addresses && *names && count_items(names) != n) || (nports != 1 && nports != n)) {
        return 0; // libpq says what is wrong with that, before it looks anything up
    }
    hosts->list = calloc(n, sizeof *hosts->list);
    if (!hosts->list) {
        return -ENOMEM;
    }
    for (; hosts->n < n; hosts->n++) {
        struct postgres_host *host = &hosts->list[hosts->n];

        host->name = item_at(names, hosts->n);
        host->address = item_at(addresses, hosts->n);
        host->port = item_at(ports, nports == 1 ? 0 : hosts->n);
        if (!host->name || !host->address || !host->port) {
            hosts->n++;
            postgres_hosts_finish(hosts);
            return -ENOMEM;
        }
        host->lookup = needs_lookup(host);
        hosts->lookups += host->lookup;
    }
    return 0;
}

void postgres_hosts_finish(struct postgres_hosts *hosts)
{
    for (size_t i = 0; i < hosts->n; i++) {
        resolve_finish(&hosts->list[i].resolve);
        free(hosts->list[i].name);
        free(hosts->list[i].address);
        free(hosts->list[i].port);
    }
    free(hosts->list);
    *hosts = (struct postgres_hosts){0};
}

/* ---- what libpq is told ---- */

static void append(char *list, const char *comma, const char *item)
{
    size_t len = strlen(list);

    (void)snprintf(list + len, POSTGRES_SERVERS_SIZE - len, "%s%s", comma, item);
}

static bool fits(const char *list, const char *item)
{
    return strlen(list) + strlen(item) + 2 <= POSTGRES_SERVERS_SIZE;
}

/* A server for which there is no room is not tried; there are dozens before it then. */
static void put(struct postgres_servers *servers, const struct postgres_host *host,
                const char *address)
{
    const char *comma = servers->n > 0 ? "," : "";

    if (fits(servers->names, host->name) && fits(servers->addresses, address) &&
        fits(servers->ports, host->port)) {
        append(servers->names, comma, host->name);
        append(servers->addresses, comma, address);
        append(servers->ports, comma, host->port);
        servers->n++;
    }
}

static void put_addresses(struct postgres_servers *servers, const struct postgres_host *host,
                          const struct addrinfo *list)
{
    for (; list; list = list->ai_next) {
        char text[NI_MAXHOST];

        if (getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof text, NULL, 0,
                        NI_NUMERICHOST) == 0) {
            put(servers, host, text);
        }
    }
}

static void look_up(struct postgres_host *host, int64_t until_ms, struct postgres_servers *servers,
                    struct postgres_failure *failure)
{
    struct addrinfo *list = NULL;
    int error = resolve_tcp(&host->resolve, host->name, ANY_PORT, until_ms, &list);
    const char *why = error == ETIMEDOUT    ? "no answer in time"
                      : error == EAI_SYSTEM ? strerror(errno)
                                            : gai_strerror(error);

    if (error == 0) {
        put_addresses(servers, host, list);
        freeaddrinfo(list);
    } else if (!failure->timeout) { // which says more than another name that is not known
        *failure = (struct postgres_failure){
            .phase = PHASE_RESOLVE, .lost = true, .timeout = error == ETIMEDOUT};
        (void)snprintf(failure->text, sizeof failure->text, "%s for the host name \"%.255s\"", why,
                       host->name);
    }
}

int postgres_hosts_resolve(struct postgres_hosts *hosts, int64_t until_ms,
                           struct postgres_servers *ret_servers,
                           struct postgres_failure *ret_failure)
{
    struct postgres_failure failure = {.phase = PHASE_RESOLVE, .lost = true, .text = "no address"};

    *ret_servers = (struct postgres_servers){.n = 0};
    for (size_t i = 0; i < hosts->n && hosts->lookups > 0; i++) {
        struct postgres_host *host = &hosts->list[i];
        int64_t now = postgres_now_ms();

        if (!host->lookup) {
            put(ret_servers, host, host->address);
        } else {
            /* Beside others, it leaves them half of the time that there is. */
            look_up(host, hosts->n == 1 ? until_ms : now + (until_ms - now) / 2, ret_servers,
                    &failure);
        }
    }
    if (hosts->lookups > 0 && ret_servers->n == 0) {
        *ret_failure = failure;
        return -1;
    }
    return 0;
}
