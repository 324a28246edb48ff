/*
 * metrics.c: a result as details of the check, and as metrics under blackbox_exporter's names.
 */
#include <math.h>

#include "http.h"

static const char *phase_name(int32_t phase)
{
    static const char *const names[] = {"", "resolve", "connect", "tls", "answer", "refused"};

    return phase >= 0 && (size_t)phase < sizeof names / sizeof names[0] ? names[phase] : "";
}

static double rounded(double value)
{
    return floor(value * 1000 + 0.5) / 1000;
}

void http_details(struct tmon_call *call, const struct http_result *result)
{
    if (result->error_phase != TMON_PHASE_NONE) {
        tmon_detail_text(call, "failed", phase_name(result->error_phase));
    }
    if (result->tls && result->expires_ms > 0) {
        tmon_detail(call, "certificate.days", floor(result->days * 10) / 10);
    }
    if (!result->answered) {
        return;
    }
    tmon_detail(call, "responseTime", rounded(result->total_ms));
    tmon_detail(call, "statusCode", result->status);
    tmon_detail(call, "phases.resolve", rounded(result->resolve_ms));
    tmon_detail(call, "phases.connect", rounded(result->connect_ms));
    if (result->tls) {
        tmon_detail(call, "phases.tls", rounded(result->tls_ms));
    }
    tmon_detail(call, "phases.firstByte", rounded(result->first_byte_ms));
    tmon_detail(call, "redirects", result->redirects);
}

static void gauge(struct tmon_call *call, const char *name, const char *help, double value)
{
    tmon_gauge(call, name, help, value, NULL, 0);
}

static void phase(struct tmon_call *call, const char *name, double ms)
{
    const struct tmon_pair label = {"phase", name};

    tmon_gauge(call, "probe_http_duration_seconds", "How long each phase took, over all redirects.",
               ms > 0 ? ms / 1e3 : 0, &label, 1);
}

void http_metrics(struct tmon_call *call, const struct http_result *result)
{
    double transfer = result->total_ms - result->resolve_ms - result->connect_ms - result->tls_ms -
                      result->first_byte_ms;

    gauge(call, "probe_success", "1 when the check does not fail.", result->verdict != TMON_FAIL);
    gauge(call, "probe_duration_seconds", "How long it took.", result->total_ms / 1e3);
    gauge(call, "probe_dns_lookup_time_seconds", "How long name resolution took.",
          result->resolve_ms / 1e3);
    gauge(call, "probe_failed_due_to_regex", "1 when body or headers are not as expected.",
          result->pattern_failed);
    gauge(call, "probe_http_status_code", "The answer's status; 0: there was none.",
          result->status);
    gauge(call, "probe_http_redirects", "How many redirects were followed.", result->redirects);
    gauge(call, "probe_http_ssl", "1 when it was spoken to over TLS.", result->tls);
    phase(call, "resolve", result->resolve_ms);
    phase(call, "connect", result->connect_ms);
    phase(call, "tls", result->tls_ms);
    phase(call, "processing", result->first_byte_ms);
    phase(call, "transfer", transfer);
    if (result->answered) {
        gauge(call, "probe_http_version", "The HTTP version of the answer.",
              result->version / 10.0);
        gauge(call, "probe_http_content_length", "As the header says; -1: it does not.",
              result->content_length);
        gauge(call, "probe_http_uncompressed_body_length", "Bytes of the body that were looked at.",
              result->body_bytes);
    }
    if (result->expires_ms > 0) {
        gauge(call, "probe_ssl_earliest_cert_expiry",
              "When the first certificate of the chain runs out, Unix time.",
              result->expires_ms / 1e3);
    }
}
