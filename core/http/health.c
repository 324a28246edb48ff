/*
 * health.c: /api/health, /api/health/ready and /api/health/live.
 *
 * Probes come often and together, so each document is made at most once a second, and anew at once
 * when a verdict changed; all requests in between get the very same libmicrohttpd response, headers
 * and Date included.  Nothing here waits for anything.  Server's thread.
 */
#include "base/clock.h"
#include "base/limits.h"
#include "http/server.h"
#include "http/verdict_json.h"
#include "store/verdicts.h"

struct check_list {
    json_t *checks;
    json_t *pending;
    int64_t now_ns;
};

static bool add_check(void *arg, const struct verdicts_view *view)
{
    struct check_list *list = arg;

    if (!view->verdict) {
        (void)json_array_append_new(list->pending, json_string(view->name));
        return true;
    }
    (void)json_object_set_new(list->checks, view->name, verdict_json(view, list->now_ns));
    return true;
}

static json_t *health_json(const struct http *http, const struct verdicts_summary *summary)
{
    int64_t now_ns = clock_mono_ns();
    struct check_list list = {json_object(), json_array(), now_ns};
    char time[CLOCK_RFC3339_SIZE];
    json_t *document;

    verdicts_visit(http->verdicts, add_check, &list);
    document =
        json_pack("{s:s, s:s, s:s, s:I, s:o}", "status", health_name(summary->health), "timestamp",
                  clock_rfc3339(clock_real_ms(), time), "version", http->version, "uptime",
                  (json_int_t)((now_ns - http->started_ns) / NS_PER_S), "checks", list.checks);
    if (document && json_array_size(list.pending) > 0) {
        (void)json_object_set(document, "pending", list.pending);
    }
    json_decref(list.pending);
    return document;
}

int health_answer(struct request *request)
{
    struct http *http = request->http;
    int64_t now_ns = loop_now(http->loop);
    uint64_t generation = verdicts_generation(http->verdicts);

    if (shared_due(&http->health, now_ns, generation)) {
        struct verdicts_summary summary;

        verdicts_summary(http->verdicts, &summary);
        (void)shared_set(&http->health, now_ns, generation,
                         summary.health == HEALTH_UNHEALTHY ? MHD_HTTP_SERVICE_UNAVAILABLE
                                                            : MHD_HTTP_OK,
                         health_json(http, &summary));
    }
    return shared_answer(request, &http->health);
}

/* {"ready": true}, or {"ready": false, "reason": "..."} */
static json_t *flag_json(const char *name, bool flag, const struct buf *reason)
{
    return json_pack("{s:b, s:s*}", name, flag, "reason", flag ? NULL : buf_str(reason));
}

static int flag_answer(struct request *request, struct shared *shared, const char *name,
                       bool (*ask)(void *agent, struct buf *reason), uint64_t generation)
{
    struct http *http = request->http;
    int64_t now_ns = loop_now(http->loop);

    if (shared_due(shared, now_ns, generation)) {
        struct buf reason;
        bool flag;

        buf_init(&reason, LIMIT_TEXT_BYTES);
        flag = !ask || ask(http->hooks.agent, &reason);
        (void)shared_set(shared, now_ns, generation,
                         flag ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
                         flag_json(name, flag, &reason));
        buf_finish(&reason);
    }
    return shared_answer(request, shared);
}

/* A bad answer is good for milliseconds only, or whoever waits for a start waits for nothing. */
#define BAD_NS (20 * NS_PER_MS)

static uint64_t bad_age(const struct shared *shared, int64_t now_ns)
{
    return shared->status == MHD_HTTP_OK ? 0 : (uint64_t)(now_ns / BAD_NS);
}

int ready_answer(struct request *request)
{
    struct http *http = request->http;

    return flag_answer(request, &http->ready, "ready", http->hooks.ready,
                       verdicts_generation(http->verdicts) +
                           bad_age(&http->ready, loop_now(http->loop)));
}

int live_answer(struct request *request)
{
    struct http *http = request->http;

    return flag_answer(request, &http->live, "alive", http->hooks.alive,
                       bad_age(&http->live, loop_now(http->loop)));
}
