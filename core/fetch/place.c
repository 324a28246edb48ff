/*
 * place.c: reads scheme, host and port of a URL.
 *
 * Runs in the agent (is this host in the instance's settings?) and again in the fetch worker (for
 * each hop). Addresses are brought into one form, since libcurl takes 127.1 and 0x7f000001 for
 * 127.0.0.1 too.
 */
#include "fetch/place.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

static bool is_host_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c >= 0x80;
}

static bool is_plain(const char *url)
{
    for (const unsigned char *c = (const unsigned char *)url; *c; c++) {
        if (*c <= ' ' || *c == 0x7f || *c == '\\') {
            return false;
        }
    }
    return true;
}

static int read_port(const char *text, const char *end, uint16_t *ret_port)
{
    unsigned number = 0;

    if (text == end || end - text > 5) {
        return -EINVAL;
    }
    for (; text < end; text++) {
        if (*text < '0' || *text > '9') {
            return -EINVAL;
        }
        number = number * 10 + (unsigned)(*text - '0');
    }
    if (number == 0 || number > 65535) {
        return -EINVAL;
    }
    *ret_port = (uint16_t)number;
    return 0;
}

/* An IPv6 address without its brackets. */
static int normalise_six(char *host)
{
    struct in6_addr six;

    if (inet_pton(AF_INET6, host, &six) != 1 || !inet_ntop(AF_INET6, &six, host, PLACE_HOST_SIZE)) {
        return -EINVAL;
    }
    return 0;
}

/* A name, or an IPv4 address in any of the forms that resolvers take. */
static int normalise_name(char *host)
{
    struct in_addr four;

    for (char *c = host; *c; c++) {
        if (!is_host_byte((unsigned char)*c)) {
            return -EINVAL;
        }
        if (*c >= 'A' && *c <= 'Z') {
            *c = (char)(*c - 'A' + 'a');
        }
    }
    if (inet_aton(host, &four) && !inet_ntop(AF_INET, &four, host, PLACE_HOST_SIZE)) {
        return -EINVAL;
    }
    return 0;
}

int place_parse(const char *url, struct place *ret_place)
{
    struct place place = {0};
    const char *host, *host_end, *end, *at;
    int r;

    if (!is_plain(url)) {
        return -EINVAL;
    }
    if (strncasecmp(url, "http://", 7) == 0) {
        host = url + 7;
        place.port = 80;
    } else if (strncasecmp(url, "https://", 8) == 0) {
        host = url + 8;
        place.tls = true;
        place.port = 443;
    } else {
        return -EINVAL;
    }
    end = host + strcspn(host, "/?#");
    at = memchr(host, '@', (size_t)(end - host));
    if (at) {
        if (memrchr(host, '@', (size_t)(end - host)) != at) {
            return -EINVAL;
        }
        host = at + 1;
    }
    bool six = host < end && *host == '[';
    if (six) {
        host++;
        host_end = host + strcspn(host, "]/?#");
    } else {
        host_end = host + strcspn(host, ":/?#");
    }
    if (six && *host_end != ']') {
        return -EINVAL;
    }
    if (host_end == host || (size_t)(host_end - host) >= sizeof place.host) {
        return -EINVAL;
    }
    memcpy(place.host, host, (size_t)(host_end - host));
    r = six ? normalise_six(place.host) : normalise_name(place.host);
    if (r < 0) {
        return r;
    }
    host_end += six; // past the bracket
    if (host_end != end) {
        r = *host_end == ':' ? read_port(host_end + 1, end, &place.port) : -EINVAL;
        if (r < 0) {
            return r;
        }
    }
    *ret_place = place;
    return 0;
}

const char *place_redirect_problem(const struct place *from, const struct place *to)
{
    if (strcmp(from->host, to->host) != 0) {
        return "it redirects to another host, which is not followed";
    }
    if (from->tls && !to->tls) {
        return "it redirects from https to http, which is not followed";
    }
    // The port may change only where the scheme does: else a redirect could choose any service of
    // the host.
    if (from->port != to->port && from->tls == to->tls) {
        return "it redirects to another port, which is not followed";
    }
    return NULL;
}
