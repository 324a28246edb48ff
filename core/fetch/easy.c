/*
 * easy.c: all that libcurl is told.
 *
 * Runs in the fetch worker.  Redirects are not left to libcurl, since each hop has to be judged;
 * and a request that may do something is never repeated by it on a new connection, since nobody
 * would know.
 */
#include "fetch/easy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "fetch/refuse.h"
#include "tmon_build.h"

#define BODY_AT_ONCE 16384
#define READ_BYTES 4096L /* each request in flight has such a buffer; answers are small */

static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
    struct transfer *transfer = arg;

    if (transfer->answered_ns == 0) {
        transfer->answered_ns = clock_mono_ns();
    }
    if (answer_header(&transfer->answer, line, n) < 0) {
        transfer->headers_refused = true;
        return 0;
    }
    return n;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct transfer *transfer = arg;

    return answer_body(&transfer->answer, data, n) ? n : 0;
}

static size_t on_read(char *space, size_t size, size_t n, void *arg)
{
    struct transfer *transfer = arg;
    const struct tmon_bytes *body = &transfer->order.request.body;
    size_t left = body->len - transfer->body_pos;

    n = n < left ? n : left;
    if (n > 0) {
        memcpy(space, (const char *)body->data + transfer->body_pos, n);
    }
    transfer->body_pos += n;
    transfer->asked_ns = clock_mono_ns();
    return n;
}

static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = arg;

    for (size_t i = 0; i < transfer->order.nrefused; i++) {
        if (refuse_matches(transfer->order.refused[i], &address->addr)) {
            transfer->listener = true;
            return CURL_SOCKET_BAD;
        }
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static CURLcode on_tls(CURL *easy, void *context, void *arg)
{
    struct transfer *transfer = arg;

    transfer->hop_secured = true;
    return CURLE_OK;
}

/* libcurl sends again, on a new connection, what it sent on a kept one that the far end had closed.
 */
static bool is_repeatable(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static int on_prepared(void *arg, char *peer, char *self, int peer_port, int self_port)
{
    struct transfer *transfer = arg;

    if (transfer->hop_sent && !is_repeatable(transfer->order.request.method)) {
        transfer->cut_off = true;
        return CURL_PREREQFUNC_ABORT;
    }
    transfer->asked_ns = clock_mono_ns();
    transfer->hop_sent = transfer->sent = true; // from here on nobody can be sure
    return CURL_PREREQFUNC_OK;
}

/* These would cut the request into other requests, or make the answer something else than an
 * answer. */
static bool is_ours(const char *name)
{
    static const char *const names[] = {
        "content-length", "transfer-encoding",  "upgrade", "te", "trailer",
        "expect",         "proxy-authorization"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcasecmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int add_line(struct transfer *transfer, const char *line)
{
    struct curl_slist *longer = curl_slist_append(transfer->headers, line);

    if (!longer) {
        return -ENOMEM;
    }
    transfer->headers = longer;
    return 0;
}

static int add_headers(struct transfer *transfer)
{
    const struct tmon_request *request = &transfer->order.request;
    bool typed = false;
    struct buf line;
    int r = 0;

    buf_init(&line, LIMIT_HTTP_HEADER_BYTES + LIMIT_NAME_BYTES + 2);
    for (size_t i = 0; i < request->nheaders && r == 0; i++) {
        const char *name = request->headers[i].key, *value = request->headers[i].value;

        if (is_ours(name)) {
            r = -EINVAL;
            break;
        }
        typed = typed || strcasecmp(name, "content-type") == 0;
        if (strcasecmp(name, "connection") == 0 && strcasecmp(value, "close") == 0) {
            transfer->fresh = true;
        }
        buf_clear(&line);
        buf_puts(&line, name);
        buf_puts(&line, *value ? ": " : ";"); // libcurl's way to say "with no value"
        buf_puts(&line, value);
        r = line.failed ? -EINVAL : add_line(transfer, buf_str(&line));
    }
    if (r == 0) { // libcurl would wait a second for "100 Continue"
        r = add_line(transfer, "Expect:");
    }
    if (r == 0 && !typed) { // and invent a type
        r = add_line(transfer, "Content-Type:");
    }
    buf_finish(&line);
    return r;
}

static void set_limits_of_protocol(CURL *easy)
{
#if CURL_AT_LEAST_VERSION(7, 85, 0)
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if CURL_AT_LEAST_VERSION(7, 87, 0)
    // A resolver that hangs must not be waited for when its request is over.
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
}

/* What is the same for every transfer. */
static void set_constants(const struct easy_pool *pool, CURL *easy)
{
    set_limits_of_protocol(easy);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "toiletmon/" TMON_VERSION);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, READ_BYTES);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_prepared);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls); // GnuTLS has no such thing
    curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
    // libcurl keeps the parsed bundle for the next handshake (20 ms saved) only where there is no
    // folder besides.
    if (pool->bundle) {
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
}

/* Whom the callbacks are for; NULL: nobody. */
static void set_owner(CURL *easy, struct transfer *transfer)
{
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer ? transfer->curl_error : NULL);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer ? transfer->headers : NULL);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, transfer);
}

void easy_pool_init(struct easy_pool *pool)
{
    const char *bundle = curl_version_info(CURLVERSION_NOW)->cainfo;

    *pool = (struct easy_pool){.bundle = bundle && access(bundle, R_OK) == 0};
}

CURL *easy_take(struct easy_pool *pool)
{
    CURL *easy;

    if (pool->n > 0) {
        return pool->kept[--pool->n];
    }
    easy = curl_easy_init();
    if (easy) {
        set_constants(pool, easy);
    }
    return easy;
}

void easy_give(struct easy_pool *pool, struct transfer *transfer)
{
    CURL *easy = transfer->easy;

    if (!easy || transfer->unusual || pool->n == EASY_KEPT) {
        curl_easy_cleanup(easy);
        return;
    }
    set_owner(easy, NULL);
    curl_easy_setopt(easy, CURLOPT_CURLU, NULL);
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    pool->kept[pool->n++] = easy;
}

static bool is_unusual(const struct transfer *transfer)
{
    const struct fetch_order *order = &transfer->order;

    return order->request.insecure || *order->ca_file || *order->unix_path || transfer->fresh ||
           order->request.max_redirects > 0 || strcmp(order->request.method, "HEAD") == 0;
}

int easy_setup(struct transfer *transfer)
{
    const struct fetch_order *order = &transfer->order;
    CURL *easy = transfer->easy;
    int r = add_headers(transfer);

    if (r < 0) {
        transfer->unusual = true;
        return r;
    }
    transfer->unusual = is_unusual(transfer);
    set_owner(easy, transfer);
    if (order->request.insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (*order->ca_file) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, order->ca_file);
    }
    if (*order->unix_path) {
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, order->unix_path);
    }
    if (transfer->fresh) { // who asks for that wants to see name resolution, connect and TLS
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
        curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    }
    return 0;
}

/* Whether libcurl's reading of the URL leads to the place that was judged. */
static bool same_reading(CURLU *url, const struct place *place)
{
    char *host = NULL, *port = NULL;
    bool same = false;

    if (curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        size_t len = strlen(host);
        const char *bare = host;

        if (len > 2 && host[0] == '[') {
            bare++;
            len -= 2;
        }
        same = len == strlen(place->host) && strncasecmp(bare, place->host, len) == 0 &&
               strtol(port, NULL, 10) == place->port;
    }
    curl_free(host);
    curl_free(port);
    return same;
}

int easy_set_url(struct transfer *transfer, const char *url)
{
    CURLU *next = curl_url();

    if (!next) {
        return -ENOMEM;
    }
    if (curl_url_set(next, CURLUPART_URL, url, 0) != CURLUE_OK ||
        !same_reading(next, &transfer->place)) {
        curl_url_cleanup(next);
        return -EINVAL;
    }
    if (!transfer->url) { // the operator's own URL: what it says of user and password holds for all
                          // hops
        if (curl_url_get(next, CURLUPART_USER, &transfer->user, CURLU_URLDECODE) == CURLUE_OK) {
            transfer->unusual = true;
            curl_easy_setopt(transfer->easy, CURLOPT_USERNAME, transfer->user);
        }
        if (curl_url_get(next, CURLUPART_PASSWORD, &transfer->password, CURLU_URLDECODE) ==
            CURLUE_OK) {
            transfer->unusual = true;
            curl_easy_setopt(transfer->easy, CURLOPT_PASSWORD, transfer->password);
        }
    }
    curl_url_set(next, CURLUPART_USER, NULL, 0);
    curl_url_set(next, CURLUPART_PASSWORD, NULL, 0);
    curl_easy_setopt(transfer->easy, CURLOPT_CURLU, next);
    curl_url_cleanup(transfer->url);
    transfer->url = next;
    return 0;
}

/* A small body goes out with the headers, in one write; of a large one it is seen when its last
 * byte has left. */
static void set_body(struct transfer *transfer, const struct tmon_bytes *body)
{
    CURL *easy = transfer->easy;

    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                     body->len > BODY_AT_ONCE ? NULL
                     : body->len > 0          ? (const char *)body->data
                                              : "");
}

void easy_set_hop(struct transfer *transfer, const char *method, int64_t remaining_ms)
{
    CURL *easy = transfer->easy;
    const struct tmon_bytes *body = &transfer->order.request.body;

    transfer->body_pos = 0;
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)remaining_ms);
    if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (body->len > 0 || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
               strcmp(method, "PATCH") == 0) {
        set_body(transfer, body);
    } else {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}
