/*
 * alerts_api.c: alerts are put, and listed.
 *
 * Asked on the server's thread; run and done on the state's.  Alerts that were parsed are owned by
 * their call until it is done, also when their sender has been told meanwhile that it took too
 * long.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/api.h"
#include "base/clock.h"
#include "base/heap.h"
#include "base/json_text.h"
#include "http/alerts_filter.h"
#include "http/alerts_in.h"
#include "model/pairs.h"

/* ---- put ---- */

struct put {
    struct desk_call call;
    struct api *api;
    uint64_t ticket;
    struct alerts_in *alerts; /* owned */
};

static int put_run(struct desk_call *call, struct state_tx *tx, struct alerts_time now)
{
    struct put *put = (struct put *)(void *)call;
    struct desk *desk = call->desk;
    bool full = put->alerts->firing && outbox_full(desk->outbox);

    for (size_t i = 0; i < put->alerts->n; i++) {
        struct alerts_in_item *item = &put->alerts->items[i];
        int r;

        if (item->status == ALERTS_IN_REJECTED) {
            continue;
        }
        r = full && !item->input.resolved
                ? -EDQUOT
                : alerts_put(desk->alerts, tx, &item->input, now, &item->verdict);
        if (r < 0 && r != -EDQUOT) {
            return r; /* it is in the tx too: all that was put is undone */
        }
        item->status = r == 0 ? ALERTS_IN_ACCEPTED : ALERTS_IN_REFUSED;
    }
    return 0;
}

static void put_done(struct desk_call *call, int result)
{
    struct put *put = (struct put *)(void *)call;
    struct api *api = put->api;

    if (result < 0) {
        api_answer_failure(api, put->ticket, result);
    } else {
        unsigned status = alerts_in_status(put->alerts);
        struct buf text;

        buf_init(&text, SIZE_MAX / 2);
        alerts_in_answer(put->alerts, &text);
        api_answer(api, put->ticket, status, &text, status == 429 ? 30 : 0);
    }
    (void)atomic_fetch_sub(&api->bytes, put->alerts->bytes);
    alerts_in_destroy(put->alerts);
    free(put);
}

int alerts_api_put(struct api *api, struct http_question *question)
{
    struct put *put = malloc(sizeof *put);
    size_t bytes = question->alerts->bytes;
    int r = -ENOBUFS;

    if (!put) {
        return -ENOMEM;
    }
    *put = (struct put){.call = {.run = put_run, .done = put_done},
                        .api = api,
                        .ticket = question->ticket,
                        .alerts = question->alerts};
    if (atomic_fetch_add(&api->bytes, bytes) + bytes <= LIMIT_API_WAITING_BYTES) {
        r = api_submit(api, &put->call, put->alerts->firing);
    }
    if (r < 0) {
        (void)atomic_fetch_sub(&api->bytes, bytes);
        free(put);
        return r;
    }
    question->alerts = NULL;
    return 0;
}

/* ---- list ---- */

/* One that will be shown, unless newer ones push it out. */
struct shown {
    struct heap_node node; /* by its start, the oldest on top */
    size_t len;
    char text[];
};

struct list {
    struct desk_call call;
    struct api *api;
    uint64_t ticket;
    struct alerts_filter *filter; /* owned */
    struct state_tx *tx;          /* while it runs */
    struct heap shown;
    size_t bytes;
    uint64_t total; /* that the filter wants */
    int64_t until_ns;
    bool too_slow;
    bool no_memory;
    struct buf text; /* of one */
};

static const char *source_name(enum alerts_source source)
{
    static const char *const names[] = {"api", "check", "agent", "rule", "flapping"};

    return source < sizeof names / sizeof names[0] ? names[source] : "unknown";
}

/* Why nobody is told of it now, but for silences and inhibition; who sees to it. */
static void put_why(struct buf *buf, const struct alerts_view *view)
{
    if (view->muted) {
        json_text_put_bool(buf, "muted", true);
    }
    if (view->nwindows > 0) {
        json_text_key(buf, "maintenance");
        buf_putc(buf, '[');
        for (size_t i = 0; i < view->nwindows; i++) {
            json_text_item(buf);
            buf_putc(buf, '{');
            json_text_put_string(buf, "route", view->windows[i].route);
            json_text_put_time(buf, "until", view->windows[i].until_ms);
            buf_putc(buf, '}');
        }
        buf_putc(buf, ']');
    }
    if (view->flapping) {
        json_text_put_bool(buf, "flapping", true);
        json_text_put_int(buf, "flap_changes", view->flap_changes);
        json_text_put_time(buf, "quiet_at", view->quiet_ms);
    }
    if (view->acked_ms > 0) {
        json_text_key(buf, "acknowledged");
        buf_putc(buf, '{');
        json_text_put_string(buf, "by", view->acked_by);
        json_text_put_string(buf, "comment", view->ack_comment);
        json_text_put_time(buf, "at", view->acked_ms);
        buf_putc(buf, '}');
    }
}

/* How a sink's first notification about it fares. */
static const char *delivery_of(struct list *list, const struct alerts_view *view, size_t i)
{
    static const char *const fates[] = {"queued", "failing", "delivered", "failed"};
    const struct alerts_notice_view *notice = &view->notices[i];
    int fate;

    if (notice->id == 0) {
        return "none";
    }
    if (notice->moved || notice->rejected) {
        return notice->moved ? "moved" : "failed";
    }
    fate = outbox_fate(list->call.desk->outbox, list->tx, view->sinks[i], notice->id);
    return fate < 0 ? "queued" : fates[fate]; /* the error is in the tx: nobody sees this */
}

static void put_view(struct list *list, const struct alerts_view *view)
{
    struct buf *buf = &list->text;
    static const char *const severities[] = {"info", "warning", "critical"};

    buf_putc(buf, '{');
    json_text_put_string(buf, "fingerprint", view->fingerprint);
    json_text_put_string(buf, "episode", view->key);
    json_text_put_string(buf, "status", view->firing ? "firing" : "resolved");
    if (view->expired) {
        json_text_put_bool(buf, "expired", true);
    }
    json_text_put_string(buf, "severity", severities[view->severity]);
    json_text_key(buf, "labels");
    pairs_to_json(view->labels, view->nlabels, buf);
    json_text_key(buf, "annotations");
    pairs_to_json(view->annotations, view->nannotations, buf);
    json_text_put_string(buf, "source", source_name(view->source));
    if (view->generator_url && *view->generator_url) {
        json_text_put_string(buf, "generator_url", view->generator_url);
    }
    json_text_put_time(buf, "starts_at", view->starts_ms);
    json_text_put_time(buf, "updated_at", view->updated_ms);
    json_text_put_time(buf, "ends_at", view->ends_ms);
    json_text_put_strings(buf, "silenced_by", view->silenced_by, view->nsilenced);
    json_text_put_strings(buf, "inhibited_by", view->inhibited_by, view->ninhibited);
    put_why(buf, view);
    json_text_key(buf, "sinks");
    buf_putc(buf, '[');
    for (size_t i = 0; i < view->nsinks; i++) {
        json_text_item(buf);
        buf_putc(buf, '{');
        json_text_put_string(buf, "name", view->sinks[i]);
        json_text_put_bool(buf, "told", view->told[i]);
        json_text_put_string(buf, "delivery", delivery_of(list, view, i));
        buf_putc(buf, '}');
    }
    buf_puts(buf, "]}");
}

static struct shown *oldest(const struct list *list)
{
    struct heap_node *top = heap_top(&list->shown);

    return top ? (struct shown *)(void *)((char *)top - offsetof(struct shown, node)) : NULL;
}

static struct shown *take_oldest(struct list *list)
{
    struct shown *shown = oldest(list);

    heap_remove(&list->shown, &shown->node);
    list->bytes -= shown->len;
    return shown;
}

static void show(struct list *list, const struct alerts_view *view)
{
    struct shown *shown;

    buf_clear(&list->text);
    put_view(list, view);
    shown = list->text.failed ? NULL : malloc(sizeof *shown + list->text.len);
    if (!shown) {
        list->no_memory = true;
        return;
    }
    *shown = (struct shown){.len = list->text.len};
    memcpy(shown->text, list->text.data, shown->len);
    if (heap_set(&list->shown, &shown->node, view->starts_ms) < 0) {
        free(shown);
        list->no_memory = true;
        return;
    }
    list->bytes += shown->len;
    while (list->shown.len > list->filter->limit ||
           (list->bytes > LIMIT_API_LIST_BYTES && list->shown.len > 1)) {
        free(take_oldest(list));
    }
}

static bool on_view(void *arg, const struct alerts_view *view)
{
    struct list *list = arg;

    if (list->filter->nmatchers > 0 && clock_mono_ns() > list->until_ns) {
        list->too_slow = true;
        return false;
    }
    if (alerts_filter_wants(list->filter, view)) {
        const struct shown *last = oldest(list);

        list->total++;
        if (list->shown.len < list->filter->limit || view->starts_ms > last->node.at) {
            show(list, view);
        }
    }
    return !list->no_memory;
}

static int list_run(struct desk_call *call, struct state_tx *tx, struct alerts_time now)
{
    struct list *list = (struct list *)(void *)call;

    list->tx = tx;
    list->until_ns = clock_mono_ns() + LIMIT_API_LIST_MS * NS_PER_MS;
    alerts_visit(call->desk->alerts, on_view, list, now);
    return tx->error;
}

static void list_free(struct list *list)
{
    while (list->shown.len > 0) {
        free(take_oldest(list));
    }
    heap_finish(&list->shown);
    alerts_filter_destroy(list->filter);
    buf_finish(&list->text);
    free(list);
}

/* The newest first: the heap gives the oldest first. */
static void answer_list(struct list *list)
{
    size_t n = list->shown.len;
    struct shown **order = calloc(n + 1, sizeof *order);
    struct buf text;

    buf_init(&text, SIZE_MAX / 2);
    buf_puts(&text, "{\"alerts\":[");
    for (size_t i = n; order && i > 0; i--) {
        order[i - 1] = take_oldest(list);
    }
    for (size_t i = 0; order && i < n; i++) {
        buf_append(&text, i ? ",\n" : "\n", i ? 2 : 1);
        buf_append(&text, order[i]->text, order[i]->len);
        free(order[i]);
    }
    buf_putc(&text, ']');
    json_text_put_int(&text, "total", (int64_t)list->total);
    buf_puts(&text, "}\n");
    text.failed |= !order;
    free(order);
    api_answer(list->api, list->ticket, 200, &text, 0);
}

static void list_done(struct desk_call *call, int result)
{
    struct list *list = (struct list *)(void *)call;

    if (result < 0) {
        api_answer_failure(list->api, list->ticket, result);
    } else if (list->too_slow) {
        api_answer_error(list->api, list->ticket, 400, "the filters take too long",
                         "use simpler regular expressions, or filter by name first", 0);
    } else if (list->no_memory) {
        api_answer_error(list->api, list->ticket, 503, "there is not enough memory for the list",
                         "ask for fewer with limit", 1);
    } else {
        answer_list(list);
    }
    list_free(list);
}

int alerts_api_list(struct api *api, struct http_question *question)
{
    struct list *list = calloc(1, sizeof *list);
    int r;

    if (!list) {
        return -ENOMEM;
    }
    list->call = (struct desk_call){.run = list_run, .done = list_done};
    list->api = api;
    list->ticket = question->ticket;
    list->filter = question->filter;
    heap_init(&list->shown);
    buf_init(&list->text, SIZE_MAX / 2);
    r = api_submit(api, &list->call, false);
    if (r < 0) {
        list->filter = NULL; /* still the question's */
        list_free(list);
        return r;
    }
    question->filter = NULL;
    return 0;
}
