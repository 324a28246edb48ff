/*
 * mock_host.c: a struct tmon_host that writes everything down.
 *
 * Owns the mocked instance, its records and its queued answers.  Runs in the test, on the test's
 * thread. What a callback borrows (a JSON text, a response) is freed as soon as the callback has
 * returned, because the agent promises no more and a sanitizer should see a plugin that expects
 * more.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "mock_host.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "mock_settings.h"

/* A growing array; the element types below start with the strings they own. */
struct list {
    void *items;
    size_t count;
};

struct detail {
    char *key;
    char *text; /* a text, or items joined by commas; NULL: a number */
    double number;
};

struct answer {
    struct tmon_response response; /* pointers are owned by the members below */
    char *body;
    char *error;
    struct tmon_pair *headers;
};

struct mock_host {
    struct tmon_call call; /* first: services get a pointer to it and find the mock by a cast */
    struct tmon_host host;
    const struct tmon_component *component;
    struct tmon_config *config;
    void *self;
    bool created;
    bool only_count;
    char error[512];
    char problem[512];
    int64_t deadline_ms;
    int64_t retry_after_ms;
    tmon_rc last;
    size_t nsamples;
    struct list reports, details, samples, requests, logs;
    struct list answers;         /* queued */
    struct list borrowed;        /* char *: freed when the callback returns */
    struct list lent;            /* struct answer: the same */
    struct tmon_request request; /* of format() */
};

static struct mock_host *mock_from(struct tmon_call *call)
{
    return (struct mock_host *)(void *)call;
}

static void *must(void *memory)
{
    if (memory == NULL) {
        abort();
    }
    return memory;
}

static char *copy(const char *text)
{
    return text == NULL ? NULL : (char *)must(strdup(text));
}

/* A new zeroed element at the end. */
static void *push(struct list *list, size_t size)
{
    char *at;

    list->items = must(realloc(list->items, (list->count + 1) * size));
    at = (char *)list->items + list->count * size;
    memset(at, 0, size);
    list->count++;
    return at;
}

static void clear(struct list *list)
{
    free(list->items);
    list->items = NULL;
    list->count = 0;
}

__attribute__((format(printf, 2, 3))) static void complain(struct mock_host *mock,
                                                           const char *format, ...)
{
    va_list args;

    if (mock->problem[0] == '\0') {
        va_start(args, format);
        (void)vsnprintf(mock->problem, sizeof mock->problem, format, args);
        va_end(args);
    }
}

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- Any call, check ----------------------------------------------------------------------------
 */

static const char *on_instance(struct tmon_call *call)
{
    return "mock";
}

static int64_t on_remaining_ms(struct tmon_call *call)
{
    const int64_t left = mock_from(call)->deadline_ms - now_ms();

    return left > 0 ? left : 0;
}

static void on_log(struct tmon_call *call, tmon_level level, const char *text)
{
    struct mock_log *log = (struct mock_log *)push(&mock_from(call)->logs, sizeof *log);

    log->level = level;
    log->text = copy(text);
}

static void on_report(struct tmon_call *call, const char *subject, tmon_verdict verdict,
                      const char *text)
{
    struct mock_host *mock = mock_from(call);
    struct mock_report *report = (struct mock_report *)push(&mock->reports, sizeof *report);

    report->subject = copy(subject);
    report->verdict = verdict;
    report->text = copy(text);
    if (verdict < TMON_PASS || verdict > TMON_FAIL) {
        complain(mock, "report: %d is no verdict", (int)verdict);
    } else if (verdict != TMON_PASS && (text == NULL || *text == '\0')) {
        complain(mock, "report: a verdict that is not pass says nothing to people");
    }
}

static struct detail *detail_for(struct mock_host *mock, const char *key)
{
    struct detail *details = (struct detail *)mock->details.items;
    struct detail *detail;
    size_t i;

    for (i = 0; i < mock->details.count; i++) {
        if (strcmp(details[i].key, key) == 0) {
            return &details[i];
        }
    }
    detail = (struct detail *)push(&mock->details, sizeof *detail);
    detail->key = copy(key);
    detail->number = NAN;
    return detail;
}

static void on_detail_number(struct tmon_call *call, const char *key, double value)
{
    struct detail *detail = detail_for(mock_from(call), key);

    free(detail->text);
    detail->text = NULL;
    detail->number = value;
    if (!isfinite(value)) {
        complain(mock_from(call), "detail %s: %g cannot be written as JSON", key, value);
    }
}

static void on_detail_text(struct tmon_call *call, const char *key, const char *text)
{
    struct detail *detail = detail_for(mock_from(call), key);

    free(detail->text);
    detail->text = copy(text);
}

static void on_detail_item(struct tmon_call *call, const char *key, const char *text)
{
    struct detail *detail = detail_for(mock_from(call), key);
    char *joined = NULL;

    if (asprintf(&joined, "%s%s%s", detail->text == NULL ? "" : detail->text,
                 detail->text == NULL ? "" : ",", text) < 0) {
        abort();
    }
    free(detail->text);
    detail->text = joined;
}

/* ---- Collect ------------------------------------------------------------------------------------
 */

static bool good_name(const char *name, bool colons)
{
    const char *at;

    for (at = name; *at != '\0'; at++) {
        const bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || *at == '_';

        if (!letter && !(colons && *at == ':') && !(at > name && *at >= '0' && *at <= '9')) {
            return false;
        }
    }
    return at > name;
}

/* The series as text: what tells it from others. */
static char *render(struct mock_host *mock, const struct tmon_metric *metric)
{
    const struct tmon_pair *sorted[64];
    size_t n = 0, i, k, size = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL) {
        abort();
    }
    for (i = 0; i < metric->nlabels && n < 64; i++) {
        const struct tmon_pair *label = &metric->labels[i];

        if (!good_name(label->key, false) || strncmp(label->key, "__", 2) == 0) {
            complain(mock, "sample %s: bad label name \"%s\"", metric->name, label->key);
        }
        if (label->value == NULL || *label->value == '\0') {
            continue;
        }
        for (k = n; k > 0 && strcmp(sorted[k - 1]->key, label->key) > 0; k--) {
            sorted[k] = sorted[k - 1];
        }
        if (k > 0 && strcmp(sorted[k - 1]->key, label->key) == 0) {
            complain(mock, "sample %s: label \"%s\" is there twice", metric->name, label->key);
        }
        sorted[k] = label;
        n++;
    }
    if (metric->nlabels > 32) {
        complain(mock, "sample %s: %zu labels, 32 are allowed", metric->name, metric->nlabels);
    }
    (void)fputs(metric->name, out);
    for (i = 0; i < n; i++) {
        const char *at;

        (void)fprintf(out, "%s%s=\"", i == 0 ? "{" : ",", sorted[i]->key);
        for (at = sorted[i]->value; *at != '\0'; at++) {
            (void)(*at == '\n'                 ? fputs("\\n", out)
                   : *at == '"' || *at == '\\' ? fprintf(out, "\\%c", *at)
                                               : fputc(*at, out));
        }
        (void)fputc('"', out);
    }
    (void)fputs(n > 0 ? "}" : "", out);
    if (fclose(out) != 0) {
        abort();
    }
    return text;
}

static double *copy_numbers(const double *numbers, size_t count)
{
    double *out = (double *)must(calloc(count + 1, sizeof *out));

    if (count > 0) {
        memcpy(out, numbers, count * sizeof *out);
    }
    return out;
}

static void on_emit(struct tmon_call *call, const struct tmon_metric *metric)
{
    struct mock_host *mock = mock_from(call);
    const struct mock_sample *before = (const struct mock_sample *)mock->samples.items;
    const size_t nbefore = mock->samples.count;
    struct mock_sample *sample;
    char *series;
    size_t i;

    mock->nsamples++;
    if (mock->only_count) {
        return;
    }
    if (metric->size != sizeof *metric) {
        complain(mock, "sample: size is not set");
    }
    if (metric->name == NULL || !good_name(metric->name, true)) {
        complain(mock, "sample: bad name \"%s\"", metric->name == NULL ? "(NULL)" : metric->name);
        return;
    }
    if (metric->kind < TMON_UNTYPED || metric->kind > TMON_SUMMARY) {
        complain(mock, "sample %s: %d is no kind", metric->name, (int)metric->kind);
    }
    for (i = 0; i + 1 < metric->npoints; i++) {
        if (!(metric->bounds[i] < metric->bounds[i + 1])) {
            complain(mock, "sample %s: bounds do not ascend", metric->name);
        }
    }
    series = render(mock, metric);
    for (i = 0; i < nbefore; i++) {
        if (strcmp(before[i].series, series) == 0) {
            complain(mock, "sample %s: emitted twice in one call", series);
        } else if (strcmp(before[i].name, metric->name) == 0 && before[i].kind != metric->kind) {
            complain(mock, "sample %s: not of the kind that its family began with", series);
        }
    }
    sample = (struct mock_sample *)push(&mock->samples, sizeof *sample);
    sample->series = series;
    sample->name = copy(metric->name);
    sample->help = copy(metric->help);
    sample->kind = metric->kind;
    sample->value = metric->value;
    sample->count = metric->count;
    sample->time_ms = metric->time_ms;
    sample->npoints = metric->npoints;
    sample->bounds = copy_numbers(metric->bounds, metric->npoints);
    sample->points = copy_numbers(metric->points, metric->npoints);
}

/* ---- HTTP ---------------------------------------------------------------------------------------
 */

static void answer_free(struct answer *answer)
{
    size_t i;

    for (i = 0; i < answer->response.nheaders; i++) {
        free((char *)(uintptr_t)answer->headers[i].key);
        free((char *)(uintptr_t)answer->headers[i].value);
    }
    free(answer->headers);
    free(answer->body);
    free(answer->error);
}

static void answer_fill(struct answer *answer, const struct tmon_response *from)
{
    size_t i;

    answer->response = *from;
    answer->body = (char *)must(calloc(from->body.len + 1, 1));
    if (from->body.len > 0) {
        memcpy(answer->body, from->body.data, from->body.len);
    }
    answer->response.body.data = answer->body;
    answer->error = copy(from->error == NULL ? "" : from->error);
    answer->response.error = answer->error;
    answer->headers = (struct tmon_pair *)must(calloc(from->nheaders + 1, sizeof *answer->headers));
    for (i = 0; i < from->nheaders; i++) {
        answer->headers[i].key = copy(from->headers[i].key);
        answer->headers[i].value = copy(from->headers[i].value);
    }
    answer->response.headers = answer->headers;
}

static tmon_rc on_http(struct tmon_call *call, const struct tmon_request *request,
                       const struct tmon_response **ret_response)
{
    struct mock_host *mock = mock_from(call);
    struct mock_request *record = (struct mock_request *)push(&mock->requests, sizeof *record);
    struct answer **lent = (struct answer **)push(&mock->lent, sizeof *lent);
    struct answer *answer = (struct answer *)must(calloc(1, sizeof *answer));
    const bool allowed = request->url != NULL && mock_settings_allow(mock->config, request->url);
    size_t i, size = 0;
    FILE *headers = open_memstream(&record->headers, &size);

    if (headers == NULL) {
        abort();
    }
    for (i = 0; i < request->nheaders; i++) {
        (void)fprintf(headers, "%s: %s\n", request->headers[i].key, request->headers[i].value);
    }
    if (fclose(headers) != 0) {
        abort();
    }
    record->method = copy(request->method == NULL ? "GET" : request->method);
    record->url = copy(request->url == NULL ? "" : request->url);
    record->body_len = request->body.len;
    record->body = (char *)must(calloc(request->body.len + 1, 1));
    if (request->body.len > 0) {
        memcpy(record->body, request->body.data, request->body.len);
    }
    if (allowed && mock->answers.count > 0) {
        struct answer *queue = (struct answer *)mock->answers.items;

        *answer = queue[0];
        mock->answers.count--;
        memmove(queue, queue + 1, mock->answers.count * sizeof *queue);
    } else {
        struct tmon_response none;

        memset(&none, 0, sizeof none);
        none.size = (uint32_t)sizeof none;
        none.retry_after_ms = -1;
        none.error = allowed ? "connection refused (the mock has no answer)"
                             : "the host is in none of the instance's URL settings";
        none.error_phase = allowed ? TMON_PHASE_CONNECT : TMON_PHASE_REFUSED;
        answer_fill(answer, &none);
    }
    *lent = answer;
    *ret_response = &answer->response;
    return !allowed ? TMON_REJECTED : answer->response.status == 0 ? TMON_RETRY : TMON_OK;
}

static const char *on_json(struct tmon_call *call, const struct tmon_pair *pairs, size_t npairs)
{
    char **slot = (char **)push(&mock_from(call)->borrowed, sizeof *slot);
    size_t i, size = 0;
    FILE *out = open_memstream(slot, &size);

    if (out == NULL) {
        abort();
    }
    (void)fputc('{', out);
    for (i = 0; i < npairs * 2; i++) {
        const char *at = i % 2 == 0 ? pairs[i / 2].key : pairs[i / 2].value;

        (void)fputs(i % 2 == 1 ? ":\"" : i > 0 ? ",\"" : "\"", out);
        for (; *at != '\0'; at++) {
            if ((unsigned char)*at < 0x20) {
                (void)fprintf(out, "\\u%04x", (unsigned)*at);
            } else {
                (void)(*at == '"' || *at == '\\' ? fprintf(out, "\\%c", *at) : fputc(*at, out));
            }
        }
        (void)fputc('"', out);
    }
    (void)fputc('}', out);
    if (fclose(out) != 0) {
        abort();
    }
    return *slot;
}

static void on_retry_after(struct tmon_call *call, int64_t ms)
{
    mock_from(call)->retry_after_ms = ms;
}

/* ---- Services that agents of a later part offer -------------------------------------------------
 */

static int64_t on_read(struct tmon_call *call, void *buffer, size_t size)
{
    return -1;
}

static tmon_rc on_write(struct tmon_call *call, struct tmon_bytes bytes)
{
    return TMON_UNSUPPORTED;
}

static void on_progress(struct tmon_call *call, uint64_t done, uint64_t total)
{
}

static tmon_rc on_event(struct tmon_call *call, const char *id, struct tmon_bytes payload,
                        const char *cursor)
{
    return TMON_UNSUPPORTED;
}

static tmon_rc on_message(struct tmon_call *call, const char *mail_template, const char *key,
                          const struct tmon_pair *values, size_t nvalues)
{
    return TMON_UNSUPPORTED;
}

static tmon_rc on_cache_get(struct tmon_call *call, const char *key, struct tmon_bytes *ret_value)
{
    return TMON_UNSUPPORTED;
}

static tmon_rc on_cache_put(struct tmon_call *call, const char *key, struct tmon_bytes value,
                            int64_t ttl_ms)
{
    return TMON_UNSUPPORTED;
}

static void on_value(struct tmon_call *call, bool found, struct tmon_bytes value)
{
}

static const struct tmon_host services = {
    .size = (uint32_t)sizeof(struct tmon_host),
    .api_major = TMON_API_MAJOR,
    .api_minor = TMON_API_MINOR,
    .instance = on_instance,
    .remaining_ms = on_remaining_ms,
    .log = on_log,
    .report = on_report,
    .detail_number = on_detail_number,
    .detail_text = on_detail_text,
    .detail_item = on_detail_item,
    .emit = on_emit,
    .http = on_http,
    .json = on_json,
    .retry_after = on_retry_after,
    .read = on_read,
    .write = on_write,
    .progress = on_progress,
    .event = on_event,
    .message = on_message,
    .cache_get = on_cache_get,
    .cache_put = on_cache_put,
    .value = on_value,
    .config_has = mock_config_has,
    .config_string = mock_config_string,
    .config_int = mock_config_int,
    .config_float = mock_config_float,
    .config_count = mock_config_count,
    .config_item = mock_config_item,
    .config_pair = mock_config_pair,
    .config_group = mock_config_group,
};

/* ---- Making one ---------------------------------------------------------------------------------
 */

struct mock_host *mock_of(const struct tmon_plugin *plugin, const char *component,
                          const char *settings)
{
    struct mock_host *mock = (struct mock_host *)must(calloc(1, sizeof *mock));
    size_t i;

    mock->host = services;
    mock->call.host = &mock->host;
    mock->retry_after_ms = -1;
    if (plugin == NULL) {
        (void)snprintf(mock->error, sizeof mock->error, "there is no plugin");
        return mock;
    }
    if (plugin->api_major != TMON_API_MAJOR || plugin->api_minor > TMON_API_MINOR) {
        (void)snprintf(mock->error, sizeof mock->error,
                       "built for version %d.%d of the contract, this is %d.%d", plugin->api_major,
                       plugin->api_minor, TMON_API_MAJOR, TMON_API_MINOR);
        return mock;
    }
    for (i = 0; plugin->components[i] != NULL; i++) {
        if (strcmp(plugin->components[i]->name, component) == 0) {
            mock->component = plugin->components[i];
        }
    }
    if (mock->component == NULL) {
        (void)snprintf(mock->error, sizeof mock->error, "%s declares no component \"%s\"",
                       plugin->name, component);
        return mock;
    }
    mock->config =
        mock_settings_create(mock->component->options, settings, mock->error, sizeof mock->error);
    if (mock->component->state_size > 0) {
        mock->self = must(calloc(1, mock->component->state_size));
    }
    return mock;
}

struct mock_host *mock_open(const char *file, const char *component, const char *settings)
{
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    const char *why = handle == NULL ? dlerror() : NULL;
    const struct tmon_plugin *(*entry)(void) = NULL;
    void *symbol = handle == NULL ? NULL : dlsym(handle, "toiletmon_plugin");
    struct mock_host *mock;

    if (symbol != NULL) {
        memcpy(&entry, &symbol, sizeof entry); // ISO C has no cast from an object to a function
    }
    mock = mock_of(entry == NULL ? NULL : entry(), component, settings);
    if (entry == NULL) {
        (void)snprintf(mock->error, sizeof mock->error, "%s",
                       why != NULL ? why : "the file exports no toiletmon_plugin()");
    }
    return mock;
}

static void forget(struct mock_host *mock)
{
    struct mock_report *reports = (struct mock_report *)mock->reports.items;
    struct detail *details = (struct detail *)mock->details.items;
    struct mock_sample *samples = (struct mock_sample *)mock->samples.items;
    struct mock_request *requests = (struct mock_request *)mock->requests.items;
    struct mock_log *logs = (struct mock_log *)mock->logs.items;
    size_t i;

    for (i = 0; i < mock->reports.count; i++) {
        free(reports[i].subject);
        free(reports[i].text);
    }
    for (i = 0; i < mock->details.count; i++) {
        free(details[i].key);
        free(details[i].text);
    }
    for (i = 0; i < mock->samples.count; i++) {
        free(samples[i].series);
        free(samples[i].name);
        free(samples[i].help);
        free(samples[i].bounds);
        free(samples[i].points);
    }
    for (i = 0; i < mock->requests.count; i++) {
        free(requests[i].method);
        free(requests[i].url);
        free(requests[i].headers);
        free(requests[i].body);
    }
    for (i = 0; i < mock->logs.count; i++) {
        free(logs[i].text);
    }
    clear(&mock->reports);
    clear(&mock->details);
    clear(&mock->samples);
    clear(&mock->requests);
    clear(&mock->logs);
    mock->nsamples = 0;
}

static void take_back(struct mock_host *mock)
{
    size_t i;

    for (i = 0; i < mock->borrowed.count; i++) {
        free(((char **)mock->borrowed.items)[i]);
    }
    for (i = 0; i < mock->lent.count; i++) {
        struct answer *answer = ((struct answer **)mock->lent.items)[i];

        answer_free(answer);
        free(answer);
    }
    clear(&mock->borrowed);
    clear(&mock->lent);
}

void mock_close(struct mock_host *mock)
{
    size_t i;

    if (mock == NULL) {
        return;
    }
    if (mock->created && mock->component->destroy != NULL) {
        mock->deadline_ms = now_ms() + 1000;
        mock->component->destroy(&mock->call, mock->self);
    }
    take_back(mock);
    forget(mock);
    for (i = 0; i < mock->answers.count; i++) {
        answer_free(&((struct answer *)mock->answers.items)[i]);
    }
    clear(&mock->answers);
    mock_settings_destroy(mock->config);
    free(mock->self);
    free(mock);
}

const char *mock_error(const struct mock_host *mock)
{
    return mock->error;
}

const char *mock_problem(const struct mock_host *mock)
{
    return mock->problem;
}

/* ---- Calling ------------------------------------------------------------------------------------
 */

static void begin(struct mock_host *mock, int64_t ms)
{
    take_back(mock);
    forget(mock);
    mock->retry_after_ms = -1;
    mock->deadline_ms = now_ms() + ms;
}

/* Keeps what the callback said: the agent wants an explanation for what is not TMON_OK. */
static tmon_rc end(struct mock_host *mock, const char *what, tmon_rc rc)
{
    take_back(mock);
    mock->last = rc;
    if (rc < TMON_OK || rc > TMON_UNSUPPORTED) {
        complain(mock, "%s() returned %d, which is no tmon_rc", what, (int)rc);
    } else if (rc != TMON_OK && rc != TMON_UNSUPPORTED && mock->reports.count == 0 &&
               mock->logs.count == 0) {
        complain(mock, "%s() failed and said nothing", what);
    }
    return rc;
}

static bool ready(struct mock_host *mock, const char *what)
{
    if (mock->error[0] != '\0' || !mock->created) {
        complain(mock, "%s() before a create() that went well: %s", what, mock->error);
        return false;
    }
    return true;
}

tmon_rc mock_create(struct mock_host *mock, int64_t ms)
{
    if (mock->error[0] != '\0') {
        return TMON_REJECTED;
    }
    begin(mock, ms);
    mock->created = true;
    if (mock->component->create == NULL) {
        return TMON_OK;
    }
    return end(mock, "create", mock->component->create(&mock->call, mock->self, mock->config));
}

tmon_rc mock_check(struct mock_host *mock, int64_t ms)
{
    if (!ready(mock, "check")) {
        return TMON_REJECTED;
    }
    begin(mock, ms);
    if (mock->component->check == NULL) {
        return TMON_UNSUPPORTED;
    }
    return end(mock, "check", mock->component->check(&mock->call, mock->self));
}

tmon_rc mock_collect(struct mock_host *mock, int64_t ms)
{
    if (!ready(mock, "collect")) {
        return TMON_REJECTED;
    }
    begin(mock, ms);
    if (mock->component->collect == NULL) {
        return TMON_UNSUPPORTED;
    }
    return end(mock, "collect", mock->component->collect(&mock->call, mock->self));
}

tmon_rc mock_format(struct mock_host *mock, const struct tmon_notification *notification,
                    const struct tmon_request **ret_request)
{
    tmon_rc rc;

    if (!ready(mock, "format")) {
        return TMON_REJECTED;
    }
    begin(mock, 1000);
    if (mock->component->format == NULL) {
        return TMON_UNSUPPORTED;
    }
    memset(&mock->request, 0, sizeof mock->request);
    mock->request.size = (uint32_t)sizeof mock->request;
    rc = mock->component->format(&mock->call, mock->self, notification, &mock->request);
    if (rc == TMON_OK &&
        (mock->request.url == NULL || !mock_settings_allow(mock->config, mock->request.url))) {
        complain(mock, "format(): the URL's host is in none of the instance's URL settings");
    }
    *ret_request = &mock->request; // its texts may be borrowed from us: kept until the next call
    mock->last = rc;
    return rc;
}

tmon_rc mock_judge(struct mock_host *mock, const struct tmon_response *response)
{
    if (!ready(mock, "judge")) {
        return TMON_REJECTED;
    }
    begin(mock, 1000);
    if (mock->component->judge == NULL) {
        return TMON_UNSUPPORTED;
    }
    mock->last = mock->component->judge(&mock->call, mock->self, response);
    return mock->last;
}

tmon_rc mock_deliver(struct mock_host *mock, const struct tmon_notification *notification,
                     int64_t ms)
{
    if (!ready(mock, "deliver")) {
        return TMON_REJECTED;
    }
    begin(mock, ms);
    if (mock->component->deliver == NULL) {
        return TMON_UNSUPPORTED;
    }
    return end(mock, "deliver", mock->component->deliver(&mock->call, mock->self, notification));
}

void mock_only_count(struct mock_host *mock, bool only_count)
{
    mock->only_count = only_count;
}

void mock_answer(struct mock_host *mock, const struct tmon_response *response)
{
    answer_fill((struct answer *)push(&mock->answers, sizeof(struct answer)), response);
}

void mock_answer_simple(struct mock_host *mock, int32_t status, const char *body)
{
    struct tmon_response response;

    memset(&response, 0, sizeof response);
    response.size = (uint32_t)sizeof response;
    response.status = status;
    response.retry_after_ms = -1;
    response.body.data = body;
    response.body.len = body == NULL ? 0 : strlen(body);
    response.http_version = 11;
    mock_answer(mock, &response);
}

/* ---- What it said -------------------------------------------------------------------------------
 */

const struct mock_report *mock_report_at(const struct mock_host *mock, size_t i)
{
    return i < mock->reports.count ? (const struct mock_report *)mock->reports.items + i : NULL;
}

const struct mock_sample *mock_sample_at(const struct mock_host *mock, size_t i)
{
    return i < mock->samples.count ? (const struct mock_sample *)mock->samples.items + i : NULL;
}

const struct mock_request *mock_request_at(const struct mock_host *mock, size_t i)
{
    return i < mock->requests.count ? (const struct mock_request *)mock->requests.items + i : NULL;
}

const struct mock_log *mock_log_at(const struct mock_host *mock, size_t i)
{
    return i < mock->logs.count ? (const struct mock_log *)mock->logs.items + i : NULL;
}

tmon_verdict mock_verdict(const struct mock_host *mock)
{
    tmon_verdict worst = mock->last == TMON_OK ? TMON_PASS : TMON_FAIL;
    const struct mock_report *report;
    size_t i;

    for (i = 0; (report = mock_report_at(mock, i)) != NULL; i++) {
        worst = report->verdict > worst ? report->verdict : worst;
    }
    return worst;
}

const struct mock_report *mock_report_on(const struct mock_host *mock, const char *subject)
{
    const struct mock_report *report;
    size_t i;

    for (i = 0; (report = mock_report_at(mock, i)) != NULL; i++) {
        if (subject == NULL ? report->subject == NULL
                            : report->subject != NULL && strcmp(report->subject, subject) == 0) {
            return report;
        }
    }
    return NULL;
}

static const struct detail *find_detail(const struct mock_host *mock, const char *key)
{
    const struct detail *details = (const struct detail *)mock->details.items;
    size_t i;

    for (i = 0; i < mock->details.count; i++) {
        if (strcmp(details[i].key, key) == 0) {
            return &details[i];
        }
    }
    return NULL;
}

double mock_detail(const struct mock_host *mock, const char *key)
{
    const struct detail *detail = find_detail(mock, key);

    return detail == NULL || detail->text != NULL ? (double)NAN : detail->number;
}

const char *mock_detail_text(const struct mock_host *mock, const char *key)
{
    const struct detail *detail = find_detail(mock, key);

    return detail == NULL ? NULL : detail->text;
}

const struct mock_sample *mock_find(const struct mock_host *mock, const char *series)
{
    const struct mock_sample *sample;
    size_t i;

    for (i = 0; (sample = mock_sample_at(mock, i)) != NULL; i++) {
        if (strcmp(sample->series, series) == 0) {
            return sample;
        }
    }
    return NULL;
}

double mock_value(const struct mock_host *mock, const char *series)
{
    const struct mock_sample *sample = mock_find(mock, series);

    return sample == NULL ? (double)NAN : sample->value;
}

bool mock_said(const struct mock_host *mock, const char *text)
{
    const struct detail *details = (const struct detail *)mock->details.items;
    const struct mock_report *report;
    const struct mock_log *log;
    size_t i;

    for (i = 0; (report = mock_report_at(mock, i)) != NULL; i++) {
        if ((report->text != NULL && strstr(report->text, text) != NULL) ||
            (report->subject != NULL && strstr(report->subject, text) != NULL)) {
            return true;
        }
    }
    for (i = 0; (log = mock_log_at(mock, i)) != NULL; i++) {
        if (strstr(log->text, text) != NULL) {
            return true;
        }
    }
    for (i = 0; i < mock->details.count; i++) {
        if (details[i].text != NULL && strstr(details[i].text, text) != NULL) {
            return true;
        }
    }
    return false;
}

size_t mock_sample_count(const struct mock_host *mock)
{
    return mock->nsamples;
}

int64_t mock_retry_after(const struct mock_host *mock)
{
    return mock->retry_after_ms;
}

static void print_sample(const struct mock_sample *sample, FILE *file)
{
    size_t i;

    if (sample->kind < TMON_HISTOGRAM) {
        (void)fprintf(file, "%s %.17g\n", sample->series, sample->value);
        return;
    }
    (void)fprintf(file, "# %s: sum %.17g, count %llu\n", sample->series, sample->value,
                  (unsigned long long)sample->count);
    for (i = 0; i < sample->npoints; i++) {
        (void)fprintf(file, "#   %g: %.17g\n", sample->bounds[i], sample->points[i]);
    }
}

/* The families in the order of their first samples, each in one piece as the format wants it. */
static void print_samples(const struct mock_host *mock, FILE *file)
{
    static const char *const kinds[] = {"untyped", "gauge", "counter", "histogram", "summary"};
    const struct mock_sample *samples = (const struct mock_sample *)mock->samples.items;
    const size_t count = mock->samples.count;
    size_t i, k;

    for (i = 0; i < count; i++) {
        for (k = 0; k < i && strcmp(samples[k].name, samples[i].name) != 0; k++) {}
        if (k < i) {
            continue; // its family is out
        }
        if (samples[i].help != NULL) {
            (void)fprintf(file, "# HELP %s %s\n", samples[i].name, samples[i].help);
        }
        (void)fprintf(file, "# TYPE %s %s\n", samples[i].name, kinds[samples[i].kind]);
        for (k = i; k < count; k++) {
            if (strcmp(samples[k].name, samples[i].name) == 0) {
                print_sample(&samples[k], file);
            }
        }
    }
}

void mock_print(const struct mock_host *mock, FILE *file)
{
    static const char *const verdicts[] = {"pass", "warn", "fail"};
    const struct detail *details = (const struct detail *)mock->details.items;
    const struct mock_report *report;
    const struct mock_log *log;
    size_t i;

    for (i = 0; (log = mock_log_at(mock, i)) != NULL; i++) {
        (void)fprintf(file, "# log: %s\n", log->text);
    }
    for (i = 0; (report = mock_report_at(mock, i)) != NULL; i++) {
        (void)fprintf(file, "# %s: %s%s%s\n", report->subject == NULL ? "verdict" : report->subject,
                      report->verdict >= TMON_PASS && report->verdict <= TMON_FAIL
                          ? verdicts[report->verdict]
                          : "?",
                      report->text == NULL ? "" : ": ", report->text == NULL ? "" : report->text);
    }
    for (i = 0; i < mock->details.count; i++) {
        if (details[i].text == NULL) {
            (void)fprintf(file, "# %s: %.17g\n", details[i].key, details[i].number);
        } else {
            (void)fprintf(file, "# %s: %s\n", details[i].key, details[i].text);
        }
    }
    print_samples(mock, file);
    if (mock->problem[0] != '\0') {
        (void)fprintf(file, "# problem: %s\n", mock->problem);
    }
}
