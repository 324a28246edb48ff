/*
 * sinks_api.c: how sinks are, that they are well again, and whether they work.
 *
 * List and resume run on the state's thread.  A test does not go through the queue: the agent's
 * thread hands it to delivery, and the sink's far end is what answers.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/api.h"
#include "agent/sink_faults.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "model/notification.h"

static const char *const results[] = {"delivered", "retry",  "ambiguous",
                                      "rejected",  "paused", "unready"};

struct work {
    struct api_call call;
    char name[LIMIT_NAME_BYTES + 1];
    size_t n;
};

/* ---- list, resume ---- */

static bool on_sink(void *arg, const struct outbox_sink_view *view)
{
    struct work *work = arg;
    struct buf *buf = &work->call.text;
    char reason[SINK_FAULT_SIZE];
    enum sink_state state = sink_state(work->call.api->sink_faults, view, reason);

    buf_puts(buf, work->n++ ? ",\n{" : "\n{");
    json_text_put_string(buf, "name", view->name);
    json_text_put_string(buf, "state", sink_state_name(state));
    json_text_put_string(buf, "reason", reason);
    json_text_put_int(buf, "pending", (int64_t)view->pending);
    json_text_put_int(buf, "under_way", (int64_t)view->under_way);
    json_text_put_int(buf, "dead", (int64_t)view->dead);
    json_text_put_time(buf, "oldest_at", view->oldest_ms);
    json_text_put_time(buf, "delivered_at", view->delivered_ms);
    json_text_put_time(buf, "not_before", view->not_before_ms);
    json_text_key(buf, "attempts");
    buf_putc(buf, '{');
    for (size_t i = 0; i <= OUTBOX_UNREADY; i++) {
        json_text_put_int(buf, results[i], (int64_t)view->outcomes[i]);
    }
    buf_puts(buf, "}}");
    return !buf->failed;
}

/* Nothing waits for it, else it is among the others: parked. */
static void put_disabled(void *arg, const char *name, const char *why)
{
    struct work *work = arg;
    struct buf *buf = &work->call.text;

    if (outbox_has_sink(work->call.desk_call.desk->outbox, name)) {
        return;
    }
    buf_puts(buf, work->n++ ? ",\n{" : "\n{");
    json_text_put_string(buf, "name", name);
    json_text_put_string(buf, "state", "disabled");
    json_text_put_string(buf, "reason", why);
    json_text_put_int(buf, "pending", 0);
    json_text_put_int(buf, "under_way", 0);
    json_text_put_int(buf, "dead", 0);
    buf_putc(buf, '}');
}

static int run(struct desk_call *call, struct state_tx *tx, struct alerts_time now)
{
    struct work *work = (struct work *)(void *)call;
    struct outbox *outbox = call->desk->outbox;

    buf_clear(&work->call.text);
    work->n = 0;
    if (work->call.what == HTTP_SINK_RESUME) {
        buf_puts(&work->call.text, "{\"resumed\":true}\n");
        return outbox_resume(outbox, work->name, now);
    }
    buf_puts(&work->call.text, "{\"sinks\":[");
    outbox_sinks(outbox, tx, on_sink, work, now);
    sink_faults_visit_disabled(work->call.api->sink_faults, put_disabled, work);
    buf_puts(&work->call.text, "]}\n");
    return tx->error;
}

/* Whether it is, and that was the answer. */
static bool answer_disabled(struct api *api, uint64_t ticket, const char *name)
{
    char why[SINK_FAULT_SIZE], error[SINK_FAULT_SIZE + 64];

    if (!sink_is_disabled(api->sink_faults, name, why)) {
        return false;
    }
    (void)snprintf(error, sizeof error, "the sink is disabled: %s", why);
    api_answer_error(api, ticket, 409, error, "mend that, and reload or restart the agent", 0);
    return true;
}

static void done(struct desk_call *call, int result)
{
    struct work *work = (struct work *)(void *)call;

    if (result >= 0) {
        api_answer(work->call.api, work->call.ticket, 200, &work->call.text, 0);
    } else if (result == -ENOENT) {
        if (!answer_disabled(work->call.api, work->call.ticket, work->name)) {
            api_answer_error(work->call.api, work->call.ticket, 404,
                             "there is no sink of that name", "GET /api/v1/sinks lists them", 0);
        }
    } else {
        api_answer_failure(work->call.api, work->call.ticket, result);
    }
    api_call_free(work);
}

int sinks_api_ask(struct api *api, const struct http_question *question)
{
    const struct desk_call call = {.run = run, .done = done};
    struct work *work = api_call_new(sizeof *work, api, question, &call, SIZE_MAX / 2);
    int r;

    if (!work) {
        return -ENOMEM;
    }
    memcpy(work->name, question->name, sizeof work->name);
    r = api_submit(api, &work->call.desk_call, false);
    if (r < 0) {
        api_call_free(work);
    }
    return r;
}

/* ---- a test ---- */

/* On the way to the agent's thread, to the far end, and, if all went well, to the desk. */
struct sink_test {
    struct desk_call call; /* ends the sink's pause */
    struct sink_test *next;
    struct api *api;
    uint64_t ticket;
    char name[LIMIT_NAME_BYTES + 1];
    struct outbox_outcome outcome;
};

static void answer_test(struct sink_test *test)
{
    const struct outbox_outcome *outcome = &test->outcome;
    bool well = outcome->result == OUTBOX_DELIVERED;
    struct buf text;

    buf_init(&text, 4096);
    buf_putc(&text, '{');
    if (!well) {
        json_text_put_string(&text, "error",
                             outcome->reason[0] ? outcome->reason : "the sink did not take it");
    }
    json_text_put_string(&text, "sink", test->name);
    json_text_put_string(&text, "result", results[outcome->result]);
    if (outcome->status) {
        json_text_put_int(&text, "status", outcome->status);
    }
    json_text_put_string(&text, "reason", outcome->reason);
    json_text_key(&text, "duration");
    buf_printf(&text, "%.3f", (double)outcome->duration_ms / 1e3);
    buf_puts(&text, "}\n");
    api_answer(test->api, test->ticket, well ? 200 : 502, &text, 0);
}

static int resume_run(struct desk_call *call, struct state_tx *tx, struct alerts_time now)
{
    const struct sink_test *test = (const struct sink_test *)(const void *)call;

    return outbox_resume(call->desk->outbox, test->name, now);
}

static void resume_done(struct desk_call *call, int result)
{
    struct sink_test *test = (struct sink_test *)(void *)call;

    answer_test(test); /* that its pause goes on, if it does, is no part of what was asked */
    free(test);
}

static void on_tried(void *arg, const struct outbox_outcome *outcome)
{
    struct sink_test *test = arg;
    struct sink_test **at = &test->api->tests;

    while (*at != test) {
        at = &(*at)->next;
    }
    *at = test->next;
    test->outcome = *outcome;
    if (outcome->result == OUTBOX_DELIVERED && api_submit(test->api, &test->call, false) == 0) {
        return;
    }
    answer_test(test);
    free(test);
}

/* What a test looks like to the people who read the channel. */
static int encode_test(const struct sink_test *test, struct buf *buf)
{
    int64_t now_ms = clock_real_ms();
    char id[64];
    const struct tmon_pair labels[] = {
        {"alertname", "Test of toiletmon"}, {"severity", "info"}, {"sink", test->name}};
    const struct tmon_pair annotations[] = {
        {"message", "This is a test: somebody asked whether this sink works. It does, and nothing "
                    "is wrong."}};
    const struct tmon_alert alert = {
        .size = sizeof alert,
        .severity = TMON_SEVERITY_INFO,
        .firing = true,
        .key = id,
        .name = labels[0].value,
        .summary = annotations[0].value,
        .description = "",
        .labels = labels,
        .nlabels = 3,
        .annotations = annotations,
        .nannotations = 1,
        .starts_ms = now_ms,
        .fingerprint = "",
        .generator_url = "",
    };
    const struct tmon_alert *const alerts[] = {&alert};
    const struct tmon_notification notification = {
        .size = sizeof notification,
        .attempt = 1,
        .id = id,
        .alerts = alerts,
        .nalerts = 1,
        .group = labels,
        .ngroup = 1,
        .group_key = "{}:{alertname=\"Test of toiletmon\"}",
        .receiver = test->name,
        .external_url = "",
        .title = "",
        .text = "",
    };

    (void)snprintf(id, sizeof id, "test-%llx-%llx", (unsigned long long)now_ms,
                   (unsigned long long)test->ticket);
    return notification_encode(buf, &notification);
}

static void start_test(void *arg)
{
    struct sink_test *test = arg;
    struct api *api = test->api;
    struct outbox_attempt *attempt;
    struct buf body;
    int r;

    if (!api->try_sink) {
        api_answer_error(api, test->ticket, 501, "this agent cannot test sinks", NULL, 0);
        free(test);
        return;
    }
    if (answer_disabled(api, test->ticket, test->name)) {
        free(test);
        return;
    }
    buf_init(&body, LIMIT_CALL_BYTES);
    r = encode_test(test, &body);
    attempt = r < 0 ? NULL : calloc(1, sizeof *attempt + body.len);
    if (!attempt) {
        api_answer_error(api, test->ticket, 503, "there is not enough memory", NULL, 1);
        free(test);
    } else {
        attempt->attempt = 1;
        (void)snprintf(attempt->sink, sizeof attempt->sink, "%s", test->name);
        attempt->len = body.len;
        memcpy(attempt->body, body.data, body.len);
        test->next = api->tests;
        api->tests = test;
        api->try_sink(api->try_owner, attempt, on_tried, test);
    }
    buf_finish(&body);
}

int sink_test_ask(struct api *api, const struct http_question *question)
{
    struct sink_test *test;
    int r;

    if (!api_is_open(api)) {
        return -ESHUTDOWN;
    }
    test = calloc(1, sizeof *test);
    if (!test) {
        return -ENOMEM;
    }
    test->call = (struct desk_call){.run = resume_run, .done = resume_done};
    test->api = api;
    test->ticket = question->ticket;
    memcpy(test->name, question->name, sizeof test->name);
    r = loop_post(api->loop, start_test, test);
    if (r < 0) {
        free(test);
    }
    return r;
}

void sink_tests_finish(struct api *api)
{
    while (api->tests) {
        struct sink_test *test = api->tests;

        api->tests = test->next;
        free(test);
    }
}
