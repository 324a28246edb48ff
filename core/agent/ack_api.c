/*
 * ack_api.c: alerts are acknowledged, by whoever may write and by whoever was sent the link.  Asked
 * on the server's thread; run and done on the state's.
 *
 * A link is good for its alert and until its time, whoever comes with it.  It shows and does
 * nothing but that, and it ends with the episode, which then has no row any more.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ack_page.h"
#include "agent/api.h"
#include "base/clock.h"
#include "base/json_text.h"

struct work {
    struct desk_call call;
    struct api *api;
    uint64_t ticket;
    enum http_what what;
    char *id;             /* owned: what stood in the path */
    struct http_ack *ack; /* owned; NULL: none */
    struct ack_key key;
    bool taken; /* it was acknowledged by this */
    struct buf text;
};

static void work_free(struct work *work)
{
    free(work->id);
    free(work->ack);
    buf_finish(&work->text);
    free(work);
}

/* ---- on the state's thread ---- */

static void show_json(void *arg, const struct alerts_view *view)
{
    struct work *work = arg;
    struct buf *buf = &work->text;

    buf_putc(buf, '{');
    json_text_put_bool(buf, "acknowledged", view->acked_ms > 0);
    json_text_put_string(buf, "episode", view->key);
    json_text_put_string(buf, "fingerprint", view->fingerprint);
    if (view->acked_ms > 0) {
        json_text_put_string(buf, "by", view->acked_by);
        json_text_put_string(buf, "comment", view->ack_comment);
        json_text_put_time(buf, "at", view->acked_ms);
    }
    buf_puts(buf, "}\n");
}

static int run_json(struct work *work, struct state_tx *tx, struct alerts_time now)
{
    struct alerts *alerts = work->call.desk->alerts;
    struct alerts_ack ack;
    bool taken = work->what == HTTP_ALERT_ACK;
    int r;

    if (taken) {
        ack = (struct alerts_ack){work->ack->by, work->ack->comment};
    }
    r = alerts_ack(alerts, tx, work->id, taken ? &ack : NULL, now);
    return r < 0 ? r : alerts_find(alerts, work->id, show_json, work, now);
}

struct seen {
    bool acked, firing;
};

static void look(void *arg, const struct alerts_view *view)
{
    struct seen *seen = arg;

    seen->acked = view->acked_ms > 0;
    seen->firing = view->firing;
}

static void show_page(void *arg, const struct alerts_view *view)
{
    struct work *work = arg;

    ack_page_alert(&work->text, view, work->taken);
}

/* Who comes second finds who was first. */
static int run_page(struct work *work, struct state_tx *tx, struct alerts_time now)
{
    struct alerts *alerts = work->call.desk->alerts;
    struct seen seen = {0};
    char episode[ACK_EPISODE_SIZE];
    int r = ack_token_read(&work->key, work->id, now.real_ms, episode);

    if (r == 0 && work->ack && work->ack->unfit) {
        r = -EMSGSIZE;
    }
    r = r < 0 ? r : alerts_find(alerts, episode, look, &seen, now);
    if (r == 0 && work->what == HTTP_ACK_FORM && seen.firing && !seen.acked) {
        const struct alerts_ack ack = {work->ack->by, work->ack->comment};

        r = alerts_ack(alerts, tx, episode, &ack, now);
        work->taken = r == 0;
    }
    return r < 0 ? r : alerts_find(alerts, episode, show_page, work, now);
}

static bool is_page(const struct work *work)
{
    return work->what == HTTP_ACK_PAGE || work->what == HTTP_ACK_FORM;
}

static int run(struct desk_call *call, struct state_tx *tx, struct alerts_time now)
{
    struct work *work = (struct work *)(void *)call;

    buf_clear(&work->text);
    work->taken = false;
    return is_page(work) ? run_page(work, tx, now) : run_json(work, tx, now);
}

/* ---- answers ---- */

static void answer_page(struct work *work, int result)
{
    unsigned status = 200;

    if (result < 0) {
        buf_clear(&work->text);
    }
    if (result == -EINVAL) {
        status = 404;
        ack_page_say(&work->text, "This link is not good",
                     "It is not whole, or it was not made by this agent.");
    } else if (result == -EMSGSIZE) {
        status = 400;
        ack_page_say(
            &work->text, "That is too long",
            "The name or the comment is too long, or no text in UTF-8. Go back and make it "
            "shorter.");
    } else if (result == -ETIME) {
        status = 410;
        ack_page_say(&work->text, "This link is too old",
                     "A later notification of the alert has a newer one.");
    } else if (result == -ENOENT) {
        status = 410;
        ack_page_say(&work->text, "This alert is over", "There is nothing left to acknowledge.");
    } else if (result < 0) {
        status = 503;
        ack_page_say(&work->text, "That did not work",
                     "The agent cannot store anything at the moment. Try again in a minute.");
    }
    api_answer_page(work->api, work->ticket, status, &work->text);
}

static void answer_json(struct work *work, int result)
{
    struct api *api = work->api;

    if (result >= 0) {
        api_answer(api, work->ticket, 200, &work->text, 0);
    } else if (result == -ENOENT) {
        api_answer_error(api, work->ticket, 404, "there is no such alert",
                         "give the fingerprint or the episode that GET /api/v1/alerts shows", 0);
    } else if (result == -ENOTUNIQ) {
        api_answer_error(api, work->ticket, 409, "several alerts have this fingerprint",
                         "give the episode that GET /api/v1/alerts shows", 0);
    } else if (result == -ESTALE) {
        api_answer_error(api, work->ticket, 409, "it has resolved already",
                         "there is nothing to acknowledge", 0);
    } else if (result == -EINVAL) {
        api_answer_error(api, work->ticket, 400, "'by' and 'comment' must be UTF-8", NULL, 0);
    } else {
        api_answer_failure(api, work->ticket, result);
    }
}

static void done(struct desk_call *call, int result)
{
    struct work *work = (struct work *)(void *)call;

    if (is_page(work)) {
        answer_page(work, result);
    } else {
        answer_json(work, result);
    }
    work_free(work);
}

int ack_api_ask(struct api *api, struct http_question *question)
{
    struct work *work = calloc(1, sizeof *work);
    int r;

    if (!work) {
        return -ENOMEM;
    }
    *work = (struct work){.call = {.run = run, .done = done},
                          .api = api,
                          .ticket = question->ticket,
                          .what = question->what,
                          .id = question->text,
                          .ack = question->ack};
    buf_init(&work->text, SIZE_MAX / 2);
    (void)pthread_rwlock_rdlock(&api->lock);
    work->key = api->ack_key;
    (void)pthread_rwlock_unlock(&api->lock);
    r = api_submit(api, &work->call, false);
    if (r < 0) {
        work->id = NULL; /* still the question's */
        work->ack = NULL;
        work_free(work);
        return r;
    }
    question->text = NULL;
    question->ack = NULL;
    return 0;
}
