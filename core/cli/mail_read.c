/*
 * mail_read.c: see mail_read.h.
 */
#include "cli/mail_read.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "alert/alerts.h"
#include "base/clock.h"
#include "base/limits.h"
#include "model/labels.h"

struct reading {
    struct pool *pool;
    char *why;
    size_t size;
    int error;
};

static void complain(struct reading *reading, int error, const char *what, const char *problem)
{
    if (!reading->error) {
        reading->error = error;
        (void)snprintf(reading->why, reading->size, "%s %s", what, problem);
    }
}

static void *get(struct reading *reading, size_t len)
{
    void *piece = pool_get(reading->pool, len);

    if (!piece) {
        complain(reading, -ENOMEM, "the file", "is too large for the memory there is");
    } else {
        memset(piece, 0, len);
    }
    return piece;
}

/* A copy of a member that may be left out; "" then. */
static const char *take_text(struct reading *reading, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);

    if (value && !json_is_string(value)) {
        complain(reading, -EINVAL, key, "must be a string");
    }
    if (!text || !*text) {
        return "";
    }
    text = pool_copy(reading->pool, text, strlen(text));
    return text ? text : "";
}

static int64_t take_time(struct reading *reading, const json_t *object, const char *key)
{
    const char *text = take_text(reading, object, key);
    int64_t ms = 0;

    if (*text && clock_parse_rfc3339(text, &ms) < 0) {
        complain(reading, -EINVAL, key, "must be a time as 2026-11-23T17:01:53Z");
    }
    return ms > 0 ? ms : 0; // the year 1 stands for none
}

static const char *text_of(struct reading *reading, const json_t *value)
{
    char *made = NULL;
    const char *text = json_string_value(value);

    if (!text) {
        made = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        text = made ? made : "";
    }
    text = pool_copy(reading->pool, text, strlen(text));
    free(made);
    return text ? text : "";
}

/* The pairs of an object, and room for `more` behind them. */
static struct tmon_pair *take_pairs(struct reading *reading, const json_t *object, const char *name,
                                    size_t more, size_t *ret_count)
{
    const json_t *map = json_object_get(object, name);
    struct tmon_pair *pairs = get(reading, (LIMIT_PAIRS + more) * sizeof *pairs);
    const char *key;
    json_t *value;
    size_t n = 0;

    if (map && !json_is_object(map)) {
        complain(reading, -EINVAL, name, "must be an object");
    }
    json_object_foreach((json_t *)map, key, value)
    {
        if (!pairs || n == LIMIT_PAIRS) {
            complain(reading, -EINVAL, name, "has too many members");
            break;
        }
        pairs[n].key = pool_copy(reading->pool, key, strlen(key));
        pairs[n].value = text_of(reading, value);
        n += pairs[n].key != NULL;
    }
    *ret_count = n;
    return pairs;
}

/* What the agent makes of labels and annotations. */
static void finish_alert(struct reading *reading, struct tmon_alert *alert)
{
    static const char *const summaries[] = {"summary", "message"};

    alert->size = sizeof *alert;
    alert->name = labels_get(alert->labels, alert->nlabels, "alertname");
    alert->severity = alert_severity(alert->labels, alert->nlabels);
    alert->description = labels_get(alert->annotations, alert->nannotations, "description");
    alert->summary = "";
    for (size_t i = 0; i < 2 && !*alert->summary; i++) {
        alert->summary = labels_get(alert->annotations, alert->nannotations, summaries[i]);
    }
    alert->ends_ms = alert->firing ? 0 : alert->ends_ms;
}

static struct tmon_alert *take_alert(struct reading *reading, const json_t *object)
{
    struct tmon_alert *alert = get(reading, sizeof *alert);

    if (!json_is_object(object)) {
        complain(reading, -EINVAL, "each of alerts", "must be an object");
    }
    if (reading->error) {
        return NULL;
    }
    alert->labels = take_pairs(reading, object, "labels", 0, &alert->nlabels);
    alert->annotations = take_pairs(reading, object, "annotations", 0, &alert->nannotations);
    alert->firing = strcmp(take_text(reading, object, "status"), "resolved") != 0;
    alert->starts_ms = take_time(reading, object, "startsAt");
    alert->ends_ms = take_time(reading, object, "endsAt");
    alert->generator_url = take_text(reading, object, "generatorURL");
    alert->fingerprint = alert->key = take_text(reading, object, "fingerprint");
    alert->ack_url = take_text(reading, object, "ackURL");
    finish_alert(reading, alert);
    return alert;
}

/* The short form: title and severity become labels, message and metadata annotations. */
static struct tmon_alert *take_short(struct reading *reading, const json_t *object)
{
    struct tmon_alert *alert = get(reading, sizeof *alert);
    const char *title = take_text(reading, object, "title");
    const char *severity = take_text(reading, object, "severity");
    const char *message = take_text(reading, object, "message");
    struct tmon_pair *labels = take_pairs(reading, object, "labels", 2, &alert->nlabels);
    struct tmon_pair *metadata = take_pairs(reading, object, "metadata", 1, &alert->nannotations);

    if (reading->error) {
        return NULL;
    }
    labels[alert->nlabels++] = (struct tmon_pair){"alertname", title};
    labels[alert->nlabels++] = (struct tmon_pair){"severity", *severity ? severity : "warning"};
    if (*message) {
        metadata[alert->nannotations++] = (struct tmon_pair){"message", message};
    }
    alert->labels = labels;
    alert->annotations = metadata;
    alert->firing = strcmp(take_text(reading, object, "status"), "resolved") != 0;
    alert->starts_ms = take_time(reading, object, "starts_at");
    alert->starts_ms = alert->starts_ms ? alert->starts_ms : clock_real_ms();
    alert->ends_ms = alert->firing ? 0 : clock_real_ms();
    alert->key = alert->fingerprint = alert->generator_url = "";
    finish_alert(reading, alert);
    return alert;
}

static void take_alerts(struct reading *reading, const json_t *root,
                        struct tmon_notification *notification)
{
    const json_t *list = json_object_get(root, "alerts"), *one;
    const struct tmon_alert **alerts = get(reading, LIMIT_ALERTS * sizeof *alerts);
    size_t i;

    if (!list && !json_object_get(root, "title")) {
        complain(reading, -EINVAL, "the file",
                 "must have 'alerts' (as a webhook gets them) or 'title' (of one alert)");
    }
    if (list && (!json_is_array(list) || json_array_size(list) == 0)) {
        complain(reading, -EINVAL, "alerts", "must be a list with something in it");
    }
    if (reading->error) {
        return;
    }
    if (!list) {
        alerts[notification->nalerts++] = take_short(reading, root);
    }
    json_array_foreach(list, i, one)
    {
        if (i < LIMIT_ALERTS) {
            alerts[notification->nalerts++] = take_alert(reading, one);
        } else {
            notification->ntruncated++;
        }
    }
    notification->alerts = alerts;
}

static struct tmon_notification *take(struct reading *reading, const json_t *root)
{
    struct tmon_notification *notification = get(reading, sizeof *notification);

    if (!json_is_object(root)) {
        complain(reading, -EINVAL, "the file", "must have an object in it");
    }
    if (reading->error) {
        return NULL;
    }
    take_alerts(reading, root, notification);
    notification->size = sizeof *notification;
    notification->attempt = 1;
    notification->id = "preview";
    notification->group = take_pairs(reading, root, "groupLabels", 0, &notification->ngroup);
    notification->group_key = take_text(reading, root, "groupKey");
    notification->receiver = take_text(reading, root, "receiver");
    notification->external_url = take_text(reading, root, "externalURL");
    notification->ntruncated +=
        (size_t)json_integer_value(json_object_get(root, "truncatedAlerts"));
    notification->text = "";
    notification->resolved = notification->ntruncated == 0;
    for (size_t i = 0; i < notification->nalerts && !reading->error; i++) {
        notification->resolved &= !notification->alerts[i]->firing;
    }
    return notification;
}

/* The whole file, if it is not too long. */
static json_t *load(struct reading *reading, const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = file ? malloc(LIMIT_CALL_BYTES + 1) : NULL;
    size_t len = text ? fread(text, 1, LIMIT_CALL_BYTES + 1, file) : 0;
    json_error_t error;
    json_t *root = NULL;

    if (!file || (text && ferror(file))) {
        const int code = errno ? errno : EIO;

        complain(reading, -code, path, strerror(code));
    } else if (!text) {
        complain(reading, -ENOMEM, path, "out of memory");
    } else if (len > LIMIT_CALL_BYTES) {
        complain(reading, -EINVAL, path, "is too long");
    } else {
        root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    }
    if (!root && !reading->error) {
        reading->error = -EINVAL;
        (void)snprintf(reading->why, reading->size, "%s:%d:%d: %s", path, error.line, error.column,
                       error.text);
    }
    free(text);
    if (file) {
        (void)fclose(file);
    }
    return root;
}

int mail_read(const char *path, struct pool *pool, struct tmon_notification **ret_notification,
              char *ret_why, size_t size)
{
    struct reading reading = {.pool = pool, .why = ret_why, .size = size};
    json_t *root = load(&reading, path);
    struct tmon_notification *notification = root ? take(&reading, root) : NULL;

    json_decref(root);
    if (reading.error) {
        return reading.error;
    }
    *ret_notification = notification;
    return 0;
}
