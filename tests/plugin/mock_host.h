/*
 * mock_host.h: runs one component of a plugin in a test, without the agent.
 *
 * For authors of plugins: copy mock_host.{h,c} beside your test (they need plugin_api.h and libc,
 * nothing else), build your plugin, and write
 *
 *     struct mock_host *mock = mock_open("build/example.so", "example", "path: /tmp\nwarn_above:
 * 10\n");
 *
 *     assert(strcmp(mock_error(mock), "") == 0);      // the settings fit the declared options
 *     assert(mock_create(mock, 1000) == TMON_OK);     // create(), with a deadline of one second
 *     assert(mock_check(mock, 1000) == TMON_OK);      // check()
 *     assert(mock_verdict(mock) == TMON_PASS);        // the worst of its reports
 *     assert(mock_detail(mock, "entries") == 3);
 *     assert(strcmp(mock_problem(mock), "") == 0);    // nothing that the agent would refuse
 *     mock_close(mock);                               // destroy(), and all memory
 *
 * What the mock does as the agent does it: defaults, types, ranges and choices of settings;
 * deadlines as told by tmon_remaining_ms(); borrowed memory that ends with the callback (freed
 * then, so that a sanitizer sees who kept a pointer); hosts that tmon_http() may speak to; the
 * rules for names and labels. What it does not do: enforce the deadline, sandbox, speak to the
 * network.
 *
 * Threads: one mock belongs to one thread at a time.  Nothing here is for use in production: out of
 * memory ends the process.
 */
#ifndef MOCK_HOST_H
#define MOCK_HOST_H

#include "plugin_api.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mock_host;

struct mock_report {
    char *subject; /* NULL: the whole */
    tmon_verdict verdict;
    char *text; /* NULL: none */
};

struct mock_sample {
    char *series; /* name{a="b",c="d"}: keys sorted, labels without a value left out; no labels:
                     name */
    char *name;
    char *help; /* NULL: none */
    tmon_metric_kind kind;
    double value;
    uint64_t count;
    int64_t time_ms;
    double *bounds;
    double *points;
    size_t npoints;
};

struct mock_request {
    char *method;
    char *url;
    char *headers; /* "Key: value\n" for each, in order */
    char *body;    /* ends with a NUL that body_len does not count */
    size_t body_len;
};

struct mock_log {
    tmon_level level;
    char *text;
};

/* ---- Making one ---------------------------------------------------------------------------------
 */

/*
 * Loads a plugin's .so (for ever: as the agent, the mock never unloads one) and prepares an
 * instance of one of its components.  `settings` is text, one setting a line, as in the YAML:
 *
 *     path: /var/lib/app          # a comment
 *     interval_hint: 5m
 *     names: [a, "b, c"]
 *     headers: {X-One: 1, X-Two: 2}
 *     targets[0].url: http://127.0.0.1/   (a setting of a group; [0], [1] ... without gaps)
 *
 * Never returns NULL; whether all went well is what mock_error() says.
 */
struct mock_host *mock_open(const char *file, const char *component, const char *settings);
/* The same for a plugin that is linked into the test: mock_of(toiletmon_plugin(), ...). */
struct mock_host *mock_of(const struct tmon_plugin *plugin, const char *component,
                          const char *settings);
/* Calls destroy() where create() was called, and frees all.  Takes NULL. */
void mock_close(struct mock_host *mock);

/* Why the file, the component or the settings were refused; "" when they were not. */
const char *mock_error(const struct mock_host *mock);
/* The first thing since mock_open() that the agent would have refused or complained about; "" for
 * none. */
const char *mock_problem(const struct mock_host *mock);

/* ---- Calling ------------------------------------------------------------------------------------
 */

/* Each begins with empty records (reports, details, samples, logs, requests), has `ms` milliseconds
 * until its deadline, and returns what the callback returned; TMON_UNSUPPORTED when there is no
 * such callback (except create, which is allowed to be missing). */
tmon_rc mock_create(struct mock_host *mock, int64_t ms);
tmon_rc mock_check(struct mock_host *mock, int64_t ms);
tmon_rc mock_collect(struct mock_host *mock, int64_t ms);
/* format() and judge() of a sink; the request is valid until the next call. */
tmon_rc mock_format(struct mock_host *mock, const struct tmon_notification *notification,
                    const struct tmon_request **ret_request);
tmon_rc mock_judge(struct mock_host *mock, const struct tmon_response *response);
tmon_rc mock_deliver(struct mock_host *mock, const struct tmon_notification *notification,
                     int64_t ms);

/* true: samples are counted but neither kept nor looked at, to measure the collector and not the
 * mock. */
void mock_only_count(struct mock_host *mock, bool only_count);

/* ---- HTTP answers -------------------------------------------------------------------------------
 */

/* Queues what the next unanswered tmon_http() gets, and returns TMON_OK with (TMON_RETRY when
 * `status` is 0). Copies all.  Without a queued answer a request fails as if the connection was
 * refused. */
void mock_answer(struct mock_host *mock, const struct tmon_response *response);
void mock_answer_simple(struct mock_host *mock, int32_t status, const char *body);

/* ---- What it said -------------------------------------------------------------------------------
 */

/* The worst of the reports of the last check; TMON_FAIL when it did not return TMON_OK. */
tmon_verdict mock_verdict(const struct mock_host *mock);
/* The report on a subject (NULL: on the whole); NULL when there is none. */
const struct mock_report *mock_report_on(const struct mock_host *mock, const char *subject);
/* A number behind the verdict; NAN when it was not given. */
double mock_detail(const struct mock_host *mock, const char *key);
/* A text, or the items of a list joined by ","; NULL when it was not given. */
const char *mock_detail_text(const struct mock_host *mock, const char *key);
/* The value of a series, written as mock_sample.series; NAN when it was not emitted. */
double mock_value(const struct mock_host *mock, const char *series);
/* The sample itself; NULL when it was not emitted. */
const struct mock_sample *mock_find(const struct mock_host *mock, const char *series);
/* Whether one of the last call's logs or reports contains the text: "are secrets kept out?" */
bool mock_said(const struct mock_host *mock, const char *text);

/* The records one by one; NULL behind the last.  Valid until the next call. */
const struct mock_report *mock_report_at(const struct mock_host *mock, size_t i);
const struct mock_sample *mock_sample_at(const struct mock_host *mock, size_t i);
const struct mock_request *mock_request_at(const struct mock_host *mock, size_t i);
const struct mock_log *mock_log_at(const struct mock_host *mock, size_t i);
/* How many samples the last collection emitted, kept or only counted. */
size_t mock_sample_count(const struct mock_host *mock);
/* What tmon_retry_after() said last; -1: nothing. */
int64_t mock_retry_after(const struct mock_host *mock);

/* Everything as text, for a look while writing a plugin: metrics in Prometheus' text format, the
 * rest as comments. */
void mock_print(const struct mock_host *mock, FILE *file);

#ifdef __cplusplus
}
#endif
#endif
