/*
 * server.c: the server as a whole: built, changed and taken down by the agent's thread, run by its
 * own.
 *
 * A reload is prepared beside what runs (sockets opened, certificates read, daemons made) and
 * handed to the server's thread in one piece, which swaps it in and cannot fail; so a reload that
 * fails has changed nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "http/hosts.h"
#include "http/server.h"

#define PEM_BYTES (1u << 20)

/* A reload on its way to the server's thread. */
struct change {
    struct http_config config;
    struct listener *listeners;
    size_t nlisteners;
    char *certificate; /* PEM texts, or NULL */
    char *key;
};

/* -- the pieces of a change -- */

static void config_finish(struct http_config *config)
{
    for (size_t i = 0; i < config->nhosts; i++) {
        free(config->hosts[i]);
    }
    free(config->hosts);
    if (config->write_token) {
        explicit_bzero(config->write_token, strlen(config->write_token));
    }
    free(config->write_token);
    *config = (struct http_config){0};
}

/* Of a URL, without its port.  NULL: it has none, or there is no memory. */
static char *host_of(const char *url)
{
    const char *authority = strstr(url, "://");
    struct host_span host;
    char *text = authority ? strndup(authority + 3, strcspn(authority + 3, "/?#")) : NULL;
    char *name = text && host_parse(text, &host) == 0 ? strndup(host.name, host.len) : NULL;

    free(text);
    return name;
}

static int config_init(struct http_config *config, const struct http_options *options)
{
    *config = (struct http_config){0};
    config->hosts = calloc(options->nhosts + 2, sizeof *config->hosts);
    config->write_token = strdup(options->write_token ? options->write_token : "");
    if (!config->hosts || !config->write_token) {
        goto fail;
    }
    for (; config->nhosts < options->nhosts; config->nhosts++) {
        config->hosts[config->nhosts] = strdup(options->hosts[config->nhosts]);
        if (!config->hosts[config->nhosts]) {
            goto fail;
        }
    }
    if (options->external_url) {
        config->hosts[config->nhosts] = host_of(options->external_url);
        config->nhosts += config->hosts[config->nhosts] != NULL;
    }
    return 0;
fail:
    config_finish(config);
    return -ENOMEM;
}

static void forget(char **secret)
{
    if (*secret) {
        explicit_bzero(*secret, strlen(*secret));
        free(*secret);
        *secret = NULL;
    }
}

/* The whole of a PEM file.  A key that others may read is no secret, but that is the operator's
 * affair. */
static int read_pem(const char *path, struct buf *why, char **ret_text)
{
    char *text = NULL;
    size_t len = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int r = 0;

    if (fd < 0) {
        r = -errno;
        goto out;
    }
    text = malloc(PEM_BYTES + 1);
    if (!text) {
        r = -ENOMEM;
        goto out;
    }
    while (len <= PEM_BYTES) {
        ssize_t n = read(fd, text + len, PEM_BYTES + 1 - len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            r = -errno;
            goto out;
        }
        if (n == 0) {
            break;
        }
        len += (size_t)n;
    }
    if (len > PEM_BYTES) {
        r = -EFBIG;
        goto out;
    }
    text[len] = '\0';
    *ret_text = text;
    text = NULL;
out:
    if (r < 0) {
        buf_printf(why, "cannot read %s: %s", path, log_errno(r));
    }
    if (text) {
        explicit_bzero(text, len);
    }
    free(text);
    if (fd >= 0) {
        (void)close(fd);
    }
    return r;
}

static struct listener *find_listener(struct http *http, const char *text)
{
    for (size_t i = 0; i < http->nlisteners; i++) {
        if (strcmp(http->listeners[i].address.text, text) == 0) {
            return &http->listeners[i];
        }
    }
    return NULL;
}

static void change_finish(struct change *change)
{
    config_finish(&change->config);
    for (size_t i = 0; change->listeners && i < change->nlisteners; i++) {
        listen_finish(&change->listeners[i].address);
    }
    free(change->listeners);
    free(change->certificate);
    forget(&change->key);
}

static void on_check_message(void *arg, const char *format, va_list args)
{
}

/* A daemon that listens nowhere takes the pair or does not: nobody else can say that it will. */
int http_check_tls(const char *certificate_path, const char *key_path, struct buf *why)
{
    struct MHD_Daemon *daemon = NULL;
    char *certificate = NULL;
    char *key = NULL;
    int r = read_pem(certificate_path, why, &certificate);

    if (r == 0) {
        r = read_pem(key_path, why, &key);
    }
    if (r < 0) {
        goto out;
    }
    daemon = MHD_start_daemon(MHD_USE_TLS | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_EPOLL, 0, NULL, NULL,
                              request_serve, NULL, MHD_OPTION_EXTERNAL_LOGGER, on_check_message,
                              NULL, MHD_OPTION_HTTPS_MEM_CERT, certificate,
                              MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_END);
    if (!daemon) {
        buf_printf(why, "%s and %s are no certificate and key in PEM form that belong together",
                   certificate_path, key_path);
        r = -EINVAL;
    }
out:
    if (daemon) {
        MHD_stop_daemon(daemon);
    }
    forget(&certificate);
    forget(&key);
    return r;
}

/* Undoes what prepare() did beyond memory. */
static void change_abandon(struct http *http, struct change *change)
{
    for (size_t i = 0; change->listeners && i < change->nlisteners; i++) {
        struct listener *one = &change->listeners[i];
        const struct listener *old =
            one->address.text ? find_listener(http, one->address.text) : NULL;

        if (!old || one->gate != old->gate) {
            gate_destroy(one->gate);
        }
        if (one->opened) {
            listen_close(&one->address, &one->sock);
        }
    }
}

static int prepare_listener(struct http *http, const struct change *change, const char *text,
                            struct buf *why, struct listener *one)
{
    const struct listener *old = find_listener(http, text);
    bool tls;
    int r;

    one->sock.fd = -1;
    r = listen_parse(text, why, &one->address);
    if (r < 0) {
        return r;
    }
    if (old) {
        one->sock = old->sock;
    } else {
        r = listen_open(&one->address, why, &one->sock);
        if (r < 0) {
            return r;
        }
        one->opened = true;
    }
    tls = change->certificate && !one->address.path;
    if (old && !tls && !old->gate->tls) {
        one->gate = old->gate; /* nothing about it changes: its connections stay */
        return 0;
    }
    return gate_create(http, one, change->certificate, change->key, why, &one->gate);
}

static int prepare(struct http *http, const struct http_options *options, struct buf *why,
                   struct change *change)
{
    int r;

    if (options->nlisten == 0 || options->nlisten > LIMIT_LISTEN) {
        buf_printf(why, "give between 1 and %d addresses to listen on", LIMIT_LISTEN);
        return -EINVAL;
    }
    if (!options->tls_certificate != !options->tls_key) {
        buf_puts(why, "TLS needs a certificate and a key");
        return -EINVAL;
    }
    r = config_init(&change->config, options);
    if (r < 0) {
        return r;
    }
    if (options->tls_certificate) {
        r = read_pem(options->tls_certificate, why, &change->certificate);
        if (r == 0) {
            r = read_pem(options->tls_key, why, &change->key);
        }
        if (r < 0) {
            return r;
        }
    }
    change->listeners = calloc(options->nlisten, sizeof *change->listeners);
    if (!change->listeners) {
        return -ENOMEM;
    }
    for (; change->nlisteners < options->nlisten; change->nlisteners++) {
        for (size_t i = 0; i < change->nlisteners; i++) {
            if (strcmp(options->listen[i], options->listen[change->nlisteners]) == 0) {
                buf_printf(why, "%s is listed twice", options->listen[i]);
                return -EINVAL;
            }
        }
        r = prepare_listener(http, change, options->listen[change->nlisteners], why,
                             &change->listeners[change->nlisteners]);
        if (r < 0) {
            change->nlisteners++; /* half made: abandon it too */
            return r;
        }
    }
    return 0;
}

/* Server's thread, or when it does not run. */
static void swap_in(struct http *http, struct change *change)
{
    struct http_config old = http->config;

    http->config = change->config;
    change->config = old;
    for (size_t i = 0; i < change->nlisteners; i++) {
        struct gate *gate = change->listeners[i].gate;

        if (gate->watch.fd < 0 && gate_start(gate) < 0) {
            log_error("cannot watch a listener: out of memory",
                      LOG_S("listen", change->listeners[i].address.text));
        }
    }
    for (struct gate *gate = http->gates; gate; gate = gate->next) {
        bool stays = false;

        for (size_t i = 0; i < change->nlisteners; i++) {
            stays = stays || change->listeners[i].gate == gate;
        }
        if (!stays && !gate->retired) {
            gate_retire(gate);
        }
    }
    gates_reap(http);
}

/* Agent's thread, after swap_in(): the listeners that left are closed, the rest is taken over. */
static void settle(struct http *http, struct change *change)
{
    struct listener *old = http->listeners;
    size_t nold = http->nlisteners;

    http->listeners = change->listeners;
    http->nlisteners = change->nlisteners;
    for (size_t i = 0; i < nold; i++) {
        if (!find_listener(http, old[i].address.text)) {
            listen_close(&old[i].address, &old[i].sock);
        }
    }
    for (size_t i = 0; i < http->nlisteners; i++) {
        http->listeners[i].opened = false;
    }
    change->listeners = old;
    change->nlisteners = nold;
}

/* -- the life of the server -- */

static void *serve(void *arg)
{
    struct http *http = arg;

    (void)pthread_setname_np(pthread_self(), "http");
    loop_be_patient();
    if (loop_run(http->loop) < 0) {
        log_error("the HTTP server's loop ended", LOG_E(errno));
    }
    return NULL;
}

/* The agent's signals are for the agent's thread. */
static int start_thread(struct http *http)
{
    sigset_t all;
    sigset_t before;
    int r;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    r = -pthread_create(&http->thread, NULL, serve, http);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    http->running = r == 0;
    return r;
}

int http_create(const struct http_options *options, struct buf *why, struct http **ret_http)
{
    struct http *http = calloc(1, sizeof *http);
    struct change change = {0};
    int r;

    if (!http) {
        return -ENOMEM;
    }
    http->hooks = options->hooks;
    http->store = options->store;
    http->verdicts = options->verdicts;
    http->started_ns = options->started_ns;
    (void)pthread_mutex_init(&http->lock, NULL);
    (void)pthread_cond_init(&http->changed, NULL);
    http->version = strdup(options->version);
    r = http->version ? loop_create(&http->loop) : -ENOMEM;
    if (r < 0) {
        goto out;
    }
    r = counters_create(http->store, &http->counters);
    if (r < 0) {
        goto out;
    }
    clients_init(http, &options->bounds);
    r = prepare(http, options, why, &change);
    if (r < 0) {
        change_abandon(http, &change);
        goto out;
    }
    swap_in(http, &change);
    settle(http, &change);
    r = start_thread(http);
out:
    change_finish(&change);
    if (r < 0) {
        http_destroy(http);
        return r;
    }
    *ret_http = http;
    return 0;
}

static void resume_all(struct http *http, enum client_phase phase)
{
    for (struct client *client = http->clients.lists[phase].first; client; client = client->next) {
        MHD_resume_connection(client->connection);
    }
}

void http_destroy(struct http *http)
{
    if (!http) {
        return;
    }
    if (http->running) {
        loop_stop(http->loop);
        (void)pthread_join(http->thread, NULL);
    }
    if (http->loop) {
        /* libmicrohttpd insists that nothing is suspended when it is stopped. */
        resume_all(http, CLIENT_ASKING);
        resume_all(http, CLIENT_TESTING);
        while (http->gates) {
            struct gate *gate = http->gates;

            http->gates = gate->next;
            gate_destroy(gate);
        }
    }
    for (size_t i = 0; i < http->nlisteners; i++) {
        listen_close(&http->listeners[i].address, &http->listeners[i].sock);
        listen_finish(&http->listeners[i].address);
    }
    free(http->listeners);
    span_list_finish(&http->spans);
    ask_finish(http);
    shared_finish(&http->health);
    shared_finish(&http->ready);
    shared_finish(&http->live);
    shared_finish(&http->checks);
    counters_destroy(http->counters);
    config_finish(&http->config);
    loop_destroy(http->loop);
    (void)pthread_cond_destroy(&http->changed);
    (void)pthread_mutex_destroy(&http->lock);
    free(http->version);
    free(http);
}

static void take_change(void *arg)
{
    struct http *http = arg;

    swap_in(http, http->pending);
    (void)pthread_mutex_lock(&http->lock);
    http->pending = NULL;
    (void)pthread_cond_signal(&http->changed);
    (void)pthread_mutex_unlock(&http->lock);
}

int http_reload(struct http *http, const struct http_options *options, struct buf *why)
{
    struct change change = {0};
    int r = prepare(http, options, why, &change);

    if (r == 0) {
        http->pending = &change; /* the post publishes it */
        r = loop_post(http->loop, take_change, http);
    }
    if (r < 0) {
        http->pending = NULL;
        change_abandon(http, &change);
        goto out;
    }
    (void)pthread_mutex_lock(&http->lock);
    while (http->pending) {
        (void)pthread_cond_wait(&http->changed, &http->lock);
    }
    (void)pthread_mutex_unlock(&http->lock);
    settle(http, &change);
out:
    change_finish(&change);
    return r;
}

unsigned http_port(const struct http *http, size_t i)
{
    return i < http->nlisteners ? http->listeners[i].sock.port : 0;
}
