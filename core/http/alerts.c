/*
 * alerts.c: /api/v1/alerts: takes alerts, and lists them.  Server's thread; the state's thread
 * answers.
 */
#include "http/alerts_filter.h"
#include "http/alerts_in.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "http/query.h"
#include "http/server.h"

#define HINT "see docs/http-api.md for what an alert may hold"

/* None of them can be put: there is nobody to ask. */
static int answer_rejected(struct request *request, struct alerts_in *alerts)
{
    struct buf buf;
    size_t len;
    char *text;
    unsigned status = alerts_in_status(alerts);

    buf_init(&buf, SIZE_MAX / 2);
    alerts_in_answer(alerts, &buf);
    alerts_in_destroy(alerts);
    len = buf.len;
    text = buf_take(&buf);
    return text ? answer_text(request, status, text, len, 0) : -ENOMEM;
}

static int put_alerts(struct request *request)
{
    const struct buf *body = &request->client->body.bytes;
    struct http_question question = {.what = HTTP_ALERTS_PUT};
    struct json_items_error error;
    int r = alerts_in_parse(buf_str(body), body->len, clock_real_ms(), &question.alerts, &error);

    body_finish(request->client);
    if (r == -EINVAL || r == -E2BIG) {
        return answer_bad_body(request, error.text, "", error.line, error.column, HINT);
    }
    if (r < 0) {
        return r;
    }
    counters_rejected(request->http->counters, question.alerts->n - question.alerts->good);
    if (question.alerts->good == 0) {
        return answer_rejected(request, question.alerts);
    }
    return ask_agent(request, &question);
}

static int take(void *arg, const char *name, const char *value, char *ret_why, size_t size)
{
    return alerts_filter_take(arg, name, value, ret_why, size);
}

static int list_alerts(struct request *request)
{
    struct http_question question = {.what = HTTP_ALERTS_LIST, .filter = alerts_filter_create()};
    char why[QUERY_WHY_SIZE] = "";
    int r = question.filter ? query_read(request, take, question.filter, why, sizeof why) : -ENOMEM;

    if (r < 0) {
        alerts_filter_destroy(question.filter);
        return r == -EINVAL ? answer_error(request, MHD_HTTP_BAD_REQUEST, why, NULL) : r;
    }
    return ask_agent(request, &question);
}

int alerts_handle(struct request *request)
{
    return request->method == METHOD_POST ? put_alerts(request) : list_alerts(request);
}
