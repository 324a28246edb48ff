/*
 * refuse.c: compares a peer's address with a listener's.
 *
 * Runs in the fetch worker.  Whether an address is this machine's own is asked of the kernel by
 * binding to it, which is right in every network namespace and needs no list of interfaces.
 */
#include "fetch/refuse.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Every address as IPv6: IPv4 ones are mapped, "any" has become loopback, as connect() takes it. */
struct endpoint {
    struct in6_addr ip;
    uint16_t port;
    bool any;
};

static void map_four(struct in_addr four, struct in6_addr *ret_six)
{
    memset(ret_six, 0, sizeof *ret_six);
    ret_six->s6_addr[10] = ret_six->s6_addr[11] = 0xff;
    memcpy(&ret_six->s6_addr[12], &four, sizeof four);
}

static bool is_any(const struct in6_addr *ip)
{
    struct in6_addr any_four;

    map_four((struct in_addr){htonl(INADDR_ANY)}, &any_four);
    return IN6_IS_ADDR_UNSPECIFIED(ip) || memcmp(ip, &any_four, sizeof any_four) == 0;
}

static bool read_listener(const char *text, struct endpoint *ret_endpoint)
{
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN] = "", *end;
    struct in_addr four;
    long port;

    if (!colon) {
        return false;
    }
    port = strtol(colon + 1, &end, 10);
    if (end == colon + 1 || *end || port < 1 || port > 65535) {
        return false;
    }
    size_t len = (size_t)(colon - text);
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    if (len >= sizeof host) {
        return false;
    }
    memcpy(host, text, len);
    if (len == 0 || strcmp(host, "*") == 0) {
        ret_endpoint->ip = in6addr_any;
    } else if (inet_pton(AF_INET, host, &four) == 1) {
        map_four(four, &ret_endpoint->ip);
    } else if (strcmp(host, "localhost") == 0) {
        map_four((struct in_addr){htonl(INADDR_LOOPBACK)}, &ret_endpoint->ip);
    } else if (inet_pton(AF_INET6, host, &ret_endpoint->ip) != 1) {
        return false;
    }
    ret_endpoint->port = (uint16_t)port;
    ret_endpoint->any = is_any(&ret_endpoint->ip);
    return true;
}

static bool read_address(const struct sockaddr *address, struct endpoint *ret_endpoint)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;

        map_four(in->sin_addr, &ret_endpoint->ip);
        ret_endpoint->port = ntohs(in->sin_port);
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)address;

        ret_endpoint->ip = in->sin6_addr;
        ret_endpoint->port = ntohs(in->sin6_port);
    } else {
        return false;
    }
    ret_endpoint->any = is_any(&ret_endpoint->ip);
    return true;
}

static bool is_loopback(const struct in6_addr *ip)
{
    return IN6_IS_ADDR_LOOPBACK(ip) || (IN6_IS_ADDR_V4MAPPED(ip) && ip->s6_addr[12] == 127);
}

/* An address is ours when a socket can be bound to it.  Sure of it when there is no socket to ask
 * with. */
static bool is_ours(const struct sockaddr *address)
{
    struct sockaddr_storage local = {0};
    size_t size =
        address->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    int fd = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return true;
    }
    memcpy(&local, address, size);
    if (address->sa_family == AF_INET) {
        ((struct sockaddr_in *)&local)->sin_port = 0;
    } else {
        ((struct sockaddr_in6 *)&local)->sin6_port = 0;
    }
    bool bound = bind(fd, (const struct sockaddr *)&local, (socklen_t)size) == 0;
    close(fd);
    return bound;
}

bool refuse_matches(const char *listener, const struct sockaddr *address)
{
    struct endpoint ours, theirs;

    if (!read_listener(listener, &ours) || !read_address(address, &theirs) ||
        ours.port != theirs.port) {
        return false;
    }
    if (ours.any) {
        return is_ours(address);
    }
    if (theirs.any) { // connecting to 0.0.0.0 or :: reaches loopback
        return is_loopback(&ours.ip);
    }
    return memcmp(&ours.ip, &theirs.ip, sizeof ours.ip) == 0;
}
