/*
 * outbox_api.c: what was sent where: listed, shown, tried again, dropped.  Asked on the server's
 * thread; run and done on the state's.
 */
#include <errno.h>
#include <stdlib.h>

#include "agent/api.h"
#include "base/json_text.h"
#include "model/notification.h"
#include "model/pairs.h"

struct work {
    struct api_call call;
    struct http_outbox_filter filter;
    int64_t id;
    size_t n;
    int64_t last; /* the number of the last one that was listed */
};

/* ---- as JSON ---- */

static void put_row(struct buf *buf, const struct outbox_row *row)
{
    json_text_put_int(buf, "id", row->id);
    json_text_put_string(buf, "uid", row->uid);
    json_text_put_string(buf, "sink", row->sink);
    json_text_put_string(buf, "state", outbox_state_name(row->state));
    json_text_put_string(buf, "title", row->title);
    json_text_put_bool(buf, "parked", row->parked);
    json_text_put_bool(buf, "digest", row->digest);
    json_text_put_bool(buf, "under_way", row->under_way);
    json_text_put_int(buf, "attempts", row->attempts);
    json_text_put_time(buf, "created_at", row->created_ms);
    json_text_put_time(buf, "next_at", row->next_ms);
    json_text_put_time(buf, "ended_at", row->ended_ms);
    json_text_put_string(buf, "reason", row->reason);
}

static void put_alert(struct buf *buf, const struct tmon_alert *alert)
{
    static const char *const severities[] = {"info", "warning", "critical"};

    json_text_item(buf);
    buf_putc(buf, '{');
    json_text_put_string(buf, "status", alert->firing ? "firing" : "resolved");
    json_text_put_string(buf, "severity", severities[alert->severity]);
    json_text_put_string(buf, "name", alert->name);
    json_text_put_string(buf, "fingerprint", alert->fingerprint);
    json_text_put_string(buf, "episode", alert->key);
    json_text_key(buf, "labels");
    pairs_to_json(alert->labels, alert->nlabels, buf);
    json_text_key(buf, "annotations");
    pairs_to_json(alert->annotations, alert->nannotations, buf);
    json_text_put_time(buf, "starts_at", alert->starts_ms);
    json_text_put_time(buf, "ends_at", alert->ends_ms);
    buf_putc(buf, '}');
}

static void put_body(struct buf *buf, const void *body, size_t len)
{
    struct tmon_notification *notification = NULL;
    struct wire_reader reader;

    wire_reader_init(&reader, body, len);
    if (notification_decode(&reader, &notification) < 0) {
        json_text_put_string(buf, "unreadable", "its content is damaged or of another version");
        return;
    }
    json_text_key(buf, "group");
    pairs_to_json(notification->group, notification->ngroup, buf);
    json_text_put_string(buf, "group_key", notification->group_key);
    json_text_put_int(buf, "truncated", (int64_t)notification->ntruncated);
    json_text_key(buf, "alerts");
    buf_putc(buf, '[');
    for (size_t i = 0; i < notification->nalerts; i++) {
        put_alert(buf, notification->alerts[i]);
    }
    buf_putc(buf, ']');
    notification_destroy(notification);
}

/* ---- on the state's thread ---- */

static bool on_listed(void *arg, const struct outbox_row *row)
{
    struct work *work = arg;

    buf_puts(&work->call.text, work->n++ ? ",\n{" : "\n{");
    put_row(&work->call.text, row);
    buf_putc(&work->call.text, '}');
    work->last = row->id;
    return !work->call.text.failed;
}

static void on_shown(void *arg, const struct outbox_row *row)
{
    struct work *work = arg;

    buf_putc(&work->call.text, '{');
    put_row(&work->call.text, row);
    put_body(&work->call.text, row->body, row->len);
    buf_puts(&work->call.text, "}\n");
}

static int list(struct work *work, struct state_tx *tx)
{
    const struct outbox_filter filter = {
        .sink = work->filter.sink[0] ? work->filter.sink : NULL,
        .state = work->filter.state,
        .before = work->filter.before,
        .limit = work->filter.limit,
    };
    int r;

    buf_puts(&work->call.text, "{\"notifications\":[");
    r = outbox_list(work->call.desk_call.desk->outbox, tx, &filter, on_listed, work);
    buf_puts(&work->call.text, "],\"next\":");
    if (work->n == work->filter.limit) {
        json_text_int(&work->call.text, work->last);
    } else {
        buf_puts(&work->call.text, "null");
    }
    buf_puts(&work->call.text, "}\n");
    return r;
}

struct dead {
    size_t n;
    int64_t ids[LIMIT_OUTBOX_LIST];
};

static bool note_dead(void *arg, const struct outbox_row *row)
{
    struct dead *dead = arg;

    dead->ids[dead->n++] = row->id;
    return dead->n < LIMIT_OUTBOX_LIST;
}

/* Found first, then changed.  `next` says where to go on. */
static int revive(struct work *work, struct state_tx *tx, struct alerts_time now)
{
    struct outbox *outbox = work->call.desk_call.desk->outbox;
    const struct outbox_filter filter = {
        .sink = work->filter.sink[0] ? work->filter.sink : NULL,
        .state = OUTBOX_DEAD,
        .before = work->filter.before,
        .limit = work->filter.limit,
    };
    struct dead *dead = calloc(1, sizeof *dead);
    int r = dead ? outbox_list(outbox, tx, &filter, note_dead, dead) : -ENOMEM;

    for (size_t i = 0; r == 0 && i < dead->n; i++) {
        r = outbox_retry(outbox, tx, dead->ids[i], now);
        work->n += r == 0;
        r = r == -ENOENT || r == -EINVAL ? 0 : r;
    }
    if (r == 0) {
        buf_putc(&work->call.text, '{');
        json_text_put_int(&work->call.text, "retried", (int64_t)work->n);
        json_text_key(&work->call.text, "next");
        if (dead->n == work->filter.limit) {
            json_text_int(&work->call.text, dead->ids[dead->n - 1]);
        } else {
            buf_puts(&work->call.text, "null");
        }
        buf_puts(&work->call.text, "}\n");
    } else if (tx->error == 0) {
        tx->error = r; /* some are revived already: none shall be */
    }
    free(dead);
    return r;
}

static int run(struct desk_call *call, struct state_tx *tx, struct alerts_time now)
{
    struct work *work = (struct work *)(void *)call;
    struct outbox *outbox = call->desk->outbox;

    buf_clear(&work->call.text);
    work->n = 0;
    switch (work->call.what) {
    case HTTP_OUTBOX_LIST:
        return list(work, tx);
    case HTTP_OUTBOX_SHOW:
        return outbox_show(outbox, tx, work->id, on_shown, work);
    case HTTP_OUTBOX_REVIVE:
        return revive(work, tx, now);
    case HTTP_OUTBOX_RETRY:
        buf_puts(&work->call.text, "{\"retried\":true}\n");
        return outbox_retry(outbox, tx, work->id, now);
    default:
        buf_puts(&work->call.text, "{\"dropped\":true}\n");
        return outbox_drop(outbox, tx, work->id, now);
    }
}

static void answer_refusal(struct work *work, int r)
{
    bool retry = work->call.what == HTTP_OUTBOX_RETRY;

    if (r == -ENOENT) {
        api_answer_error(work->call.api, work->call.ticket, 404,
                         "there is no notification of that number",
                         "it may have been delivered long ago; GET /api/v1/notifications lists "
                         "what there is",
                         0);
    } else if (r == -EBUSY) {
        api_answer_error(work->call.api, work->call.ticket, 409, "it is being delivered right now",
                         "see what comes of it, then ask again", 0);
    } else {
        api_answer_error(work->call.api, work->call.ticket, 409,
                         retry ? "it is neither dead nor waiting: there is nothing to try again"
                               : "it has ended already: there is nothing to drop",
                         NULL, 0);
    }
}

static void done(struct desk_call *call, int result)
{
    struct work *work = (struct work *)(void *)call;

    if (result >= 0) {
        api_answer(work->call.api, work->call.ticket, 200, &work->call.text, 0);
    } else if (result == -ENOENT || result == -EBUSY || result == -EINVAL) {
        answer_refusal(work, result);
    } else {
        api_answer_failure(work->call.api, work->call.ticket, result);
    }
    api_call_free(work);
}

int outbox_api_ask(struct api *api, const struct http_question *question)
{
    const struct desk_call call = {.run = run, .done = done};
    struct work *work = api_call_new(sizeof *work, api, question, &call, SIZE_MAX / 2);
    int r;

    if (!work) {
        return -ENOMEM;
    }
    work->filter = question->outbox;
    work->id = question->id;
    r = api_submit(api, &work->call.desk_call, false);
    if (r < 0) {
        api_call_free(work);
    }
    return r;
}
