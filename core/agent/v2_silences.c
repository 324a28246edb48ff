/*
 * v2_silences.c: silences are made, listed and ended, as Alertmanager does it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/v2_call.h"
#include "alert/silences.h"
#include "base/json_text.h"
#include "http/v2_filter.h"
#include "http/v2_silence_in.h"

#define NOT_FOUND "silence not found"

static void put_matcher(struct buf *buf, const struct matcher *matcher)
{
    json_text_item(buf);
    buf_putc(buf, '{');
    json_text_put_bool(buf, "isEqual",
                       matcher->op == MATCHER_EQUAL || matcher->op == MATCHER_REGEX);
    json_text_put_bool(buf, "isRegex",
                       matcher->op == MATCHER_REGEX || matcher->op == MATCHER_NOT_REGEX);
    json_text_put_string(buf, "name", matcher->name);
    json_text_put_string(buf, "value", matcher->value);
    buf_putc(buf, '}');
}

static void put_silence(struct buf *buf, const struct silence_view *view)
{
    json_text_item(buf);
    buf_putc(buf, '{');
    json_text_put_string(buf, "id", view->id);
    json_text_key(buf, "status");
    buf_putc(buf, '{');
    json_text_put_string(buf, "state", silence_state_name(view->state));
    buf_putc(buf, '}');
    json_text_put_time(buf, "updatedAt", view->updated_ms);
    json_text_put_string(buf, "comment", view->comment);
    json_text_put_string(buf, "createdBy", view->created_by);
    json_text_put_time(buf, "endsAt", view->ends_ms);
    json_text_key(buf, "matchers");
    buf_putc(buf, '[');
    for (size_t i = 0; i < view->nmatchers; i++) {
        put_matcher(buf, &view->matchers[i]);
    }
    buf_putc(buf, ']');
    json_text_put_time(buf, "startsAt", view->starts_ms);
    buf_putc(buf, '}');
}

/* Filters look at its matchers as if these were labels: the last of a name counts. */
static bool is_wanted(const struct v2_filter *filter, const struct silence_view *view)
{
    struct tmon_pair pairs[LIMIT_SILENCE_MATCHERS];
    size_t n = view->nmatchers < LIMIT_SILENCE_MATCHERS ? view->nmatchers : LIMIT_SILENCE_MATCHERS;

    for (size_t i = 0; i < n; i++) {
        pairs[i] =
            (struct tmon_pair){view->matchers[n - 1 - i].name, view->matchers[n - 1 - i].value};
    }
    return matchers_match(filter->matchers, filter->nmatchers, pairs, n);
}

static bool on_silence(void *arg, const struct silence_view *view)
{
    struct v2_call *call = arg;

    if (!v2_call_in_time(call)) {
        return false;
    }
    if (is_wanted(call->filter, view)) {
        put_silence(&call->base.text, view);
    }
    return !call->base.text.failed;
}

int v2_silences_list(struct v2_call *call, struct alerts *alerts, struct alerts_time now)
{
    buf_putc(&call->base.text, '[');
    call->base.text.failed |= alerts_silences_visit(alerts, on_silence, call, now) < 0;
    if (call->status == 200) {
        buf_puts(&call->base.text, "]\n");
    }
    return 0;
}

int v2_silence_show(struct v2_call *call, struct alerts *alerts, struct alerts_time now)
{
    struct silence_view view;

    if (alerts_silence_get(alerts, call->id, now, &view)) {
        put_silence(&call->base.text, &view);
        buf_putc(&call->base.text, '\n');
    } else {
        call->status = 404; /* without a word */
    }
    return 0;
}

int v2_silence_put(struct v2_call *call, struct alerts *alerts, struct state_tx *tx,
                   struct alerts_time now)
{
    char id[SILENCE_ID_SIZE] = "", why[256] = "", text[320];
    int r = alerts_silence_put(alerts, tx, &call->silence->input, now, id, why, sizeof why);

    if (r == -ENOENT) {
        v2_call_refuse(call, 404, NOT_FOUND);
    } else if (r == -EINVAL) {
        (void)snprintf(text, sizeof text, "silence invalid: %s", why);
        v2_call_refuse(call, 400, text);
    } else if (r == -EDQUOT) {
        v2_call_refuse(call, 429, "there are too many silences: expire some");
    } else if (r < 0) {
        return r;
    } else {
        buf_putc(&call->base.text, '{');
        json_text_put_string(&call->base.text, "silenceID", id);
        buf_puts(&call->base.text, "}\n");
    }
    return 0;
}

int v2_silence_expire(struct v2_call *call, struct alerts *alerts, struct state_tx *tx,
                      struct alerts_time now)
{
    int r = alerts_silence_expire(alerts, tx, call->id, now);

    if (r == -ENOENT) {
        v2_call_refuse(call, 500, NOT_FOUND);
        return 0;
    }
    return r == -EALREADY ? 0 : r;
}
