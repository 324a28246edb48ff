/*
 * expect.c: what the operator expects of an answer, and whether it is so.
 *
 * All that is wrong is said, not only the first thing, since the next look is an interval away.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include "http.h"

#define DAY_MS 86400e3

/* "200", "2xx", "200-204" */
static bool read_range(const char *text, struct http_range *ret_range)
{
    char *end;
    long low, high;

    if (text[0] >= '1' && text[0] <= '5' && (text[1] == 'x' || text[1] == 'X') &&
        (text[2] == 'x' || text[2] == 'X') && text[3] == '\0') {
        ret_range->low = (text[0] - '0') * 100;
        ret_range->high = ret_range->low + 99;
        return true;
    }
    low = high = strtol(text, &end, 10);
    if (*end == '-' && isdigit((unsigned char)end[1])) {
        high = strtol(end + 1, &end, 10);
    }
    if (!isdigit((unsigned char)text[0]) || *end != '\0' || low < 100 || high > 999 || low > high) {
        return false;
    }
    ret_range->low = (int)low;
    ret_range->high = (int)high;
    return true;
}

/* NULL when it cannot be read; that has been logged. */
static pcre2_code *compile(struct tmon_call *call, const char *setting, const char *pattern)
{
    PCRE2_UCHAR why[128];
    PCRE2_SIZE at;
    int error;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                     PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_AUTO_CALLOUT |
                                         PCRE2_NEVER_BACKSLASH_C,
                                     &error, &at, NULL);

    if (code == NULL) {
        pcre2_get_error_message(error, why, sizeof why);
        tmon_log(call, TMON_ERROR,
                 "%s: the regular expression \"%s\" is wrong at character %zu: %s", setting,
                 pattern, (size_t)at + 1, (const char *)why);
    }
    return code;
}

static tmon_rc read_statuses(struct tmon_call *call, const struct tmon_config *config,
                             struct http_expectation *expectation)
{
    size_t count = tmon_config_count(call, config, "expect_status");

    if (count == 0 || count > HTTP_STATUSES) {
        tmon_log(call, TMON_ERROR, "expect_status: must name 1 to %d status codes", HTTP_STATUSES);
        return TMON_REJECTED;
    }
    for (size_t i = 0; i < count; i++) {
        const char *text = tmon_config_item(call, config, "expect_status", i);

        if (!read_range(text, &expectation->statuses[i])) {
            tmon_log(call, TMON_ERROR,
                     "expect_status: \"%s\" is no status; write 200, 2xx or 200-204", text);
            return TMON_REJECTED;
        }
    }
    expectation->nstatuses = count;
    return TMON_OK;
}

static tmon_rc read_headers(struct tmon_call *call, const struct tmon_config *config,
                            struct http_expectation *expectation)
{
    size_t count = tmon_config_count(call, config, "header");

    if (count > HTTP_HEADERS) {
        tmon_log(call, TMON_ERROR, "header: names more than %d headers", HTTP_HEADERS);
        return TMON_REJECTED;
    }
    for (size_t i = 0; i < count; i++) {
        struct tmon_pair pair = tmon_config_pair(call, config, "header", i);
        struct http_header *header = &expectation->headers[i];

        header->name = strdup(pair.key);
        header->pattern = compile(call, "header", pair.value);
        expectation->nheaders = i + 1; // finish() frees what is there
        if (header->name == NULL || header->pattern == NULL) {
            return header->name == NULL ? TMON_RETRY : TMON_REJECTED;
        }
        for (char *c = header->name; *c; c++) {
            *c = (char)tolower((unsigned char)*c);
        }
    }
    return TMON_OK;
}

tmon_rc http_expectation_init(struct tmon_call *call, const struct tmon_config *config,
                              struct http_expectation *expectation)
{
    const char *pattern = tmon_config_string(call, config, "body_pattern");
    tmon_rc rc;

    expectation->body_contains = tmon_config_string(call, config, "body_contains");
    expectation->warn_days = tmon_config_int(call, config, "tls_warn_days");
    expectation->fail_days = tmon_config_int(call, config, "tls_fail_days");
    expectation->slow_ms = tmon_config_int(call, config, "slow_warn");
    rc = read_statuses(call, config, expectation);
    if (rc == TMON_OK && *pattern) {
        expectation->body_pattern = compile(call, "body_pattern", pattern);
        rc = expectation->body_pattern == NULL ? TMON_REJECTED : TMON_OK;
    }
    return rc == TMON_OK ? read_headers(call, config, expectation) : rc;
}

void http_expectation_finish(struct http_expectation *expectation)
{
    pcre2_code_free(expectation->body_pattern);
    for (size_t i = 0; i < expectation->nheaders; i++) {
        free(expectation->headers[i].name);
        pcre2_code_free(expectation->headers[i].pattern);
    }
}

__attribute__((format(printf, 3, 4))) static void
find_fault(struct http_result *result, tmon_verdict verdict, const char *format, ...)
{
    size_t len = strlen(result->text);
    va_list args;

    if (verdict > result->verdict) {
        result->verdict = verdict;
    }
    if (len > 0) {
        len += (size_t)snprintf(result->text + len, sizeof result->text - len, "; ");
    }
    if (len < sizeof result->text) {
        va_start(args, format);
        (void)vsnprintf(result->text + len, sizeof result->text - len, format, args);
        va_end(args);
    }
}

static void judge_status(const struct http_expectation *expectation, struct http_result *result)
{
    for (size_t i = 0; i < expectation->nstatuses; i++) {
        if (result->status >= expectation->statuses[i].low &&
            result->status <= expectation->statuses[i].high) {
            return;
        }
    }
    find_fault(result, TMON_FAIL, "the status is %d", (int)result->status);
}

static void judge_body(struct tmon_call *call, const struct http_expectation *expectation,
                       const struct tmon_response *response, struct http_result *result)
{
    const char *cut = response->truncated ? " (only its beginning was looked at)" : "";
    const char *wanted = expectation->body_contains;

    if (*wanted &&
        memmem(response->body.data, response->body.len, wanted, strlen(wanted)) == NULL) {
        find_fault(result, TMON_FAIL, "the body does not contain \"%.100s\"%s", wanted, cut);
        result->pattern_failed = true;
    }
    if (expectation->body_pattern != NULL) {
        switch (
            http_match(call, expectation->body_pattern, response->body.data, response->body.len)) {
        case HTTP_MATCHES:
            return;
        case HTTP_DIFFERS:
            find_fault(result, TMON_FAIL, "the body does not match body_pattern%s", cut);
            break;
        case HTTP_UNDECIDED:
            find_fault(result, TMON_FAIL,
                       "body_pattern takes too long on this body; make it simpler");
        }
        result->pattern_failed = true;
    }
}

static void judge_header(struct tmon_call *call, const struct http_header *header,
                         const struct tmon_response *response, struct http_result *result)
{
    bool there = false;

    for (size_t i = 0; i < response->nheaders; i++) {
        const struct tmon_pair *pair = &response->headers[i];

        if (strcmp(pair->key, header->name) == 0) {
            there = true;
            if (http_match(call, header->pattern, pair->value, strlen(pair->value)) ==
                HTTP_MATCHES) {
                return;
            }
        }
    }
    find_fault(result, TMON_FAIL,
               there ? "the header %s does not match" : "the header %s is missing", header->name);
    result->pattern_failed = true;
}

static void judge_certificate(const struct http_expectation *expectation,
                              struct http_result *result)
{
    tmon_verdict verdict = TMON_PASS;

    if (expectation->fail_days > 0 && result->days < (double)expectation->fail_days) {
        verdict = TMON_FAIL;
    } else if (expectation->warn_days > 0 && result->days < (double)expectation->warn_days) {
        verdict = TMON_WARN;
    }
    if (verdict == TMON_PASS) {
        return;
    }
    if (result->days < 0) {
        find_fault(result, verdict, "the certificate ran out %.1f days ago", -result->days);
    } else {
        find_fault(result, verdict, "the certificate runs out in %.1f days", result->days);
    }
}

static double length_by_header(const struct tmon_response *response)
{
    for (size_t i = 0; i < response->nheaders; i++) {
        if (strcmp(response->headers[i].key, "content-length") == 0) {
            return strtod(response->headers[i].value, NULL);
        }
    }
    return -1;
}

void http_judge(struct tmon_call *call, const struct http_expectation *expectation,
                const struct tmon_response *response, struct http_result *result)
{
    struct timespec now;

    result->status = response->status;
    result->version = response->http_version;
    result->redirects = response->redirects;
    result->error_phase = response->error_phase;
    result->resolve_ms = (double)response->resolve_us / 1e3;
    result->connect_ms = (double)response->connect_us / 1e3;
    result->tls_ms = (double)response->tls_us / 1e3;
    result->first_byte_ms = (double)response->first_byte_us / 1e3;
    result->total_ms = (double)response->total_us / 1e3;
    result->tls = response->tls_us > 0 || response->certificate_expires_ms != 0;
    result->expires_ms = (double)response->certificate_expires_ms;
    if (response->certificate_expires_ms != 0) {
        clock_gettime(CLOCK_REALTIME, &now);
        result->days = (result->expires_ms - (double)now.tv_sec * 1e3) / DAY_MS;
    }
    if (response->status == 0) {
        find_fault(result, TMON_FAIL, "%s", response->error);
        return;
    }
    result->answered = true;
    result->content_length = length_by_header(response);
    result->body_bytes = (double)response->body.len;
    judge_status(expectation, result);
    judge_body(call, expectation, response, result);
    for (size_t i = 0; i < expectation->nheaders; i++) {
        judge_header(call, &expectation->headers[i], response, result);
    }
    if (response->certificate_expires_ms != 0) {
        judge_certificate(expectation, result);
    }
    if (expectation->slow_ms > 0 && result->total_ms > (double)expectation->slow_ms) {
        find_fault(result, TMON_WARN, "it took %.0f ms", result->total_ms);
    }
}
