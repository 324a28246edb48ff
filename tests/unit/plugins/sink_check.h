/*
 * sink_check.h: whether what a sink made of a notification is what the far end takes.  Used by the
 * tests of the sinks and by their fuzzer; says the first thing that is wrong, or NULL.
 *
 * tests/system/far_ends/ holds the same rules as servers.
 */
#ifndef SINK_CHECK_H
#define SINK_CHECK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <plugin_api.h>

#define CHECK_BODY_BYTES ((size_t)7 << 20)

/* ---- Slack: texts -------------------------------------------------------------------------------
 */

/* A text is walked as UTF-8 that jansson found valid. */
static inline unsigned check_point(const char *text, uint32_t *ret_code)
{
    const unsigned char *p = (const unsigned char *)text;
    const unsigned n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    *ret_code = n == 1 ? p[0] : p[0] & (0x7fu >> n);
    for (unsigned i = 1; i < n; i++) {
        *ret_code = *ret_code << 6 | (p[i] & 0x3fu);
    }
    return n;
}

/* A link, a date or a mention, up to its `>`; no user's text can make one. */
static inline const char *check_markup(const char *at)
{
    const char *end = strchr(at, '>');
    const char *again = strchr(at + 1, '<');

    if (end == NULL || (again != NULL && again < end)) {
        return NULL;
    }
    if (strncmp(at, "<http://", 8) != 0 && strncmp(at, "<https://", 9) != 0 &&
        strncasecmp(at, "<http", 5) != 0 && strncmp(at, "<!", 2) != 0 &&
        strncmp(at, "<@", 2) != 0) {
        return NULL;
    }
    return end;
}

/* As JavaScript counts, the longest way. */
static inline size_t check_units(const char *text)
{
    size_t units = 0;
    uint32_t code;

    while (*text != '\0') {
        text += check_point(text, &code);
        units += code >= 0x10000 ? 2 : 1;
    }
    return units;
}

static inline const char *check_slack_text(const char *text, size_t least, size_t most, bool plain)
{
    const size_t units = check_units(text);
    uint32_t code;

    for (const char *p = text; *p != '\0'; p += check_point(p, &code)) {
        (void)check_point(p, &code);
        if ((code < 0x20 && code != '\n') || (code >= 0x7f && code <= 0x9f)) {
            return "a control character in a text";
        }
        if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)) {
            return "a text can turn others around";
        }
        if (code == '&' && strncmp(p, "&amp;", 5) != 0 && strncmp(p, "&lt;", 4) != 0 &&
            strncmp(p, "&gt;", 4) != 0) {
            return "an & that is not escaped";
        }
    }
    for (const char *p = strpbrk(text, "<>"); p != NULL; p = strpbrk(p + 1, "<>")) {
        if (plain || *p == '>') {
            return "a < or > that is not escaped";
        }
        p = check_markup(p);
        if (p == NULL) {
            return "a link without an end, or none that may be";
        }
    }
    return units < least ? "an empty text" : units > most ? "a text that is too long" : NULL;
}

static inline const char *check_slack_object(const json_t *object, const char *type, size_t most,
                                             size_t *total)
{
    const char *is = json_string_value(json_object_get(object, "type"));
    const char *text = json_string_value(json_object_get(object, "text"));
    const char *why;

    if (is == NULL || text == NULL ||
        (strcmp(is, "plain_text") != 0 && strcmp(is, "mrkdwn") != 0)) {
        return "no text object";
    }
    if (type != NULL && strcmp(is, type) != 0) {
        return "a header that is not plain_text";
    }
    why = check_slack_text(text, 1, most, strcmp(is, "plain_text") == 0);
    *total += check_units(text);
    return why;
}

/* ---- Slack: blocks ------------------------------------------------------------------------------
 */

static inline const char *check_slack_objects(const json_t *array, size_t max, size_t most,
                                              size_t *total)
{
    const char *why = NULL;

    if (!json_is_array(array) || json_array_size(array) < 1 || json_array_size(array) > max) {
        return "too few or too many texts in a block";
    }
    for (size_t i = 0; i < json_array_size(array) && why == NULL; i++) {
        why = check_slack_object(json_array_get(array, i), NULL, most, total);
    }
    return why;
}

static inline const char *check_slack_block(const json_t *block, size_t *total)
{
    const char *type = json_string_value(json_object_get(block, "type"));
    const json_t *text = json_object_get(block, "text");
    const json_t *fields = json_object_get(block, "fields");
    const char *why = NULL;

    if (type == NULL) {
        return "a block without a type";
    }
    if (strcmp(type, "header") == 0) {
        return check_slack_object(text, "plain_text", 150, total);
    }
    if (strcmp(type, "context") == 0) {
        return check_slack_objects(json_object_get(block, "elements"), 10, 3000, total);
    }
    if (strcmp(type, "section") != 0) {
        return "a block of a type that is not used";
    }
    if (text == NULL && fields == NULL) {
        return "an empty section";
    }
    if (text != NULL) {
        why = check_slack_object(text, NULL, 3000, total);
    }
    if (why == NULL && fields != NULL) {
        why = check_slack_objects(fields, 10, 2000, total);
    }
    return why;
}

static inline const char *check_slack_blocks(const json_t *blocks, size_t *count, size_t *total)
{
    const char *why = NULL;

    if (!json_is_array(blocks) || json_array_size(blocks) == 0) {
        return "no blocks";
    }
    *count += json_array_size(blocks);
    for (size_t i = 0; i < json_array_size(blocks) && why == NULL; i++) {
        why = check_slack_block(json_array_get(blocks, i), total);
    }
    return why;
}

/* The parsed message into *ret_root, also when something is wrong with it; NULL: no JSON. */
static inline const char *check_slack(const void *data, size_t len, json_t **ret_root)
{
    json_t *root = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *attachments = json_object_get(root, "attachments");
    const json_t *attachment = json_array_get(attachments, 0);
    const char *text = json_string_value(json_object_get(root, "text"));
    const char *fallback = json_string_value(json_object_get(attachment, "fallback"));
    const char *colour = json_string_value(json_object_get(attachment, "color"));
    size_t blocks = 0, total = 0;
    const char *why;

    *ret_root = root;
    if (root == NULL || text == NULL || json_array_size(attachments) != 1 || fallback == NULL ||
        colour == NULL) {
        return "no JSON of the shape of a message";
    }
    if (strcmp(colour, "good") != 0 && strcmp(colour, "warning") != 0 &&
        strcmp(colour, "danger") != 0 && (colour[0] != '#' || strlen(colour) != 7)) {
        return "no such colour";
    }
    why = check_slack_text(text, 1, 4000, false);
    if (why == NULL) {
        why = check_slack_text(fallback, 1, 4000, false);
    }
    if (why == NULL) {
        why = check_slack_blocks(json_object_get(root, "blocks"), &blocks, &total);
    }
    if (why == NULL) {
        why = check_slack_blocks(json_object_get(attachment, "blocks"), &blocks, &total);
    }
    return why != NULL     ? why
           : blocks > 50   ? "more than 50 blocks"
           : total > 12000 ? "more text than Slack takes"
                           : NULL;
}

/* ---- Alertmanager's webhook, version 4 ----------------------------------------------------------
 */

/* Exactly these keys, in this order. */
static inline bool check_keys(const json_t *object, const char *const *keys, size_t count)
{
    void *at = json_object_iter((json_t *)(uintptr_t)object);
    size_t i = 0;

    for (; at != NULL && i < count; i++) {
        if (strcmp(json_object_iter_key(at), keys[i]) != 0) {
            return false;
        }
        at = json_object_iter_next((json_t *)(uintptr_t)object, at);
    }
    return at == NULL && i == count;
}

static inline bool check_strings(const json_t *object)
{
    const char *key;
    json_t *value;

    if (!json_is_object(object)) {
        return false;
    }
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (!json_is_string(value)) {
            return false;
        }
    }
    return true;
}

static inline bool check_status(const json_t *object)
{
    const char *status = json_string_value(json_object_get(object, "status"));

    return status != NULL && (strcmp(status, "firing") == 0 || strcmp(status, "resolved") == 0);
}

static inline const char *check_webhook(const void *data, size_t len, json_t **ret_root)
{
    static const char *const keys[] = {
        "receiver",          "status",      "alerts",  "groupLabels", "commonLabels",
        "commonAnnotations", "externalURL", "version", "groupKey",    "truncatedAlerts"};
    static const char *const alert_keys[] = {"status", "labels",       "annotations", "startsAt",
                                             "endsAt", "generatorURL", "fingerprint"};
    json_t *root = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *alerts = json_object_get(root, "alerts");

    *ret_root = root;
    if (root == NULL || len > CHECK_BODY_BYTES || ((const char *)data)[len - 1] != '\n') {
        return "no JSON that ends with a line end, or too much of it";
    }
    if (!check_keys(root, keys, sizeof keys / sizeof keys[0]) || !check_status(root) ||
        !check_strings(json_object_get(root, "groupLabels")) ||
        !check_strings(json_object_get(root, "commonLabels")) ||
        !check_strings(json_object_get(root, "commonAnnotations")) || !json_is_array(alerts) ||
        !json_is_integer(json_object_get(root, "truncatedAlerts")) ||
        strcmp(json_string_value(json_object_get(root, "version")), "4") != 0) {
        return "not of the shape of version 4";
    }
    for (size_t i = 0; i < json_array_size(alerts); i++) {
        const json_t *alert = json_array_get(alerts, i);
        const char *starts = json_string_value(json_object_get(alert, "startsAt"));
        const char *ends = json_string_value(json_object_get(alert, "endsAt"));

        if (!check_keys(alert, alert_keys, sizeof alert_keys / sizeof alert_keys[0]) ||
            !check_status(alert) || !check_strings(json_object_get(alert, "labels")) ||
            !check_strings(json_object_get(alert, "annotations")) ||
            !json_is_string(json_object_get(alert, "fingerprint")) ||
            !json_is_string(json_object_get(alert, "generatorURL"))) {
            return "an alert is not of the shape of version 4";
        }
        if (starts == NULL || ends == NULL || strlen(starts) < 20 || strlen(starts) > 24 ||
            strlen(ends) < 20 || strlen(ends) > 24 || starts[10] != 'T' ||
            starts[strlen(starts) - 1] != 'Z' || starts[strlen(starts) - 2] == '.') {
            return "a time is not RFC 3339";
        }
    }
    for (size_t i = 0; i < len; i++) {
        const char *at = (const char *)data + i;

        if (*at == '<' || *at == '>' || *at == '&') {
            return "a character of HTML is not escaped";
        }
    }
    return NULL;
}

/* ---- PagerDuty and Opsgenie ---------------------------------------------------------------------
 */

/* Whether people may read it, and the far end takes its length; `least` 0: it need not be there. */
static inline const char *check_text(const json_t *object, const char *key, size_t least,
                                     size_t most)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    uint32_t code;

    if (value == NULL && least == 0) {
        return NULL;
    }
    if (text == NULL || check_units(text) < least || check_units(text) > most) {
        return key;
    }
    for (const char *p = text; *p != '\0'; p += check_point(p, &code)) {
        (void)check_point(p, &code);
        if ((code < 0x20 && code != '\n') || (code >= 0x7f && code <= 0x9f) ||
            (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)) {
            return "a text with control characters";
        }
    }
    return NULL;
}

static inline bool check_one_of(const json_t *object, const char *key, const char *words)
{
    const char *word = json_string_value(json_object_get(object, key));
    const char *at = word == NULL ? NULL : strstr(words, word);

    return at != NULL && strlen(word) == strcspn(at, "|") && (at == words || at[-1] == '|');
}

/* The keys of an object are among these. */
static inline bool check_known(const json_t *object, const char *words)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        const char *at = strstr(words, key);

        if (at == NULL || strlen(key) != strcspn(at, "|")) {
            return false;
        }
    }
    return json_is_object(object);
}

static inline const char *check_payload(const json_t *payload)
{
    static const char *const fields[] = {"timestamp", "component", "group", "class"};
    const char *why = check_text(payload, "summary", 1, 1024);

    if (!check_known(payload, "summary|source|severity|timestamp|component|group|class|"
                              "custom_details")) {
        return "a key that no payload has";
    }
    if (!check_one_of(payload, "severity", "critical|error|warning|info") ||
        !json_is_object(json_object_get(payload, "custom_details"))) {
        return "no such severity, or no details";
    }
    why = why != NULL ? why : check_text(payload, "source", 1, 255);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0] && why == NULL; i++) {
        why = check_text(payload, fields[i], 0, 255);
    }
    return why;
}

/* As check_slack(). */
static inline const char *check_pagerduty(const void *data, size_t len, json_t **ret_root)
{
    json_t *root = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *links = json_object_get(root, "links");
    const char *why = check_text(root, "dedup_key", 1, 255);

    *ret_root = root;
    if (root == NULL || len > 512000) {
        return "no JSON, or more than 512000 bytes of it";
    }
    if (check_one_of(root, "event_action", "acknowledge|resolve")) {
        return why != NULL ? why
               : check_known(root, "routing_key|event_action|dedup_key")
                   ? NULL
                   : "an end that says more than its key";
    }
    if (!check_one_of(root, "event_action", "trigger") ||
        !check_known(root, "routing_key|event_action|dedup_key|payload|links|client|client_url")) {
        return "no event";
    }
    for (size_t i = 0; i < json_array_size(links); i++) {
        const char *href = json_string_value(json_object_get(json_array_get(links, i), "href"));

        if (href == NULL || strncasecmp(href, "http", 4) != 0) {
            return "a link to somewhere else than the web";
        }
    }
    return why != NULL ? why : check_payload(json_object_get(root, "payload"));
}

static inline const char *check_details(const json_t *details)
{
    size_t units = 0;
    const char *key;
    json_t *value;

    if (!check_strings(details)) {
        return "details are no map of strings";
    }
    json_object_foreach((json_t *)(uintptr_t)details, key, value)
    {
        units += check_units(key) + check_units(json_string_value(value));
    }
    return units > 8000 ? "more than 8000 characters of details" : NULL;
}

/* Of an alert that is opened; as check_slack(). */
static inline const char *check_opsgenie(const void *data, size_t len, json_t **ret_root)
{
    static const struct {
        const char *key;
        size_t least, most;
    } texts[] = {{"message", 1, 130}, {"alias", 1, 512},  {"description", 0, 15000},
                 {"entity", 0, 512},  {"source", 0, 100}, {"user", 0, 100},
                 {"note", 0, 25000}};
    json_t *root = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *tags = json_object_get(root, "tags");
    const char *why = NULL;

    *ret_root = root;
    if (root == NULL || !check_known(root, "message|alias|description|responders|tags|details|"
                                           "entity|source|priority|user|note")) {
        return "no JSON, or a key that no alert has";
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && why == NULL; i++) {
        why = check_text(root, texts[i].key, texts[i].least, texts[i].most);
    }
    for (size_t i = 0; i < json_array_size(tags) && why == NULL; i++) {
        const char *tag = json_string_value(json_array_get(tags, i));

        why = tag == NULL || check_units(tag) > 50 ? "a tag that is too long" : NULL;
    }
    if (why == NULL &&
        (json_array_size(tags) > 20 || json_array_size(json_object_get(root, "responders")) > 50 ||
         !check_one_of(root, "priority", "P1|P2|P3|P4|P5"))) {
        why = "too many tags or teams, or no such priority";
    }
    return why != NULL ? why : check_details(json_object_get(root, "details"));
}

#endif
