/*
 * hosts.c: see hosts.h.  Addresses of the loopback are always good: rebinding needs a name, and
 * whoever typed an address into a browser went there on purpose.
 */
#include "http/hosts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

static bool is_name_char(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

static bool is_port(const char *text)
{
    size_t len = strlen(text);

    return len >= 1 && len <= 5 && strspn(text, "0123456789") == len;
}

int host_parse(const char *text, struct host_span *ret_host)
{
    struct host_span host = {.name = text};
    const char *rest;

    if (text[0] == '[') {
        host.name++;
        host.len = strspn(host.name, "0123456789abcdefABCDEF:.");
        if (host.name[host.len] != ']') {
            return -EINVAL;
        }
        rest = host.name + host.len + 1;
    } else {
        while (is_name_char((unsigned char)host.name[host.len])) {
            host.len++;
        }
        rest = host.name + host.len;
    }
    if (host.len == 0 || (*rest && (*rest != ':' || !is_port(rest + 1)))) {
        return -EINVAL;
    }
    *ret_host = host;
    return 0;
}

static bool is_loopback_address(const char *name, size_t len)
{
    char text[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;

    if (len >= sizeof text) {
        return false;
    }
    memcpy(text, name, len);
    text[len] = '\0';
    if (inet_pton(AF_INET, text, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool same_name(struct host_span host, const char *name)
{
    size_t len = strlen(name);

    if (host.len > 0 && host.name[host.len - 1] == '.') {
        host.len--;
    }
    if (len > 0 && name[len - 1] == '.') {
        len--;
    }
    return len > 0 && host.len == len && strncasecmp(host.name, name, len) == 0;
}

static bool is_listed(struct host_span host, const char *const *allowed, size_t nallowed)
{
    for (size_t i = 0; i < nallowed; i++) {
        if (same_name(host, allowed[i])) {
            return true;
        }
    }
    return false;
}

bool host_allowed(const char *text, const char *const *allowed, size_t nallowed)
{
    struct host_span host;

    if (host_parse(text, &host) < 0) {
        return false;
    }
    return same_name(host, "localhost") || is_loopback_address(host.name, host.len) ||
           is_listed(host, allowed, nallowed);
}

bool origin_allowed(const char *origin, const char *host, const char *const *allowed,
                    size_t nallowed)
{
    struct host_span span;
    const char *authority;

    if (strncasecmp(origin, "http://", 7) == 0) {
        authority = origin + 7;
    } else if (strncasecmp(origin, "https://", 8) == 0) {
        authority = origin + 8;
    } else {
        return false;
    }
    if (host_parse(authority, &span) < 0) {
        return false;
    }
    /* Another port of the same host is another origin. */
    return (host && strcasecmp(authority, host) == 0) || is_listed(span, allowed, nallowed);
}

bool bearer_matches(const char *authorization, const char *token)
{
    const volatile unsigned char *given;
    const volatile unsigned char *wanted = (const volatile unsigned char *)token;
    size_t given_len;
    size_t wanted_len = strlen(token);
    unsigned char difference = 0;

    if (!authorization || wanted_len == 0 || strncasecmp(authorization, "Bearer ", 7) != 0) {
        return false;
    }
    authorization += 7 + strspn(authorization + 7, " ");
    given = (const volatile unsigned char *)authorization;
    given_len = strlen(authorization);
    for (size_t i = 0; i < given_len; i++) {
        difference |= (unsigned char)(given[i] ^ wanted[i % wanted_len]);
    }
    return difference == 0 && given_len == wanted_len;
}
