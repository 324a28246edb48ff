/*
 * api.c: see api.h.
 */
#include "agent/api.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/log.h"

void api_init(struct api *api, struct loop *loop)
{
    *api = (struct api){.loop = loop, .started_ms = clock_real_ms()};
    (void)pthread_rwlock_init(&api->lock, NULL);
}

void api_open(struct api *api, struct http *http, struct desk *desk)
{
    (void)pthread_rwlock_wrlock(&api->lock);
    api->http = http;
    api->desk = desk;
    (void)pthread_rwlock_unlock(&api->lock);
}

void api_rules(struct api *api, struct rules_engine *rules)
{
    (void)pthread_rwlock_wrlock(&api->lock);
    api->rules = rules;
    (void)pthread_rwlock_unlock(&api->lock);
}

void api_close(struct api *api)
{
    if (api->loop) {
        api_open(api, NULL, NULL);
    }
}

void api_finish(struct api *api)
{
    if (api->loop) {
        sink_tests_finish(api);
        (void)pthread_rwlock_destroy(&api->lock);
        api->loop = NULL;
    }
}

bool api_is_open(struct api *api)
{
    bool is_open;

    (void)pthread_rwlock_rdlock(&api->lock);
    is_open = api->desk != NULL;
    (void)pthread_rwlock_unlock(&api->lock);
    return is_open;
}

void *api_call_new(size_t size, struct api *api, const struct http_question *question,
                   const struct desk_call *desk_call, size_t most)
{
    struct api_call *call = calloc(1, size);

    if (call) {
        call->desk_call = *desk_call;
        call->api = api;
        call->ticket = question->ticket;
        call->what = question->what;
        buf_init(&call->text, most);
    }
    return call;
}

void api_call_free(void *arg)
{
    struct api_call *call = arg;

    if (call) {
        buf_finish(&call->text);
        free(call);
    }
}

int api_submit(struct api *api, struct desk_call *call, bool grows)
{
    int r;

    (void)pthread_rwlock_rdlock(&api->lock);
    r = api->desk ? desk_submit(api->desk, call, grows) : -ESHUTDOWN;
    (void)pthread_rwlock_unlock(&api->lock);
    return r;
}

int api_ask(struct api *api, struct http_question *question)
{
    switch (question->what) {
    case HTTP_ALERTS_PUT:
        return alerts_api_put(api, question);
    case HTTP_ALERTS_LIST:
        return alerts_api_list(api, question);
    case HTTP_SILENCES_LIST:
    case HTTP_SILENCE_PUT:
    case HTTP_SILENCE_SHOW:
    case HTTP_SILENCE_EXPIRE:
        return silences_api_ask(api, question);
    case HTTP_ALERT_ACK:
    case HTTP_ALERT_UNACK:
    case HTTP_ACK_PAGE:
    case HTTP_ACK_FORM:
        return ack_api_ask(api, question);
    case HTTP_V2_ALERTS:
    case HTTP_V2_GROUPS:
    case HTTP_V2_RECEIVERS:
    case HTTP_V2_STATUS:
    case HTTP_V2_SILENCES:
    case HTTP_V2_SILENCE_PUT:
    case HTTP_V2_SILENCE_SHOW:
    case HTTP_V2_SILENCE_EXPIRE:
        return v2_api_ask(api, question);
    case HTTP_OUTBOX_LIST:
    case HTTP_OUTBOX_SHOW:
    case HTTP_OUTBOX_RETRY:
    case HTTP_OUTBOX_DROP:
    case HTTP_OUTBOX_REVIVE:
        return outbox_api_ask(api, question);
    case HTTP_SINKS_LIST:
    case HTTP_SINK_RESUME:
        return sinks_api_ask(api, question);
    case HTTP_RULES_LIST:
    case HTTP_RULES_EVAL:
        return rules_api_ask(api, question);
    case HTTP_SINK_TEST:
        return sink_test_ask(api, question);
    default:
        return -ENOSYS;
    }
}

void api_ack_key(struct api *api, const struct ack_key *key)
{
    (void)pthread_rwlock_wrlock(&api->lock);
    api->ack_key = *key;
    (void)pthread_rwlock_unlock(&api->lock);
}

/* Without memory for the text the deadline answers; when the agent ends, nobody does. */
static void answer(struct api *api, uint64_t ticket, unsigned status, struct buf *text,
                   unsigned retry_after, bool page)
{
    size_t len = text->len;
    char *taken = text->failed ? NULL : buf_take(text);

    (void)pthread_rwlock_rdlock(&api->lock);
    if (api->http && taken) {
        if (page) {
            http_answer_page(api->http, ticket, status, taken, len);
        } else {
            http_answer_text(api->http, ticket, status, taken, len, retry_after);
        }
        taken = NULL;
    }
    (void)pthread_rwlock_unlock(&api->lock);
    free(taken);
}

void api_answer(struct api *api, uint64_t ticket, unsigned status, struct buf *text,
                unsigned retry_after)
{
    if (text->failed) {
        api_answer_error(api, ticket, 503, "there is not enough memory for the answer", NULL, 1);
    } else {
        answer(api, ticket, status, text, retry_after, false);
    }
    buf_finish(text);
}

void api_answer_page(struct api *api, uint64_t ticket, unsigned status, struct buf *text)
{
    answer(api, ticket, status, text, 0, true);
    buf_finish(text);
}

void api_answer_error(struct api *api, uint64_t ticket, unsigned status, const char *error,
                      const char *hint, unsigned retry_after)
{
    struct buf text;

    buf_init(&text, 4096);
    buf_putc(&text, '{');
    json_text_put_string(&text, "error", error);
    if (hint) {
        json_text_put_string(&text, "hint", hint);
    }
    buf_puts(&text, "}\n");
    answer(api, ticket, status, &text, retry_after, false);
    buf_finish(&text);
}

void api_answer_failure(struct api *api, uint64_t ticket, int r)
{
    char error[256];

    if (r == -ENOSPC) {
        api_answer_error(api, ticket, 503, "the disk is full: nothing was stored",
                         "make room where state_dir is; what was accepted before is safe", 30);
        return;
    }
    (void)snprintf(error, sizeof error, "the state cannot be written: %s", log_errno(r));
    api_answer_error(api, ticket, 503, error, "see the agent's log; nothing was stored", 5);
}
