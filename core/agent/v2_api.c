/*
 * v2_api.c: /api/v2 on its way to the alerts and back: receivers and status are answered here.
 *
 * Asked on the server's thread; run and done on the state's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/v2_call.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "http/v2_error.h"
#include "http/v2_filter.h"
#include "http/v2_silence_in.h"
#include "tmon_build.h"

/* What we answer like: those who ask look at it to know what they may expect. */
#define LIKE_VERSION "0.25.0"

void v2_call_refuse(struct v2_call *call, unsigned status, const char *text)
{
    buf_clear(&call->base.text);
    v2_error_put(&call->base.text, 0, text);
    call->status = status;
}

bool v2_call_in_time(struct v2_call *call)
{
    if (call->filter->nmatchers == 0 || clock_mono_ns() <= call->until_ns) {
        return true;
    }
    v2_call_refuse(call, 400, "the filters take too long: use simpler regular expressions");
    return false;
}

static void put_receivers(struct v2_call *call, const struct routing *routing)
{
    struct buf *text = &call->base.text;

    buf_putc(text, '[');
    for (size_t i = 0; routing && i < routing->nsinks; i++) {
        if (routing->sinks[i].live) {
            json_text_item(text);
            buf_putc(text, '{');
            json_text_put_string(text, "name", routing->sinks[i].name);
            buf_putc(text, '}');
        }
    }
    buf_puts(text, "]\n");
}

static void put_status(struct v2_call *call, const struct routing *routing)
{
    struct buf *text = &call->base.text, config;

    buf_init(&config, LIMIT_API_V2_LIST_BYTES);
    if (routing) {
        v2_config(routing, &config);
    }
    buf_puts(text, "{\"cluster\":{\"peers\":[],\"status\":\"disabled\"},\"config\":{");
    json_text_put_string(text, "original", buf_str(&config));
    buf_putc(text, '}');
    json_text_put_time(text, "uptime", call->base.api->started_ms);
    json_text_key(text, "versionInfo");
    buf_puts(text,
             "{\"branch\":\"toiletmon\",\"buildDate\":\"\",\"buildUser\":\"\",\"goVersion\":\"\"");
    json_text_put_string(text, "revision", TMON_VERSION);
    json_text_put_string(text, "version", LIKE_VERSION "+toiletmon." TMON_VERSION);
    buf_puts(text, "}}\n");
    text->failed |= config.failed;
    buf_finish(&config);
}

static int run(struct desk_call *desk_call, struct state_tx *tx, struct alerts_time now)
{
    struct v2_call *call = (struct v2_call *)(void *)desk_call;
    struct alerts *alerts = desk_call->desk->alerts;

    call->status = 200;
    call->until_ns = clock_mono_ns() + LIMIT_API_LIST_MS * NS_PER_MS;
    switch (call->base.what) {
    case HTTP_V2_ALERTS:
        return v2_alerts_list(call, alerts, now);
    case HTTP_V2_GROUPS:
        return v2_groups_list(call, alerts, now);
    case HTTP_V2_SILENCES:
        return v2_silences_list(call, alerts, now);
    case HTTP_V2_SILENCE_PUT:
        return v2_silence_put(call, alerts, tx, now);
    case HTTP_V2_SILENCE_SHOW:
        return v2_silence_show(call, alerts, now);
    case HTTP_V2_SILENCE_EXPIRE:
        return v2_silence_expire(call, alerts, tx, now);
    case HTTP_V2_RECEIVERS:
        put_receivers(call, alerts_routing(alerts));
        return 0;
    default:
        put_status(call, alerts_routing(alerts));
        return 0;
    }
}

static void finish(struct v2_call *call)
{
    v2_filter_destroy(call->filter);
    v2_silence_destroy(call->silence);
    api_call_free(call);
}

static void done(struct desk_call *desk_call, int result)
{
    struct v2_call *call = (struct v2_call *)(void *)desk_call;

    if (result < 0 || call->base.text.failed) {
        buf_finish(&call->base.text);
        buf_init(&call->base.text, 4096);
        v2_call_refuse(call, 503,
                       result == -ENOSPC ? "the disk is full: nothing was stored"
                       : result < 0      ? "the state cannot be written: see the agent's log"
                                         : "the list is too long for the memory that there is: ask "
                                           "with filters");
    }
    api_answer(call->base.api, call->base.ticket, call->status, &call->base.text,
               call->status == 503 ? 5 : 0);
    finish(call);
}

int v2_api_ask(struct api *api, struct http_question *question)
{
    const struct desk_call desk_call = {.run = run, .done = done};
    struct v2_call *call =
        api_call_new(sizeof *call, api, question, &desk_call, LIMIT_API_V2_LIST_BYTES);
    int r;

    if (!call) {
        return -ENOMEM;
    }
    call->filter = question->v2_filter;
    call->silence = question->silence;
    (void)snprintf(call->id, sizeof call->id, "%s", question->name);
    r = api_submit(api, &call->base.desk_call, question->what == HTTP_V2_SILENCE_PUT);
    if (r < 0) {
        api_call_free(call); /* filter and silence are still the question's */
        return r;
    }
    question->v2_filter = NULL;
    question->silence = NULL;
    return 0;
}
