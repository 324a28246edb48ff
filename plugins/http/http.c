/*
 * http.c: the component `http`: is a web page there, is it the right one, how long does it take.
 *
 * Runs in a worker; the request itself is made by the agent's HTTP worker.  Each request asks for a
 * connection of its own, because name resolution, connect and TLS are part of what is watched.
 * Check and collect share requests: what one has fetched serves the other once, so a target sees
 * one request an interval.
 */
#include "http.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#define SHARED_MS 2000 /* a check may use what a collection fetched at most this long ago */

static const struct tmon_option options[] = {
    {"url", TMON_URL, TMON_REQUIRED, NULL, 0, 0, NULL, "What to fetch.", NULL},
    {"method", TMON_STRING, 0, "GET", 0, 0, NULL, "The request's method.", NULL},
    {"request_headers", TMON_MAP, TMON_SECRET, NULL, 0, 0, NULL,
     "Headers to send, such as Authorization.", NULL},
    {"request_body", TMON_STRING, TMON_SECRET, NULL, 0, 0, NULL, "A body to send.", NULL},
    {"expect_status", TMON_LIST, 0, "2xx", 0, 0, NULL,
     "Status codes that are well: 200, 2xx, 200-204.", NULL},
    {"body_contains", TMON_STRING, 0, NULL, 0, 0, NULL, "Text that must be in the answer's body.",
     NULL},
    {"body_pattern", TMON_STRING, 0, NULL, 0, 0, NULL,
     "Regular expression (PCRE2) that must match in the answer's body.", NULL},
    {"header", TMON_MAP, 0, NULL, 0, 0, NULL,
     "Headers that the answer must have, each with a regular expression for its value.", NULL},
    {"max_redirects", TMON_INT, 0, "3", 0, 10, NULL,
     "How many redirects to follow, on the same host only; 0: a redirect is the answer.", NULL},
    {"insecure", TMON_BOOL, 0, "false", 0, 0, NULL, "Do not verify the certificate.", NULL},
    {"tls_warn_days", TMON_INT, 0, "14", 0, 3650, NULL,
     "Warn when a certificate of the chain runs out within this many days; 0: never.", NULL},
    {"tls_fail_days", TMON_INT, 0, "0", 0, 3650, NULL,
     "Fail when a certificate of the chain runs out within this many days; 0: never.", NULL},
    {"slow_warn", TMON_DURATION, 0, NULL, 0, 0, NULL, "Warn when it takes longer than this.", NULL},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

struct http {
    const struct tmon_config *config;
    struct http_expectation expectation;
    struct tmon_pair *headers; /* to send */
    size_t nheaders;
    struct http_result result;
    double fetched_ms;       /* when, on a clock that does not jump */
    bool checked, collected; /* the result has served this ability, or there is none */
};

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct http *http = self;
    size_t count = tmon_config_count(call, config, "request_headers");

    http->config = config;
    http->checked = http->collected = true;
    http->headers = calloc(count + 1, sizeof *http->headers);
    if (http->headers == NULL) {
        return TMON_RETRY;
    }
    http->headers[0].key = "Connection";
    http->headers[0].value = "close";
    http->nheaders = 1;
    for (size_t i = 0; i < count; i++) {
        http->headers[http->nheaders++] = tmon_config_pair(call, config, "request_headers", i);
    }
    return http_expectation_init(call, config, &http->expectation);
}

static void destroy(struct tmon_call *call, void *self)
{
    struct http *http = self;

    http_expectation_finish(&http->expectation);
    free(http->headers);
}

static void fetch(struct tmon_call *call, struct http *http)
{
    const char *body = tmon_config_string(call, http->config, "request_body");
    const struct tmon_request request = {
        .size = (uint32_t)sizeof request,
        .method = tmon_config_string(call, http->config, "method"),
        .url = tmon_config_string(call, http->config, "url"),
        .headers = http->headers,
        .nheaders = http->nheaders,
        .body = {body, strlen(body)},
        .max_redirects = (int32_t)tmon_config_int(call, http->config, "max_redirects"),
        .insecure = tmon_config_bool(call, http->config, "insecure"),
    };
    const struct tmon_response *response = NULL;
    tmon_rc rc = tmon_http(call, &request, &response);

    memset(&http->result, 0, sizeof http->result);
    if (response == NULL) { // an agent without HTTP
        http->result.verdict = TMON_FAIL;
        (void)snprintf(http->result.text, sizeof http->result.text,
                       "the agent did not take the request (result %d)", (int)rc);
    } else {
        http_judge(call, &http->expectation, response, &http->result);
    }
    http->fetched_ms = now_ms();
    http->checked = http->collected = false;
}

static tmon_rc check(struct tmon_call *call, void *self)
{
    struct http *http = self;

    if (http->checked || now_ms() - http->fetched_ms > SHARED_MS) {
        fetch(call, http);
    }
    http->checked = true;
    http_details(call, &http->result);
    tmon_report(call, NULL, http->result.verdict, http->result.text[0] ? http->result.text : NULL);
    return TMON_OK;
}

static tmon_rc collect(struct tmon_call *call, void *self)
{
    struct http *http = self;

    if (http->collected) {
        fetch(call, http);
    }
    http->collected = true;
    http_metrics(call, &http->result);
    return TMON_OK;
}

static const struct tmon_component component = {
    .size = (uint32_t)sizeof component,
    .name = "http",
    .summary =
        "Whether a web page answers, with what, how fast, and until when its certificate holds",
    .flags = TMON_CREATE_CHECKS,
    .options = options,
    .state_size = sizeof(struct http),
    .create = create,
    .destroy = destroy,
    .check = check,
    .collect = collect,
};

static const struct tmon_component *const components[] = {&component, NULL};

TMON_PLUGIN("http", "0.1.0", "Apache-2.0", components)
