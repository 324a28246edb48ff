/*
 * transfer.c: the life of one request: decoded, judged, sent, redirected, answered.
 *
 * Runs in the fetch worker, on its one thread.  Every hop is judged like the first: its host by the
 * agent's list, its address by easy.c when the socket is made.
 */
#include "fetch/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "base/wire.h"
#include "fetch/easy.h"
#include "fetch/outcome.h"
#include "model/exchange.h"

#define TIMEOUT_MS_MAX (INT64_C(24) * 3600 * MS_PER_S)

static bool host_allowed(const struct fetch_order *order, const char *host)
{
    for (size_t i = 0; i < order->nhosts; i++) {
        if (strcmp(order->hosts[i], host) == 0) {
            return true;
        }
    }
    return order->any_host;
}

/* Starts a hop to a URL that has been judged, or ends the transfer. */
static void begin_hop(struct transfer *transfer, const char *url)
{
    int64_t left_ns = transfer->deadline_ns - clock_mono_ns();

    if (easy_set_url(transfer, url) < 0) {
        outcome_refuse(transfer, "its URL can be read in two ways; write it in the usual form");
        return;
    }
    if (left_ns <= 0) {
        outcome_fail(transfer, CURLE_OPERATION_TIMEDOUT);
        return;
    }
    easy_set_hop(transfer, transfer->order.request.method, (left_ns + NS_PER_MS - 1) / NS_PER_MS);
    transfer->hop_secured = transfer->hop_sent = false;
    transfer->asked_ns = transfer->answered_ns = 0;
    transfer->curl_error[0] = '\0';
    if (curl_multi_add_handle(transfer->multi, transfer->easy) != CURLM_OK) {
        outcome_fail(transfer, CURLE_OUT_OF_MEMORY);
        return;
    }
    transfer->running = true;
}

static void begin(struct transfer *transfer)
{
    const struct fetch_order *order = &transfer->order;

    if (place_parse(order->request.url, &transfer->place) < 0) {
        outcome_refuse(transfer, "its URL is not a plain http or https one");
    } else if (!host_allowed(order, transfer->place.host)) {
        outcome_refuse(transfer, "its host is in no URL setting of the instance");
    } else if (strcmp(order->request.method, "CONNECT") == 0) {
        outcome_refuse(transfer, "the method CONNECT is not for requests");
    } else {
        int r = easy_setup(transfer);

        if (r == -EINVAL) {
            outcome_refuse(transfer,
                           "one of its headers belongs to the connection (content-length, "
                           "transfer-encoding, expect, upgrade, ...)");
        } else if (r < 0) {
            outcome_fail(transfer, CURLE_OUT_OF_MEMORY);
        } else {
            begin_hop(transfer, order->request.url);
        }
    }
}

int transfer_create(CURLM *multi, struct easy_pool *pool, struct expiry *expiry, uint32_t call,
                    void *message, size_t len, struct transfer **ret_transfer)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);
    int r;

    if (!transfer) {
        free(message);
        return -ENOMEM;
    }
    transfer->message = message;
    r = fetch_order_decode(message, len, &transfer->order);
    if (r < 0) {
        free(message);
        free(transfer);
        return r;
    }
    transfer->multi = multi;
    transfer->expiry = expiry;
    transfer->pool = pool;
    transfer->call = call;
    transfer->started_ns = clock_mono_ns();
    int64_t ms = transfer->order.remaining_ms;
    transfer->deadline_ns =
        transfer->started_ns + (ms < TIMEOUT_MS_MAX ? ms : TIMEOUT_MS_MAX) * NS_PER_MS;
    answer_init(&transfer->answer, transfer->order.body_bytes);
    transfer->easy = easy_take(pool);
    if (!transfer->easy) {
        transfer_destroy(transfer);
        return -ENOMEM;
    }
    begin(transfer);
    *ret_transfer = transfer;
    return 0;
}

void transfer_destroy(struct transfer *transfer)
{
    if (!transfer) {
        return;
    }
    if (transfer->running) {
        curl_multi_remove_handle(transfer->multi, transfer->easy);
    }
    easy_give(transfer->pool, transfer);
    curl_url_cleanup(transfer->url);
    curl_free(transfer->user);
    curl_free(transfer->password);
    curl_slist_free_all(transfer->headers);
    answer_finish(&transfer->answer);
    fetch_order_finish(&transfer->order);
    free(transfer->message);
    free(transfer);
}

static void count_phases(struct transfer *transfer)
{
    curl_off_t resolved = 0, connected = 0, secured = 0;
    CURL *easy = transfer->easy;
    struct transfer_phases *phases = &transfer->phases;
    long made = 0;

    curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
    curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected);
    curl_easy_getinfo(easy, CURLINFO_APPCONNECT_TIME_T, &secured);
    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &made);
    if (made > 0) { // else the connection was there, and these are libcurl's overhead
        phases->resolve += resolved;
        phases->connect += connected > resolved ? connected - resolved : 0;
        phases->tls += secured > connected ? secured - connected : 0;
    }
    // libcurl's own figure counts from the first byte of a request that has a body.
    if (transfer->answered_ns > transfer->asked_ns && transfer->asked_ns) {
        phases->first_byte += (transfer->answered_ns - transfer->asked_ns) / 1000;
    }
}

/* What RFC 9110 wants of the method when a redirect is followed. */
static void adapt_request(struct transfer *transfer, long status)
{
    struct tmon_request *request = &transfer->order.request;
    bool post = strcmp(request->method, "POST") == 0;

    if ((status == 303 && strcmp(request->method, "HEAD") != 0) ||
        ((status == 301 || status == 302) && post)) {
        request->method = "GET";
        request->body.len = 0;
    }
}

/* True when the answer is a redirect that was dealt with: by the next hop, or by an end. */
static bool follow(struct transfer *transfer)
{
    char *location = NULL;
    struct place next;
    const char *problem;
    long status = 0;

    if (transfer->order.request.max_redirects <= 0) {
        return false;
    }
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &location);
    if (!location ||
        (status != 301 && status != 302 && status != 303 && status != 307 && status != 308)) {
        return false;
    }
    if (transfer->redirects >= transfer->order.request.max_redirects ||
        transfer->redirects >= LIMIT_HTTP_REDIRECTS) {
        outcome_refuse(transfer, "it redirects more often than max_redirects allows");
        return true;
    }
    if (place_parse(location, &next) < 0) {
        outcome_refuse(transfer, "it redirects to something that is not a plain http or https URL");
        return true;
    }
    problem = place_redirect_problem(&transfer->place, &next);
    if (problem) {
        outcome_refuse(transfer, problem);
        return true;
    }
    transfer->place = next;
    transfer->redirects++;
    adapt_request(transfer, status);
    answer_restart(&transfer->answer);
    begin_hop(transfer, location);
    return true;
}

void transfer_hop_done(struct transfer *transfer, CURLcode result)
{
    long version = 0;

    curl_multi_remove_handle(transfer->multi, transfer->easy);
    transfer->running = false;
    count_phases(transfer);
    curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
    transfer->http_version = version == CURL_HTTP_VERSION_1_0   ? 10
                             : version == CURL_HTTP_VERSION_1_1 ? 11
                             : version == CURL_HTTP_VERSION_2_0 ? 20
                                                                : 0;
    if (transfer->place.tls) {
        int64_t ms = expiry_of(transfer->expiry, transfer->easy, &transfer->place);

        if (ms && (!transfer->certificate_expires_ms || ms < transfer->certificate_expires_ms)) {
            transfer->certificate_expires_ms = ms;
        }
    }
    if (result == CURLE_WRITE_ERROR && transfer->answer.truncated) {
        result = CURLE_OK; // we have had enough of the body
    }
    if (result != CURLE_OK) {
        outcome_fail(transfer, result);
    } else if (!follow(transfer)) {
        outcome_answer(transfer);
    }
}

void transfer_cancel(struct transfer *transfer)
{
    if (transfer->running) {
        curl_multi_remove_handle(transfer->multi, transfer->easy);
        transfer->running = false;
    }
    outcome_fail(transfer, CURLE_ABORTED_BY_CALLBACK);
}

bool transfer_over(const struct transfer *transfer)
{
    return !transfer->running;
}

int transfer_encode(struct transfer *transfer, struct buf *buf)
{
    struct tmon_response response = {0};

    answer_response(&transfer->answer, clock_real_ms(), &response);
    if (transfer->status == 0) { // half an answer is none
        response.headers = NULL;
        response.nheaders = 0;
        response.body.len = 0;
        response.truncated = false;
        response.retry_after_ms = -1;
    }
    response.status = transfer->status;
    response.error = transfer->error;
    response.error_phase = transfer->error_phase;
    response.http_version = transfer->http_version;
    response.redirects = transfer->redirects;
    response.resolve_us = transfer->phases.resolve;
    response.connect_us = transfer->phases.connect;
    response.tls_us = transfer->phases.tls;
    response.first_byte_us = transfer->phases.first_byte;
    response.total_us = (clock_mono_ns() - transfer->started_ns) / 1000;
    response.certificate_expires_ms = transfer->certificate_expires_ms;
    wire_put_u32(buf, (uint32_t)transfer->rc);
    int r = exchange_encode_response(buf, &response);
    return buf->failed ? -ENOBUFS : r;
}
