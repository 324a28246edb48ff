/*
 * What /api/v2 takes. The first byte says what it is: the body of alerts, the body of a silence, or
 * a filter. What is good can be put; what is not has an error that says so in JSON; a matcher that
 * is read is written and read again the same.
 */
#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "http/v2_alerts_in.h"
#include "http/v2_filter.h"
#include "http/v2_read.h"
#include "http/v2_silence_in.h"
#include "model/labels.h"

#define NOW_MS INT64_C(1767323045678)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const struct v2_error *error)
{
    json_t *document;
    struct buf buf;

    assert(error->status == 400 || error->status == 422);
    assert(error->text[0] && error->code >= 0);
    buf_init(&buf, SIZE_MAX / 2);
    v2_error_put(&buf, error->code, error->text);
    document = json_loadb(buf.data, buf.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    assert(error->code == 0 ? json_is_string(document)
                            : json_is_string(json_object_get(document, "message")));
    json_decref(document);
    buf_finish(&buf);
}

/* ---- alerts ---- */

static void check_item(struct alerts_in_item *item)
{
    char why[128];

    assert(item->status == ALERTS_IN_GOOD || item->status == ALERTS_IN_REJECTED);
    if (item->status == ALERTS_IN_REJECTED) {
        assert(item->error[0]);
        return;
    }
    assert(alerts_input_check(&item->input, why, sizeof why) == 0);
    assert(item->input.merge && item->input.ends_ms >= item->input.starts_ms);
    assert(item->input.resolved == (item->input.ends_ms <= NOW_MS));
    assert(item->fingerprint == labels_fingerprint(item->input.labels, item->input.nlabels));
    item->status = ALERTS_IN_ACCEPTED;
}

static void fuzz_alerts(const char *body, size_t size)
{
    struct alerts_in *alerts = NULL;
    struct v2_error error;
    struct buf buf;
    int r = v2_alerts_parse(body, size, NOW_MS, &alerts, &error);

    if (r < 0) {
        assert(r == -EINVAL);
        check_error(&error);
        return;
    }
    for (size_t i = 0; i < alerts->n; i++) {
        check_item(&alerts->items[i]);
    }
    buf_init(&buf, SIZE_MAX / 2);
    alerts_in_answer(alerts, &buf);
    assert((alerts_in_status(alerts) == 200) == (buf.len == 0));
    assert((alerts_in_status(alerts) == 200) == (alerts->good == alerts->n));
    buf_finish(&buf);
    alerts_in_destroy(alerts);
}

/* ---- a silence ---- */

static void fuzz_silence(const char *body, size_t size)
{
    struct v2_silence_in *silence = NULL;
    struct v2_error error;
    char why[256];
    int r = v2_silence_parse(body, size, NOW_MS, &silence, &error);

    if (r < 0) {
        assert(r == -EINVAL);
        check_error(&error);
        return;
    }
    assert(silence->input.nmatchers > 0 && silence->input.nmatchers <= LIMIT_SILENCE_MATCHERS);
    assert(silence->input.starts_ms < silence->input.ends_ms && silence->input.ends_ms >= NOW_MS);
    assert(silence_input_check(&silence->input, NOW_MS, why, sizeof why) == 0);
    v2_silence_destroy(silence);
}

/* ---- a filter ---- */

static void check_matcher(const struct matcher *matcher)
{
    char *name = NULL, *value = NULL;
    enum matcher_op op;
    struct buf buf;

    assert(labels_name_ok(matcher->name));
    buf_init(&buf, SIZE_MAX / 2);
    matcher_show(matcher, &buf);
    assert(matcher_split(buf_str(&buf), &name, &op, &value) == 0);
    assert(op == matcher->op && strcmp(name, matcher->name) == 0 &&
           strcmp(value, matcher->value) == 0);
    free(name);
    free(value);
    buf_finish(&buf);
}

static void fuzz_filter(const char *text)
{
    struct v2_filter *filter = v2_filter_create();
    const struct tmon_pair labels[] = {{"alertname", "High"}, {"a", "b"}};
    const struct alerts_view view = {.labels = labels, .nlabels = 2};
    const char *receiver = "hook";
    struct v2_error error = {0};

    assert(filter);
    if (v2_filter_take(filter, "filter", text, &error) < 0) {
        check_error(&error);
    } else {
        check_matcher(&filter->matchers[0]);
        (void)v2_filter_wants(filter, &view);
    }
    if (v2_filter_take(filter, "receiver", text, &error) < 0) {
        check_error(&error);
    } else {
        (void)v2_filter_wants_receiver(filter, &receiver, 1);
    }
    (void)v2_uri_ok(text);
    (void)v2_uuid_ok(text);
    v2_filter_destroy(filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (size == 0) {
        return 0;
    }
    if (*data == 'a') {
        fuzz_alerts((const char *)data + 1, size - 1);
    } else if (*data == 's') {
        fuzz_silence((const char *)data + 1, size - 1);
    } else {
        text = malloc(size);
        assert(text);
        memcpy(text, data + 1, size - 1);
        text[size - 1] = '\0';
        fuzz_filter(text);
        free(text);
    }
    return 0;
}
