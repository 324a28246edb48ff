/*
 * tls.c: OpenSSL around the socket of link.c; Debian 12's hiredis has no TLS of its own.
 *
 * The certificate is verified for the host's name or address, unless the operator says `insecure`.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include "redis.h"

static const char *reason(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());

    return text != NULL ? text : "unknown error";
}

static int refuse(SSL_CTX *context, struct redis_failure *failure, const char *what,
                  const char *path)
{
    SSL_CTX_free(context);
    return redis_fail(failure, REDIS_TLS, "%s: %.300s cannot be used: %s", what, path, reason());
}

int redis_tls_prepare(struct redis_link *link, struct redis_failure *failure)
{
    SSL_CTX *context;

    if (link->context != NULL) {
        return 0;
    }
    ERR_clear_error();
    context = SSL_CTX_new(TLS_client_method());
    if (context == NULL) {
        return redis_fail(failure, REDIS_TLS, "OpenSSL cannot be used: %s", reason());
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context, link->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    if (!link->insecure && *link->ca == '\0') {
        (void)SSL_CTX_set_default_verify_paths(context);
    }
    if (*link->ca && SSL_CTX_load_verify_locations(context, link->ca, NULL) != 1) {
        return refuse(context, failure, "tls_ca", link->ca);
    }
    if (*link->cert && SSL_CTX_use_certificate_chain_file(context, link->cert) != 1) {
        return refuse(context, failure, "tls_cert", link->cert);
    }
    if (*link->key && SSL_CTX_use_PrivateKey_file(context, link->key, SSL_FILETYPE_PEM) != 1) {
        return refuse(context, failure, "tls_key", link->key);
    }
    link->context = context;
    return 0;
}

static SSL *prepare(struct redis_link *link)
{
    SSL *ssl = SSL_new(link->context);
    const char *host = link->target->host;
    unsigned char ip[16];
    bool is_ip = inet_pton(AF_INET, host, ip) == 1 || inet_pton(AF_INET6, host, ip) == 1;

    if (ssl == NULL) {
        return NULL;
    }
    if (!link->insecure) {
        X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

        if ((is_ip ? X509_VERIFY_PARAM_set1_ip_asc(param, host)
                   : X509_VERIFY_PARAM_set1_host(param, host, 0)) != 1) {
            SSL_free(ssl);
            return NULL;
        }
    }
    if ((!is_ip && SSL_set_tlsext_host_name(ssl, host) != 1) || SSL_set_fd(ssl, link->fd) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    return ssl;
}

static int say(struct redis_link *link, struct redis_failure *failure, int error)
{
    const struct redis_target *target = link->target;
    long verdict = SSL_get_verify_result(link->ssl);
    const char *why = verdict != X509_V_OK && !link->insecure
                          ? X509_verify_cert_error_string(verdict)
                      : error == SSL_ERROR_SYSCALL ? "the server closed the connection"
                                                   : reason();

    return redis_fail(failure, REDIS_TLS, "TLS with %.200s port %s: %s", target->host, target->port,
                      why);
}

int redis_tls_start(struct redis_link *link, int64_t until_ms, struct redis_failure *failure)
{
    ERR_clear_error();
    link->ssl = prepare(link);
    if (link->ssl == NULL) {
        return redis_fail(failure, REDIS_TLS, "TLS cannot be started: %s", reason());
    }
    for (;;) {
        struct pollfd item = {.fd = link->fd};
        int64_t left = until_ms - redis_now_ms();
        int r, error;

        ERR_clear_error();
        r = SSL_connect(link->ssl);
        if (r == 1) {
            return 0;
        }
        error = SSL_get_error(link->ssl, r);
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
            return say(link, failure, error);
        }
        item.events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
        if (left <= 0) {
            return redis_fail_time(failure, REDIS_TLS, "TLS");
        }
        (void)poll(&item, 1, left > INT_MAX ? INT_MAX : (int)left);
    }
}
