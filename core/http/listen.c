/*
 * listen.c: see listen.h.
 *
 * A Unix socket is bound under a temporary name, given its mode, told to listen and only then
 * renamed into place: nobody can connect before it listens, so there is no moment in which somebody
 * else could, and a stale file is replaced in one step.
 */
#include "http/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

/* What sun_path has room for (108), less the suffix of the temporary name. */
#define UNIX_PATH_BYTES 98

static int parse_tcp(const char *text, struct listen_address *address)
{
    const char *colon = strrchr(text, ':');
    const char *end = colon;
    const char *start = text;
    size_t digits;
    long port;

    if (!colon || colon == text) {
        return -EINVAL;
    }
    digits = strspn(colon + 1, "0123456789");
    if (digits == 0 || digits > 5 || colon[1 + digits] != '\0') {
        return -EINVAL;
    }
    port = strtol(colon + 1, NULL, 10);
    if (port > 65535) {
        return -EINVAL;
    }
    if (text[0] == '[') {
        if (colon[-1] != ']') {
            return -EINVAL;
        }
        start++;
        end--;
    } else if (memchr(text, ':', (size_t)(colon - text))) {
        return -EINVAL;
    }
    if (start == end) {
        return -EINVAL;
    }
    address->host = strndup(start, (size_t)(end - start));
    address->port = strdup(colon + 1);
    return address->host && address->port ? 0 : -ENOMEM;
}

static int parse_unix(const char *path, struct listen_address *address)
{
    if (path[0] != '/' || strlen(path) > UNIX_PATH_BYTES) {
        return -EINVAL;
    }
    address->path = strdup(path);
    return address->path ? 0 : -ENOMEM;
}

int listen_parse(const char *text, struct buf *why, struct listen_address *ret_address)
{
    struct listen_address address = {.text = strdup(text)};
    int r;

    if (!address.text) {
        return -ENOMEM;
    }
    r = strncmp(text, "unix:", 5) == 0 ? parse_unix(text + 5, &address) : parse_tcp(text, &address);
    if (r < 0) {
        listen_finish(&address);
        if (r == -EINVAL) {
            buf_printf(why,
                       "\"%s\" is no address to listen on: write HOST:PORT, [IPV6]:PORT or "
                       "unix:/PATH (at most 98 bytes)",
                       text);
        }
        return r;
    }
    *ret_address = address;
    return 0;
}

void listen_finish(struct listen_address *address)
{
    if (!address) {
        return;
    }
    free(address->text);
    free(address->host);
    free(address->port);
    free(address->path);
    *address = (struct listen_address){0};
}

static int resolve(const struct listen_address *address, struct buf *why,
                   struct addrinfo **ret_found)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    int r = getaddrinfo(address->host, address->port, &hints, ret_found);

    if (r != 0) {
        buf_printf(why, "cannot listen on %s: %s", address->text,
                   r == EAI_SYSTEM ? log_errno(errno) : gai_strerror(r));
        return r == EAI_MEMORY ? -ENOMEM : -EADDRNOTAVAIL;
    }
    return 0;
}

/* Of a name with addresses of both kinds the IPv4 one: "localhost" is where people's curl goes. */
static const struct addrinfo *choose(const struct addrinfo *found)
{
    for (const struct addrinfo *one = found; one; one = one->ai_next) {
        if (one->ai_family == AF_INET) {
            return one;
        }
    }
    return found;
}

static unsigned port_of(int fd)
{
    struct sockaddr_storage name;
    socklen_t len = sizeof name;

    if (getsockname(fd, (struct sockaddr *)&name, &len) < 0) {
        return 0;
    }
    return ntohs(name.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&name)->sin6_port
                                            : ((struct sockaddr_in *)&name)->sin_port);
}

static int open_tcp(const struct listen_address *address, struct buf *why,
                    struct listen_socket *sock)
{
    struct addrinfo *found = NULL;
    const struct addrinfo *one;
    int on = 1;
    int off = 0;
    int r;

    r = resolve(address, why, &found);
    if (r < 0) {
        return r;
    }
    one = choose(found);
    sock->fd = socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sock->fd < 0) {
        r = -errno;
        goto out;
    }
    (void)setsockopt(sock->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (one->ai_family == AF_INET6) {
        (void)setsockopt(sock->fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    if (bind(sock->fd, one->ai_addr, one->ai_addrlen) < 0 || listen(sock->fd, SOMAXCONN) < 0) {
        r = -errno;
        goto out;
    }
    sock->port = port_of(sock->fd);
out:
    freeaddrinfo(found);
    if (r < 0) {
        buf_printf(why, "cannot listen on %s: %s%s", address->text, log_errno(r),
                   r == -EADDRINUSE ? " (is another agent running?)" : "");
    }
    return r;
}

/* 0: there is nothing at `path` that must not be replaced. */
static int check_stale(const char *path, const struct sockaddr_un *name, struct buf *why)
{
    struct stat st;
    int fd;
    int r = 0;

    if (lstat(path, &st) < 0) {
        return 0; /* whatever is wrong with the folder, bind() will say it */
    }
    if (!S_ISSOCK(st.st_mode)) {
        buf_printf(why, "cannot listen on unix:%s: there is a file that is no socket", path);
        return -EEXIST;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -errno;
    }
    if (connect(fd, (const struct sockaddr *)name, sizeof *name) == 0 || errno == EAGAIN) {
        buf_printf(why,
                   "cannot listen on unix:%s: another process does (is another agent running?)",
                   path);
        r = -EADDRINUSE;
    }
    (void)close(fd);
    return r;
}

static int open_unix(const struct listen_address *address, struct buf *why,
                     struct listen_socket *sock)
{
    struct sockaddr_un final = {.sun_family = AF_UNIX};
    struct sockaddr_un temporary = {.sun_family = AF_UNIX};
    struct stat st;
    bool bound = false;
    int r;

    (void)snprintf(final.sun_path, sizeof final.sun_path, "%s", address->path);
    (void)snprintf(temporary.sun_path, sizeof temporary.sun_path, "%.98s.%d", address->path,
                   (int)getpid());
    r = check_stale(address->path, &final, why);
    if (r < 0) {
        return r;
    }
    (void)unlink(temporary.sun_path);
    sock->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bound = sock->fd >= 0 && bind(sock->fd, (struct sockaddr *)&temporary, sizeof temporary) == 0;
    if (!bound || chmod(temporary.sun_path, 0600) < 0 || listen(sock->fd, SOMAXCONN) < 0 ||
        rename(temporary.sun_path, final.sun_path) < 0 || lstat(final.sun_path, &st) < 0) {
        r = -errno;
        buf_printf(why, "cannot listen on %s: %s", address->text, log_errno(r));
        if (bound) {
            (void)unlink(temporary.sun_path);
        }
        return r;
    }
    sock->dev = st.st_dev;
    sock->ino = st.st_ino;
    return 0;
}

int listen_open(const struct listen_address *address, struct buf *why,
                struct listen_socket *ret_socket)
{
    struct listen_socket sock = {.fd = -1};
    int r = address->path ? open_unix(address, why, &sock) : open_tcp(address, why, &sock);

    if (r < 0) {
        if (sock.fd >= 0) {
            (void)close(sock.fd);
        }
        return r;
    }
    *ret_socket = sock;
    return 0;
}

void listen_close(const struct listen_address *address, struct listen_socket *sock)
{
    struct stat st;

    if (sock->fd < 0) {
        return;
    }
    if (address->path && lstat(address->path, &st) == 0 && st.st_dev == sock->dev &&
        st.st_ino == sock->ino) {
        (void)unlink(address->path);
    }
    (void)close(sock->fd);
    sock->fd = -1;
}
