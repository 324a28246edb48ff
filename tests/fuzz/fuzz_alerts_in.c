/*
 * The body of POST /api/v1/alerts. What is good can be put; what is whole JSON by jansson's account
 * and within our limits is never refused as malformed, and the other way round; the answer is JSON.
 */
#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "base/limits.h"
#include "http/alerts_in.h"
#include "model/labels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_item(struct alerts_in_item *item)
{
    char why[128];

    assert(item->status == ALERTS_IN_GOOD || item->status == ALERTS_IN_REJECTED);
    if (item->status == ALERTS_IN_REJECTED) {
        assert(item->error[0] && item->field);
        return;
    }
    assert(alerts_input_check(&item->input, why, sizeof why) == 0);
    assert(*labels_get(item->input.labels, item->input.nlabels, "alertname"));
    assert(*labels_get(item->input.labels, item->input.nlabels, "severity"));
    assert(item->input.ttl_ms > 0 && item->input.ttl_ms <= LIMIT_API_TTL_MS);
    assert(item->input.starts_ms >= 0);
    item->status = ALERTS_IN_ACCEPTED;
    item->verdict = (enum alerts_verdict)(item->fingerprint % ALERTS_VERDICTS);
}

static void check_answer(const struct alerts_in *alerts)
{
    json_t *document;
    struct buf buf;

    buf_init(&buf, SIZE_MAX / 2);
    alerts_in_answer(alerts, &buf);
    document = json_loadb(buf.data, buf.len, JSON_REJECT_DUPLICATES, NULL);
    assert(json_array_size(json_object_get(document, "results")) == alerts->n);
    json_decref(document);
    buf_finish(&buf);
}

/* Whether an item was not looked into, so that nobody knows if it is JSON. */
static int is_opaque(const struct alerts_in *alerts)
{
    for (size_t i = 0; i < alerts->n; i++) {
        const char *error = alerts->items[i].error;

        if (error && (strstr(error, "NUL") || strstr(error, "nests") || strstr(error, "holds"))) {
            return 1;
        }
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *body = (const char *)data;
    struct json_items_error error;
    struct alerts_in *alerts = NULL;
    json_error_t why;
    json_t *whole;
    int r = alerts_in_parse(body, size, INT64_C(1767323045678), &alerts, &error);

    whole = json_loadb(body, size, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &why);
    if (r < 0) {
        assert(r == -EINVAL || r == -E2BIG);
        assert(error.text[0]);
        assert(!whole || r == -E2BIG);
    } else {
        assert(whole || is_opaque(alerts));
        assert(is_opaque(alerts) || !json_is_array(whole) || json_array_size(whole) == alerts->n);
        for (size_t i = 0; i < alerts->n; i++) {
            check_item(&alerts->items[i]);
        }
        check_answer(alerts);
        (void)alerts_in_status(alerts);
    }
    json_decref(whole);
    alerts_in_destroy(alerts);
    return 0;
}
