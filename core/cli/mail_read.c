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
#include "http/alerts_in.h"
#include "model/labels.h"

struct reading {
    struct pool *pool;
    const char *path; /* for people */
    char *why;
    size_t size;
    int error;
};

/* The first mistake stays.  `place`: "LINE:COLUMN: ", behind the file's colon; or "". */
static void complain_at(struct reading *reading, int error, const char *place, const char *problem)
{
    if (!reading->error) {
        reading->error = error;
        (void)snprintf(reading->why, reading->size, "%s:%s%s%s", reading->path, *place ? "" : " ",
                       place, problem);
    }
}

/* `what`: "alert 2: title: ", or "". */
static void complain(struct reading *reading, int error, const char *what, const char *problem)
{
    if (!reading->error) {
        reading->error = error;
        (void)snprintf(reading->why, reading->size, "%s: %s%s", reading->path, what, problem);
    }
}

static void complain_of(struct reading *reading, const char *key, const char *problem)
{
    char what[LIMIT_NAME_BYTES + 8];

    (void)snprintf(what, sizeof what, "%s: ", key);
    complain(reading, -EINVAL, what, problem);
}

static void *get(struct reading *reading, size_t len)
{
    void *piece = pool_get(reading->pool, len);

    if (!piece) {
        complain(reading, -ENOMEM, "", "there is not enough memory");
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
        complain_of(reading, key, "must be a string");
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
        complain_of(reading, key, "must be a time as 2026-11-23T17:01:53Z");
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
        complain_of(reading, name, "must be an object");
    }
    json_object_foreach((json_t *)map, key, value)
    {
        if (!pairs || n == LIMIT_PAIRS) {
            complain_of(reading, name, "has too many members");
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
        complain(reading, -EINVAL, "each of alerts: ", "must be an object");
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

static const struct tmon_pair *copy_pairs(struct reading *reading, const struct tmon_pair *from,
                                          size_t n)
{
    struct tmon_pair *pairs = get(reading, (n + 1) * sizeof *pairs);

    for (size_t i = 0; pairs && i < n; i++) {
        pairs[i].key = pool_copy(reading->pool, from[i].key, strlen(from[i].key));
        pairs[i].value = pool_copy(reading->pool, from[i].value, strlen(from[i].value));
        if (!pairs[i].key || !pairs[i].value) {
            complain(reading, -ENOMEM, "", "there is not enough memory");
        }
    }
    return pairs;
}

/* One that was posted, as the agent would tell it at once. */
static struct tmon_alert *make_alert(struct reading *reading, const struct alerts_input *input,
                                     int64_t now_ms)
{
    struct tmon_alert *alert = get(reading, sizeof *alert);

    if (!alert) {
        return NULL;
    }
    alert->labels = copy_pairs(reading, input->labels, input->nlabels);
    alert->annotations = copy_pairs(reading, input->annotations, input->nannotations);
    if (reading->error) {
        return NULL;
    }
    alert->nlabels = input->nlabels;
    alert->nannotations = input->nannotations;
    alert->firing = !input->resolved;
    alert->starts_ms = input->starts_ms ? input->starts_ms : now_ms;
    alert->ends_ms = now_ms;
    alert->key = alert->fingerprint = alert->generator_url = "";
    finish_alert(reading, alert);
    return alert;
}

/* What is wrong with the first that the agent would reject. */
static void tell_rejected(struct reading *reading, const struct alerts_in *in)
{
    char what[LIMIT_NAME_BYTES + 64];

    for (size_t i = 0; i < in->n; i++) {
        const struct alerts_in_item *item = &in->items[i];

        if (item->status == ALERTS_IN_REJECTED) {
            const int n = in->n > 1 ? snprintf(what, sizeof what, "alert %zu: ", i + 1) : 0;

            (void)snprintf(what + n, sizeof what - (size_t)n, "%s%s", item->field,
                           *item->field ? ": " : "");
            complain(reading, -EINVAL, what, item->error);
        }
    }
}

/* One alert or a list of them, judged as POST /api/v1/alerts does. */
static void take_posted(struct reading *reading, const char *text, size_t len,
                        struct tmon_notification *notification)
{
    const struct tmon_alert **alerts = get(reading, LIMIT_ALERTS * sizeof *alerts);
    const int64_t now_ms = clock_real_ms();
    struct json_items_error error = {0};
    struct alerts_in *in = NULL;
    char place[64] = "";

    const int r = alerts ? alerts_in_parse(text, len, now_ms, &in, &error) : -ENOMEM;
    if (r < 0) {
        if (error.line > 0) {
            (void)snprintf(place, sizeof place, "%zu:%zu: ", error.line, error.column);
        }
        complain_at(reading, r, place, r == -ENOMEM ? "there is not enough memory" : error.text);
        return;
    }
    tell_rejected(reading, in);
    if (in->n == 0) {
        complain(reading, -EINVAL, "", "there is no alert in it");
    }
    for (size_t i = 0; i < in->n && !reading->error; i++) {
        if (i < LIMIT_ALERTS) {
            alerts[notification->nalerts++] = make_alert(reading, &in->items[i].input, now_ms);
        } else {
            notification->ntruncated++;
        }
    }
    notification->alerts = alerts;
    alerts_in_destroy(in);
}

static void take_alerts(struct reading *reading, const json_t *root,
                        struct tmon_notification *notification)
{
    const json_t *list = json_object_get(root, "alerts"), *one;
    const struct tmon_alert **alerts = get(reading, LIMIT_ALERTS * sizeof *alerts);
    size_t i;

    if (!json_is_array(list) || json_array_size(list) == 0) {
        complain(reading, -EINVAL, "alerts: ", "must be a list with something in it");
    }
    if (reading->error) {
        return;
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

/* `root`: what a webhook gets; NULL: the text is what is posted. */
static struct tmon_notification *take(struct reading *reading, const json_t *root, const char *text,
                                      size_t len)
{
    struct tmon_notification *notification = get(reading, sizeof *notification);

    if (reading->error) {
        return NULL;
    }
    if (root) {
        take_alerts(reading, root, notification);
    } else {
        take_posted(reading, text, len, notification);
    }
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

/* The whole file, if it is not too long; owned. */
static char *load(struct reading *reading, const char *path, size_t *ret_len)
{
    const bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "re");
    char *text = file ? malloc(LIMIT_CALL_BYTES + 1) : NULL;

    *ret_len = text ? fread(text, 1, LIMIT_CALL_BYTES + 1, file) : 0;
    if (!file || (text && ferror(file))) {
        const int code = errno ? errno : EIO;

        complain(reading, -code, "", strerror(code));
    } else if (!text) {
        complain(reading, -ENOMEM, "", "there is not enough memory");
    } else if (*ret_len > LIMIT_CALL_BYTES) {
        complain(reading, -EINVAL, "", "it is too long");
    }
    if (file && !standard) {
        (void)fclose(file);
    }
    return text;
}

int mail_read(const char *path, struct pool *pool, struct tmon_notification **ret_notification,
              char *ret_why, size_t size)
{
    struct reading reading = {.pool = pool, .path = path, .why = ret_why, .size = size};
    struct tmon_notification *notification = NULL;
    json_t *root = NULL;
    size_t len = 0;
    char *text;

    if (strcmp(path, "-") == 0) {
        reading.path = "standard input";
    }
    text = load(&reading, path, &len);
    if (!reading.error) {
        root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
        if (!json_object_get(root, "alerts")) {
            json_decref(root);
            root = NULL;
        }
        notification = take(&reading, root, text, len);
    }
    json_decref(root);
    free(text);
    if (reading.error) {
        return reading.error;
    }
    *ret_notification = notification;
    return 0;
}
