/*
 * outcome.c: makes a phase and a sentence of libcurl's result.
 *
 * Runs in the fetch worker.  "Nothing was sent" (RETRY) is said only where libcurl never came to
 * send; everything later is AMBIGUOUS, since the far end may have acted on what it got.
 */
#include "fetch/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"

static __attribute__((format(printf, 2, 3))) void say(struct transfer *transfer, const char *format,
                                                      ...)
{
    char text[sizeof transfer->error];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *c = text; *c; c++) { // libcurl quotes the far end now and then
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            *c = ' ';
        }
    }
    utf8_copy(transfer->error, sizeof transfer->error, text);
}

void outcome_answer(struct transfer *transfer)
{
    long status = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    transfer->status = (int32_t)status;
    transfer->rc = TMON_OK;
}

void outcome_refuse(struct transfer *transfer, const char *why)
{
    transfer->rc = TMON_REJECTED;
    transfer->error_phase = TMON_PHASE_REFUSED;
    if (transfer->redirects > 0 || transfer->sent) {
        say(transfer, "%s: %s", transfer->place.host, why);
    } else {
        say(transfer, "the request is refused: %s", why);
    }
}

static int32_t phase_of(const struct transfer *transfer, CURLcode result)
{
    curl_off_t resolved = 0, connected = 0;

    if (transfer->hop_sent) {
        return TMON_PHASE_ANSWER;
    }
    if (transfer->hop_secured) {
        return TMON_PHASE_TLS;
    }
    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return TMON_PHASE_RESOLVE;
    case CURLE_COULDNT_CONNECT:
        return TMON_PHASE_CONNECT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
        return TMON_PHASE_TLS;
    default:
        break;
    }
    curl_easy_getinfo(transfer->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
    curl_easy_getinfo(transfer->easy, CURLINFO_CONNECT_TIME_T, &connected);
    if (resolved == 0 && !*transfer->order.unix_path) {
        return TMON_PHASE_RESOLVE;
    }
    if (connected == 0) {
        return TMON_PHASE_CONNECT;
    }
    return transfer->place.tls ? TMON_PHASE_TLS : TMON_PHASE_ANSWER;
}

static void say_connect(struct transfer *transfer, CURLcode result)
{
    const struct place *place = &transfer->place;
    const char *unix_path = transfer->order.unix_path, *reason;
    long error = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &error);
    reason = result == CURLE_OPERATION_TIMEDOUT ? "no answer before the deadline"
             : error                            ? log_errno((int)error)
                                                : curl_easy_strerror(result);
    if (*unix_path) {
        say(transfer, "cannot connect to %s: %s", unix_path, reason);
    } else {
        say(transfer, "cannot connect to %s port %u: %s", place->host, (unsigned)place->port,
            reason);
    }
}

static void say_answer(struct transfer *transfer, CURLcode result, const char *detail)
{
    size_t got = transfer->answer.body.len;

    if (transfer->headers_refused) {
        say(transfer, "the answer has more headers than the %d, or %d bytes, that are taken",
            LIMIT_HTTP_HEADERS, LIMIT_HTTP_HEADER_BYTES);
    } else if (transfer->cut_off) {
        say(transfer, "%s closed the connection without an answer", transfer->place.host);
    } else if (result != CURLE_OPERATION_TIMEDOUT) {
        say(transfer, "no complete answer: %s", detail);
    } else if (got > 0) {
        say(transfer, "the answer was not complete at the deadline: %zu bytes of its body came",
            got);
    } else {
        say(transfer, "%s did not answer before the deadline", transfer->place.host);
    }
}

void outcome_fail(struct transfer *transfer, CURLcode result)
{
    const char *detail =
        transfer->curl_error[0] ? transfer->curl_error : curl_easy_strerror(result);

    if (transfer->listener && result == CURLE_COULDNT_CONNECT) {
        outcome_refuse(transfer, "it leads to the agent's own address");
        return;
    }
    transfer->rc = transfer->sent ? TMON_AMBIGUOUS : TMON_RETRY;
    transfer->error_phase = phase_of(transfer, result);
    switch (transfer->error_phase) {
    case TMON_PHASE_RESOLVE:
        say(transfer, "cannot resolve the name %s: %s", transfer->place.host,
            result == CURLE_OPERATION_TIMEDOUT ? "no answer before the deadline"
                                               : "it is not known");
        break;
    case TMON_PHASE_CONNECT:
        say_connect(transfer, result);
        break;
    case TMON_PHASE_TLS:
        say(transfer, "TLS with %s port %u failed: %s%s", transfer->place.host,
            (unsigned)transfer->place.port,
            result == CURLE_OPERATION_TIMEDOUT ? "no answer before the deadline" : detail,
            strstr(detail, "wrong version number") ? "; does that port speak http?" : "");
        break;
    default:
        say_answer(transfer, result, detail);
    }
}
