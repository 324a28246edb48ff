/*
 * v2_alerts.c: lists of alerts and of groups, as Alertmanager writes them.
 */
#include <string.h>

#include "agent/v2_call.h"
#include "base/json_text.h"
#include "http/v2_filter.h"
#include "model/pairs.h"

struct listing {
    struct v2_call *call;
    struct alerts *alerts;
    struct alerts_time now;
    bool stopped; /* the answer is another */
    size_t n;     /* of the group */
};

static void put_time(struct buf *buf, const char *key, int64_t ms)
{
    if (ms != 0) {
        json_text_put_time(buf, key, ms);
    } else {
        json_text_put_string(buf, key, "0001-01-01T00:00:00.000Z");
    }
}

/* Those that the filter wants; NULL: all. */
static void put_receivers(struct buf *buf, const struct v2_filter *filter, const char *const *names,
                          size_t n)
{
    json_text_key(buf, "receivers");
    buf_putc(buf, '[');
    for (size_t i = 0; i < n; i++) {
        if (!filter || v2_filter_wants_receiver(filter, &names[i], 1)) {
            json_text_item(buf);
            buf_putc(buf, '{');
            json_text_put_string(buf, "name", names[i]);
            buf_putc(buf, '}');
        }
    }
    buf_putc(buf, ']');
}

static void put_alert(struct buf *buf, const struct alerts_view *view,
                      const struct v2_filter *receivers)
{
    bool suppressed = view->nsilenced > 0 || view->ninhibited > 0;

    json_text_item(buf);
    buf_puts(buf, "{\"annotations\":");
    pairs_to_json(view->annotations, view->nannotations, buf);
    put_time(buf, "endsAt", view->ends_ms);
    json_text_put_string(buf, "fingerprint", view->fingerprint);
    put_receivers(buf, receivers, view->sinks, view->nsinks);
    put_time(buf, "startsAt", view->starts_ms);
    json_text_key(buf, "status");
    buf_putc(buf, '{');
    json_text_put_strings(buf, "inhibitedBy", view->inhibited_by, view->ninhibited);
    json_text_put_strings(buf, "silencedBy", view->silenced_by, view->nsilenced);
    json_text_put_string(buf, "state", suppressed ? "suppressed" : "active");
    buf_putc(buf, '}');
    put_time(buf, "updatedAt", view->updated_ms);
    if (*view->generator_url) {
        json_text_put_string(buf, "generatorURL", view->generator_url);
    }
    json_text_key(buf, "labels");
    pairs_to_json(view->labels, view->nlabels, buf);
    buf_putc(buf, '}');
}

static bool on_alert(void *arg, const struct alerts_view *view)
{
    struct listing *listing = arg;
    struct v2_call *call = listing->call;

    if (!v2_call_in_time(call)) {
        listing->stopped = true;
        return false;
    }
    if (v2_filter_wants(call->filter, view) &&
        v2_filter_wants_receiver(call->filter, view->sinks, view->nsinks)) {
        put_alert(&call->base.text, view, NULL);
    }
    return !call->base.text.failed;
}

int v2_alerts_list(struct v2_call *call, struct alerts *alerts, struct alerts_time now)
{
    struct listing listing = {call, alerts, now, false, 0};

    buf_putc(&call->base.text, '[');
    call->base.text.failed |= alerts_visit_firing(alerts, on_alert, &listing, now) < 0;
    if (!listing.stopped) {
        buf_puts(&call->base.text, "]\n");
    }
    return 0;
}

/* ---- groups ---- */

static bool on_member(void *arg, const struct alerts_view *view)
{
    struct listing *listing = arg;
    struct v2_call *call = listing->call;

    if (!v2_call_in_time(call)) {
        listing->stopped = true;
        return false;
    }
    if (v2_filter_wants(call->filter, view)) {
        put_alert(&call->base.text, view, call->filter);
        listing->n++;
    }
    return !call->base.text.failed;
}

static bool put_group(struct listing *listing, const struct alerts_group_view *view)
{
    struct buf *buf = &listing->call->base.text;
    size_t before = buf->len;

    json_text_item(buf);
    buf_puts(buf, "{\"alerts\":[");
    listing->n = 0;
    buf->failed |=
        alerts_visit_members(listing->alerts, view, on_member, listing, listing->now) < 0;
    if (listing->stopped || buf->failed) {
        return false;
    }
    if (listing->n == 0) {
        buf->len = before; /* none that is wanted: the group is not either */
        buf->data[before] = '\0';
        return true;
    }
    buf_putc(buf, ']');
    json_text_key(buf, "labels");
    pairs_to_json(view->labels, view->nlabels, buf);
    json_text_key(buf, "receiver");
    buf_putc(buf, '{');
    json_text_put_string(buf, "name", view->sink);
    buf_puts(buf, "}}");
    return !buf->failed;
}

static bool on_group(void *arg, const struct alerts_group_view *view)
{
    struct listing *listing = arg;

    return !v2_filter_wants_receiver(listing->call->filter, &view->sink, 1) ||
           put_group(listing, view);
}

int v2_groups_list(struct v2_call *call, struct alerts *alerts, struct alerts_time now)
{
    struct listing listing = {call, alerts, now, false, 0};

    buf_putc(&call->base.text, '[');
    call->base.text.failed |= alerts_visit_groups(alerts, on_group, &listing, now) < 0;
    if (!listing.stopped) {
        buf_puts(&call->base.text, "]\n");
    }
    return 0;
}
