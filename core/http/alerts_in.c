/*
 * alerts_in.c: see alerts_in.h.
 */
#include "http/alerts_in.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/limits.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "model/labels.h"
#include "model/value.h"
#include "store/number.h"

#define TTL_DEFAULT_MS (3600 * MS_PER_S)
#define TTL_LEAST_MS MS_PER_S
#define AHEAD_MS (300 * MS_PER_S) /* a sender's clock may be fast by so much */
/* What annotations may take together; labels and the frame around all of it take the rest. */
#define ANNOTATIONS_BYTES (LIMIT_ALERT_BODY_BYTES / 2)

/* One item on its way into the alerts. */
struct reading {
    struct alerts_in *alerts;
    struct alerts_in_item *item;
    const json_t *object;
    int64_t now_ms;
    bool no_memory;
    bool cut, left_out;
    size_t annotations_bytes;
    struct buf text; /* of values that are no strings */
};

/* ---- complaints ---- */

/* Always false, for `return reject(...)`. */
__attribute__((format(printf, 3, 4))) static bool reject(struct reading *reading, const char *field,
                                                         const char *format, ...)
{
    struct alerts_in_item *item = reading->item;
    struct pool *pool = &reading->alerts->pool;
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    item->status = ALERTS_IN_REJECTED;
    item->field = pool_copy(pool, field, strlen(field));
    item->error = pool_copy(pool, text, utf8_cut(text, strlen(text), sizeof text - 2));
    reading->no_memory |= !item->field || !item->error;
    return false;
}

static char *copy(struct reading *reading, const char *text, size_t len)
{
    char *made = pool_copy(&reading->alerts->pool, text, len);

    reading->no_memory |= !made;
    return made;
}

/* ---- members ---- */

/* The member, or NULL where it is missing or null. */
static const json_t *member(const struct reading *reading, const char *key)
{
    const json_t *value = json_object_get(reading->object, key);

    return json_is_null(value) ? NULL : value;
}

/* A string of at most `max` bytes; *ret_text stays as it is when it is not given. */
static bool take_string(struct reading *reading, const char *key, size_t max, const char **ret_text)
{
    const json_t *value = member(reading, key);
    size_t len;

    if (!value) {
        return true;
    }
    if (!json_is_string(value)) {
        return reject(reading, key, "must be a string");
    }
    len = json_string_length(value);
    if (len > max) {
        return reject(reading, key, "has %zu bytes, and at most %zu are allowed", len, max);
    }
    *ret_text = json_string_value(value);
    return true;
}

static bool one_of(struct reading *reading, const char *key, const char *text,
                   const char *const *choices, size_t n, size_t *ret_index)
{
    char suggestion[SUGGESTION_SIZE], list[128] = "";
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, choices[i]) == 0) {
            *ret_index = i;
            return true;
        }
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s",
                                i == 0       ? ""
                                : i + 1 == n ? " or "
                                             : ", ",
                                choices[i]);
    }
    return reject(reading, key, "must be %s%s", list, suggest_ending(text, choices, n, suggestion));
}

static bool take_status(struct reading *reading)
{
    static const char *const choices[] = {"firing", "resolved"};
    const char *text = "firing";
    size_t index = 0;

    if (!take_string(reading, "status", SIZE_MAX, &text) ||
        !one_of(reading, "status", text, choices, 2, &index)) {
        return false;
    }
    reading->item->input.resolved = index == 1;
    return true;
}

static bool take_ttl(struct reading *reading)
{
    static const struct value_rule rule = {
        .type = TMON_DURATION, .min = TTL_LEAST_MS, .max = LIMIT_API_TTL_MS};
    const json_t *value = member(reading, "ttl");
    double seconds;
    char why[128];

    reading->item->input.ttl_ms = TTL_DEFAULT_MS;
    if (!value) {
        return true;
    }
    if (json_is_string(value)) {
        struct value read;

        if (value_parse(&rule, json_string_value(value), &read, why, sizeof why) < 0) {
            return reject(reading, "ttl", "%s", why);
        }
        reading->item->input.ttl_ms = read.num;
        return true;
    }
    if (!json_is_number(value)) {
        return reject(reading, "ttl", "must be a duration such as \"1h\", or a number of seconds");
    }
    seconds = json_number_value(value);
    if (!(seconds * MS_PER_S >= TTL_LEAST_MS && seconds * MS_PER_S <= LIMIT_API_TTL_MS)) {
        return reject(reading, "ttl",
                      "must be from 1 to %d seconds; to end an alert, post it with status resolved",
                      LIMIT_API_TTL_MS / 1000);
    }
    reading->item->input.ttl_ms = (int64_t)(seconds * MS_PER_S);
    return true;
}

static bool take_starts_at(struct reading *reading)
{
    const char *text = NULL;
    int64_t ms;

    if (!take_string(reading, "starts_at", SIZE_MAX, &text) || !text) {
        return reading->item->status != ALERTS_IN_REJECTED;
    }
    if (clock_parse_rfc3339(text, &ms) < 0 || ms <= 0) {
        return reject(reading, "starts_at",
                      "must be a time as RFC 3339 has it, such as 2026-01-02T03:04:05Z");
    }
    if (ms > reading->now_ms + AHEAD_MS) {
        return reject(reading, "starts_at", "must not be in the future");
    }
    reading->item->input.starts_ms = ms < reading->now_ms ? ms : reading->now_ms;
    return true;
}

/* ---- labels ---- */

static bool add_label(struct reading *reading, struct tmon_pair *labels, size_t *n,
                      const char *name, const char *value)
{
    labels[*n].key = copy(reading, name, strlen(name));
    labels[(*n)++].value = copy(reading, value, strlen(value));
    return !reading->no_memory;
}

static bool check_label(struct reading *reading, const char *name, const json_t *value)
{
    char field[LIMIT_NAME_BYTES + 16];

    (void)snprintf(field, sizeof field, "labels.%.*s",
                   (int)utf8_cut(name, strlen(name), LIMIT_NAME_BYTES), name);
    if (!labels_name_ok(name)) {
        return reject(reading, field,
                      "the name of a label has letters, digits and _ only, and no digit first");
    }
    if (strlen(name) > LIMIT_NAME_BYTES) {
        return reject(reading, field, "its name has more than %d bytes", LIMIT_NAME_BYTES);
    }
    if (!json_is_string(value)) {
        return reject(reading, field, "must be a string");
    }
    if (json_string_length(value) > LIMIT_LABEL_VALUE_BYTES) {
        return reject(reading, field, "has %zu bytes, and at most %d are allowed",
                      json_string_length(value), LIMIT_LABEL_VALUE_BYTES);
    }
    return true;
}

/* Adds what stands under `labels`; the first `own` are there already and must not be contradicted.
 */
static bool add_labels(struct reading *reading, const json_t *given, struct tmon_pair *labels,
                       size_t *n, size_t own)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)given, name, value)
    {
        size_t i = 0;

        if (!check_label(reading, name, value)) {
            return false;
        }
        while (i < own && strcmp(labels[i].key, name) != 0) {
            i++;
        }
        if (i == own && !add_label(reading, labels, n, name, json_string_value(value))) {
            return false;
        }
        if (i < own && strcmp(labels[i].value, json_string_value(value)) != 0) {
            char field[64];

            (void)snprintf(field, sizeof field, "labels.%s", name);
            return reject(reading, field, "says something else than %s",
                          strcmp(name, "alertname") == 0 ? "title" : name);
        }
    }
    return true;
}

static bool check_labels_size(struct reading *reading, const struct tmon_pair *labels, size_t n)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++) {
        bytes += strlen(labels[i].key) + strlen(labels[i].value);
    }
    if (n > LIMIT_PAIRS) {
        return reject(reading, "labels", "there are more than %d, the title and others counted",
                      LIMIT_PAIRS);
    }
    if (bytes > LIMIT_ALERT_LABELS_BYTES) {
        return reject(reading, "labels", "they have %zu bytes together, and at most %d are allowed",
                      bytes, LIMIT_ALERT_LABELS_BYTES);
    }
    return true;
}

static bool take_labels(struct reading *reading)
{
    static const char *const severities[] = {"info", "warning", "critical"};
    struct alerts_in_item *item = reading->item;
    const json_t *given = member(reading, "labels");
    const char *title = "", *severity = "", *key = "";
    struct tmon_pair *labels;
    size_t n = 0, index;

    if (!take_string(reading, "title", LIMIT_LABEL_VALUE_BYTES, &title) ||
        !take_string(reading, "severity", SIZE_MAX, &severity) ||
        !take_string(reading, "key", LIMIT_LABEL_VALUE_BYTES, &key)) {
        return false;
    }
    if (!*title) {
        return reject(reading, "title", "is missing: it names the alert");
    }
    if (!*severity) {
        return reject(reading, "severity", "is missing: give info, warning or critical");
    }
    if (!one_of(reading, "severity", severity, severities, 3, &index)) {
        return false;
    }
    if (given && !json_is_object(given)) {
        return reject(reading, "labels", "must be an object of strings");
    }
    labels = pool_get(&reading->alerts->pool, (3 + json_object_size(given)) * sizeof *labels);
    if (!labels) {
        reading->no_memory = true;
        return false;
    }
    if (!add_label(reading, labels, &n, "alertname", title) ||
        !add_label(reading, labels, &n, "severity", severity)) {
        return false;
    }
    if (*key) {
        if (!add_label(reading, labels, &n, "key", key)) {
            return false;
        }
        item->key = labels[n - 1].value;
    }
    if (!add_labels(reading, given, labels, &n, n)) {
        return false;
    }
    item->input.labels = labels;
    item->input.nlabels = (size_t)labels_normalize(labels, n); /* names are unique */
    item->fingerprint = labels_fingerprint(labels, item->input.nlabels);
    return check_labels_size(reading, labels, item->input.nlabels);
}

/* ---- annotations ---- */

/* The JSON of a value, short: numbers in their shortest form. */
static void put_json(struct buf *buf, const json_t *value)
{
    char number[NUMBER_MAX];
    const char *key;
    json_t *item;
    size_t i;

    switch (json_typeof(value)) {
    case JSON_OBJECT:
        buf_putc(buf, '{');
        json_object_foreach((json_t *)value, key, item)
        {
            json_text_item(buf);
            json_text_string(buf, key);
            buf_putc(buf, ':');
            put_json(buf, item);
        }
        buf_putc(buf, '}');
        break;
    case JSON_ARRAY:
        buf_putc(buf, '[');
        json_array_foreach(value, i, item)
        {
            json_text_item(buf);
            put_json(buf, item);
        }
        buf_putc(buf, ']');
        break;
    case JSON_STRING:
        json_text_string(buf, json_string_value(value));
        break;
    case JSON_INTEGER:
        json_text_int(buf, json_integer_value(value));
        break;
    case JSON_REAL:
        buf_append(buf, number, (size_t)(number_put(number, json_real_value(value)) - number));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        json_text_bool(buf, json_is_true(value));
        break;
    case JSON_NULL:
        buf_puts(buf, "null");
        break;
    }
}

/* [a-zA-Z_][a-zA-Z0-9_]*, everything else becomes _. */
static size_t make_name(const char *key, char *ret_name, size_t size)
{
    static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    size_t len = 0;

    if (!*key || strchr("0123456789", *key)) {
        ret_name[len++] = '_';
    }
    for (; *key && len + 1 < size; key++) {
        if (((unsigned char)*key & 0xc0) != 0x80) { /* one _ for a code point */
            ret_name[len++] = *key;
            if (!strchr(fine, *key)) {
                ret_name[len - 1] = '_';
            }
        }
    }
    ret_name[len] = '\0';
    return len;
}

static bool name_taken(const struct tmon_pair *pairs, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(pairs[i].key, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Adds one; a name that is taken gets a number. */
static void add_annotation(struct reading *reading, struct tmon_pair *pairs, size_t *n,
                           const char *key, const char *text, size_t len)
{
    char name[LIMIT_NAME_BYTES + 1];
    size_t name_len = make_name(key, name, sizeof name - 3);
    size_t fits = utf8_cut(text, len, LIMIT_ALERT_TEXT_BYTES);

    /* Before a name is looked for: that takes time, and there may be thousands of them. */
    if (*n == LIMIT_PAIRS || reading->annotations_bytes + name_len + 3 + fits > ANNOTATIONS_BYTES) {
        reading->left_out = true;
        return;
    }
    for (unsigned number = 2; name_taken(pairs, *n, name); number++) {
        (void)snprintf(name + name_len, sizeof name - name_len, "_%u", number);
    }
    reading->cut |= fits < len;
    reading->annotations_bytes += strlen(name) + fits;
    pairs[*n].key = copy(reading, name, strlen(name));
    pairs[(*n)++].value = copy(reading, text, fits);
}

static void add_metadata(struct reading *reading, const json_t *metadata, struct tmon_pair *pairs,
                         size_t *n)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)metadata, key, value)
    {
        if (json_is_string(value)) {
            add_annotation(reading, pairs, n, key, json_string_value(value),
                           json_string_length(value));
        } else {
            buf_clear(&reading->text);
            put_json(&reading->text, value);
            add_annotation(reading, pairs, n, key, buf_str(&reading->text), reading->text.len);
        }
        if (reading->no_memory) {
            return;
        }
    }
}

static bool take_annotations(struct reading *reading)
{
    const json_t *metadata = member(reading, "metadata");
    struct alerts_in_item *item = reading->item;
    size_t most = 1 + json_object_size(metadata), n = 0;
    struct tmon_pair *pairs;
    const char *message = "";

    if (metadata && !json_is_object(metadata)) {
        return reject(reading, "metadata", "must be an object");
    }
    if (!take_string(reading, "message", SIZE_MAX, &message)) {
        return false;
    }
    pairs =
        pool_get(&reading->alerts->pool, (most < LIMIT_PAIRS ? most : LIMIT_PAIRS) * sizeof *pairs);
    if (!pairs) {
        reading->no_memory = true;
        return false;
    }
    if (*message) {
        add_annotation(reading, pairs, &n, "message", message, strlen(message));
    }
    add_metadata(reading, metadata, pairs, &n);
    if (reading->no_memory) {
        return false;
    }
    item->input.annotations = pairs;
    item->input.nannotations = (size_t)labels_normalize(pairs, n);
    item->note = reading->left_out ? reading->cut ? "long texts were cut, and metadata was left "
                                                    "out: there is too much of it"
                                                  : "metadata was left out: there is too much of it"
                 : reading->cut    ? "long texts were cut"
                                   : NULL;
    return true;
}

/* ---- items ---- */

static const char *const known[] = {"severity", "title",  "message", "metadata", "key",
                                    "labels",   "status", "ttl",     "starts_at"};
#define KNOWN (sizeof known / sizeof known[0])

static bool check_members(struct reading *reading)
{
    char suggestion[SUGGESTION_SIZE], field[LIMIT_NAME_BYTES + 1];
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)reading->object, key, value)
    {
        size_t i = 0, len = utf8_cut(key, strlen(key), LIMIT_NAME_BYTES);

        while (i < KNOWN && strcmp(key, known[i]) != 0) {
            i++;
        }
        if (i == KNOWN) {
            (void)snprintf(field, sizeof field, "%.*s", (int)len, key);
            return reject(reading, field, "an alert has no such member%s",
                          suggest_ending(field, known, KNOWN, suggestion));
        }
    }
    return true;
}

static int read_item(struct reading *reading)
{
    struct alerts_in *alerts = reading->alerts;
    struct alerts_in_item *item = reading->item;

    reading->cut = reading->left_out = false;
    reading->annotations_bytes = 0;
    item->input.source = ALERTS_API;
    if (!json_is_object(reading->object)) {
        (void)reject(reading, "", "an alert must be an object");
    } else if (check_members(reading) && take_labels(reading) && take_status(reading) &&
               take_ttl(reading) && take_starts_at(reading) && take_annotations(reading)) {
        alerts->good++;
        alerts->firing |= !item->input.resolved;
    }
    return reading->no_memory ? -ENOMEM : 0;
}

/* ---- the list ---- */

static int take_item(void *arg, size_t i, const json_t *value, const char *why)
{
    struct reading *reading = arg;

    reading->item = &reading->alerts->items[i];
    if (why) {
        (void)reject(reading, "", "%s", why);
        return reading->no_memory ? -ENOMEM : 0;
    }
    reading->object = value;
    return read_item(reading);
}

int alerts_in_create(size_t n, size_t len, struct alerts_in **ret_alerts)
{
    struct alerts_in *alerts = calloc(1, sizeof *alerts);

    if (!alerts) {
        return -ENOMEM;
    }
    pool_init(&alerts->pool, n * (sizeof *alerts->items + 256) + len);
    alerts->items = pool_get(&alerts->pool, n * sizeof *alerts->items);
    if (!alerts->items) {
        alerts_in_destroy(alerts);
        return -ENOMEM;
    }
    memset(alerts->items, 0, n * sizeof *alerts->items);
    alerts->n = n;
    *ret_alerts = alerts;
    return 0;
}

int alerts_in_count(const struct json_items *items, const char *body, size_t len, size_t *ret_n,
                    struct json_items_error *ret_error)
{
    const struct json_items count = {.what = items->what, .one = items->one};
    int r;

    *ret_error = (struct json_items_error){0};
    r = json_items_walk(&count, body, len, ret_n, ret_error);
    if (r == 0 && *ret_n > LIMIT_API_ALERTS) {
        (void)snprintf(ret_error->text, sizeof ret_error->text,
                       "there are %zu alerts, and at most %d are taken at a time", *ret_n,
                       LIMIT_API_ALERTS);
        return -E2BIG;
    }
    return r;
}

int alerts_in_parse(const char *body, size_t len, int64_t now_ms, struct alerts_in **ret_alerts,
                    struct json_items_error *ret_error)
{
    struct reading reading = {.now_ms = now_ms};
    const struct json_items items = {
        .what = "alert", .one = true, .take = take_item, .arg = &reading};
    size_t n = 0;
    int r = alerts_in_count(&items, body, len, &n, ret_error);

    if (r < 0) {
        return r;
    }
    r = alerts_in_create(n, len, &reading.alerts);
    if (r < 0) {
        return r;
    }
    buf_init(&reading.text, LIMIT_ALERT_TEXT_BYTES + 16);
    r = json_items_walk(&items, body, len, &n, ret_error);
    buf_finish(&reading.text);
    if (r < 0) {
        alerts_in_destroy(reading.alerts);
        return r;
    }
    reading.alerts->bytes = sizeof *reading.alerts + reading.alerts->pool.bytes;
    *ret_alerts = reading.alerts;
    return 0;
}

void alerts_in_destroy(struct alerts_in *alerts)
{
    if (alerts) {
        pool_finish(&alerts->pool);
        free(alerts);
    }
}
