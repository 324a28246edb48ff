/*
 * exchange.c: see exchange.h.
 *
 * A request is refused as a whole when a part of it is bad: its author can mend it.  A response is
 * made fit instead, because nobody here can mend the far end.
 */
#include "model/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "model/pairs.h"

/* The characters of a token, RFC 9110: what a method and a header's name consist of. */
static bool token_ok(const char *text, size_t max)
{
    size_t n = 0;

    for (; text[n]; n++) {
        char c = text[n];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (n == max || (!letter && !strchr("!#$%&'*+-.^_`|~", c))) {
            return false;
        }
    }
    return n > 0;
}

/* No control characters: they would end the line that the text is written on. */
static bool line_ok(const char *text, bool blanks)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if ((*p < 0x20 && !(blanks && *p == '\t')) || *p == 0x7f || (*p == ' ' && !blanks)) {
            return false;
        }
    }
    return true;
}

static const char *header_problem(const struct tmon_pair *header)
{
    if (!header->key || !token_ok(header->key, LIMIT_NAME_BYTES)) {
        return "a header's name must be a token of at most 128 bytes";
    }
    if (!header->value || strlen(header->value) > LIMIT_HTTP_HEADER_BYTES) {
        return "a header must have a value, of at most 65536 bytes";
    }
    if (!line_ok(header->value, true) || !utf8_valid(header->value, strlen(header->value))) {
        return "a header's value must be UTF-8 without control characters";
    }
    return NULL;
}

static const char *request_problem(const struct tmon_request *request)
{
    const char *url = request->url;

    if (request->method && !token_ok(request->method, 32)) {
        return "the method must be a token of at most 32 bytes";
    }
    if (!url || (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)) {
        return "the URL must begin with http:// or https://";
    }
    if (strlen(url) > LIMIT_HTTP_URL_BYTES || !line_ok(url, false) ||
        !utf8_valid(url, strlen(url))) {
        return "the URL must be UTF-8 without blanks and control characters, of at most 8192 bytes";
    }
    if (request->nheaders > LIMIT_HTTP_HEADERS) {
        return "too many headers (128 are allowed)";
    }
    for (size_t i = 0; i < request->nheaders; i++) {
        const char *problem = header_problem(&request->headers[i]);

        if (problem) {
            return problem;
        }
    }
    if (request->body.len > LIMIT_HTTP_REQUEST_BYTES) {
        return "the body is larger than 8 MiB";
    }
    if (request->max_redirects < 0) {
        return "max_redirects must not be negative";
    }
    return NULL;
}

int exchange_encode_request(struct buf *buf, const struct tmon_request *given, const char **ret_why)
{
    const size_t least = offsetof(struct tmon_request, insecure) + sizeof given->insecure;
    struct tmon_request request = {0};
    size_t before = buf->len;
    const char *why;

    if (given->size < least) {
        *ret_why = "set the request's `size` to sizeof(struct tmon_request)";
        return -EINVAL;
    }
    memcpy(&request, given, given->size < sizeof request ? given->size : sizeof request);
    why = request_problem(&request);
    if (why) {
        *ret_why = why;
        return -EINVAL;
    }
    wire_put_str(buf, request.method ? request.method : "GET");
    wire_put_str(buf, request.url);
    wire_put_u32(buf, (uint32_t)request.max_redirects);
    wire_put_u8(buf, request.insecure);
    pairs_encode(buf, request.headers, request.nheaders);
    wire_put_bytes(buf, request.body.data, request.body.len);
    if (buf->failed) {
        buf->failed = false;
        buf->len = before;
        return -ENOBUFS;
    }
    return 0;
}

int exchange_decode_request(struct wire_reader *reader, struct tmon_request *ret_request)
{
    struct tmon_request request = {.size = sizeof request};
    uint32_t max_redirects;

    request.method = wire_get_str(reader, 32);
    request.url = wire_get_str(reader, LIMIT_HTTP_URL_BYTES);
    max_redirects = wire_get_u32(reader);
    request.max_redirects = max_redirects < 100 ? (int32_t)max_redirects : 100;
    request.insecure = wire_get_u8(reader) != 0;
    request.headers =
        pairs_decode(reader, LIMIT_HTTP_HEADERS, LIMIT_HTTP_HEADER_BYTES, &request.nheaders);
    request.body.data = wire_get_bytes(reader, LIMIT_HTTP_REQUEST_BYTES, &request.body.len);
    if (reader->bad || request_problem(&request)) {
        exchange_finish_request(&request);
        return -EPROTO;
    }
    *ret_request = request;
    return 0;
}

void exchange_finish_request(struct tmon_request *request)
{
    free((void *)request->headers);
    request->headers = NULL;
    request->nheaders = 0;
}

/* Text of the far end as UTF-8, cut where it is too long. */
static void put_foreign(struct buf *buf, const char *text, size_t max)
{
    size_t len = text ? strnlen(text, max) : 0;
    char *copy = malloc(len + 1);

    if (!copy) {
        buf->failed = true;
        return;
    }
    utf8_copy(copy, len + 1, text ? text : "");
    for (char *p = copy; *p; p++) {
        if ((unsigned char)*p < 0x20 && *p != '\t') {
            *p = ' ';
        }
    }
    wire_put_str(buf, copy);
    free(copy);
}

static void put_response_headers(struct buf *buf, const struct tmon_response *response)
{
    size_t at = buf->len;
    uint32_t n = 0;

    wire_put_u32(buf, 0);
    for (size_t i = 0; i < response->nheaders && n < LIMIT_HTTP_HEADERS; i++) {
        const struct tmon_pair *header = &response->headers[i];

        if (header->key && token_ok(header->key, LIMIT_NAME_BYTES)) {
            wire_put_str(buf, header->key);
            put_foreign(buf, header->value, LIMIT_HTTP_HEADER_BYTES);
            n++;
        }
    }
    wire_set_u32(buf, at, n);
}

int exchange_encode_response(struct buf *buf, const struct tmon_response *response)
{
    size_t before = buf->len;
    wire_put_u32(buf, (uint32_t)response->status);
    wire_put_i64(buf, response->retry_after_ms);
    wire_put_u8(buf, response->truncated);
    put_foreign(buf, response->error, LIMIT_TEXT_BYTES);
    wire_put_u32(buf, (uint32_t)response->error_phase);
    wire_put_u32(buf, (uint32_t)response->http_version);
    wire_put_u32(buf, (uint32_t)response->redirects);
    wire_put_i64(buf, response->resolve_us);
    wire_put_i64(buf, response->connect_us);
    wire_put_i64(buf, response->tls_us);
    wire_put_i64(buf, response->first_byte_us);
    wire_put_i64(buf, response->total_us);
    wire_put_i64(buf, response->certificate_expires_ms);
    put_response_headers(buf, response);
    wire_put_bytes(buf, response->body.data, response->body.len);
    if (buf->failed) {
        buf->failed = false;
        buf->len = before;
        return -ENOBUFS;
    }
    return 0;
}

int exchange_decode_response(struct wire_reader *reader, struct tmon_response *ret_response)
{
    struct tmon_response response = {.size = sizeof response};

    response.status = (int32_t)wire_get_u32(reader);
    response.retry_after_ms = wire_get_i64(reader);
    response.truncated = wire_get_u8(reader) != 0;
    response.error = wire_get_str(reader, LIMIT_TEXT_BYTES);
    response.error_phase = (int32_t)wire_get_u32(reader);
    response.http_version = (int32_t)wire_get_u32(reader);
    response.redirects = (int32_t)wire_get_u32(reader);
    response.resolve_us = wire_get_i64(reader);
    response.connect_us = wire_get_i64(reader);
    response.tls_us = wire_get_i64(reader);
    response.first_byte_us = wire_get_i64(reader);
    response.total_us = wire_get_i64(reader);
    response.certificate_expires_ms = wire_get_i64(reader);
    response.headers =
        pairs_decode(reader, LIMIT_HTTP_HEADERS, LIMIT_HTTP_HEADER_BYTES, &response.nheaders);
    response.body.data = wire_get_bytes(reader, LIMIT_HTTP_CLIENT_BYTES, &response.body.len);
    if (reader->bad || response.status < 0 || response.status > 999 ||
        response.retry_after_ms < -1 || response.error_phase < TMON_PHASE_NONE ||
        response.error_phase > TMON_PHASE_REFUSED) {
        exchange_finish_response(&response);
        return -EPROTO;
    }
    *ret_response = response;
    return 0;
}

void exchange_finish_response(struct tmon_response *response)
{
    free((void *)response->headers);
    response->headers = NULL;
    response->nheaders = 0;
}
