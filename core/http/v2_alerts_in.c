/*
 * v2_alerts_in.c: see v2_alerts_in.h.
 */
#include "http/v2_alerts_in.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "http/v2_read.h"
#include "model/labels.h"

struct reading {
    struct alerts_in *alerts;
    struct alerts_in_item *item;
    struct v2_error *error;
    struct v2_error against; /* the first breach of the schema: what cannot be read comes first */
    struct v2_place place;
    const json_t *object;
    int64_t now_ms;
};

/* ---- complaints ---- */

/* This one makes no sense; the others go on.  0; -ENOMEM. */
__attribute__((format(printf, 2, 3))) static int reject(struct reading *reading, const char *format,
                                                        ...)
{
    struct alerts_in_item *item = reading->item;
    char text[512];
    va_list args;

    if (item->status == ALERTS_IN_REJECTED) {
        return 0; /* the first mistake is told */
    }
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    item->status = ALERTS_IN_REJECTED;
    item->field = "";
    item->error =
        pool_copy(&reading->alerts->pool, text, utf8_cut(text, strlen(text), sizeof text - 2));
    return item->error ? 0 : -ENOMEM;
}

/* ---- members ---- */

static char *copy(struct reading *reading, const char *text)
{
    return pool_copy(&reading->alerts->pool, text, strlen(text));
}

/* A set of texts in memory of the pool; those without a value are left out.  The values are the
 * tree's, which is gone soon. */
static int read_pairs(struct reading *reading, const char *key, const json_t *given,
                      struct tmon_pair **ret_pairs, size_t *ret_n)
{
    struct tmon_pair *pairs;
    char space[V2_QUOTED_SIZE];
    const char *name;
    json_t *value;

    *ret_n = 0;
    if (given && !json_is_object(given)) {
        return v2_unreadable(reading->error, "alerts", "%s%s must be an object",
                             reading->place.prefix, key);
    }
    pairs = pool_get(&reading->alerts->pool, (json_object_size(given) + 1) * sizeof *pairs);
    if (!pairs) {
        return -ENOMEM;
    }
    json_object_foreach((json_t *)given, name, value)
    {
        if (!json_is_string(value) && !json_is_null(value)) {
            return v2_unreadable(reading->error, "alerts", "%s%s.%s must be a string",
                                 reading->place.prefix, key, v2_quoted(name, space));
        }
        pairs[*ret_n].key = name;
        pairs[(*ret_n)++].value = json_is_string(value) ? json_string_value(value) : "";
    }
    *ret_n = (size_t)labels_normalize(pairs, *ret_n); /* names are unique */
    *ret_pairs = pairs;
    return 0;
}

static int check_names(struct reading *reading, const char *what, const struct tmon_pair *pairs,
                       size_t n)
{
    char space[V2_QUOTED_SIZE];

    for (size_t i = 0; i < n; i++) {
        if (!labels_name_ok(pairs[i].key)) {
            return reject(reading, "invalid %s: invalid name %s", what,
                          v2_quoted(pairs[i].key, space));
        }
        if (strlen(pairs[i].key) > LIMIT_NAME_BYTES) {
            return reject(reading, "invalid %s: the name %s has more than %d bytes", what,
                          v2_quoted(pairs[i].key, space), LIMIT_NAME_BYTES);
        }
    }
    return 0;
}

static int check_labels(struct reading *reading, const struct tmon_pair *labels, size_t n)
{
    size_t bytes = 0;

    if (n == 0) {
        return reject(reading, "at least one label pair required");
    }
    if (n > LIMIT_PAIRS) {
        return reject(reading, "invalid label set: there are more than %d labels", LIMIT_PAIRS);
    }
    for (size_t i = 0; i < n; i++) {
        if (strlen(labels[i].value) > LIMIT_LABEL_VALUE_BYTES) {
            return reject(reading, "invalid label set: the value of %.*s has more than %d bytes",
                          LIMIT_NAME_BYTES, labels[i].key, LIMIT_LABEL_VALUE_BYTES);
        }
        bytes += strlen(labels[i].key) + strlen(labels[i].value);
    }
    return bytes > LIMIT_ALERT_LABELS_BYTES
               ? reject(reading, "invalid label set: it has more than %d bytes",
                        LIMIT_ALERT_LABELS_BYTES)
               : 0;
}

/* Copies names and values into the pool; values are cut to `most` bytes, and what comes after
 * `room` bytes is left out. */
static int keep_pairs(struct reading *reading, struct tmon_pair *pairs, size_t *n, size_t most,
                      size_t room)
{
    struct pool *pool = &reading->alerts->pool;
    size_t kept = 0;

    for (size_t i = 0; i < *n && kept < LIMIT_PAIRS; i++) {
        size_t len = utf8_cut(pairs[i].value, strlen(pairs[i].value), most);
        size_t bytes = strlen(pairs[i].key) + len;

        if (bytes > room) {
            continue;
        }
        room -= bytes;
        pairs[kept].key = copy(reading, pairs[i].key);
        pairs[kept].value = pool_copy(pool, pairs[i].value, len);
        if (!pairs[kept].key || !pairs[kept].value) {
            return -ENOMEM;
        }
        kept++;
    }
    *n = kept;
    return 0;
}

static int take_times(struct reading *reading, int64_t starts_ms, int64_t ends_ms)
{
    struct alerts_input *input = &reading->item->input;

    input->merge = true;
    input->end_said = ends_ms != V2_UNSET_MS;
    if (starts_ms == V2_UNSET_MS) {
        starts_ms = input->end_said ? ends_ms : reading->now_ms;
    }
    input->starts_ms = starts_ms;
    input->ends_ms = input->end_said ? ends_ms : reading->now_ms + V2_RESOLVE_TIMEOUT_MS;
    input->resolved = input->ends_ms <= reading->now_ms;
    return input->ends_ms < starts_ms ? reject(reading, "start time must be before end time") : 0;
}

static void break_schema(struct reading *reading, int code, const char *what)
{
    if (reading->against.status == 0) {
        (void)v2_against_schema(&reading->against, code, "%s%s", reading->place.prefix, what);
    }
}

static int take_url(struct reading *reading)
{
    char text[V2_QUOTED_SIZE + 64], space[V2_QUOTED_SIZE];
    const char *url = "";

    if (v2_string(&reading->place, reading->object, "generatorURL", &url, reading->error) < 0) {
        return -EINVAL;
    }
    if (*url && !v2_uri_ok(url)) {
        (void)snprintf(text, sizeof text, "generatorURL in body must be of type uri: %s",
                       v2_quoted(url, space));
        break_schema(reading, V2_CODE_TYPE, text);
        return 0;
    }
    if (strlen(url) > LIMIT_HTTP_URL_BYTES) {
        return reject(reading, "the generatorURL has more than %d bytes", LIMIT_HTTP_URL_BYTES);
    }
    reading->item->input.generator_url = *url ? copy(reading, url) : NULL;
    return *url && !reading->item->input.generator_url ? -ENOMEM : 0;
}

/* ---- items ---- */

static int take_sense(struct reading *reading, int64_t starts_ms, int64_t ends_ms,
                      struct tmon_pair *labels, size_t nlabels, struct tmon_pair *annotations,
                      size_t nannotations)
{
    struct alerts_input *input = &reading->item->input;
    int r = take_times(reading, starts_ms, ends_ms);

    r = r < 0 ? r : check_names(reading, "label set", labels, nlabels);
    r = r < 0 ? r : check_labels(reading, labels, nlabels);
    r = r < 0 ? r : check_names(reading, "annotations", annotations, nannotations);
    if (r < 0 || reading->item->status == ALERTS_IN_REJECTED) {
        return r;
    }
    r = keep_pairs(reading, labels, &nlabels, LIMIT_LABEL_VALUE_BYTES, LIMIT_ALERT_LABELS_BYTES);
    r = r < 0 ? r
              : keep_pairs(reading, annotations, &nannotations, LIMIT_ALERT_TEXT_BYTES,
                           LIMIT_ALERT_BODY_BYTES / 2);
    input->labels = labels;
    input->nlabels = nlabels;
    input->annotations = annotations;
    input->nannotations = nannotations;
    reading->item->fingerprint = labels_fingerprint(labels, nlabels);
    return r;
}

static int read_item(struct reading *reading)
{
    struct tmon_pair *labels = NULL, *annotations = NULL;
    const json_t *given = v2_member(reading->object, "labels");
    size_t nlabels = 0, nannotations = 0;
    int64_t starts_ms = 0, ends_ms = 0;
    int r = read_pairs(reading, "annotations", v2_member(reading->object, "annotations"),
                       &annotations, &nannotations);

    r = r < 0 ? r : v2_time(&reading->place, reading->object, "endsAt", &ends_ms, reading->error);
    r = r < 0 ? r
              : v2_time(&reading->place, reading->object, "startsAt", &starts_ms, reading->error);
    r = r < 0 ? r : take_url(reading);
    r = r < 0 ? r : read_pairs(reading, "labels", given, &labels, &nlabels);
    if (r == 0 && !given) {
        break_schema(reading, V2_CODE_REQUIRED, "labels in body is required");
        return 0;
    }
    return r < 0 ? r
                 : take_sense(reading, starts_ms, ends_ms, labels, nlabels, annotations,
                              nannotations);
}

static int take_item(void *arg, size_t i, const json_t *value, const char *why)
{
    struct reading *reading = arg;
    int r;

    (void)snprintf(reading->place.prefix, sizeof reading->place.prefix, "%zu.", i);
    reading->item = &reading->alerts->items[i];
    reading->item->input.source = ALERTS_API;
    reading->object = value;
    if (!json_is_object(value)) {
        return v2_unreadable(reading->error, "alerts", "alert %zu: %s", i,
                             why ? why : "an alert must be an object");
    }
    r = read_item(reading);
    if (r == 0 && reading->item->status == ALERTS_IN_GOOD) {
        reading->alerts->good++;
        reading->alerts->firing |= !reading->item->input.resolved;
    }
    return r;
}

/* ---- the list ---- */

static bool is_null(const char *body, size_t len)
{
    while (len > 0 && strchr(" \t\r\n", body[len - 1])) {
        len--;
    }
    while (len > 0 && strchr(" \t\r\n", *body)) {
        len--;
        body++;
    }
    return len == 4 && memcmp(body, "null", 4) == 0;
}

static int read_list(struct reading *reading, const char *body, size_t len)
{
    const struct json_items items = {.what = "alert", .take = take_item, .arg = reading};
    struct json_items_error error = {0};
    size_t n = 0;
    int r = alerts_in_count(&items, body, len, &n, &error);

    r = r < 0 ? r : alerts_in_create(n, len, &reading->alerts);
    r = r < 0 ? r : json_items_walk(&items, body, len, &n, &error);
    if (r < 0 && error.text[0]) {
        return error.line > 0 ? v2_unreadable(reading->error, "alerts", "%s (line %zu, column %zu)",
                                              error.text, error.line, error.column)
                              : v2_unreadable(reading->error, "alerts", "%s", error.text);
    }
    if (r == 0 && reading->against.status > 0) {
        *reading->error = reading->against;
        return -EINVAL;
    }
    return r;
}

int v2_alerts_parse(const char *body, size_t len, int64_t now_ms, struct alerts_in **ret_alerts,
                    struct v2_error *ret_error)
{
    struct reading reading = {.error = ret_error, .place = {.body = "alerts"}, .now_ms = now_ms};
    int r;

    *ret_error = (struct v2_error){0};
    if (len == 0) {
        return v2_against_schema(ret_error, V2_CODE_REQUIRED, "alerts in body is required");
    }
    r = is_null(body, len) ? alerts_in_create(0, 0, &reading.alerts)
                           : read_list(&reading, body, len);
    if (r < 0) {
        alerts_in_destroy(reading.alerts);
        return r;
    }
    reading.alerts->v2 = true;
    reading.alerts->bytes = sizeof *reading.alerts + reading.alerts->pool.bytes;
    *ret_alerts = reading.alerts;
    return 0;
}

/* ---- the answer ---- */

unsigned v2_alerts_status(const struct alerts_in *alerts)
{
    unsigned status = 200;

    for (size_t i = 0; i < alerts->n && status != 429; i++) {
        status = alerts->items[i].status == ALERTS_IN_REFUSED    ? 429
                 : alerts->items[i].status == ALERTS_IN_REJECTED ? 400
                                                                 : status;
    }
    return status;
}

void v2_alerts_answer(const struct alerts_in *alerts, struct buf *buf)
{
    struct buf text;
    bool refused = false;

    buf_init(&text, SIZE_MAX / 2);
    for (size_t i = 0; i < alerts->n; i++) {
        if (alerts->items[i].status == ALERTS_IN_REJECTED) {
            buf_puts(&text, text.len > 0 ? "; " : "");
            buf_puts(&text, alerts->items[i].error);
        }
        refused |= alerts->items[i].status == ALERTS_IN_REFUSED;
    }
    if (refused) {
        buf_puts(&text, text.len > 0 ? "; " : "");
        buf_puts(&text, "there is no room for more alerts now: send them again later");
    }
    if (text.len > 0) {
        v2_error_put(buf, 0, buf_str(&text));
    }
    buf->failed |= text.failed;
    buf_finish(&text);
}
