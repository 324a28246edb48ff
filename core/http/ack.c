/*
 * ack.c: somebody sees to an alert: /api/v1/alerts/ID/ack and /unack, and /ack/TOKEN, a page for
 * whoever was sent the link.  Server's thread; the state's thread answers.
 *
 * Programs that look at mail follow its links, so GET only shows what there is, and a button; the
 * button's POST acts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/form.h"
#include "http/json_items.h"
#include "http/server.h"

static int ask_about(struct request *request, enum http_what what, struct http_ack *ack)
{
    struct http_question question = {
        .what = what, .text = strdup(request->client->parameter), .ack = ack};

    body_finish(request->client);
    if (!question.text) {
        free(ack);
        return -ENOMEM;
    }
    return ask_agent(request, &question);
}

/* ---- JSON ---- */

#define HINT "as in {\"by\": \"ada\", \"comment\": \"I look into it\"}"

/* What is wrong with a body. */
struct mistake {
    struct json_items_error error;
    const char *field; /* "": it is the body as a whole */
};

static int refuse(struct mistake *mistake, const char *field, const char *text)
{
    (void)snprintf(mistake->error.text, sizeof mistake->error.text, "%s", text);
    mistake->field = field;
    return -EINVAL;
}

/* A text member.  -EINVAL. */
static int take_text(const json_t *object, const char *key, char *ret_text, size_t size,
                     struct mistake *mistake)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);

    if (!value) {
        return 0;
    }
    if (!text || json_string_length(value) >= size || strlen(text) != json_string_length(value)) {
        return refuse(mistake, key, !text ? "must be a text" : "is too long, or has a NUL");
    }
    memcpy(ret_text, text, strlen(text) + 1);
    return 0;
}

static int read_object(const json_t *object, struct http_ack *ack, struct mistake *mistake)
{
    const char *key;
    json_t *value;
    int r;

    if (!json_is_object(object)) {
        return refuse(mistake, "", "the body must be a JSON object");
    }
    json_object_foreach((json_t *)object, key, value)
    {
        if (strcmp(key, "by") != 0 && strcmp(key, "comment") != 0) {
            return refuse(mistake, "", "there are only the members 'by' and 'comment'");
        }
    }
    r = take_text(object, "by", ack->by, sizeof ack->by, mistake);
    return r < 0 ? r : take_text(object, "comment", ack->comment, sizeof ack->comment, mistake);
}

/* No body at all is fine: then nobody says who it was. */
static int read_json(const struct buf *body, struct http_ack *ack, struct mistake *mistake)
{
    json_t *object;
    int r;

    if (body->len == 0) {
        return 0;
    }
    r = json_items_one(body->data, body->len, &object, &mistake->error);
    if (r == 0) {
        r = read_object(object, ack, mistake);
        json_decref(object);
    }
    return r;
}

int alert_ack_handle(struct request *request)
{
    struct http_ack *ack = calloc(1, sizeof *ack);
    struct mistake mistake = {.field = ""};
    int r = ack ? read_json(&request->client->body.bytes, ack, &mistake) : -ENOMEM;

    if (r == 0) {
        return ask_about(request, HTTP_ALERT_ACK, ack);
    }
    free(ack);
    return r == -EINVAL ? answer_bad_body(request, mistake.error.text, mistake.field,
                                          mistake.error.line, mistake.error.column, HINT)
                        : r;
}

int alert_unack_handle(struct request *request)
{
    return ask_about(request, HTTP_ALERT_UNACK, NULL);
}

/* ---- the page ---- */

int ack_page_handle(struct request *request)
{
    const struct buf *body = &request->client->body.bytes;
    struct http_ack *ack;

    if (request->method != METHOD_POST) {
        return ask_about(request, HTTP_ACK_PAGE, NULL);
    }
    ack = calloc(1, sizeof *ack);
    if (!ack) {
        return -ENOMEM;
    }
    ack->unfit =
        form_field(buf_str(body), body->len, "by", ack->by, sizeof ack->by) < 0 ||
        form_field(buf_str(body), body->len, "comment", ack->comment, sizeof ack->comment) < 0;
    return ask_about(request, HTTP_ACK_FORM, ack);
}
