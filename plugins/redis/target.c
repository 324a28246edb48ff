/*
 * target.c: reads redis://[user[:password]@]host[:port][/database], rediss:// and
 * unix:///path[?db=1].
 *
 * No error repeats a part of the URL: it may hold a password.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "redis.h"

#define DATABASE_MAX 65535 /* a server has 16 unless it was told otherwise */

static int refuse(char *ret_why, size_t size, const char *why)
{
    (void)snprintf(ret_why, size, "%s", why);
    return -1;
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* A span with its %XX resolved, as an owned string; NULL without memory or for a bad escape or a
 * NUL. */
static char *decode(const char *from, const char *end)
{
    char *text = malloc((size_t)(end - from) + 1), *to = text;

    while (text != NULL && from < end) {
        if (*from != '%') {
            *to++ = *from++;
            continue;
        }
        if (end - from < 3 || hex(from[1]) < 0 || hex(from[2]) < 0 ||
            (hex(from[1]) == 0 && hex(from[2]) == 0)) {
            free(text);
            return NULL;
        }
        *to++ = (char)(hex(from[1]) * 16 + hex(from[2]));
        from += 3;
    }
    if (text != NULL) {
        *to = '\0';
    }
    return text;
}

static bool read_number(const char *text, const char *end, long max, long *ret_number)
{
    long number = 0;

    if (text == end) {
        return false;
    }
    for (; text < end; text++) {
        if (!isdigit((unsigned char)*text) || (number = number * 10 + (*text - '0')) > max) {
            return false;
        }
    }
    *ret_number = number;
    return true;
}

static bool read_credentials(struct redis_target *target, const char *from, const char *at)
{
    const char *colon = memchr(from, ':', (size_t)(at - from));

    if ((colon != NULL ? colon : at) > from) {
        target->user = decode(from, colon != NULL ? colon : at);
        if (target->user == NULL) {
            return false;
        }
    }
    if (colon != NULL && at > colon + 1) {
        target->password = decode(colon + 1, at);
        return target->password != NULL;
    }
    return true;
}

/* "?db=1"; an empty one is none. */
static bool read_query(struct redis_target *target, const char *query)
{
    if (*query == '\0') {
        return true;
    }
    return strncmp(query, "?db=", 4) == 0 &&
           read_number(query + 4, query + strlen(query), DATABASE_MAX, &target->database);
}

static int read_unix(struct redis_target *target, const char *rest, char *ret_why, size_t size)
{
    const char *end = rest + strcspn(rest, "?");

    if (*rest != '/') {
        return refuse(ret_why, size, "must name a path, as in unix:///run/redis/redis.sock?db=1");
    }
    target->unix_path = decode(rest, end);
    if (target->unix_path == NULL || !read_query(target, end)) {
        return refuse(ret_why, size, "may have nothing but ?db=NUMBER behind the path");
    }
    return 0;
}

static int read_tcp(struct redis_target *target, const char *rest, char *ret_why, size_t size)
{
    const char *end = rest + strcspn(rest, "/?#"), *host = rest, *host_end, *port;
    long number = 6379;
    char text[24];

    if (*host == '[') {
        host++;
        host_end = memchr(host, ']', (size_t)(end - host));
        port = host_end != NULL ? host_end + 1 : end;
    } else {
        host_end = memchr(host, ':', (size_t)(end - host));
        port = host_end = host_end != NULL ? host_end : end;
    }
    if (host_end == NULL || host_end == host) {
        return refuse(ret_why, size, "must name a host, as in redis://localhost:6379/0");
    }
    if (port != end &&
        (*port != ':' || !read_number(port + 1, end, 65535, &number) || number == 0)) {
        return refuse(ret_why, size, "must have a number from 1 to 65535 as its port");
    }
    (void)snprintf(text, sizeof text, "%ld", number);
    target->host = decode(host, host_end);
    target->port = strdup(text);
    if (target->host == NULL || target->port == NULL) {
        return refuse(ret_why, size, "must name a host, as in redis://localhost:6379/0");
    }
    if (*end == '/' && end[1] != '\0' && end[1] != '?') {
        const char *stop = end + 1 + strcspn(end + 1, "?");

        if (!read_number(end + 1, stop, DATABASE_MAX, &target->database)) {
            return refuse(ret_why, size,
                          "must have the number of a database as its path, as in /0");
        }
        end = stop;
    } else if (*end == '/') {
        end++;
    }
    if (!read_query(target, end)) {
        return refuse(ret_why, size,
                      "may have nothing but the number of a database behind the host");
    }
    return 0;
}

int redis_target_init(struct redis_target *target, const char *url, char *ret_why, size_t size)
{
    const char *rest, *at;
    bool is_unix = false;

    memset(target, 0, sizeof *target);
    if (strncasecmp(url, "redis://", 8) == 0) {
        rest = url + 8;
    } else if (strncasecmp(url, "rediss://", 9) == 0) {
        rest = url + 9;
        target->tls = true;
    } else if (strncasecmp(url, "unix://", 7) == 0) {
        rest = url + 7;
        is_unix = true;
    } else {
        return refuse(ret_why, size, "must start with redis://, rediss:// or unix://");
    }
    for (const unsigned char *c = (const unsigned char *)rest; *c; c++) {
        if (*c <= ' ' || *c == 0x7f) {
            return refuse(ret_why, size, "must not contain blanks and control characters");
        }
    }
    at = memrchr(rest, '@', strcspn(rest, "/?#"));
    if (at != NULL) {
        if (!read_credentials(target, rest, at)) {
            return refuse(ret_why, size, "has a user or password with a bad %-escape");
        }
        rest = at + 1;
    }
    return is_unix ? read_unix(target, rest, ret_why, size) : read_tcp(target, rest, ret_why, size);
}

void redis_target_finish(struct redis_target *target)
{
    free(target->unix_path);
    free(target->host);
    free(target->port);
    free(target->user);
    free(target->password);
}
