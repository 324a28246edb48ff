/*
 * http.h: what the parts of the component `http` share.
 */
#ifndef HTTP_H
#define HTTP_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <plugin_api.h>

#define HTTP_STATUSES 32
#define HTTP_HEADERS 32

/* Inclusive. */
struct http_range {
    int low, high;
};

/* A header of the answer that has to match. */
struct http_header {
    char *name; /* lower case, owned */
    pcre2_code *pattern;
};

/* What the operator expects. */
struct http_expectation {
    struct http_range statuses[HTTP_STATUSES];
    size_t nstatuses;
    const char *body_contains; /* "": anything */
    pcre2_code *body_pattern;  /* NULL: anything */
    struct http_header headers[HTTP_HEADERS];
    size_t nheaders;
    int64_t warn_days, fail_days; /* of the certificate; 0: not asked */
    int64_t slow_ms;              /* 0: not asked */
};

/* What one request showed; plain numbers, since the response itself does not outlive its call. */
struct http_result {
    bool answered;
    tmon_verdict verdict;
    bool pattern_failed;
    int32_t status, version, redirects, error_phase;
    double resolve_ms, connect_ms, tls_ms, first_byte_ms, total_ms;
    bool tls;
    double expires_ms;     /* Unix time; 0: not known */
    double days;           /* until then */
    double content_length; /* as the header says; -1: it does not */
    double body_bytes;
    char text[1024]; /* what is wrong; "": nothing */
};

/* Logs what is wrong with a setting and returns TMON_REJECTED; else TMON_OK. */
tmon_rc http_expectation_init(struct tmon_call *call, const struct tmon_config *config,
                              struct http_expectation *expectation);
void http_expectation_finish(struct http_expectation *expectation);
/* Judges a response, for which tmon_http() returned `rc`. */
void http_judge(struct tmon_call *call, const struct http_expectation *expectation,
                const struct tmon_response *response, struct http_result *ret_result);

void http_details(struct tmon_call *call, const struct http_result *result);
void http_metrics(struct tmon_call *call, const struct http_result *result);

enum http_match { HTTP_MATCHES, HTTP_DIFFERS, HTTP_UNDECIDED };
/* UNDECIDED: the pattern needs more time or memory than it may have. */
enum http_match http_match(struct tmon_call *call, const pcre2_code *pattern, const char *text,
                           size_t len);

#endif
