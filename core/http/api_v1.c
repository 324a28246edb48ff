/*
 * api_v1.c: /api/v1/...: the agent's own documents.  The checks come straight from the store, the
 * rest from the agent's loop (ask.c).  Server's thread.
 */
#include <stdio.h>

#include "base/clock.h"
#include "http/server.h"
#include "http/verdict_json.h"
#include "store/verdicts.h"

int status_answer(struct request *request)
{
    return ask_agent(request, &(struct http_question){.what = HTTP_STATUS});
}

int plugins_answer(struct request *request)
{
    return ask_agent(request, &(struct http_question){.what = HTTP_PLUGINS});
}

int plugin_retry_answer(struct request *request)
{
    struct http_question question = {.what = HTTP_PLUGIN_RETRY};

    (void)snprintf(question.name, sizeof question.name, "%s", request->client->parameter);
    return ask_agent(request, &question);
}

int reload_answer(struct request *request)
{
    return ask_agent(request, &(struct http_question){.what = HTTP_RELOAD});
}

static const char *const affects_names[] = {
    [AFFECTS_FAIL] = "fail",
    [AFFECTS_DEGRADE] = "degrade",
    [AFFECTS_NOTHING] = "nothing",
};

struct listing {
    json_t *checks;
    int64_t now_ns;
};

static bool list_check(void *arg, const struct verdicts_view *view)
{
    struct listing *listing = arg;
    json_t *check = view->verdict ? verdict_json(view, listing->now_ns) : json_object();

    (void)json_object_set_new(check, "name", json_string(view->name));
    (void)json_object_set_new(check, "affects", json_string(affects_names[view->affects]));
    if (view->verdict) {
        char time[CLOCK_RFC3339_SIZE];

        (void)json_object_set_new(check, "time", json_string(clock_rfc3339(view->real_ms, time)));
    } else {
        (void)json_object_set_new(check, "status", json_string("pending"));
    }
    return json_array_append_new(listing->checks, check) == 0;
}

int checks_answer(struct request *request)
{
    struct http *http = request->http;
    int64_t now_ns = loop_now(http->loop);
    uint64_t generation = verdicts_generation(http->verdicts);

    if (shared_due(&http->checks, now_ns, generation)) {
        struct listing listing = {json_array(), clock_mono_ns()};

        verdicts_visit(http->verdicts, list_check, &listing);
        (void)shared_set(&http->checks, now_ns, generation, MHD_HTTP_OK,
                         json_pack("{s:o*}", "checks", listing.checks));
    }
    return shared_answer(request, &http->checks);
}
