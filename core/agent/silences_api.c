/*
 * silences_api.c: silences are made, listed, shown and ended.  Asked on the server's thread; run
 * and done on the state's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/api.h"
#include "alert/silences.h"
#include "base/json_text.h"
#include "http/v2_silence_in.h"

struct work {
    struct api_call call;
    int64_t state;                 /* that are listed; see http/silences.c */
    struct v2_silence_in *silence; /* owned */
    char id[LIMIT_NAME_BYTES + 1];
    char why[256];
    size_t n;
};

/* ---- as JSON ---- */

/* name="value", as one writes it. */
static void put_matcher(struct buf *buf, const struct matcher *matcher)
{
    struct buf text;

    buf_init(&text, 4 * LIMIT_SILENCE_BYTES);
    matchers_show(matcher, 1, &text); /* {...} */
    json_text_item(buf);
    if (text.len > 2 && !text.failed) {
        text.data[text.len - 1] = '\0';
        json_text_string(buf, text.data + 1);
    } else {
        buf->failed = true;
    }
    buf_finish(&text);
}

static void put_silence(struct buf *buf, const struct silence_view *view)
{
    buf_putc(buf, '{');
    json_text_put_string(buf, "id", view->id);
    json_text_put_string(buf, "state", silence_state_name(view->state));
    json_text_key(buf, "matchers");
    buf_putc(buf, '[');
    for (size_t i = 0; i < view->nmatchers; i++) {
        put_matcher(buf, &view->matchers[i]);
    }
    buf_putc(buf, ']');
    json_text_put_time(buf, "starts_at", view->starts_ms);
    json_text_put_time(buf, "ends_at", view->ends_ms);
    json_text_put_time(buf, "updated_at", view->updated_ms);
    json_text_put_string(buf, "created_by", view->created_by);
    json_text_put_string(buf, "comment", view->comment);
    buf_putc(buf, '}');
}

static bool on_silence(void *arg, const struct silence_view *view)
{
    struct work *work = arg;
    bool wanted = work->state == -2 || (work->state == -1 ? view->state != SILENCE_EXPIRED
                                                          : work->state == (int64_t)view->state);

    if (wanted) {
        buf_puts(&work->call.text, work->n++ ? ",\n" : "\n");
        put_silence(&work->call.text, view);
    }
    return !work->call.text.failed;
}

/* ---- on the state's thread ---- */

static int put(struct work *work, struct state_tx *tx, struct alerts_time now)
{
    char id[SILENCE_ID_SIZE] = "";
    int r = alerts_silence_put(work->call.desk_call.desk->alerts, tx, &work->silence->input, now,
                               id, work->why, sizeof work->why);

    buf_putc(&work->call.text, '{');
    json_text_put_string(&work->call.text, "id", id);
    buf_puts(&work->call.text, "}\n");
    return r;
}

static int run(struct desk_call *call, struct state_tx *tx, struct alerts_time now)
{
    struct work *work = (struct work *)(void *)call;
    struct alerts *alerts = call->desk->alerts;
    struct silence_view view;
    int r;

    buf_clear(&work->call.text);
    work->n = 0;
    switch (work->call.what) {
    case HTTP_SILENCE_PUT:
        return put(work, tx, now);
    case HTTP_SILENCES_LIST:
        buf_puts(&work->call.text, "{\"silences\":[");
        r = alerts_silences_visit(alerts, on_silence, work, now);
        buf_puts(&work->call.text, "]}\n");
        return r;
    case HTTP_SILENCE_SHOW:
        if (!alerts_silence_get(alerts, work->id, now, &view)) {
            return -ENOENT;
        }
        put_silence(&work->call.text, &view);
        buf_putc(&work->call.text, '\n');
        return 0;
    default:
        buf_puts(&work->call.text, "{\"expired\":true}\n");
        return alerts_silence_expire(alerts, tx, work->id, now);
    }
}

static void done(struct desk_call *call, int result)
{
    struct work *work = (struct work *)(void *)call;
    struct api *api = work->call.api;

    if (result >= 0) {
        api_answer(api, work->call.ticket, 200, &work->call.text, 0);
    } else if (result == -ENOENT) {
        api_answer_error(
            api, work->call.ticket, 404, "there is no silence with that id",
            "it may have ended more than five days ago; GET /api/v1/silences?state=all "
            "lists what there is",
            0);
    } else if (result == -EALREADY) {
        api_answer_error(api, work->call.ticket, 409, "it has ended already", NULL, 0);
    } else if (result == -EINVAL) {
        api_answer_error(api, work->call.ticket, 400, work->why, NULL, 0);
    } else if (result == -EDQUOT) {
        api_answer_error(api, work->call.ticket, 429, "there are too many silences",
                         "expire some, or make one that fits more alerts", 30);
    } else if (result == -EAGAIN) {
        api_answer_error(api, work->call.ticket, 503, "the machine has no random numbers yet", NULL,
                         1);
    } else {
        api_answer_failure(api, work->call.ticket, result);
    }
    v2_silence_destroy(work->silence);
    api_call_free(work);
}

int silences_api_ask(struct api *api, struct http_question *question)
{
    const struct desk_call call = {.run = run, .done = done};
    struct work *work = api_call_new(sizeof *work, api, question, &call, LIMIT_API_V2_LIST_BYTES);
    int r;

    if (!work) {
        return -ENOMEM;
    }
    work->state = question->id;
    work->silence = question->silence;
    (void)snprintf(work->id, sizeof work->id, "%s", question->name);
    r = api_submit(api, &work->call.desk_call, question->what == HTTP_SILENCE_PUT);
    if (r < 0) {
        api_call_free(work); /* the silence is still the question's */
        return r;
    }
    question->silence = NULL;
    return 0;
}
