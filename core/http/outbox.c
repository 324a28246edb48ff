/*
 * outbox.c: /api/v1/notifications and /api/v1/sinks: what was sent where, and what can be done
 * about it.  Server's thread; the state's thread answers, and for a test the sink's far end.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "http/query.h"
#include "http/server.h"

#define LIST_DEFAULT 100

static int take(void *arg, const char *name, const char *value, char *ret_why, size_t size)
{
    /* in the order of enum outbox_state */
    static const char *const states[] = {"pending",   "delivered", "dead",
                                         "cancelled", "dropped",   NULL};
    static const char *const known[] = {"sink", "state", "before", "limit", NULL};
    struct http_outbox_filter *filter = arg;
    int64_t limit;
    int r;

    if (strcmp(name, "sink") == 0) {
        if ((size_t)snprintf(filter->sink, sizeof filter->sink, "%s", value) >=
            sizeof filter->sink) {
            (void)snprintf(ret_why, size, "no sink has so long a name");
            return -EINVAL;
        }
        return 0;
    }
    if (strcmp(name, "state") == 0) {
        return query_choice(name, value, states, &filter->state, ret_why, size);
    }
    if (strcmp(name, "before") == 0) {
        return query_number(name, value, 1, INT64_MAX, &filter->before, ret_why, size);
    }
    if (strcmp(name, "limit") == 0) {
        r = query_number(name, value, 1, LIMIT_OUTBOX_LIST, &limit, ret_why, size);
        filter->limit = r == 0 ? (size_t)limit : filter->limit;
        return r;
    }
    return query_unknown(name, known, ret_why, size);
}

int notifications_handle(struct request *request)
{
    struct http_question question = {.what = HTTP_OUTBOX_LIST,
                                     .outbox = {.state = -1, .limit = LIST_DEFAULT}};
    char why[QUERY_WHY_SIZE] = "";
    int r = query_read(request, take, &question.outbox, why, sizeof why);

    return r == -EINVAL ? answer_error(request, MHD_HTTP_BAD_REQUEST, why, NULL)
           : r < 0      ? r
                        : ask_agent(request, &question);
}

/* All the dead letters that the query wants; `state` would make no sense. */
int notifications_retry_handle(struct request *request)
{
    struct http_question question = {.what = HTTP_OUTBOX_REVIVE,
                                     .outbox = {.state = -1, .limit = LIMIT_OUTBOX_LIST}};
    char why[QUERY_WHY_SIZE] = "";
    int r = query_read(request, take, &question.outbox, why, sizeof why);

    if (r == 0 && question.outbox.state >= 0) {
        (void)snprintf(why, sizeof why, "only dead letters are tried again together");
        r = -EINVAL;
    }
    return r == -EINVAL ? answer_error(request, MHD_HTTP_BAD_REQUEST, why, NULL)
           : r < 0      ? r
                        : ask_agent(request, &question);
}

/* About the one whose number is in the path. */
static int ask_about_one(struct request *request, enum http_what what)
{
    struct http_question question = {.what = what};
    char why[QUERY_WHY_SIZE];

    if (query_number("the notification's number", request->client->parameter, 1, INT64_MAX,
                     &question.id, why, sizeof why) < 0) {
        return answer_error(request, MHD_HTTP_NOT_FOUND, why,
                            "GET /api/v1/notifications lists what there is");
    }
    return ask_agent(request, &question);
}

int notification_handle(struct request *request)
{
    return ask_about_one(request, HTTP_OUTBOX_SHOW);
}

int notification_retry_handle(struct request *request)
{
    return ask_about_one(request, HTTP_OUTBOX_RETRY);
}

int notification_drop_handle(struct request *request)
{
    return ask_about_one(request, HTTP_OUTBOX_DROP);
}

int sinks_handle(struct request *request)
{
    return ask_agent(request, &(struct http_question){.what = HTTP_SINKS_LIST});
}

static int ask_about_sink(struct request *request, enum http_what what)
{
    struct http_question question = {.what = what};

    (void)snprintf(question.name, sizeof question.name, "%s", request->client->parameter);
    return ask_agent(request, &question);
}

int sink_test_handle(struct request *request)
{
    return ask_about_sink(request, HTTP_SINK_TEST);
}

int sink_resume_handle(struct request *request)
{
    return ask_about_sink(request, HTTP_SINK_RESUME);
}
