/*
 * sink_kit.h: notifications for the tests of sinks, and answers of their far ends.
 */
#ifndef SINK_KIT_H
#define SINK_KIT_H

#include "../sink_case.h"
#include "kit.h"

#include "sink_check.h"

static inline struct tmon_response sink_answer(int32_t status, const char *body,
                                               int64_t retry_after_ms)
{
    return (struct tmon_response){
        .size = sizeof(struct tmon_response),
        .status = status,
        .retry_after_ms = retry_after_ms,
        .body = {body, strlen(body)},
        .error = "",
    };
}

/* n copies of a text, owned by the caller. */
static inline char *sink_repeat(const char *text, size_t n)
{
    const size_t len = strlen(text);
    char *all = malloc(len * n + 1);

    assert_non_null(all);
    for (size_t i = 0; i < n; i++) {
        memcpy(all + len * i, text, len);
    }
    all[len * n] = '\0';
    return all;
}

/* Every kind of text that a stranger may send; all end with a NUL. */
static const char *const sink_hostile[] = {
    "",
    " \t\r\n ",
    "<!channel> & <https://evil.example|click>",
    "&amp; &lt; \\u003c \" \\ ' `",
    "\x01\x02\x1b[31mred\x1b[0m\x7f\xc2\x85",
    "left \xe2\x80\xae"
    "thgir\xe2\x80\xac \xe2\x81\xa6isolated\xe2\x81\xa9 \xe2\x80\x8f",
    "\xff\xfe\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80 \xe2\x82",
    "a\xe2\x80\xa8"
    "b\xe2\x80\xa9"
    "c\xef\xbf\xbd\xef\xbf\xbe",
    "\xf0\x9f\x9a\xbd\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa e\xcc\x81 \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
    "*bold* _it_ ~no~ `code` ```pre``` > quote",
    "\xe2\x80\xae\xe2\x80\xad",
};

static inline const char *sink_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

typedef const char *(*sink_checker)(const void *data, size_t len, json_t **ret_root);

/* Formats, lets the checker look, and returns the document, parsed. */
static inline json_t *sink_format(struct mock_host *mock, const struct sink_case *c,
                                  const char *url, sink_checker check)
{
    const struct tmon_request *request;
    json_t *root;
    const char *why;

    assert_int_equal(mock_format(mock, &c->notification, &request), TMON_OK);
    assert_string_equal(request->method, "POST");
    assert_string_equal(request->url, url);
    assert_string_equal(request->headers[0].key, "Content-Type");
    assert_string_equal(request->headers[0].value, "application/json");
    why = check(request->body.data, request->body.len, &root);
    if (why != NULL) {
        fail_msg("%s: %.4000s", why, (const char *)request->body.data);
    }
    return root;
}

/* Every text of the first alert and of what holds it. */
static inline void sink_set_texts(struct sink_case *c, const char *text,
                                  const struct tmon_pair *pairs, size_t n)
{
    struct tmon_alert *alert = &c->alerts[0];

    alert->key = alert->name = alert->summary = alert->description = text;
    alert->generator_url = alert->fingerprint = alert->ack_url = text;
    alert->labels = alert->annotations = pairs;
    alert->nlabels = alert->nannotations = n;
    c->notification.group = pairs;
    c->notification.ngroup = n;
    c->notification.title = c->notification.text = c->notification.external_url = text;
    c->notification.id = c->notification.receiver = c->notification.group_key = text;
}

/* Hostile texts of any length, with an alert that fires, and with none: the checker is content. */
static inline void sink_try_hostile(struct mock_host *mock, sink_checker check)
{
    static const size_t lengths[] = {1, 100, 10000};
    struct sink_case *c = sink_case(1);
    struct tmon_pair pairs[16];

    for (size_t i = 0; i < COUNT(sink_hostile) * COUNT(lengths); i++) {
        char *text =
            sink_repeat(sink_hostile[i % COUNT(sink_hostile)], lengths[i / COUNT(sink_hostile)]);

        for (size_t p = 0; p < COUNT(pairs); p++) {
            pairs[p].key = p == 5 ? "runbook_url" : p == 6 ? "instance" : text;
            pairs[p].value = text;
        }
        sink_set_texts(c, text, pairs, COUNT(pairs));
        c->alerts[0].starts_ms = i % 2 ? INT64_MAX : INT64_MIN;
        for (c->notification.nalerts = 0; c->notification.nalerts <= 2; c->notification.nalerts++) {
            const struct tmon_request *request;
            const char *why;
            json_t *root;

            assert_int_equal(mock_format(mock, &c->notification, &request), TMON_OK);
            why = check(request->body.data, request->body.len, &root);
            if (why != NULL) {
                fail_msg("%s: %.4000s", why, (const char *)request->body.data);
            }
            json_decref(root);
        }
        free(text);
    }
    free(c);
}

struct sink_kind {
    const char *character;
    unsigned units; /* of it as it is written */
    const char *written;
};

/*
 * A text of each kind of character, at every length around its limit: what the sink made of it, as
 * `made` gives it, is cut between two characters.  `most` units are for the text and the ellipsis.
 */
static inline void
sink_try_cuts(const struct sink_kind *kinds, size_t count, size_t from, size_t to, unsigned most,
              json_t *(*made)(void *owner, const char *text, const char **ret_made), void *owner)
{
    for (size_t k = 0; k < count; k++) {
        for (size_t n = from; n < to; n++) {
            char *text = sink_repeat(kinds[k].character, n);
            const bool fits = n * kinds[k].units <= most;
            const size_t whole = fits ? n : (most - 1) / kinds[k].units;
            char *expected = sink_repeat(kinds[k].written, whole);
            const char *told;
            json_t *root = made(owner, text, &told);

            assert_memory_equal(told, expected, strlen(expected));
            assert_string_equal(told + strlen(expected), fits ? "" : "\xe2\x80\xa6");
            json_decref(root);
            free(expected);
            free(text);
        }
    }
}

struct sink_verdict {
    int32_t status;
    const char *body;
    int64_t retry_after_ms;
    tmon_rc rc;
    int64_t retry;
    const char *said; /* NULL: nothing */
};

static inline void sink_try_verdicts(struct mock_host *mock, const struct sink_verdict *cases,
                                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct tmon_response response =
            sink_answer(cases[i].status, cases[i].body, cases[i].retry_after_ms);

        assert_int_equal(mock_judge(mock, &response), cases[i].rc);
        assert_int_equal(mock_retry_after(mock), cases[i].retry);
        if (cases[i].said == NULL) {
            assert_null(mock_log_at(mock, 0));
        } else {
            assert_string_equal(mock_log_at(mock, 0)->text, cases[i].said);
            assert_int_equal(mock_log_at(mock, 0)->level, TMON_ERROR);
        }
    }
}

#endif
